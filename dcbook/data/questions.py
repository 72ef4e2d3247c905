"""240 short questions on six subjects, written for this book: texts for a run that takes a second."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files

FILE = Path(__file__).with_name("questions.txt")


def read(files: Files) -> tuple[Arrays, list[str]]:
    """Texts (240,) of str in a random order that is always the same; labels; the names of the subjects.

    In the file a line "# subject" begins the questions on it.
    """
    texts, labels, names = [], [], []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            names.append(line[2:])
        elif line:
            texts.append(line)
            labels.append(len(names) - 1)
    files.records.append({"file": FILE.name, "checked": "ships with dcbook", "original": True})
    order = np.random.RandomState(0).permutation(len(texts))  # its stream is frozen, unlike that of default_rng
    return (np.array(texts)[order], np.array(labels)[order]), names
