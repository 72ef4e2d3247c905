"""What the explorer of latent space shows of this chapter: four methods from one convolutional autoencoder.

The settings are those of the grids of the same scale: DCSS as in `grids.convolutional`; DEC and IDEC as in
`grids.benchmark`, but from the convolutional autoencoder; N2D as released, on that autoencoder's codes.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from dcbook.book.explorer import Plan, Route
from dcbook.chapters.dcss.grids.benchmark import CONVOLUTIONAL as AUTOENCODER
from dcbook.chapters.dcss.grids.benchmark import TABLE1
from dcbook.chapters.dcss.grids.convolutional import CONVOLUTIONAL
from dcbook.experiments.runs import Method, Scale
from dcbook.methods import N2D

TITLES = {"usps": "USPS", "mnist-test": "MNIST (test images)", "fashion-mnist-test": "Fashion-MNIST (test images)"}
START = "A convolutional autoencoder, trained on the reconstruction error alone; then k-means on its codes."


def settings(scale: str, datasets: Mapping[str, Mapping]) -> Scale:
    """DCSS, both phases, and DEC, IDEC and N2D, all from the convolutional autoencoder."""
    found, before = CONVOLUTIONAL[scale], TABLE1[scale].methods
    others = {name: replace(before[name], start=AUTOENCODER) for name in ("IDEC", "DEC")}
    others["N2D"] = Method(N2D, start=AUTOENCODER)
    return replace(found, datasets=datasets, methods={**found.methods, **others})


def places(model: N2D, x: np.ndarray) -> np.ndarray:
    """Where N2D's manifold learner puts samples: (N, K), the space that its mixture is fitted in."""
    with torch.inference_mode():
        return model.head_.place(torch.as_tensor(model.transform(x))).numpy()


ROUTES = {
    "DCSS": Route(
        "DCSS",
        "Deep clustering with self-supervision. Phase 1 pulls each code towards the centers that it belongs to and "
        "keeps the reconstruction; phase 2 trains a network on top, MNet, and the encoder on pairs of similar and "
        "of dissimilar samples. Codes are shown in both phases. Clusters are those of the centers in phase 1 and "
        "those of MNet in phase 2.",
    ),
    "IDEC": Route(
        "IDEC",
        "DEC with the decoder kept: the reconstruction error joins the loss.",
    ),
    "DEC": Route(
        "DEC",
        "Deep embedded clustering: the decoder goes, and the codes move towards a sharpened version of their own "
        "soft assignments.",
    ),
    "N2D": Route(
        "N2D",
        "Not too deep: no network is trained after the autoencoder. UMAP maps the codes to ten dimensions, and a "
        "mixture of Gaussians is fitted there; the last frame shows these ten dimensions.",
        space="UMAP's map of the codes",
        place=places,
    ),
}
QUICK = {name: route for name, route in ROUTES.items() if name != "N2D"}  # UMAP compiles for a minute
EXPLORER = {
    "quick": Plan(
        settings("quick", CONVOLUTIONAL["quick"].datasets), {"digits": "Digits of scikit-learn"}, START, QUICK
    ),
    "laptop": Plan(settings("laptop", {name: {} for name in TITLES}), TITLES, START, ROUTES),
}
