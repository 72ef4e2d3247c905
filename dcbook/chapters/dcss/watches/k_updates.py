"""Where K updates in turn would have led, beside one update on their sum."""

import time
from typing import Any

import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from dcbook.data import Dataset
from dcbook.evaluation import scores
from dcbook.experiments.watch import Watch
from dcbook.training.start import Start

FORMS = {
    "one update": {},
    "K updates": {"one_update": False},
    "one update, K times the epochs": {"one_update": False, "aggregated": True},
}


class KUpdates(Watch):
    """For a DCSS_u with `one_update` that goes on from a saved start: phase 1 again in each of its `FORMS`.

    The portrait has, of each form, `acc` and `nmi`, the CPU time in `seconds`, the length of its `way` from the weights
    that all start with, in ways of the K updates, and the `cosine` of its way with theirs; how far the ends of one
    update and K lie `apart`, as a share of that way, and the `ari` between their labels; and the `share` of centering
    in the loss of the last epoch, alpha times it over the sum.
    """

    name = "K updates"

    def portrait(self, model: Any, data: Dataset) -> dict:
        start = _weights(Start.load(model.start).autoencoder)
        ways, forms, labels = {}, {}, {}
        for form, changes in FORMS.items():
            began = time.process_time()
            fitted = clone(model).set_params(**changes).fit(data.images)
            forms[form] = {"seconds": time.process_time() - began}
            found = scores(data.labels, fitted.labels_)
            forms[form] |= {name: found[name] for name in ("acc", "nmi")}
            ways[form], labels[form] = _weights(fitted.autoencoder_) - start, fitted.labels_
        one, in_turn = ways["one update"], ways["K updates"]
        for form, way in ways.items():
            forms[form] |= {
                "way": float(way.norm() / in_turn.norm()),
                "cosine": float(torch.cosine_similarity(way, in_turn, dim=0)),
            }
        last = model.history_[-1]
        return {
            "forms": forms,
            "apart": float((one - in_turn).norm() / in_turn.norm()),
            "ari": adjusted_rand_score(labels["one update"], labels["K updates"]),
            "share": model.alpha * last["centering"] / last["total"],
        }


def _weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([weight.detach().cpu().double().flatten() for weight in network.parameters()])
