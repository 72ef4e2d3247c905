"""Small methods with a trunk and heads, and the images that they are tested on."""

import pytest
import torch

from dcbook.methods import (
    CC,
    DAC,
    DCCM,
    PICA,
    SCAN,
    ContrastivePretraining,
    DAC_star,
    SimCLRPretext,
)

SMALL = {"architecture": "resnet-9", "width": 2, "lr": 0.01, "epochs": 2, "batch_size": 9, "random_state": 0}
SMALL |= {"device": "cpu"}
BLOCKS = SMALL | {"block": 15, "passes": 2, "lr": 1e-4}
PRETEXT = {"architecture": "resnet-9", "width": 2, "projection_dim": 5, "epochs": 1, "batch_size": 9}
PRETEXT |= {"random_state": 0, "device": "cpu"}
SCANS = {"start": ContrastivePretraining(latent_dim=6, widths=(8,), epochs=1, batch_size=9), "n_neighbors": 5}
SCANS |= {"epochs": 2, "selflabel_epochs": 0, "batch_size": 9, "random_state": 0, "device": "cpu"}
METHODS = {
    "CC": lambda **changes: CC(3, **SMALL | {"projection_dim": 5} | changes),
    "PICA": lambda **changes: PICA(3, **SMALL | {"overclusters": 0, "copies": 2} | changes),
    "DAC": lambda **changes: DAC(3, **BLOCKS | {"upper": 0.9, "lower": 0.6, "meet": 0.7} | changes),
    "DAC_star": lambda **changes: DAC_star(3, **BLOCKS | changes),
    "SCAN": lambda **changes: SCAN(3, **SCANS | changes),
    "DCCM": lambda **changes: DCCM(3, **BLOCKS | {"link": 0.8, "sure": 0.4, "discriminator": 6} | changes),
}
every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def pretext(images):
    return SimCLRPretext(3, **PRETEXT, n_neighbors=5, fixed_views=2).fit(images)
