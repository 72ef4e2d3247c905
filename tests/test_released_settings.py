"""Defaults of the methods that compare images, and their `paper` settings on single sets, against released files.

Values are those of `shared/papers/contrastive_methods.md`; of TEMI and PAC, those of the released code.
"""

import sys

import pytest

import dcbook.methods
from dcbook.chapters.contrastive import grids
from dcbook.training.augment import Augmentation
from dcbook.training.views import Distortion, Strong

MILD = Distortion(rotation=10, shift=0.09, zoom=0.05, flip=True, channels=0.05, gain=0.975)
WILD = Distortion(rotation=20, shift=0.18, zoom=0.15, flip=True, channels=0.1, gain=0.95)
STRONG = Strong(operations=4, flip=True, hole=16 / 32)
JITTERED = Augmentation(crop=0.2, flip=True, jitter=0.5, grayscale=0.2, hue=0.4, jittered=1.0)
PAIRS = {"architecture": "dac", "width": 64, "epochs": 50, "passes": 10 * 2, "lr": 1e-3, "pair_loss": "cross-entropy"}
PAIRS |= {"anchor": 1, "anchor_scaled": "none", "rectified": False, "growing": True, "VIEW": MILD}
PAIRS |= {"SIZES": {"batch_size": 32, "block": 1000}}
RELEASED = {
    "CC": {"architecture": "resnet-34", "width": 64, "projection_dim": 128, "epochs": 1000, "lr": 3e-4}
    | {"temperature": 0.5, "cluster_temperature": 1, "instance": 1, "cluster": 1, "balance": 1}
    | {"SIZES": {"batch_size": 256}}
    | {"VIEW": Augmentation(crop=0.08, flip=True, jitter=0.5, grayscale=0.2, hue=None, jittered=0.8)},
    "PICA": {"architecture": "resnet-34", "width": 64, "copies": 3, "overclusters": 70, "balance": 2, "epochs": 200}
    | {"lr": 1e-4, "SIZES": {"batch_size": 256}, "VIEW": JITTERED},
    "DAC": PAIRS | {"upper": 0.99, "lower": 0.80, "meet": 0.895},
    "DAC_star": PAIRS | {"upper": 0.99, "lower": None, "meet": 0.75},
    "DCCM": {"architecture": "dccm", "width": 64, "epochs": 200, "passes": 10 * 2, "lr": 1e-4, "link": 0.95}
    | {"sure": 0.9, "label": 5, "graph": 1, "local": 0.05, "discriminator": 512, "HIDDEN": 64, "VIEW": WILD}
    | {"SIZES": {"batch_size": 32, "block": 1000}},
    "IDFD": {"architecture": "resnet-18", "width": 64, "embedding_dim": 128, "epochs": 2000, "lr": 0.03}
    | {"sgd_momentum": 0.9, "weight_decay": 5e-4, "temperature": 1, "decorrelation_temperature": 2}
    | {"memory_momentum": 0.5, "instance": 1, "decorrelation": 1, "schedule": "steps", "RESTARTS": 20}
    | {"SIZES": {"batch_size": 128}, "DROPS": (600 / 2000, 950 / 2000, 1300 / 2000, 1650 / 2000)}
    | {"VIEW": Augmentation(crop=0.2, flip=False, jitter=0.5, grayscale=0.2, hue=0.0, jittered=1.0)},
    "MiCE": {"architecture": "resnet-34", "width": 64, "embedding_dim": 128, "epochs": 1001, "lr": 1.0}
    | {"sgd_momentum": 0.9, "weight_decay": 1e-4, "temperature": 1, "teacher_momentum": 0.999, "reset": True}
    | {"schedule": "steps", "SIZES": {"batch_size": 256, "queue": 16384}, "WARM_UP": 10 / 1001, "VIEW": JITTERED}
    | {"DROPS": (480 / 1000, 640 / 1000, 800 / 1000)},
    "SCAN": {"epochs": 50, "lr": 1e-4, "weight_decay": 1e-4, "n_neighbors": 20, "entropy": 5, "heads": 1}
    | {"frozen_epochs": 0, "selflabel_epochs": 200, "confidence": 0.99, "SELECTED_BY": 5, "VIEW": STRONG}
    | {"SIZES": {"batch_size": 128, "selflabel_batch_size": 1000}},
    "SPICE": {"epochs": 100, "lr": 0.005, "repeats": 8, "heads": 10, "center_share": 0.5, "softmaxes": 2}
    | {"SIZES": {"batch_size": 128, "block": 5000}, "VIEW": STRONG},
    "TEMI": {"n_neighbors": 50, "heads": 16, "width": 512, "dim": 256, "epochs": 100, "lr": 1e-4 * 1024 / 256}
    | {"beta": 0.6, "temperature": 0.1, "teacher_momentum": 0.996, "marginal_momentum": 0.9, "weighted": True}
    | {"standardized": False, "SIZES": {"batch_size": 1024}},
    "PAC": {"m": 1.01, "epochs": 100, "tol": 1e-3, "uniformity": 1000, "LEAST_SWEEPS": 11},
    "IMSAT": {"width": 1200, "epochs": 50, "lr": 2e-3, "lam": 0.1, "mu": 4, "n_neighbors": 10, "radius": 0.25}
    | {"PROBE": 10, "SIZES": {"batch_size": 250}},
}  # capitals: constants of the class or of its module


