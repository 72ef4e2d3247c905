"""The one thing that `load` returns: images, labels, and where they come from."""

import copy
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from dcbook.data import sampling
from dcbook.data.digest import content_digest
from dcbook.data.layout import check_channels_first


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Labeled images, read-only.

    Parameters
    ----------
    name
        What it is called, e.g. ``"usps"``.
    images
        NxCxHxW, or NxCxDxHxW for volumes: uint8, or float32 in [0, 1]. Or what a network made of them: Nxd features,
        float32 and finite (see `save_features`).
    labels
        N integers in 0..K-1, kept as int64.
    class_names
        K names. Left out: ``"0"``, ``"1"``, … up to the largest label.
    original
        True where the source files are, digest by digest, the published ones (or ship with a library).
    provenance
        How it was obtained, checked and sampled; plain values that JSON can hold.

    Attributes
    ----------
    digest : str
        SHA-256 over shape, dtype and values of images and labels; the name plays no part.
    n_classes : int
        K.

    Raises
    ------
    TypeError, ValueError
        Where the arrays have another form than the one above.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...] = ()
    original: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        images = _checked_images(self.name, self.images)
        labels = _checked_labels(self.name, self.labels, len(images))
        names = tuple(map(str, self.class_names)) or tuple(map(str, range(labels.max() + 1)))
        if labels.max() >= len(names):
            raise ValueError(f"{self.name}: label {labels.max()} has no name among the {len(names)} class_names")
        values = {"images": images, "labels": labels, "class_names": names}
        values |= {"provenance": copy.deepcopy(self.provenance), "digest": content_digest(images, labels)}
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """The number of classes K, those that a sample left empty included."""
        return len(self.class_names)

    @property
    def majority(self) -> float:
        """The share of the largest class, in [0, 1]: the ACC of putting all images into one cluster."""
        return float(np.bincount(self.labels).max() / len(self))

    def sample(self, n: int, seed: int = 0, stratified: bool = True) -> "Dataset":
        """n of the N images, drawn without replacement, in their old order.

        Parameters
        ----------
        n
            1..N; with ``stratified`` at least the number of classes that there are.
        seed
            Non-negative integer: the same one draws the same images.
        stratified
            Keep the classes' shares, rounded by largest remainder (and at least one image of each class).

        Raises
        ------
        TypeError, ValueError
            Where n, seed or stratified is not of that kind.
        """
        sampling.check(n=n, seed=seed, stratified=stratified)
        if n > len(self):
            raise ValueError(f"{self.name}: n = {n:,} images asked for, and there are only {len(self):,}")
        kept = sampling.draw(self.labels, n, seed, stratified)
        return self._take(kept, {"kind": "sample", "n": int(n), "stratified": stratified, "seed": int(seed)})

    def imbalanced(self, r: float, seed: int = 0) -> "Dataset":
        """A sample whose class sizes rise from the first class to the last (DCSS §4.6; DEC §4.4).

        An image of class k (from 0) is kept with probability ``r + (1 - r) k / (K - 1)``: r in the first
        class, 1 in the last one, linear between.

        Parameters
        ----------
        r
            Retention rate of the first class, in (0, 1].
        seed
            Non-negative integer: the same one keeps the same images.

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

    def joined(self, other: "Dataset") -> "Dataset":
        """Both sets in one, "a+b": the images of `other` after these, and its classes after these classes.

        Raises
        ------
        ValueError
            Where the images have different shapes or types.
        """
        forms = [(each.images.shape[1:], each.images.dtype) for each in (self, other)]
        if forms[0] != forms[1]:
            shapes = " and ".join(f"{'x'.join(map(str, shape))} {dtype}" for shape, dtype in forms)
            raise ValueError(f"{self.name} and {other.name} can't be joined: their images are {shapes}")
        ours, theirs = self.provenance, other.provenance
        together = {key: [*ours.get(key, []), *theirs.get(key, [])] for key in ("files", "notes")}
        source = f"{ours.get('source')} and {theirs.get('source')}"
        return Dataset(
            f"{self.name}+{other.name}",
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels + self.n_classes]),
            self.class_names + other.class_names,
            self.original and other.original,
            {**ours, **together, "source": source},
        )

    def padded(self, width: int) -> "Dataset":
        """The images with a black border (zeros) of `width` pixels on every side, for networks that want larger ones.

        Raises
        ------
        TypeError, ValueError
            Where width is no positive integer, or the samples are features.
        """
        if isinstance(width, bool) or not isinstance(width, Integral):
            raise TypeError(f"width must be an integer, not {width!r}")
        if width < 1 or self.images.ndim == 2:
            raise ValueError(f"{self.name}: padding is for images, with a width of 1 pixel or more, not {width}")
        border = [(0, 0), (0, 0), *[(width, width)] * (self.images.ndim - 2)]
        notes = [*self.provenance.get("notes", []), f"a black border of {width} pixels on every side"]
        return replace(self, images=np.pad(self.images, border), provenance={**self.provenance, "notes": notes})

    def noisy(self, sd: float, seed: int = 0) -> "Dataset":
        """The images, as floats, with normal noise of standard deviation `sd` on each value, clipped to [0, 1].

        `seed` is a non-negative integer: the same one gives the same noise. Raises TypeError or ValueError where sd is
        no number above 0, or the samples are features.
        """
        sampling.check(seed=seed)
        if isinstance(sd, bool) or not isinstance(sd, Real):
            raise TypeError(f"sd must be a number, not {sd!r}")
        if not 0 < sd < np.inf or self.images.ndim == 2:
            raise ValueError(f"{self.name}: noise is for images, with a finite sd above 0, not {sd}")
        scale = np.float32(255 if self.images.dtype == np.uint8 else 1)
        noise = np.random.default_rng(seed).standard_normal(self.images.shape, dtype=np.float32)
        images = np.clip(self.images / scale + np.float32(sd) * noise, 0, 1)
        notes = [*self.provenance.get("notes", []), f"normal noise of sd {sd:g}, clipped to [0, 1], seed {seed}"]
        return replace(self, images=images, provenance={**self.provenance, "notes": notes})

    def _take(self, kept: np.ndarray, step: dict[str, Any]) -> "Dataset":
        labels = self.labels[kept]
        step["per_class"] = np.bincount(labels, minlength=self.n_classes).tolist()
        provenance = {**self.provenance, "sampling": [*self.provenance.get("sampling", []), step]}
        return replace(self, images=self.images[kept], labels=labels, provenance=provenance)

    def __repr__(self) -> str:
        form = f"{'x'.join(map(str, self.images.shape[1:]))} {self.images.dtype}"
        kind = "features" if self.images.ndim == 2 else "images"
        origin = "original" if self.original else "not the original files"
        return (
            f"<Dataset {self.name}: {len(self):,} {kind} {form}, {self.n_classes} classes, "
            f"{origin}, digest {self.digest[:12]}>"
        )

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


def _checked_images(name: str, images: np.ndarray) -> np.ndarray:
    if not isinstance(images, np.ndarray) or images.dtype not in (np.uint8, np.float32):
        kind = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"{name}: images must be a NumPy array of uint8 or float32, not {kind}")
    if images.ndim not in (2, 4, 5) or 0 in images.shape:
        raise ValueError(
            f"{name}: images must be NxCxHxW, NxCxDxHxW or features Nxd, none of them 0, not {images.shape}"
        )
    check_channels_first(f"{name}: an array", images.shape)
    if images.ndim == 2:
        if images.dtype != np.float32:
            raise TypeError(f"{name}: features must be float32, not {images.dtype}")
        if not np.isfinite(images).all():
            raise ValueError(f"{name}: features must be finite, and there are NaN or infinity among them")
        return _read_only(np.ascontiguousarray(images))
    # `not (…)` also refuses NaN
    if images.dtype == np.float32 and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"{name}: float images must lie in [0, 1], not in [{images.min()}, {images.max()}]")
    return _read_only(np.ascontiguousarray(images))


def _checked_labels(name: str, labels: np.ndarray, n: int) -> np.ndarray:
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{name}: labels must be integers, not {labels.dtype}")
    if labels.shape != (n,):
        raise ValueError(f"{name}: {n:,} images need labels of shape ({n},), not {labels.shape}")
    if labels.min() < 0:
        raise ValueError(f"{name}: labels must be 0..K-1, and the smallest is {labels.min()}")
    return _read_only(labels.astype(np.int64))


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.view()
    array.flags.writeable = False
    return array
