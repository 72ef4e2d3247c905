"""k-means in torch: seeding, Lloyd's algorithm, nearest centers; on any device."""

from dcbook.clustering.assignment import assign
from dcbook.clustering.kmeans import KMeansResult, kmeans
from dcbook.clustering.seeding import kmeans_plusplus

__all__ = ["KMeansResult", "assign", "kmeans", "kmeans_plusplus"]
