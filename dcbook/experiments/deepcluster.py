"""The runs of the DeepCluster chapter: one method, one setting varied at a time.

The paper's data is ImageNet, for which there is `python -m dcbook.train`. Here are sets that a reader can run, of small
images, on which the released settings do not learn: what was changed is said at each setting.
"""

from collections.abc import Iterable
from dataclasses import replace

from dcbook.experiments.runs import Method, Run, Scale, runs, vary
from dcbook.experiments.watch import LayerProbes
from dcbook.methods import DeepCluster

# No dropout: without half of the inputs of fc6 and fc7, such narrow networks hardly learn. Colors and gray values in
# place of derivatives: small images have few edges. Batches of 64: an epoch of few images is to have some updates.
SMALL = {"dropout": 0.0, "sobel": False, "batch_size": 64}
GRAY = {**SMALL, "width": 0.5, "hidden": 256, "pca_dim": 64, "crop": 0.3}
SCALES = {
    "quick": Scale(
        datasets={"digits": {}},
        seeds=(0,),
        methods={
            "DeepCluster": Method(
                DeepCluster,
                {**GRAY, "n_clusters": 30, "epochs": 10, "hidden": 64, "pca_dim": 24, "crop": 0.5, "flip": False},
                watch=LayerProbes(dim=256, epochs=20),
            )
        },
    ),
    "laptop": Scale(
        datasets={"fashion-mnist-test": {"subset": 4000}},
        seeds=(0, 1, 2),
        methods={"DeepCluster": Method(DeepCluster, {**GRAY, "n_clusters": 100, "epochs": 30}, watch=LayerProbes())},
    ),
    "paper": Scale(
        datasets={"cifar10": {}, "stl10": {}},
        seeds=(0, 1, 2, 3, 4),
        methods={
            "DeepCluster": Method(
                DeepCluster,
                {"n_clusters": 100, "width": 4.0, "hidden": 2048, "dropout": 0.0, "sobel": False, "jitter": 0.5},
                watch=LayerProbes(dim=9600, epochs=90),
            )
        },
    ),
}

Seeds = Iterable[int] | None


def numbers_of_clusters(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2(c): k from the number of classes to a hundred times as many."""
    values = {"quick": (10, 30, 100), "laptop": (10, 30, 100, 300, 1000)}.get(scale, (10, 30, 100, 300, 1000, 3000))
    return vary(_of(scale, seeds), n_clusters=values)


def safeguards(scale: str, seeds: Seeds = None) -> list[Run]:
    """Section 2.2: with and without the repair of empty clusters, with and without uniform sampling over clusters."""
    return vary(vary(_of(scale, seeds), sampling=("clusters", "images")), repair=(True, False))


def samplers(scale: str, seeds: Seeds = None) -> list[Run]:
    """The sampling of the paper, and that of the released code."""
    return vary(_of(scale, seeds), sampling=("clusters", "released"))


def _of(scale: str, seeds: Seeds) -> list[Run]:
    settings = SCALES[scale]
    return runs(replace(settings, seeds=tuple(seeds or settings.seeds)), name=scale)
