"""Preferred inputs of a convolutional network's filters, for pictures and tables (DeepCluster, section 4.2)."""

from typing import Any

import numpy as np
from torch import nn

from dcbook.data import Dataset
from dcbook.evaluation import class_share, gradient_ascent, most_activating, responses
from dcbook.experiments.watch import Watch

TOP = 9  # number of top images per filter, as in the paper's figures


class Filters(Watch):
    """Weights of the first layer, and the top images and optimized images of the filters of all layers.

    Labels are not used in training: they name the classes of the images and select the filters that are shown. These
    are `shown` filters per layer, evenly spaced in the order from the purest (see `class_share`) to the least pure, to
    avoid a biased selection. The portrait has

    - `first`: network ("untrained", "trained") to its `pixel_filters`, (n, C, k, k);
    - `purity`: network to layer ("conv1", …, "fc7") to the share of the most frequent class among the `TOP` images of
      each filter; `chance`: the mean of such shares for random images;
    - `filters`: network to layer to the shown filters, each with its index `filter`; its top `images` (TOP,), their
      `labels` (TOP,) and `responses` (TOP,); `ascent`, the image made by `gradient_ascent`, as bytes in hex, and
      `ascended`, the response to it. `picture` reads the bytes.
    """

    def __init__(self, shown: int = 6, steps: int = 100):
        self.shown, self.steps = shown, steps
        self.name = f"filters, {shown} shown, {steps} steps"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the model after the last and before the first epoch."""
        device = next(model.autoencoder_.parameters()).device
        networks = {"untrained": model.untrained().to(device), "trained": model.autoencoder_}
        seen = {name: self._seen(network, data) for name, network in networks.items()}
        drawn = np.random.default_rng(0).choice(data.labels, (10_000, TOP))
        return {
            "first": {name: network.pixel_filters.cpu().numpy().tolist() for name, network in networks.items()},
            "purity": {name: purity for name, (purity, _) in seen.items()},
            "chance": float(class_share(drawn).mean()),
            "filters": {name: shown for name, (_, shown) in seen.items()},
        }

    def _seen(self, network: nn.Module, data: Dataset) -> tuple[dict, dict]:
        """The purity of the filters of each layer, and portraits of the shown filters."""
        purity, shown = {}, {}
        for name, layer in (network.layers | {"fc7": network.encoder.fc7}).items():
            images, values = most_activating(network, layer, data.images, n=TOP)
            shares = class_share(data.labels[images])
            order = np.argsort(-shares, kind="stable")
            few = order[np.linspace(0, len(order) - 1, min(self.shown, len(order))).round().astype(int)].tolist()
            made = gradient_ascent(network, layer, few, data.images.shape[1:], steps=self.steps)
            made = np.round(255 * made).astype(np.uint8)
            purity[name] = shares.tolist()
            shown[name] = [
                {
                    "filter": index,
                    "images": images[index].tolist(),
                    "labels": data.labels[images[index]].tolist(),
                    "responses": values[index].tolist(),
                    "ascent": image.tobytes().hex(),
                    "ascended": float(response[index]),
                }
                for index, image, response in zip(few, made, responses(network, layer, made), strict=True)
            ]
        return purity, shown


def picture(ascent: str, shape: tuple[int, int, int]) -> np.ndarray:
    """The image (C, H, W), uint8, that is stored in the portrait as `ascent`."""
    return np.frombuffer(bytes.fromhex(ascent), np.uint8).reshape(shape)
