"""The grid of DCSS Fig. 13: the first layer of the convolutional network, looked at after both phases."""

from dataclasses import replace

from dcbook.chapters.dcss.grids.benchmark import AS_MNIST, LAPTOP, PAPER, PRETRAININGS, QUICK
from dcbook.chapters.dcss.watches import FirstLayer
from dcbook.experiments.runs import Method, Scale
from dcbook.methods import DCSS, AEKMeans, Pretraining


def first_layer(scale: Scale, recipe: Pretraining, **settings) -> Scale:
    """Fig. 13: both phases of DCSS from the convolutional autoencoder of that recipe, its first layer looked at."""
    start = "convolutional autoencoder"
    dcss = Method(DCSS, settings, start=start, watch=FirstLayer(recipe))
    return replace(scale, starts={start: Method(AEKMeans, {"start": recipe})}, methods={"DCSS, convolutional": dcss})


# One network and one schedule at `quick` and `laptop`. USPS has 16×16 pixels; the digits get a border, since
# the network takes no images of 8×8. The step of phase 1 is the paper's, for batches of 50 in place of 500.
CONVOLUTIONAL = Pretraining("convolutional", epochs=10, batch_size=16)
FEW = {"phase1_epochs": 1, "phase1_lr": 1e-5, "phase2_epochs": 4, "T2": 2, "batch_size": 50, "schedule_size": None}
FIG13 = {
    "quick": first_layer(
        replace(QUICK, datasets={"digits": {"subset": 100, "padding": 4}}, seeds=(0,)), CONVOLUTIONAL, **FEW
    ),
    "laptop": first_layer(
        replace(LAPTOP, datasets={name: {"subset": 2000} for name in ("usps", "mnist-test")}), CONVOLUTIONAL, **FEW
    ),
    "paper": first_layer(
        replace(PAPER, datasets={name: {} for name in ("mnist", "fashion-mnist")}),
        PRETRAININGS["paper"],
        **AS_MNIST,
    ),
}
