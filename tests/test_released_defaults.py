"""Defaults of all methods that `test_released_settings` leaves, against their sources; each default has a pin.

Values are those of `shared/papers`: baselines.md, autoencoder_and_gan_methods.md, dcss.md, deepcluster.md, rdc.md,
contrastive_methods.md, ssl_article.md; where these are silent, of the released files.
"""

import pytest

import dcbook.methods
from dcbook.methods import ACAIPretraining, Pretraining
from dcbook.training.augment import ShiftRotation
from dcbook.training.views import Strong
from tests import test_released_settings
from tests.test_released_settings import defaults

UPDATES = {"update_interval": 140, "alpha": 1}
BRB = {"every": 20, "kept": 0.8, "resets": True, "reclusters": True, "lr": 1e-3, "RECLUSTERED": 10_000}
ACAI = {"widths": (500, 500, 2000), "latent_dim": 10, "lr": 1e-4, "lam": 0.5, "shift": 0.1, "rotation": 10}
ACAI |= {"epochs": round(130_000 * 256 / 70_000), "SIZES": {"batch_size": 256}}
DCSS = {"m": 1.5, "alpha": 0.1, "T1": 2, "T2": 5, "zeta": 0.8, "gamma": 0.2, "phase1_epochs": 200, "phase2_epochs": 20}
DCSS |= {"phase1_lr": 1e-6, "phase1_momentum": 0.9, "encoder_lr": 1e-5, "mnet_lr": 1e-3, "one_update": False}
DCSS |= {"aggregated": False, "SIZES": {"batch_size": 500}, "RELEASED_LOSS_SCALE": 1e-3, "PAPER_SIZE": 70_000}
SIMCLR = {
    "architecture": "resnet-18",
    "width": 64,
    "projection_dim": 128,
    "epochs": 500,
    "lr": 0.4,
    "sgd_momentum": 0.9,
}
SIMCLR |= {"weight_decay": 1e-4, "temperature": 0.1, "crop": 0.2, "flip": True, "jitter": 0.5, "grayscale": 0.2}
SIMCLR |= {"SIZES": {"batch_size": 512}}  # SCAN's: jitter is a share of (.8, .8, .8, .2), which makes its .4 and .1
LATER = {"projection_dim": 128, "temperature": 0.1, "sgd_momentum": 0.9}

