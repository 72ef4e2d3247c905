"""Labeled texts. Methods take numbers: `Corpus.vectors` makes a `Dataset` of them."""

import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from dcbook.data.dataset import Dataset
from dcbook.data.digest import content_digest
from dcbook.data.labeled import Labeled, checked_labels, checked_names
from dcbook.data.vectors import outside_text, vectorize


@dataclass(frozen=True, repr=False, eq=False)
class Corpus(Labeled):
    """Labeled texts, read-only.

    Parameters
    ----------
    name
        What it is called, e.g. ``"stackoverflow"``.
    texts
        N strings, none of them empty.
    labels, class_names, original, provenance
        As of `Dataset`.

    Attributes
    ----------
    digest : str
        SHA-256 over texts and labels; the name plays no part.
    n_classes : int
        K.

    Raises
    ------
    TypeError, ValueError
        Where texts or labels have another form than the one above.
    """

    name: str
    texts: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...] = ()
    original: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)
    digest: str = field(init=False)

    KIND: ClassVar = "texts"

    def __post_init__(self) -> None:
        if isinstance(self.texts, str) or not all(isinstance(text, str) for text in self.texts):
            raise TypeError(f"{self.name}: texts must be a sequence of strings")
        texts = tuple(map(str, self.texts))
        if not texts or not all(text.strip() for text in texts):
            raise ValueError(f"{self.name}: texts must be one or more strings, and none of them empty")
        labels = checked_labels(self.name, self.labels, len(texts), self.KIND)
        values = {"texts": texts, "labels": labels, "class_names": checked_names(self.name, labels, self.class_names)}
        values |= {"provenance": copy.deepcopy(self.provenance), "digest": content_digest(np.array(texts), labels)}
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def vectors(self, kind: str) -> Dataset:
        """The texts as vectors of that kind (see `dcbook.data.vectors`), with the same labels.

        The vectors see all texts of this corpus and no label. Raises ValueError for an unknown kind.
        """
        made = {"kind": kind, "made_from": self.digest, "outside_text": outside_text(kind)}
        return Dataset(
            self.name,
            vectorize(self.texts, kind),
            self.labels,
            self.class_names,
            self.original,
            {**self.provenance, "vectors": made},
            self.texts,
        )

    def _rows(self, kept: np.ndarray) -> dict[str, Any]:
        return {"texts": tuple(self.texts[i] for i in kept)}

    def __repr__(self) -> str:
        words = np.mean([len(text.split()) for text in self.texts])
        origin = "original" if self.original else "not the original files"
        return (
            f"<Corpus {self.name}: {len(self):,} texts of {words:.1f} words, {self.n_classes} classes, "
            f"{origin}, digest {self.digest[:12]}>"
        )
