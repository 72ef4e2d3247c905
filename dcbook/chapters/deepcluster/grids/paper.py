"""The runs of the DeepCluster chapter: one method, one setting varied at a time.

The paper's data set is ImageNet, for which there is `python -m dcbook.train`. The data sets here have small images, so
that readers can run them. Settings were chosen for such images; changes are stated at each setting.
"""

from collections.abc import Sequence
from dataclasses import replace

from dcbook.chapters.deepcluster.watches import Filters, LayerProbes, Transfer
from dcbook.experiments.image_learners import DEEPCLUSTER
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, sampled, vary
from dcbook.methods import DeepCluster

# Each quick notebook takes seconds, with fewer images and channels, and a few short epochs with smaller batches.
QUICK = {**DEEPCLUSTER["quick"], "width": 0.33, "batch_size": 32, "epochs": 6}
SCALES = {
    "quick": Scale(
        name="quick",
        datasets={"digits": {"subset": 1000}},
        seeds=(0,),
        methods={
            "DeepCluster": Method(
                DeepCluster,
                QUICK,
                watch=LayerProbes(dim=128, epochs=20),
            )
        },
    ),
    "laptop": Scale(
        name="laptop",
        datasets={"fashion-mnist-test": {"subset": 2000}},
        seeds=(0, 1, 2),
        methods={"DeepCluster": Method(DeepCluster, DEEPCLUSTER["laptop"], watch=LayerProbes())},
    ),
    "paper": Scale(
        name="paper",
        datasets={"cifar10": {}, "stl10": {}},
        seeds=(0, 1, 2, 3, 4),
        methods={
            "DeepCluster": Method(
                DeepCluster,
                DEEPCLUSTER["paper"],
                watch=LayerProbes(dim=9600, epochs=90),
            )
        },
    ),
}
NETWORKS = ("alexnet-small", "vgg-small")
# Per scale: the target data set, the data set mixed into the training images, and the number of training images. No
# third data set has the shape of CIFAR-10; there the mixed images are of the same kind as those of the target data set.
ELSEWHERE = {
    "quick": Transfer(("digits", {"subset": 500}), labeled=200, epochs=10, supervised=3),
    "laptop": Transfer(("mnist-test", {"subset": 4000}), labeled=500, epochs=30, supervised=20),
    "paper": Transfer(("cifar100-20-test", {}), labeled=5000, epochs=50, supervised=100),
}
FOREIGN = {"quick": "patches", "laptop": "pneumoniamnist", "paper": "cifar100-20"}
IMAGES = {"quick": 500, "laptop": 2000, "paper": 30_000}


NUMBERS = {"quick": (10, 30, 100), "laptop": (10, 30, 100, 300), "paper": (10, 30, 100, 300, 1000, 3000)}


