"""Two grids of the DeepCluster chapter: settings for small images, and comparison of DeepCluster with its relatives."""

from dataclasses import replace

from dcbook.chapters.deepcluster.grids.paper import SCALES
from dcbook.chapters.deepcluster.watches import Representation
from dcbook.experiments.image_learners import DEEPCLUSTER_V2, SWAV
from dcbook.experiments.runs import Method, Scale
from dcbook.methods import DeepCluster, DeepClusterV2, SwAV

RELEASED = {
    "dropout": {"dropout": 0.5},
    "Sobel": {"sobel": True},
    "batches of 256": {"batch_size": 256},
    "crops from 8 %": {"crop": 0.08},
    "k = classes": {"n_clusters": 10},  # the choice of users of the released code for CIFAR-10
}
OTHERS = {"no views": {"crop": 1.0, "flip": False, "jitter": 0.0}, "color jitter": {"jitter": 0.5}}
OURS, ALL = "this book's", "all of these"


def put_back(scale: Scale, others: dict[str, dict] = OTHERS, **changes) -> Scale:
    """A scale with one setting at a time as released (k: as its users chose) or as in `others`, and with `ALL`.

    `ALL` has all six together, five as released and k as its users chose. The rest is as in this book: k-means (its
    start and its end), the sampler, the architecture and the PCA. Its larger batches make fewer updates, at `laptop`
    240 in place of 942.
    """
    ours = {**scale.methods["DeepCluster"].params, **changes}
    once = {"reassign": 1, "epochs": ours["reassign"] * ours["epochs"]}  # at `laptop` 960 updates in place of 942
    released = {"a pass a clustering": once, **RELEASED}
    together = {name: value for each in released.values() for name, value in each.items()}
    variants = {OURS: {}, **released, ALL: together, **others}
    methods = {
        name: Method(DeepCluster, {**ours, **params}, watch=Representation()) for name, params in variants.items()
    }
    return replace(scale, methods=methods)


RECIPE = {
    "quick": put_back(
        replace(SCALES["quick"], datasets={"digits-rgb": {"subset": 320}}), others={}, width=0.5, epochs=2, reassign=5
    ),
    "laptop": put_back(replace(SCALES["laptop"], datasets={"cifar10": {"subset": 2000}}), epochs=6),
    "paper": put_back(
        replace(SCALES["paper"], datasets={"cifar10": {}}), jitter=0.0, crop=0.3, batch_size=64, reassign=5, epochs=40
    ),
}


def relatives(scale: Scale, shared: dict, later: dict | None = None, frozen: dict | None = None, **changes) -> Scale:
    """DeepCluster with both clusterings, and the two later methods, all with the same network and kind of views.

    Parameters
    ----------
    scale : data sets, seeds and DeepCluster's settings.
    shared : settings of all four methods: the network, the views and the batches.
    later : changes to the settings of the two later methods.
    frozen : further changes to SwAV's settings.
    changes : changes to DeepCluster's settings.
    """
    later, frozen = {**(later or {}), **shared}, frozen or {}
    ours = {**scale.methods["DeepCluster"].params, **changes, **shared, "hidden": None}
    methods = {
        "DeepCluster": Method(DeepCluster, ours),
        "DeepCluster, PIC": Method(DeepCluster, {**ours, "clustering": "pic"}),
        "DeepCluster-v2": Method(DeepClusterV2, {**DEEPCLUSTER_V2[scale.name], **later}),
        "SwAV": Method(SwAV, {**SWAV[scale.name], **later, **frozen}),
    }
    watched = {name: replace(method, watch=Representation()) for name, method in methods.items()}
    return replace(scale, methods=watched)


# DeepCluster's network, and views that combine those of both sides: flips, and changes of brightness and contrast. In
# the released codes, DeepCluster's views do not change colors, and those of the two later methods do.
NETWORK = {"architecture": "alexnet-small"}
FAMILY = {
    "quick": relatives(
        replace(SCALES["quick"], datasets={"digits": {"subset": 700}}),
        {**NETWORK, "width": 0.33, "crop": 0.5, "flip": False, "jitter": 0.4, "grayscale": 0.0, "batch_size": 32},
        epochs=4,
        later={"epochs": 4},
        frozen={"frozen_updates": 22},  # the updates of one epoch
    ),
    "laptop": relatives(
        replace(SCALES["laptop"], datasets={"fashion-mnist-test": {"subset": 2000}}),
        {**NETWORK, "width": 0.5, "crop": 0.3, "flip": True, "jitter": 0.4, "grayscale": 0.0, "batch_size": 64},
        epochs=3,  # of five passes each
        later={"epochs": 15},
        frozen={"frozen_updates": 32},
    ),
    "paper": relatives(
        SCALES["paper"],
        {**NETWORK, "width": 4.0, "crop": 0.2, "flip": True, "jitter": 0.5, "grayscale": 0.2, "batch_size": 256},
    ),
}
