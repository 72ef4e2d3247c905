"""Samplers: the images that DeepCluster trains on between two clusterings, given their pseudo-labels."""

import torch
from torch import Tensor


def uniform_over_clusters(labels: Tensor, generator: torch.Generator, passes: int = 1) -> tuple[Tensor, Tensor]:
    """`passes` × N rows and their labels, with (nearly) the same number of images from each cluster.

    Images are drawn without replacement from a cluster that is larger than its share of the draws, otherwise with
    replacement, so an image of a cluster of size N_k has weight 1 / N_k. Source: Caron et al., ECCV 2018, its section
    on trivial solutions; numbers of draws as released (util.py:61-86).
    """
    sizes = torch.bincount(labels.cpu())
    live = sizes.nonzero().flatten().tolist()
    n = passes * len(labels)
    draws = n // len(live) + 1
    by_cluster = dict(zip(live, labels.cpu().argsort(stable=True).split(sizes[live].tolist()), strict=True))
    chosen = []
    for members in by_cluster.values():
        if len(members) > draws:
            chosen.append(members[torch.randperm(len(members), generator=generator)[:draws]])
        else:
            chosen.append(members[torch.randint(len(members), (draws,), generator=generator)])
    rows = torch.cat(chosen)
    rows = rows[torch.randperm(len(rows), generator=generator)][:n].to(labels.device)
    return rows, labels[rows]


def as_released(labels: Tensor, generator: torch.Generator, passes: int = 1) -> tuple[Tensor, Tensor]:
    """Rows of `uniform_over_clusters`, used as positions in a list sorted by cluster, as in the released code.

    The released sampler numbers images in the order on disk, but its data set numbers them cluster by cluster
    (util.py:70-82 and clustering.py:50-57). Images keep their labels, but large clusters are drawn more often.
    """
    rows, _ = uniform_over_clusters(labels, generator, passes)
    rows = labels.argsort(stable=True)[rows]
    return rows, labels[rows]


def uniform_over_images(labels: Tensor, generator: torch.Generator, passes: int = 1) -> tuple[Tensor, Tensor]:
    """Each image `passes` times, regardless of clusters."""
    rows = torch.cat([torch.randperm(len(labels), generator=generator) for _ in range(passes)]).to(labels.device)
    return rows, labels[rows]


SAMPLERS = {"clusters": uniform_over_clusters, "released": as_released, "images": uniform_over_images}
