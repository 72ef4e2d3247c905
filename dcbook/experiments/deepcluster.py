"""The runs of the DeepCluster chapter: one method, one setting varied at a time.

The paper's data is ImageNet, for which there is `python -m dcbook.train`. Here are sets that a reader can run, of small
images, on which the released settings do not learn: what was changed is said at each setting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dcbook.evaluation import flatness
from dcbook.experiments.filters_watch import Filters
from dcbook.experiments.records import Record, place, value_of
from dcbook.experiments.runs import Method, Run, Scale, runs, sampled, vary
from dcbook.experiments.transfer import Transfer
from dcbook.experiments.watch import LayerProbes
from dcbook.methods import DeepCluster

if TYPE_CHECKING:  # imported where a table is made: the workers of a sweep make none
    import pandas as pd

# No dropout, in which labels had a say: on 2,000 images of Fashion-MNIST (one seed, five epochs) NMI went from 0.48 to
# 0.47 with the released half of the inputs of fc6 and fc7 dropped, and to 0.51 without. Colors and gray values in place
# of derivatives: small images have few edges. Batches of 64, and five passes over the images between two clusterings: a
# head that begins anew is to have some updates. An epoch of ImageNet has 5,000; 2,000 images have 32 a pass. Labels saw
# this one too, see `notebooks/deepcluster/DEVIATIONS.md`. The digits of `quick` learn without it.
SMALL = {"dropout": 0.0, "sobel": False, "batch_size": 64, "reassign": 5}
GRAY = {**SMALL, "width": 0.5, "hidden": 256, "pca_dim": 64, "crop": 0.3}
DIGITS = {"reassign": 1, "n_clusters": 30, "hidden": 64, "pca_dim": 24, "crop": 0.5, "flip": False}
SCALES = {
    "quick": Scale(
        datasets={"digits": {}},
        seeds=(0,),
        methods={
            "DeepCluster": Method(
                DeepCluster,
                {**GRAY, **DIGITS, "epochs": 10},
                watch=LayerProbes(dim=256, epochs=20),
            )
        },
    ),
    "laptop": Scale(
        datasets={"fashion-mnist-test": {"subset": 2000}},
        seeds=(0, 1, 2),
        methods={"DeepCluster": Method(DeepCluster, {**GRAY, "n_clusters": 100, "epochs": 8}, watch=LayerProbes())},
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

SHOWN = ("conv1", "conv3", "conv5", "fc7")  # layers in pictures
NETWORKS = ("alexnet-small", "vgg-small")
# Where networks are put to use, images of a third set to mix into those of the pretraining, and the number of all
# these. With CIFAR-10 no third set has its shape: there the foreign images are of the same kind as the new set's.
ELSEWHERE = {
    "quick": Transfer(("digits", {"subset": 1000}), labeled=200, epochs=20, supervised=5),
    "laptop": Transfer(("mnist-test", {"subset": 4000}), labeled=500, epochs=30, supervised=20),
    "paper": Transfer(("cifar100-20-test", {}), labeled=5000, epochs=50, supervised=100),
}
FOREIGN = {"quick": "patches", "laptop": "pneumoniamnist", "paper": "cifar100-20"}
IMAGES = {"quick": 600, "laptop": 2000, "paper": 30_000}
Seeds = Iterable[int] | None


def numbers_of_clusters(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2(c): k from the number of classes to many times as many."""
    values = {"quick": (10, 30, 100), "laptop": (10, 30, 100, 300)}.get(scale, (10, 30, 100, 300, 1000, 3000))
    return vary(_of(scale, seeds), n_clusters=values)


def safeguards(scale: str, seeds: Seeds = None) -> list[Run]:
    """Section 2.2: with and without the repair of empty clusters, with and without uniform sampling over clusters.

    With so many clusters that each has about six images: few would never lose their last.
    """
    few_images = vary(_of(scale, seeds), n_clusters=[{"quick": 300, "laptop": 350}.get(scale, 10_000)])
    unprobed = [replace(run, watch=None) for run in few_images]
    return vary(vary(unprobed, sampling=("clusters", "images")), repair=(True, False))


def samplers(scale: str, seeds: Seeds = None) -> list[Run]:
    """The sampling of the paper, and that of the released code."""
    return vary(_of(scale, seeds), sampling=("clusters", "released"))


def layers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Table 1: probes of each layer beside those of a supervised twin, on the data set itself and on another."""
    watch = {
        "quick": LayerProbes(dim=256, epochs=20, supervised=8),
        "laptop": LayerProbes(supervised=20, elsewhere=("mnist-test", {"subset": 2000})),
    }.get(scale, LayerProbes(dim=9600, epochs=90, supervised=100))
    return [replace(run, watch=watch) for run in _of(scale, seeds)]


def filters(scale: str, seeds: Seeds = None) -> list[Run]:
    """Figs. 3 to 5: what filters respond to, with gray values or colors as input, and with derivatives."""
    watch = {"quick": Filters(shown=4, steps=60), "laptop": Filters()}.get(scale, Filters(shown=3))
    small = [run for run in _of(scale, seeds) if run.dataset != "stl10"]  # its pictures would fill megabytes
    return vary([replace(run, watch=watch) for run in small], sobel=(False, True))


def transfers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Tables 2, 4 and 5: a network and a deeper one, each put to another set.

    At `quick` from photographs to digits, as scikit-learn ships no other images.
    """
    found = vary(_transferred(scale, seeds), architecture=NETWORKS)
    return [replace(run, dataset=FOREIGN[scale]) for run in found] if scale == "quick" else found


