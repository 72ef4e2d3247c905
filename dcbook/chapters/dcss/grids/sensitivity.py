"""The runs of DCSS Figs. 7, 10, 11(b) and 12: one setting varied from the paper's, the others left as they are.

The data set is the paper's or what stands for it. The paper's own grids of values are not in the text that we have:
these are ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dcbook.chapters.dcss.grids.benchmark import LAPTOP, QUICK, QUICK_NETWORK, TABLE1
from dcbook.experiments.reported import stand_in
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled, vary, with_clusters
from dcbook.methods import AEKMeans, Pretraining


def small(scale: Scale, settings: Mapping[str, dict] | None = None, **options: Any) -> Scale:
    """A scale for sweeps over many settings: nothing watched, some methods' settings, data sets or starts replaced."""
    changed = {name: method.params | (settings or {}).get(name, {}) for name, method in scale.methods.items()}
    methods = {name: replace(method, params=changed[name], watch=None) for name, method in scale.methods.items()}
    return replace(scale, methods=methods, **options)


# At `quick` a third of the digits, more epochs since these are shorter, and no histories, which no picture here needs.
# At `laptop` stratified subsets of 2,000 images, a fully connected network a quarter as wide as DEC's, and about half
# as many updates of DCN, DKM and DCSS as on the whole sets, a third of VaDE's; DEC and IDEC may make as many.
SENSITIVITY = {
    "quick": small(
        QUICK,
        {
            "DCN": {"epochs": 12},
            "DKM": {"epochs": 12},
            "VaDE": {"epochs": 8},
            "DCSS_u": {"phase1_epochs": 5},
            "DCSS": {"phase2_epochs": 20, "T2": 10, "batch_size": 100},
        },
        datasets={"digits": {"subset": 600}},
        seeds=(0,),
        starts={"autoencoder": Method(AEKMeans, {"start": replace(QUICK_NETWORK, epochs=24)})},
        monitor_every=0,
    ),
    "laptop": small(
        LAPTOP,
        {
            "DCN": {"epochs": 80},
            "DKM": {"epochs": 80},
            "VaDE": {"epochs": 50},
            "DCSS_u": {"phase1_epochs": 3},
            "DCSS": {"phase2_epochs": 4, "T2": 1},
        },
        datasets={name: {"subset": 2000} for name in LAPTOP.datasets},
        starts={
            "autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(125, 125, 500), epochs=100, batch_size=128)})
        },
    ),
    "paper": small(TABLE1["paper"], datasets={"usps": {}, "mnist-test": {}}),
}

CONTESTANTS = ("k-means", "AE+k-means", "DEC", "IDEC", "DCN", "DKM", "VaDE", "DCSS_u", "DCSS")


def alpha(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 10(a): weight of the centering loss, on MNIST, judged after phase 1."""
    values = {"quick": (0.0, 0.1, 30.0)}.get(scale, (0.0, 0.01, 0.1, 1.0, 10.0))
    return vary(_of(scale, seeds, "mnist", "DCSS_u"), alpha=values)


def fuzziness(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 10(b): m, on Fashion-MNIST, judged after phase 1."""
    values = {"quick": (1.1, 1.5, 3.0)}.get(scale, (1.1, 1.3, 1.5, 2.0, 3.0))
    return vary(_of(scale, seeds, "fashion-mnist", "DCSS_u"), m=values)


def updates_of_centers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 10(c): T1, epochs between updates of the centers, on USPS, judged after phase 1."""
    values = {"quick": (1, 5), "laptop": (1, 2, 5)}.get(scale, (1, 2, 5, 10, 20))
    return vary(_of(scale, seeds, "usps", "DCSS_u"), T1=values)


def handover(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 10(d): T2, the epoch from which q chooses the pairs, from the first to never, on Fashion-MNIST."""
    grid = _of(scale, seeds, "fashion-mnist", "DCSS")
    epochs = grid[0].params.get("phase2_epochs", 20)
    shares = {"quick": (0, 0.25, 1), "laptop": (0, 0.25, 0.5, 1)}.get(scale, (0, 0.1, 0.25, 0.5, 1))
    return vary(grid, T2=[round(share * epochs) for share in shares])


def thresholds(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 11(b): zeta and gamma, on USPS (the paper does not name the set)."""
    zetas, gammas = {"quick": ((0.6, 0.8), (0.05, 0.5))}.get(scale, ((0.6, 0.8, 0.95), (0.05, 0.2, 0.5)))
    return vary(vary(_of(scale, seeds, "usps", "DCSS"), zeta=zetas), gamma=gammas)


def imbalance(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 7: retention rates of the smallest class, on MNIST; the rates are DEC's."""
    rates = {"quick": (0.1, 0.9)}.get(scale, (0.1, 0.3, 0.5, 0.7, 0.9))
    grid = _of(scale, seeds, "mnist", *CONTESTANTS)
    return [sampled(run, retention=rate) for rate in rates for run in grid]


def wrong_k(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 12: the number of clusters below, at and above that of the classes, on Fashion-MNIST."""
    numbers = {"quick": (5, 10, 15), "laptop": (4, 7, 10, 13, 16)}.get(scale, (4, 6, 8, 10, 12, 14, 16))
    grid = _of(scale, seeds, "fashion-mnist", "AE+k-means", "DCSS_u", "DCSS")
    return [with_clusters(run, k) for k in numbers for run in grid]


def _of(scale: str, seeds: Seeds, dataset: str, *methods: str) -> list[Run]:
    settings = SENSITIVITY[scale]
    return runs(settings, methods, [stand_in(dataset, settings.datasets)], seeds)
