"""The networks that a watch compares: one start, untrained, trained by the method, and trained with labels."""

from typing import Any

import numpy as np

from dcbook.evaluation import train_with_labels
from dcbook.models import ConvNet


def networks(model: Any, images: np.ndarray, labels: np.ndarray, supervised: int) -> dict[str, ConvNet]:
    """Networks "untrained", "trained" and, for a number of epochs `supervised` above 0, "supervised", of a DeepCluster.

    The twin begins from the weights that the model began from, and is trained on these images with their labels (N,):
    Adam, no views, batches and seed of the model.
    """
    device = next(model.autoencoder_.parameters()).device
    found = {"untrained": model.untrained().to(device), "trained": model.autoencoder_}
    if supervised:
        found["supervised"] = model.untrained().to(device)
        options = {"epochs": supervised, "batch_size": model.batch_size_, "seed": model.seed_}
        train_with_labels(found["supervised"].encoder, images, labels, **options)
    return found
