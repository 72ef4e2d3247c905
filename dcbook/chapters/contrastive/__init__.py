"""Clustering by comparing images: DAC, DCCM, PICA, CC, SCAN and their kin, the other half of DCSS's Table 1."""
