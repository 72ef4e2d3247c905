"""SimCLR as a pretext: one training for all methods that start from it. Symbols: `simclr`."""

from dataclasses import dataclass, replace
from typing import Any

from dcbook.data.digest import content_digest
from dcbook.methods.simclr import SimCLR
from dcbook.training.pretext import codes_of
from dcbook.training.start import Start
from dcbook.training.views import Strong, check_view

VIEW = Strong()


@dataclass(kw_only=True, repr=False, eq=False)
class SimCLRPretext(SimCLR):
    """`SimCLR` whose `start_` also holds codes, neighbors, and codes of a few fixed views of its training images.

    SCAN, SPICE, TEMI and PAC use these if they are fitted to the same images; otherwise they compute their own from the
    network. Of SCAN's released pretext the loss is `anchors="first"`, which is not the default: see `SimCLR`.

    Parameters
    ----------
    In addition to those of `SimCLR`:

    n_neighbors : of each image, by the cosine in Z space, at least 1 (50; SCAN takes the first 20).
    fixed_views : views of each image whose codes are kept, at least 0 (4).
    fixed_view : the view, by default the strong view of SCAN and SPICE.

    Attributes
    ----------
    codes_ : `dcbook.training.pretext.Codes`. A model that was saved and loaded has none.
    """

    n_neighbors: int = 50
    fixed_views: int = 4
    fixed_view: Any = VIEW

    @property
    def start_(self) -> Start:
        return replace(super().start_, codes=getattr(self, "codes_", None))

    def _begin(self, recipe, start) -> None:
        check_view("fixed_view", self.fixed_view, self._x[:2].clone())
        super()._begin(recipe, start)

    def _complete(self) -> None:
        self.codes_ = codes_of(
            self.autoencoder_,
            self._x,
            content_digest(self._x.cpu().numpy()),
            n_neighbors=self.n_neighbors,
            n_views=self.fixed_views,
            view=self.fixed_view,
            seed=self.seed_,
        )
        super()._complete()

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        is_view = callable(self.fixed_view) and not isinstance(self.fixed_view, type)
        if self.n_neighbors < 1 or self.fixed_views < 0 or not is_view:
            raise ValueError(
                f"n_neighbors must be at least 1, fixed_views at least 0 and fixed_view a view, such as Strong(), not "
                f"{self.n_neighbors}, {self.fixed_views}, {self.fixed_view!r}"
            )
