"""What the methods cluster: images or vectors, with labels, and where they come from."""

import copy
import json
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from dcbook.data import sampling
from dcbook.data.digest import content_digest
from dcbook.data.labeled import Labeled, checked_labels, checked_names, read_only
from dcbook.data.layout import check_channels_first


@dataclass(frozen=True, repr=False, eq=False)
class Dataset(Labeled):
    """Labeled images, or vectors that were made of images or texts, read-only.

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
    texts
        The N texts that the vectors were made of, where they were (see `Corpus.vectors`).

    Attributes
    ----------
    digest : str
        SHA-256 over shape, dtype and values of images and labels; the name plays no part. Vectors of texts differ
        between machines in their last digits: their digest is that of the texts, the labels and the kind of vectors.
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
    texts: tuple[str, ...] = ()
    digest: str = field(init=False)

    KIND: ClassVar = "images"

    def __post_init__(self) -> None:
        images = _checked_images(self.name, self.images)
        labels = checked_labels(self.name, self.labels, len(images), self.KIND)
        if self.texts and len(self.texts) != len(images):
            raise ValueError(f"{self.name}: {len(images):,} vectors need as many texts, not {len(self.texts):,}")
        values = {"images": images, "labels": labels, "class_names": checked_names(self.name, labels, self.class_names)}
        values["provenance"] = copy.deepcopy(self.provenance)
        if self.texts:
            made = json.dumps(self.provenance["vectors"], sort_keys=True)
            values["digest"] = content_digest(np.array([made, *self.texts]), labels)
        else:
            values["digest"] = content_digest(images, labels)
        for key, value in values.items():
            object.__setattr__(self, key, value)

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

    def _rows(self, kept: np.ndarray) -> dict[str, Any]:
        texts = {"texts": tuple(self.texts[i] for i in kept)} if self.texts else {}
        return {"images": self.images[kept], **texts}

    def __repr__(self) -> str:
        form = f"{'x'.join(map(str, self.images.shape[1:]))} {self.images.dtype}"
        kind = "vectors of texts" if self.texts else "features" if self.images.ndim == 2 else self.KIND
        origin = "original" if self.original else "not the original files"
        return (
            f"<Dataset {self.name}: {len(self):,} {kind} {form}, {self.n_classes} classes, "
            f"{origin}, digest {self.digest[:12]}>"
        )


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
        return read_only(np.ascontiguousarray(images))
    # `not (…)` also refuses NaN
    if images.dtype == np.float32 and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"{name}: float images must lie in [0, 1], not in [{images.min()}, {images.max()}]")
    return read_only(np.ascontiguousarray(images))
