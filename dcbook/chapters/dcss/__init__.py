"""DCSS: Sadeghi & Armanfard, Deep Clustering with Self-Supervision using Pairwise Similarities, arXiv 2405.03590."""
