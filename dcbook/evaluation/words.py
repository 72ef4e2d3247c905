"""Clusters of texts as a reader sees them: their words, and the texts in their middle. No label is involved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcbook.data.vectors import tfidf, unit

if TYPE_CHECKING:  # imported where a table is made
    import pandas as pd


def top_words(texts: Sequence[str], labels: Sequence[int], n: int = 8) -> dict[int, list[str]]:
    """Cluster to the n words that tell it from the rest: those whose mean TF-IDF within most exceeds that without.

    texts : N strings. labels : their clusters, (N,) integers. Raises ValueError where their numbers differ.
    """
    labels = _checked(texts, labels)
    weights, words = tfidf(texts)
    found = {}
    for cluster in np.unique(labels):
        inside = labels == cluster
        within = weights[inside].mean(0)
        without = weights[~inside].mean(0) if not inside.all() else 0 * within
        order = np.argsort(without - within, kind="stable")[:n]
        found[int(cluster)] = [str(words[k]) for k in order]
    return found


def describe_clusters(
    texts: Sequence[str], labels: Sequence[int], space: np.ndarray | None = None, n_words: int = 8, n_texts: int = 2
) -> pd.DataFrame:
    """A row a cluster, largest first: "cluster", "texts" (how many), "words", and "nearest", the texts in its middle.

    Parameters
    ----------
    texts : N strings.
    labels : their clusters, (N,) integers.
    space : (N, d) vectors in which the nearest texts are those with the largest cosine to the mean of the cluster; by
        default TF-IDF.
    n_words, n_texts : how many of each are told.

    Raises ValueError where numbers of texts, labels and vectors differ.
    """
    import pandas as pd

    texts, labels = list(texts), _checked(texts, labels)  # a list counts from 0, as a column of a table need not
    vectors = tfidf(texts)[0] if space is None else unit(np.asarray(space))
    if vectors.shape[0] != len(texts):
        raise ValueError(f"{len(texts):,} texts need as many vectors, not {vectors.shape[0]:,}")
    words, rows = top_words(texts, labels, n_words), []
    for cluster, told in words.items():
        members = np.flatnonzero(labels == cluster)
        mean = np.asarray(vectors[members].mean(0)).ravel()
        near = members[np.argsort(-np.asarray(vectors[members] @ mean).ravel(), kind="stable")[:n_texts]]
        rows.append((cluster, len(members), ", ".join(told), " · ".join(texts[i] for i in near)))
    frame = pd.DataFrame(rows, columns=["cluster", "texts", "words", "nearest"])
    return frame.sort_values("texts", ascending=False, kind="stable", ignore_index=True)


def _checked(texts: Sequence[str], labels: Sequence[int]) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (len(texts),) or labels.dtype.kind not in "iu":
        raise ValueError(f"{len(texts):,} texts need as many integers as labels, not an array {labels.shape}")
    return labels
