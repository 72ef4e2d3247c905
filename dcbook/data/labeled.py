"""What labeled samples have in common, be they images, features or texts: classes, and draws from them."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from dcbook.data import sampling


class Labeled(ABC):
    """N samples with `name`, `labels` (N,), `class_names` and `provenance`; `KIND` is what one calls the samples."""

    KIND: ClassVar = "samples"
    name: str
    labels: np.ndarray
    class_names: tuple[str, ...]
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """The number of classes K, those that a sample left empty included."""
        return len(self.class_names)

    @property
    def majority(self) -> float:
        """The share of the largest class, in [0, 1]: the ACC of putting all samples into one cluster."""
        return float(np.bincount(self.labels).max() / len(self))

    def sample(self, n: int, seed: int = 0, stratified: bool = True) -> Self:
        """n of the N samples, drawn without replacement, in their old order.

        Parameters
        ----------
        n
            1..N; with ``stratified`` at least the number of classes that there are.
        seed
            Non-negative integer: the same one draws the same samples.
        stratified
            Keep the classes' shares, rounded by largest remainder (and at least one sample of each class).

        Raises
        ------
        TypeError, ValueError
            Where n, seed or stratified is not of that kind.
        """
        sampling.check(n=n, seed=seed, stratified=stratified)
        if n > len(self):
            raise ValueError(f"{self.name}: n = {n:,} {self.KIND} asked for, and there are only {len(self):,}")
        kept = sampling.draw(self.labels, n, seed, stratified)
        return self._take(kept, {"kind": "sample", "n": int(n), "stratified": stratified, "seed": int(seed)})

    def imbalanced(self, r: float, seed: int = 0) -> Self:
        """A sample whose class sizes rise from the first class to the last (DCSS §4.6; DEC §4.4).

        A sample of class k (from 0) is kept with probability ``r + (1 - r) k / (K - 1)``: r in the first
        class, 1 in the last one, linear between.

        Parameters
        ----------
        r
            Retention rate of the first class, in (0, 1].
        seed
            Non-negative integer: the same one keeps the same samples.

        Raises
        ------
        TypeError, ValueError
            Where r or seed is not of that kind, or there is only one class.
        """
        sampling.check(r=r, seed=seed)
        if self.n_classes < 2:
            raise ValueError(f"{self.name}: imbalance needs at least two classes, and there is one")
        kept = sampling.retain(self.labels, self.n_classes, r, seed)
        return self._take(kept, {"kind": "imbalanced", "retention": float(r), "seed": int(seed)})

    def summary(self) -> str:
        """Several lines for people: size, classes, how it was checked, what was drawn."""
        counts = np.bincount(self.labels, minlength=self.n_classes)
        lines = [repr(self)[1:-1]]
        lines += [f"  {count:>7,}  {name}" for name, count in zip(self.class_names, counts, strict=True)]
        if source := self.provenance.get("source"):
            lines.append(f"  read by {source}")
        lines += [f"  {note}" for note in self.provenance.get("notes", [])]
        if features := self.provenance.get("features"):
            lines.append(f"  features from {features['file']}, digest {features['digest'][:12]}")
        for step in self.provenance.get("sampling", []):
            lines.append("  " + ", ".join(f"{key} {value}" for key, value in step.items() if key != "per_class"))
        return "\n".join(lines)

    @abstractmethod
    def _rows(self, kept: np.ndarray) -> dict[str, Any]:
        """The fields that hold the samples, with those at the positions `kept` alone."""

    def _take(self, kept: np.ndarray, step: dict[str, Any]) -> Self:
        labels = self.labels[kept]
        step["per_class"] = np.bincount(labels, minlength=self.n_classes).tolist()
        provenance = {**self.provenance, "sampling": [*self.provenance.get("sampling", []), step]}
        return replace(self, **self._rows(kept), labels=labels, provenance=provenance)


def checked_labels(name: str, labels: np.ndarray, n: int, kind: str) -> np.ndarray:
    """The labels of n samples as read-only int64 (n,), or a TypeError or ValueError that says what they must be."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{name}: labels must be integers, not {labels.dtype}")
    if labels.shape != (n,):
        raise ValueError(f"{name}: {n:,} {kind} need labels of shape ({n},), not {labels.shape}")
    if labels.min() < 0:
        raise ValueError(f"{name}: labels must be 0..K-1, and the smallest is {labels.min()}")
    return read_only(labels.astype(np.int64))


def checked_names(name: str, labels: np.ndarray, given: tuple[str, ...]) -> tuple[str, ...]:
    """K class names, "0", "1", … where none are given, or a ValueError."""
    names = tuple(map(str, given)) or tuple(map(str, range(labels.max() + 1)))
    if labels.max() >= len(names):
        raise ValueError(f"{name}: label {labels.max()} has no name among the {len(names)} class_names")
    return names


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of the array that cannot be written to."""
    array = array.view()
    array.flags.writeable = False
    return array
