"""DeepCluster: Caron et al., Deep Clustering for Unsupervised Learning of Visual Features, arXiv 1807.05520."""
