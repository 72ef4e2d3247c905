"""Three sets of short texts of the clustering literature, as Xu et al. (2017) put them together: one text a line."""

from pathlib import Path

import numpy as np

from dcbook.data.files import Arrays, Files

HOW = (
    "copy the files of the repository jacoxu/STC2 (folder dataset) there; nobody publishes digests of them, so they "
    "aren't fetched for you"
)
TOPICS = {
    "StackOverflow": [
        *("wordpress", "oracle", "svn", "apache", "excel", "matlab", "visual-studio", "cocoa", "osx", "bash"),
        *("spring", "hibernate", "scala", "sharepoint", "ajax", "qt", "drupal", "linq", "haskell", "magento"),
    ],
    "SearchSnippets": [
        *("business", "computers", "culture-arts-entertainment", "education-science"),
        *("engineering", "health", "politics-society", "sports"),
    ],
    "Biomedical": [f"topic {k}" for k in range(1, 21)],  # of MeSH; the files do not name them
}


def paths(name: str) -> tuple[str, str]:
    """Of the texts and of their labels."""
    return f"short_text/{name}.txt", f"short_text/{name}_gnd.txt"


def read(files: Files, name: str) -> tuple[Arrays, list[str]]:
    """Texts (N,) of str; labels; class names."""

    def decode(path: Path) -> Arrays:
        texts = path.read_text(encoding="utf-8-sig").splitlines()
        labels = np.loadtxt(files.root / paths(name)[1], dtype=np.int64) - 1
        if len(texts) != len(labels):
            raise ValueError(f"{len(texts):,} texts and {len(labels):,} labels")
        return np.array([text.strip() for text in texts]), labels

    return files.read(decode, *((path, None) for path in paths(name))), TOPICS[name]