def uncurated(scale: str, seeds: Seeds = None) -> list[Run]:
    """Table 3 (section 5.1): images as they are, imbalanced, and mixed with those of another set; as many of each.

    Imbalanced, the first of ten classes has a tenth of the last one's images. The runs on images as they are, but for
    `quick`, are among those of `transfers`.
    """
    runs = vary(_transferred(scale, seeds), architecture=NETWORKS[:1])
    chosen = ({}, {"retention": 0.1}, {"mixed_with": FOREIGN[scale]})
    return [sampled(run, **choice) for choice in chosen for run in runs]


def images_of(record: Record) -> str:
    """Which of the three sets of `uncurated` a run was trained on: "as they are", "imbalanced" or "mixed"."""
    if value_of(record, "mixed_with"):
        return "mixed"
    return "imbalanced" if value_of(record, "retention") else "as they are"


def elsewhere(records: Iterable[Record]) -> pd.DataFrame:
    """What `Transfer` found: architecture, images, network, dataset, seed, measure, value in per cent.

    A measure is a protocol of the transfer ("frozen", "fine-tuned") or "retrieval".
    """
    rows = [
        (value_of(record, "architecture"), images_of(record), network, place(record.run), record.run["seed"], *found)
        for record in records
        for network, found in [
            *((network, found) for network, each in record.portrait["transfer"].items() for found in each.items()),
            *((network, ("retrieval", value)) for network, value in record.portrait["retrieval"].items()),
        ]
    ]
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["architecture", "images", "network", "dataset", "seed", "measure", "value"])
    return frame.assign(value=100 * frame["value"])


def probes(records: Iterable[Record], setting: str, network: str = "trained") -> pd.DataFrame:
    """Accuracies of linear probes, as `to_frame` has scores: the metric is the layer ("conv1", …, "fc7")."""
    rows = [
        (record.run["method"], place(record.run), record.run["seed"], value_of(record, setting), layer, accuracy)
        for record in records
        for layer, accuracy in record.portrait["probes"][network].items()
    ]
    import pandas as pd

    return pd.DataFrame(rows, columns=["method", "dataset", "seed", setting, "metric", "value"])


def by_layer(records: Iterable[Record]) -> pd.DataFrame:
    """The probes of `layers`: network, dataset (that of the probes), seed, layer, value in per cent."""
    rows = [
        (network, dataset, record.run["seed"], layer, 100 * accuracy)
        for record in records
        for part, dataset in (("probes", place(record.run)), ("elsewhere", f"from {place(record.run)} to another"))
        for network, accuracies in record.portrait.get(part, {}).items()
        for layer, accuracy in accuracies.items()
    ]
    import pandas as pd

    return pd.DataFrame(rows, columns=["network", "dataset", "seed", "layer", "value"])


def filter_numbers(records: Iterable[Record]) -> pd.DataFrame:
    """The portraits of `filters` in numbers: network, dataset, seed, layer, measure, value in per cent.

    Measures: "purity", the mean share of the commonest class among the top images of a filter, and that of a network
    "chance"; "one class", the filters with top images of one class alone; "ascent", those of the filters shown that
    respond more to the image made for them than to any of the set; "flat", the `flatness` of conv1 as pixels see it.
    """
    rows = []
    for record in records:
        seen, fixed = record.portrait, (place(record.run), record.run["seed"])
        for name, layers in seen["purity"].items():
            found = [("conv1", "flat", flatness(seen["first"][name]))]
            for layer, shares in layers.items():
                made = [each["ascended"] > each["responses"][0] for each in seen["filters"][name][layer]]
                found += [(layer, "purity", shares), (layer, "one class", np.equal(shares, 1)), (layer, "ascent", made)]
            rows += [(f"{name}, {fed(record)}", *fixed, *what, 100 * np.mean(each)) for *what, each in found]
        rows += [("chance", *fixed, layer, "purity", 100 * seen["chance"]) for layer in seen["purity"]["trained"]]
    import pandas as pd

    return pd.DataFrame(rows, columns=["network", "dataset", "seed", "layer", "measure", "value"])


def fed(record: Record) -> str:
    """What the first convolution sees: "Sobel" or "raw" pixels."""
    return "Sobel" if value_of(record, "sobel") else "raw"


def _transferred(scale: str, seeds: Seeds) -> list[Run]:
    first = next(iter(SCALES[scale].datasets))
    runs = [replace(run, watch=ELSEWHERE[scale]) for run in _of(scale, seeds) if run.dataset == first]
    return [sampled(run, subset=IMAGES[scale]) for run in runs]


def _of(scale: str, seeds: Seeds) -> list[Run]:
    settings = SCALES[scale]
    return runs(replace(settings, seeds=tuple(seeds or settings.seeds)), name=scale)
