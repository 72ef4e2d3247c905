"""SCAN: Van Gansbeke, Vandenhende, Georgoulis, Proesmans & Van Gool, ECCV 2020, arXiv 2005.12320.

| symbol   | name in code | shape   | meaning                                                        |
|----------|--------------|---------|----------------------------------------------------------------|
| N_i      | neighbors    | (N, 20) | nearest images of image i by the pretext's Z space             |
| p_i, p_j | p, q         | (B, K)  | assignments of strong views of an image and of a neighbor      |
| H(p')    | entropy      |         | of the mean assignment of the batch's images, p'               |
|          | self._heads  |         | cluster heads; `head_` has the lowest selection value           |

Step 1 is a pretext task, which `start` brings. Step 2, phase "neighbors", minimizes mean(-ln <p_i, p_j>) - 5 H(p'): an
image and its neighbor share a cluster, and all clusters are used. Step 3, phase "self-labeling": for samples whose
largest assignment is above 0.99, a strong view learns the cluster as its label. The other symbols:
`dcbook.training.head_clusterer`.

Selection uses no labels: after each epoch of step 2, and of "frozen" before it, the selection value of a head is the
loss over all images, with entropy weight 1 and the image itself and its 5 nearest neighbors as partners. The head and
the epoch with the lowest value are used in step 3, whose last epoch gives the result.

Source: the released code (wvangansbeke/Unsupervised-Classification: losses.py:25-121, evaluate_utils.py:85-121,
scan.py, selflabel.py), from a description; the paper's text was not at hand. As released, a partner is drawn from the
neighbors and the image itself. Not followed: there, selection uses the test images, here the training images; there,
losses of several heads are summed, here averaged; there, a batch without a confident sample ends the training, here it
makes no update. The phase "frozen" before step 2 is our addition and off by default: only the heads are trained, on
standardized codes of clean images and of fixed views, which takes seconds instead of minutes. The fixed views are all
those that the start holds for these images (four by default with `SimCLRPretext`), or a single one, drawn here, if it
holds none.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Classifier
from dcbook.training.head_clusterer import HeadClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.views import Strong

VIEW = Strong()
SELECTED_BY = 5  # neighbors that selection uses, in addition to the image itself
WORST = 1e30


@dataclass(kw_only=True, repr=False, eq=False)
class SCAN(HeadClusterer):
    """Semantic clustering by adopting nearest neighbors, on top of a pretext task.

    Parameters
    ----------
    In addition to those of `HeadClusterer`:

    start : the pretext, such as `SimCLRPretext(...).fit(x).start_`; it is needed. Neighbors come from its head, or from
        its codes where it has none.
    view : strong views in steps 2 and 3, and of the fixed views in "frozen"; ValueError if those of the start are
        known to come from another view.
    frozen_epochs, head_lr : epochs of the heads alone, and their step (0, 1e-3).
    epochs, lr, weight_decay : of Adam on the whole network in step 2 (50 epochs, 1e-4, 1e-4).
    selflabel_epochs : of step 3 (200; 0 leaves it out), with the same step; a batch has `selflabel_batch_size` (1000).
    n_neighbors : partners in addition to the image itself, at least 1 (20).
    entropy : weight of H, at least 0 (5).
    heads : trained side by side, at least 1 (1).
    confidence : assignments above it become labels in step 3, in [0, 1) (0.99).

    history_ : in "frozen" and "neighbors" the loss, its parts and `selection`, the lowest selection value of the heads;
        in "self-labeling" the loss and `confident`, the share of samples used as labels.
    """

    view: Any = VIEW
    frozen_epochs: int = 0
    head_lr: float = 1e-3
    epochs: int = 50
    lr: float = 1e-4
    weight_decay: float = 1e-4
    selflabel_epochs: int = 200
    n_neighbors: int = 20
    entropy: float = 5.0
    heads: int = 1
    confidence: float = 0.99
    selflabel_batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 128, "selflabel_batch_size": 1000}
    NOTED = ("confident",)
    _state = (*HeadClusterer._state, "_heads", "_best")
    _during_fit = (*HeadClusterer._during_fit, "_heads", "_best", "_neighbors")

    def _optimize(self) -> None:
        codes = self._pretext_codes(max(self.n_neighbors, SELECTED_BY), 1 if self.frozen_epochs else 0, self.view)
        self._neighbors = codes.neighbors
        self._learn_heads(torch.cat([codes.h.unsqueeze(0), codes.views]))
        self._learn_from_neighbors()
        self._learn_from_itself()

    def _learn_heads(self, codes: Tensor) -> None:
        """Train only the heads, on codes (V, N, d) of clean images and fixed views."""
        optimizer, order = Adam(self._heads.parameters(), self.head_lr), stream(self.seed_, "frozen batches")
        draw = stream(self.seed_, "frozen partners")

        def loss(rows: Tensor) -> dict[str, Tensor]:
            pair = rows, self._partners(rows, draw)
            which = torch.randint(len(codes), (2, len(rows)), generator=draw).to(rows.device)
            return self._agreement(*(codes[view, each] for view, each in zip(which, pair, strict=True)))

        for _, log in self._epochs("frozen", self.frozen_epochs, optimizer=optimizer, order=order, draw=draw):
            found = self._pass(loss, self._batches(order), optimizer)
            log(**found, selection=self._select(codes[0]))

    def _learn_from_neighbors(self) -> None:
        """Step 2: train the whole network, then restore the best trunk and head."""
        weights = [*self.autoencoder_.encoder.parameters(), *self._heads.parameters()]
        optimizer = Adam(weights, self.lr, weight_decay=self.weight_decay)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        for _, log in self._epochs("neighbors", self.epochs, optimizer=optimizer, order=order, noise=noise):
            found = self._pass(lambda rows: self._of_neighbors(rows, noise), self._batches(order), optimizer)
            log(**found, selection=self._select(self._embed(self._x)))
        if self.epochs or self.frozen_epochs:
            self.autoencoder_.load_state_dict(self._best["trunk"].state_dict())
            self.head_.load_state_dict(self._best["head"].state_dict())

    def _learn_from_itself(self) -> None:
        """Step 3."""
        weights = [*self.autoencoder_.encoder.parameters(), *self.head_.parameters()]
        optimizer = Adam(weights, self.lr, weight_decay=self.weight_decay)
        order, noise = stream(self.seed_, "self-labeling batches"), stream(self.seed_, "self-labeling views")
        loop = {"optimizer": optimizer, "order": order, "noise": noise}
        for _, log in self._epochs("self-labeling", self.selflabel_epochs, **loop):
            batches = self._batches(order, self.selflabel_batch_size_)
            log(**{"confident": 0.0} | self._pass(lambda rows: self._of_itself(rows, noise), batches, optimizer))

    # --- losses ----------------------------------------------------------------------------------------------------

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        step = {"neighbors": self._of_neighbors, "self-labeling": self._of_itself}.get(self.history_[-1]["phase"])
        return step(rows, noise) if step else {}

    def _of_neighbors(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        """The losses of step 2. Images and neighbors pass through the network separately, as released."""
        x = self._samples(rows)
        partners = self._samples(self._partners(rows, noise))
        return self._agreement(*(self.autoencoder_.encoder(self.view(each, noise)) for each in (x, partners)))

    def _agreement(self, u: Tensor, v: Tensor) -> dict[str, Tensor]:
        """The loss of codes u, v (B, d) of images and partners, mean over the heads."""
        consistency = entropy = 0.0
        for head in self._heads:
            p, q = head(u), head(v)
            consistency = consistency + losses.neighbor_disagreement(p, q) / len(self._heads)
            entropy = entropy + losses.entropy(p.mean(0)) / len(self._heads)
        return {"consistency": consistency, "entropy": -self.entropy * entropy}

    def _of_itself(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        """The losses of step 3: labels come from unaugmented images, without gradient; {} if no image is confident."""
        x = self._samples(rows)
        with torch.no_grad():
            sure, labels = self.head_(self.autoencoder_.encoder(x)).max(1)
        chosen = sure > self.confidence
        if not chosen.any():
            return {}
        logits = self.head_.scores(self.autoencoder_.encoder(self.view(x, noise)))[chosen]
        return {
            "cross_entropy": losses.balanced_cross_entropy(logits, labels[chosen]),
            "confident": chosen.float().mean(),
        }

    def _partners(self, rows: Tensor, draw: torch.Generator) -> Tensor:
        """One of the nearest neighbors of each row, or the row itself, (B,)."""
        near = torch.cat([rows.unsqueeze(1), self._neighbors[rows, : self.n_neighbors]], 1)
        drawn = torch.randint(near.shape[1], (len(rows), 1), generator=draw).to(rows.device)
        return near.gather(1, drawn).squeeze(1)

    # --- selection -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _select(self, u: Tensor) -> float:
        """Make the head with the lowest selection value on codes u (N, d) `head_`; keep the best trunk and head."""
        values = [self._selection_value(head(u)) for head in self._heads]
        lowest = min(values)
        self.head_.load_state_dict(self._heads[values.index(lowest)].state_dict())
        if lowest < self._best.value:
            self._best.value.fill_(lowest)
            self._best["trunk"].load_state_dict(self.autoencoder_.state_dict())
            self._best["head"].load_state_dict(self.head_.state_dict())
        return lowest

    def _selection_value(self, p: Tensor) -> float:
        """The loss of assignments p (N, K) with entropy weight 1, over each image with itself and its 5 nearest."""
        own = torch.arange(len(p), device=p.device).unsqueeze(1)
        near = torch.cat([own, self._neighbors[:, :SELECTED_BY]], 1)
        disagreement = losses.neighbor_disagreement(p[own.expand_as(near).flatten()], p[near.flatten()])
        return (disagreement - losses.entropy(p.mean(0))).item()

    # --- networks --------------------------------------------------------------------------------------------------

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        u = self._embed(self._x)
        with seeded(derived_seed(self.seed_, "heads")):
            self._heads = nn.ModuleList(Classifier(u.shape[1], self.n_clusters, ()) for _ in range(self.heads))
        self._heads.to(self._device)
        for head in (self.head_, *self._heads) if self.frozen_epochs else ():
            head.standardize(u)
        self._best = nn.ModuleDict({"trunk": deepcopy(self.autoencoder_), "head": deepcopy(self.head_)})
        self._best.register_buffer("value", torch.tensor(WORST))

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if min(self.frozen_epochs, self.selflabel_epochs, self.weight_decay, self.entropy) < 0 or self.head_lr <= 0:
            raise ValueError("epochs, weight_decay and entropy must be at least 0 and head_lr above 0")
        if min(self.n_neighbors, self.heads) < 1 or not 0 <= self.confidence < 1:
            raise ValueError(
                f"n_neighbors and heads must be at least 1 and confidence lie in [0, 1), not {self.n_neighbors}, "
                f"{self.heads}, {self.confidence}"
            )
        if self.selflabel_batch_size == 1:
            raise ValueError("selflabel_batch_size must be at least 2")