def numbers_of_clusters(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2: k from the number of classes to a large multiple of it."""
    return vary(_of(scale, seeds), n_clusters=NUMBERS[scale])


def started_anew(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2(a) and (b) with k-means as released: 20 passes from K random images at each clustering.

    In the other runs k-means starts from the previous clusters, which makes consecutive clusterings more similar.
    Layers are not probed.
    """
    cold = [_with(replace(run, watch=None), warm_start=False, tol=0.0) for run in _of(scale, seeds)]
    return vary(cold, n_clusters=NUMBERS[scale])


def both_starts(scale: str, seeds: Seeds = None) -> list[Run]:
    """Fig. 2(a) and (b): the runs of `started_anew` and of `numbers_of_clusters`."""
    return started_anew(scale, seeds) + numbers_of_clusters(scale, seeds)


def ten_thousand_images(scale: str, seeds: Seeds = None, numbers: Sequence[int] = NUMBERS["laptop"]) -> list[Run]:
    """Fig. 2 and Table 1 for `make evidence`: the network of `laptop`, five times the images, four times the epochs.

    Both starts of k-means are run, with these numbers of clusters; only at scale `paper`, whose other runs have a
    network that needs a GPU.
    """
    if scale != "paper":
        return []
    settings = {**DEEPCLUSTER["laptop"], "epochs": 32}
    larger = replace(
        SCALES["laptop"],
        name="paper",
        seeds=SCALES["paper"].seeds,
        datasets={"fashion-mnist-test": {}, "cifar10": {"subset": 10_000}},
        methods={"DeepCluster": Method(DeepCluster, settings, watch=LayerProbes())},
    )
    warm = vary(runs(larger, seeds=seeds), n_clusters=numbers)
    return [_with(run, warm_start=False, tol=0.0) for run in warm] + warm


# Where no cluster is ever empty nothing scatters, and three runs do not tell a rule from chance; eight do.
GUARDED = {**SCALES, "laptop": replace(SCALES["laptop"], seeds=tuple(range(8)))}


def safeguards(scale: str, seeds: Seeds = None) -> list[Run]:
    """Trivial solutions: with and without the repair of empty clusters and uniform sampling over clusters.

    k-means goes on from the clusters before, which is our deviation. There are so many clusters that each has about six
    images (of STL-10 hardly more than one), because larger clusters would hardly ever become empty. At `quick`, with
    five epochs, each has three, and the step is twice as large, so that images change clusters more often.
    """
    few_images = vary(runs(GUARDED[scale], seeds=seeds), n_clusters=[{"quick": 200, "laptop": 350}.get(scale, 10_000)])
    if scale == "quick":
        few_images = [_with(sampled(run, subset=600), width=0.25, lr=0.1, epochs=5) for run in few_images]
    unprobed = [replace(run, watch=None) for run in few_images]
    return vary(vary(unprobed, sampling=("clusters", "images")), repair=(True, False))


def samplers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Sampling as in the paper and as in the released code."""
    return vary(runs(GUARDED[scale], seeds=seeds), sampling=("clusters", "released"))


def layers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Table 1: probes of each layer and of a supervised network, on the set itself and, at `laptop`, on another one."""
    watch = {
        "quick": LayerProbes(dim=128, epochs=20, supervised=8),
        "laptop": LayerProbes(supervised=20, elsewhere=("mnist-test", {"subset": 2000})),
    }.get(scale, LayerProbes(dim=9600, epochs=90, supervised=100))
    return [replace(run, watch=watch) for run in _of(scale, seeds)]


def filters(scale: str, seeds: Seeds = None) -> list[Run]:
    """Figs. 3 to 5: preferred inputs of filters, with gray values or colors as input, and with derivatives."""
    watch = {"quick": Filters(shown=3, steps=40), "laptop": Filters()}.get(scale, Filters(shown=3))
    small = [run for run in _of(scale, seeds) if run.dataset != "stl10"]  # its images would make large records
    return vary([replace(run, watch=watch) for run in small], sobel=(False, True))


def transfers(scale: str, seeds: Seeds = None) -> list[Run]:
    """Tables 2, 4 and 5: transfer of a network and a deeper one to another data set.

    At `quick` from photographs to digits, because scikit-learn ships no other images.
    """
    found = vary(_transferred(scale, seeds), architecture=NETWORKS)
    return [replace(run, dataset=FOREIGN[scale]) for run in found] if scale == "quick" else found


def uncurated(scale: str, seeds: Seeds = None) -> list[Run]:
    """Table 3 (section 5.1): the same number of unchanged, imbalanced, and mixed images (with those of another set).

    In the imbalanced sample, the first of ten classes has a tenth of the images of the last class. Except at `quick`,
    the runs on unchanged images are also runs of `transfers`.
    """
    runs = vary(_transferred(scale, seeds), architecture=NETWORKS[:1])
    chosen = ({}, {"retention": 0.1}, {"mixed_with": FOREIGN[scale]})
    return [sampled(run, **choice) for choice in chosen for run in runs]


def _transferred(scale: str, seeds: Seeds) -> list[Run]:
    first = next(iter(SCALES[scale].datasets))
    runs = [replace(run, watch=ELSEWHERE[scale]) for run in _of(scale, seeds) if run.dataset == first]
    short = {"epochs": 4} if scale == "quick" else {}
    return [_with(sampled(run, subset=IMAGES[scale]), **short) for run in runs]


def _with(run: Run, **params) -> Run:
    return replace(run, params={**run.params, **params})


def _of(scale: str, seeds: Seeds) -> list[Run]:
    return runs(SCALES[scale], seeds=seeds)