def defaults(model, names):
    """Attributes of a method and constants of its class or module, by name."""
    constants = vars(sys.modules[type(model).__module__])
    return {name: getattr(model, name) if hasattr(model, name) else constants[name] for name in names}


@pytest.mark.parametrize("name", RELEASED)
def test_defaults_are_the_released_values(name):
    model = getattr(dcbook.methods, name)()
    assert defaults(model, RELEASED[name]) == RELEASED[name]
    if "VIEW" in RELEASED[name]:
        assert model.view == RELEASED[name]["VIEW"]
    if "SIZES" in RELEASED[name]:
        assert all(getattr(model, key) is None for key in model.SIZES), "the released number is used"


V1 = {"architecture": "dac-v1", "view": WILD, "anchor": 10, "anchor_scaled": "target", "upper": 0.99, "meet": 0.75}
V1 |= {"lower": None, "epochs": 50, "passes": 20, "batch_size": None, "pair_loss": "cross-entropy", "rectified": False}
ON_MNIST = {"architecture": "dac", "upper": 0.9, "meet": 0.5, "lower": None, "epochs": 20, "passes": 5, "anchor": 0}
ON_MNIST |= {"batch_size": 128, "pair_loss": "squared", "rectified": True}
ON_MNIST |= {"view": Distortion(rotation=10, shift=0.1, zoom=0.05, flip=False, channels=0.05, gain=0.975)}
ON_SETS = {
    ("DAC*", "cifar10"): V1,
    ("DAC*", "cifar100-20"): V1,
    ("DAC*", "mnist"): ON_MNIST,
    ("DAC*", "usps"): {"epochs": 50, "passes": 20, "pair_loss": "cross-entropy", "batch_size": None},
    ("DAC", "cifar100-20"): {"architecture": "dac", "view": MILD, "anchor": 1, "lower": 0.8},
    ("DCCM", "cifar10"): {"lr": 1e-4, "view": WILD},
    ("DCCM", "cifar100-20"): {"lr": 1e-3, "view": WILD},
    ("SCAN", "cifar10"): {"batch_size": None, "epochs": 50, "selflabel_epochs": 200},
    ("SCAN", "cifar100-20"): {"batch_size": 512, "epochs": 100, "selflabel_epochs": 200},
    ("SPICE-Self", "cifar10"): {"epochs": 30, "block": None},
    ("SPICE-Self", "cifar100-20"): {"epochs": 100, "block": 10_000},
}  # method and data set


@pytest.mark.parametrize(("method", "dataset"), ON_SETS)
def test_paper_settings_are_those_of_the_released_file_for_the_set(method, dataset):
    (run,) = grids.of_kinds("paper", [0], [method], [dataset])
    model = run.cls(**run.params)
    assert {key: getattr(model, key) for key in ON_SETS[method, dataset]} == ON_SETS[method, dataset]


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_the_pretext_has_scan_s_anchors_at_paper(scale):
    found = grids.of_kinds(scale, [0], [grids.PRETEXT])
    assert {run.dataset for run in found} == set(grids.TABLE1[scale].datasets)
    assert {run.cls(**run.params).anchors for run in found} == {"first" if scale == "paper" else "both"}
