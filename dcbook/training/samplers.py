"""Which images DeepCluster trains on between two clusterings, given their pseudo-labels."""

import torch
from torch import Tensor


def uniform_over_clusters(labels: Tensor, generator: torch.Generator, passes: int = 1) -> tuple[Tensor, Tensor]:
    """`passes` times as many images as there are, (nearly) the same number from each cluster: rows and their labels.

    A cluster of N_k images is drawn from without replacement if it holds more than its part, and with it otherwise: an
    image counts as if weighted by 1 / N_k. Source: Caron et al., ECCV 2018, section 2.2.2; numbers of draws as released
    (util.py:61-86).
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
    """What the released code draws: the rows of `uniform_over_clusters`, taken as places in a list sorted by cluster.

    The sampler numbers images as they lie on disk, the data set that it serves numbers them cluster by cluster (as
    released, util.py:70-82 and clustering.py:50-57): images keep their own labels, but large clusters come more often.
    """
    rows, _ = uniform_over_clusters(labels, generator, passes)
    rows = labels.argsort(stable=True)[rows]
    return rows, labels[rows]


def uniform_over_images(labels: Tensor, generator: torch.Generator, passes: int = 1) -> tuple[Tensor, Tensor]:
    """Each image `passes` times, as if there were no clusters."""
    rows = torch.cat([torch.randperm(len(labels), generator=generator) for _ in range(passes)]).to(labels.device)
    return rows, labels[rows]


SAMPLERS = {"clusters": uniform_over_clusters, "released": as_released, "images": uniform_over_images}
