"""The networks that a watch compares: untrained, trained by the method, and trained with labels, from one start."""

from typing import Any

import numpy as np

from dcbook.evaluation import train_with_labels
from dcbook.models import ConvNet


def networks(model: Any, images: np.ndarray, labels: np.ndarray, supervised: int) -> dict[str, ConvNet]:
    """Networks "untrained" and "trained" of a DeepCluster and, if the number of epochs `supervised` > 0, "supervised".

    The supervised network starts from the model's initial weights and is trained on `images` with their `labels` (N,):
    Adam, no views, batch size and seed of the model.
    """
    device = next(model.autoencoder_.parameters()).device
    found = {"untrained": model.untrained().to(device), "trained": model.autoencoder_}
    if supervised:
        found["supervised"] = model.untrained().to(device)
        options = {"epochs": supervised, "batch_size": model.batch_size_, "seed": model.seed_}
        train_with_labels(found["supervised"].encoder, images, labels, **options)
    return found