RELEASED = {
    "DEC": UPDATES
    | {"tol": 1e-3, "max_updates": 20_000, "optimizer": "sgd", "lr": 0.01, "momentum": 0.9}
    | {"SIZES": {"batch_size": 256}},  # interval and number of updates: the Keras port
    "IDEC": UPDATES
    | {"gamma": 0.1, "tol": 1e-3, "max_updates": 20_000, "optimizer": "adam", "lr": 1e-3}
    | {"SIZES": {"batch_size": 256}},
    "DCN": {"lam": 2 * 1.0, "epochs": 50, "lr": 1e-3, "initial_count": 100, "SIZES": {"batch_size": 256}},
    "DKM": {"lam": 1, "alpha": 1000, "annealing": False, "epochs": 20 * 5, "lr": 1e-3, "SIZES": {"batch_size": 256}},
    "DKM_a": {"lam": 1, "annealing": True, "epochs": 40 * 5, "lr": 1e-3, "start": Pretraining(epochs=0)}
    | {"SIZES": {"batch_size": 256}, "N_ALPHAS": 40},
    "VaDE": {"likelihood": "bernoulli", "epochs": 3000, "lr": 2e-3, "decay": 0.9, "decay_every": 10, "min_lr": 2e-4}
    | {"eps": 1e-4, "SIZES": {"batch_size": 100}},
    "DynAE": {"kappa": 3, "gamma": 100, "max_updates": 100_000, "update_interval": 140, "tol": 0.01, "lr": 1e-3}
    | {"momentum": 0.9, "shift": 0.1, "rotation": 10, "SIZES": {"batch_size": 256}, "RESTARTS": 10},
    "ACAIPretraining": ACAI,
    "Pretraining": {"widths": (500, 500, 2000), "latent_dim": 10, "lr": 1e-3, "restarts": 20},
    "DCSS": DCSS,
    "DCSS_u": DCSS | {"phase2_epochs": 0},
    "DCSS_agg": DCSS | {"phase2_epochs": 0, "aggregated": True},
    "IDECF": {"variant": "released", "m": 1.5, "lam": 0.1, "epochs": 60, "teacher_epochs": 10, "teacher_lr": 1e-3}
    | {"lr": 1e-6, "momentum": 0.9, "SIZES": {"batch_size": 500}, "WIDTHS": (100, 200)},
    "EDESC": {"eta": 5, "beta": 0.1, "kl_mean": "elements", "epochs": 100, "lr": 1e-3, "shuffle": False, "DIM": 5}
    | {"SIZES": {"batch_size": 256}, "BASIS_WEIGHT": 1e-3},
    "GANMM": {"pretraining_rounds": 500, "rounds": 200_000, "epoch_rounds": 100, "softmaxes": 2, "clip": 0.01}
    | {"lr": 5e-5, "SIZES": {"batch_size": 50}, "CRITIC_STEPS": 5, "LAST_OWN_SHARE": 48 / 50}
    | {"OWN_SHARE": ((500, 25 / 50), (1000, 40 / 50), (2000, 45 / 50))},
    "BRB_DEC": BRB | {"optimizer": "adam", "max_updates": 400 * -(-70_000 // 256), "alpha": 1},
    "BRB_IDEC": BRB | {"optimizer": "adam", "max_updates": 400 * -(-70_000 // 256), "alpha": 1, "gamma": 0.1},
    "BRB_DCN": BRB | {"epochs": 400, "initial_count": 100},
    "N2D": {"manifold": "umap", "n_components": None, "n_neighbors": 20, "min_dist": 0, "clusterer": "mixture"}
    | {"restarts": 1},  # no components: as many as clusters
    "SpectralNet": {"siamese_epochs": 30, "epochs": 30, "n_neighbors": 30, "width": 1024, "lr": 1e-3, "RESTARTS": 10}
    | {"SIZES": {"batch_size": 1024}, "SIAMESE_DIM": 10, "SIAMESE_BATCH": 128, "PAIRS": 2},
    "LSSC": {"n_landmarks": 1000, "n_nearest": 5, "landmarks": "k-means", "bandwidth": None, "n_init": 10},
    "LPMF": {"lam": 100, "n_neighbors": 5, "tol": 1e-5, "n_init": 10},
    "KMeans": {"n_init": 20, "max_iter": 300, "tol": 1e-4},  # max_iter, tol: scikit-learn, as the three below
    "MiniBatchKMeans": {"batch_size": 1024, "n_init": 1, "passes": 100, "reassignment_ratio": 0.01},
    "DeepCluster": {"sobel": True, "dropout": 0.5, "epochs": 200, "lr": 0.05, "sgd_momentum": 0.9, "reassign": 1}
    | {"weight_decay": 1e-5, "clustering": "k-means", "passes": 20, "pca_dim": 256, "crop": 0.08, "flip": True}
    | {"jitter": 0, "grayscale": 0, "kmeans_batch": None, "SIZES": {"batch_size": 256}},
    "DeepClusterV2": LATER | {"heads": 3, "passes": 10},
    "SwAV": LATER | {"eps": 0.05, "sinkhorn_iterations": 3, "frozen_updates": 313, "queue": 0, "queue_from": 15},
    "MoCo": {"projection_dim": 128, "epochs": 200, "lr": 0.03, "sgd_momentum": 0.9, "weight_decay": 1e-4}
    | {"temperature": 0.2, "momentum": 0.999, "bn_groups": 8}
    | {"crop": 0.2, "flip": True, "jitter": 0.5, "grayscale": 0.2},  # MoCo v2
    "SimCLR": SIMCLR,
    "SimCLRPretext": SIMCLR,
    "PixelNeighbors": SIMCLR,
    "IterativeClassification": {"rounds": 10, "low": 0.5, "high": 0.95, "alpha": 1e-5, "epochs": 15},
    "NeighborConsistency": {"entropy": 5},  # SCAN's
    "ADECReconstruction": {"lr": 1e-4, "shift": 0.1, "rotation": 10, "SIZES": {"batch_size": 256}}
    | {"DISCRIMINATOR": (500, 1000)},
    "RDCReconstruction": {"shift": 0.1, "rotation": 10, "n_neighbors": 10, "refresh": 1, "optimizer": "adam"}
    | {"lr": 1e-4, "SIZES": {"batch_size": 256}, "RESTARTS": 20},
}  # capitals: constants of the class or of its module

OURS_OF_RECIPES = {"architecture": "fully-connected", "epochs": 100, "SIZES": {"batch_size": 256}}
CONTRASTIVE = OURS_OF_RECIPES | {"widths": (500, 500, 2000), "latent_dim": 10, "lr": 1e-3, "restarts": 20}
CONTRASTIVE |= {"temperature": 0.5, "projection_dim": 64, "crop": 0.5, "flip": False, "jitter": 0.5, "grayscale": 0.2}
CONTRASTIVE |= {"shift": 0.1, "rotation": 10}
OF_DCSS = {"variant": "paper", "schedule_size": None}
OF_SIMCLR = {name: SIMCLR[name] for name in SIMCLR.keys() - LATER.keys()} | {"prototypes": 300}
FIXED_VIEWS = {"anchors": "both", "n_neighbors": 50, "fixed_views": 4, "fixed_view": Strong(hole=16 / 32)}

# Not of a release: chosen here, of a paper against its code, or without effect; most docstrings say so.
OURS = {
    "IDEC": {"momentum": 0.9},  # without effect on Adam; released with SGD: 0.99
    "DKM_a": {"alpha": 1000},  # without effect
    "VaDE": {"FIRST_SPREAD": 0.1},
    "ACAIPretraining": {"architecture": "fully-connected", "restarts": 20, "critic": "trained"},
    "Pretraining": OURS_OF_RECIPES | {"released": False},
    "TrunkPretraining": OURS_OF_RECIPES | RELEASED["Pretraining"] | {"released": False, "width": 1},
    "ContrastivePretraining": CONTRASTIVE,
    "DCSS": OF_DCSS,
    "DCSS_u": OF_DCSS,
    "DCSS_agg": OF_DCSS,
    "EDESC": {"d": None},  # the dimension of the codes over K, 5 from the default start
    "GANMM": {"networks": "codes", "width": None, "fixed_top": False, "POOL": 4}
    | {"WIDTHS": {"codes": 32, "uci": 64, "pixels": 128, "images": 64}},
    "BRB_DEC": {"update_interval": 140, "tol": 0, "momentum": 0.9, "SIZES": {"batch_size": 256}, "RESTARTS": 20},
    "BRB_IDEC": {"update_interval": 140, "tol": 0, "momentum": 0.9, "SIZES": {"batch_size": 256}, "RESTARTS": 20},
    "BRB_DCN": {"lam": 2, "SIZES": {"batch_size": 256}, "RESTARTS": 20},
    "N2D": {"KMEANS_STARTS": 20},
    "LSSC": {"variant": "paper"},
    "LPMF": {"max_iter": 100},
    "KMeans": {"unit_length": False},
    "MiniBatchKMeans": {"pca_dim": None},
    "AEKMeans": {},
    "DeepCluster": {"n_clusters": 100, "architecture": "alexnet-small", "hidden": None, "width": 1, "tol": 5e-3}
    | {"warm_start": True, "repair": True, "sampling": "clusters"},
    "DeepClusterV2": OF_SIMCLR,
    "SwAV": OF_SIMCLR,
    "MoCo": {"architecture": "resnet-18", "width": 64, "SIZES": {"batch_size": 256, "queue": 4096}},  # queue: 65,536
    "SimCLR": {"anchors": "both"},
    "SimCLRPretext": FIXED_VIEWS,
    "PixelNeighbors": FIXED_VIEWS,
    "IterativeClassification": {"n_init": 5},
    "NeighborConsistency": {"epochs": 20, "lr": 1e-3, "n_neighbors": 5, "pca_dim": 50, "width": 256}
    | {"SIZES": {"batch_size": 256}},
    "ADECReconstruction": {"adversarial": "non-saturating", "warmup_epochs": 10, "epochs": 100},
    "RDCReconstruction": {"distance_filter": "mean", "agreement_filter": "mutual", "loss": "image", "gamma": 100}
    | {"target_decoder": "phase 1", "epochs": 40, "hand_over": 0.5, "stop": None, "momentum": 0.9},
    "DAC": {"pair_scale": "pairs"},
    "DAC_star": {"pair_scale": "pairs"},
    "DCCM": {"pairs": "linked"},
    "PICA": {"original": ShiftRotation(shift=4 / 32, rotation=0)},
    "SCAN": {"head_lr": 1e-3},
    "SPICE": {"fixed_views": 4},
    "IMSAT": {"view": None},
    "TEMI": {"view": None},
}
COMMON = {"n_clusters": 10, "start": None, "random_state": None, "device": "auto", "progress": "auto"}
METHODS = sorted(set(dcbook.methods.__all__) - {"Start", "load_model"})
RECIPES = {"EDESC": Pretraining(widths=(500, 500, 1000), latent_dim=5 * 10, epochs=50)}
RECIPES |= {"N2D": Pretraining(latent_dim=10, epochs=1000), "SpectralNet": Pretraining(epochs=40)}
RECIPES |= dict.fromkeys(("DynAE", "ADECReconstruction", "RDCReconstruction"), ACAIPretraining())
OTHERS = ("DEC", "IDEC", "DCN", "DKM", "VaDE", "DCSS", "IDECF", "GANMM", "BRB_DEC", "BRB_IDEC", "BRB_DCN", "AEKMeans")


@pytest.mark.parametrize("name", sorted(RELEASED.keys() | OURS.keys()))
def test_defaults_are_those_of_the_sources_or_ours(name):
    pinned = RELEASED.get(name, {}) | OURS.get(name, {})
    assert defaults(getattr(dcbook.methods, name)(), pinned) == pinned


@pytest.mark.parametrize("name", METHODS)
def test_every_default_of_every_method_is_pinned_once(name):
    files = [pins[name] for pins in (test_released_settings.RELEASED, RELEASED, OURS) if name in pins]
    assert files, f"the defaults of {name} are not pinned: look them up in its source and add them"
    pinned = set().union(*files)
    assert len(pinned) == sum(map(len, files))
    model = getattr(dcbook.methods, name)()
    others = dict.fromkeys(getattr(model, "SIZES", ())) | COMMON | ({"view": model.view} if "VIEW" in pinned else {})
    unpinned = {key: value for key, value in model.get_params(deep=False).items() if key not in pinned}
    assert unpinned == {key: others.get(key, "not pinned") for key in unpinned}


def test_what_is_offered_is_pinned():
    offered = {name for name, value in vars(dcbook.methods).items() if hasattr(value, "get_params")}
    assert offered - {"BaseEstimator"} <= set(METHODS)
    assert RELEASED.keys() | OURS.keys() | test_released_settings.RELEASED.keys() == set(METHODS)


@pytest.mark.parametrize("name", [*RECIPES, *OTHERS])
def test_the_default_start_is_pinned(name):
    assert getattr(dcbook.methods, name)()._default_recipe() == RECIPES.get(name, Pretraining())
