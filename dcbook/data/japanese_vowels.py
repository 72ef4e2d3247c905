"""Japanese Vowels: 640 utterances of /ae/ by nine speakers, as 12 LPC cepstrum coefficients in 7 to 29 frames.

Kudo, Toyama & Shimbo, *Multidimensional curve classification using passing-through regions*, Pattern Recognition
Letters 1999. The files ship with the packages sktime and aeon, whose code is not run: only their folder is looked up.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, DataError, Files, MissingDataError

PACKAGES = ("sktime", "aeon")
FOLDER, PARTS = "datasets/data/JapaneseVowels", ("TRAIN", "TEST")
HOW = "install one of them: pip install --no-deps sktime (8 MB, of which dcbook reads two files and runs nothing)"
SHAPE = 640, 12, 9  # utterances, coefficients, speakers
FRAMES = 20
SUMMARIES = {
    "means": lambda series: series.mean(1),
    "moments": lambda series: np.concatenate([series.mean(1), series.std(1)]),
}


def read(files: Files, form: str = "") -> tuple[Arrays, list[str]]:
    """Utterances (640, 1, 20, 12) float32 in [0, 1]: frames by coefficients; speakers 0..8; their names.

    Each utterance is brought to 20 frames by linear interpolation, and all numbers together by one map to [0, 1], which
    keeps the proportions of distances. The published training and test parts are joined, in this order.

    form : "means" for the 12 means over the frames of an utterance instead, (640, 12) in the units of the files, or
        "moments" for the 12 means and 12 standard deviations, (640, 24).
    """
    package, folder = _folder()
    utterances, labels = [], []
    for part in PARTS:
        path = folder / f"JapaneseVowels_{part}.ts"
        try:
            series, speakers = parsed(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: it can't be read ({error}), so it is cut off or altered") from error
        utterances += series
        labels += speakers
        files.records.append({"file": path.name, "checked": f"ships with {package}", "original": True})
    found = len(utterances), len(utterances[0]), len(set(labels))
    if found != SHAPE or {len(each) for each in utterances} != {SHAPE[1]}:
        raise DataError(f"{folder}: it has {found} utterances, coefficients and speakers, not {SHAPE}")
    speakers = np.unique(labels)
    return (_samples(utterances, form, files), np.searchsorted(speakers, labels)), [f"speaker {k}" for k in speakers]


def _samples(utterances: list[np.ndarray], form: str, files: Files) -> np.ndarray:
    if form:
        files.note(f"{form} over the frames of each utterance")
        return np.stack([SUMMARIES[form](each) for each in utterances]).astype(np.float32)
    x = np.stack([resampled(each, FRAMES) for each in utterances])
    files.note("each utterance resampled to 20 frames")
    return ((x - x.min()) / np.ptp(x)).astype(np.float32)[:, None]


def parsed(text: str) -> tuple[list[np.ndarray], list[int]]:
    """Series (channels, frames) and their labels from a file of the format .ts; ValueError for anything else.

    After the line "@data" each line has the channels, separated by colons, and last the label; a channel has numbers
    separated by commas.
    """
    _, begun, body = text.partition("@data")
    rows = [line.split(":") for line in body.splitlines() if line.strip()]
    if not begun or not rows:
        raise ValueError("no line after @data")
    return [np.array([channel.split(",") for channel in row[:-1]], dtype=float) for row in rows], [
        int(row[-1]) for row in rows
    ]


def resampled(series: np.ndarray, frames: int) -> np.ndarray:
    """A series (channels, L) at so many equally spaced places, by linear interpolation: (frames, channels)."""
    places = np.linspace(0, series.shape[1] - 1, frames)
    return np.stack([np.interp(places, np.arange(series.shape[1]), channel) for channel in series], axis=1)


def _folder() -> tuple[str, Path]:
    """The package that has the files, and where they lie."""
    for package in PACKAGES:
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            if (folder := Path(place) / FOLDER).is_dir():
                return package, folder
    raise MissingDataError(f"japanese-vowels: its files ship with the packages sktime and aeon; {HOW}")
