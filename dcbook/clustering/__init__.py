"""Clustering algorithms in torch without networks, for any device.

k-means, landmark-based spectral embedding, non-negative factorization, power iteration, optimal transport, whitening.
"""

from dcbook.clustering.assignment import assign
from dcbook.clustering.kmeans import KMeansResult, kmeans
from dcbook.clustering.landmarks import LandmarkEmbedding, landmark_embedding
from dcbook.clustering.nmf import Factorization, fold_in, locality_preserving_nmf
from dcbook.clustering.pic import power_iteration_clustering
from dcbook.clustering.seeding import kmeans_plusplus
from dcbook.clustering.sinkhorn import sinkhorn
from dcbook.clustering.whitening import Whitening
