"""What the filters of a convolutional network respond to, for pictures and for a number (DeepCluster, section 4.2)."""

from typing import Any

import numpy as np
from torch import nn

from dcbook.data import Dataset
from dcbook.evaluation import class_share, gradient_ascent, most_activating, responses
from dcbook.experiments.watch import Watch

TOP = 9  # images, as in the paper's figures


class Filters(Watch):
    """The first layer's weights; of every layer, the images that activate each filter most, and some made to do so.

    Labels only look: they name the classes of the images and choose the filters that are shown. These are `shown` of a
    layer, at even distances in the order from the purest (see `class_share`) to the least pure, so that neither kind is
    picked out. The portrait has

    - `first`: network ("untrained", "trained") to its `pixel_filters`, (n, C, k, k);
    - `purity`: network to layer ("conv1", …, "fc7") to the share of the commonest class among the `TOP` images of each
      filter; `chance`: the mean of such shares for images drawn at random;
    - `filters`: network to layer to the filters shown, each with its index `filter`; `images` and `labels` (TOP,) and
      `responses` (TOP,) to them; `ascent`, the image made by `gradient_ascent`, as bytes in hex, and `ascended`, the
      response to it. `picture` reads the bytes.
    """

    def __init__(self, shown: int = 6, steps: int = 100):
        self.shown, self.steps = shown, steps
        self.name = f"filters, {shown} shown, {steps} steps"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch, and as it was before the first."""
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
        """Of each layer, the purity of its filters, and the portraits of some."""
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
    """The image (C, H, W), uint8, that the portrait holds as `ascent`."""
    return np.frombuffer(bytes.fromhex(ascent), np.uint8).reshape(shape)
