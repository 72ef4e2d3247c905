"""Texts as vectors. A kind is a name and a number of dimensions, such as "svd-50":

| kind | what it is |
|---|---|
| tfidf-d | TF-IDF of the d most frequent words without stop words, or of all where they are fewer (see `tfidf`) |
| svd-d | TF-IDF of all words, brought to d dimensions by a truncated SVD |
| words-d | the mean of word vectors that were learned from these texts alone: PPMI and an SVD, with SIF weights |
| wordllama-d | the mean of static token vectors of the package wordllama, pretrained on outside text; d up to 256 |

Rows have unit length (a text without a known word is 0). "words-100/min-max" has each column brought to [0, 1] instead
of that, the form in which networks take vectors. No label and no random number that changes is involved.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

from dcbook.data.files import MissingDataError

OUTSIDE = ("wordllama",)  # kinds that know more than the texts at hand
WINDOW = 5  # words on each side
SMOOTHING = 0.75  # of the frequencies of contexts: Levy, Goldberg & Dagan, TACL 2015
SIF = 0.1  # a in a / (a + p(word)), as Hadifar et al. 2019 have it; Arora, Liang & Ma, ICLR 2017, take 1e-3
SCALINGS = ("", "min-max")


def vectorize(texts: Sequence[str], kind: str) -> np.ndarray:
    """Vectors (N, d) float32 of N texts, of the kind that this file's table names.

    Raises ValueError for an unknown kind or too many dimensions, TypeError for texts that are not strings, such as
    missing ones, and MissingDataError where its package is missing.
    """
    name, dimensions, scaling = parsed(kind)
    vectors = np.asarray(KINDS[name](_strings(texts), dimensions), dtype=np.float32)
    if scaling == "min-max":
        low, spread = vectors.min(0), np.ptp(vectors, axis=0)
        return (vectors - low) / np.where(spread > 0, spread, 1)
    return unit(vectors)


def parsed(kind: str) -> tuple[str, int, str]:
    """Name, dimensions and scaling of a kind: ("words", 100, "min-max")."""
    base, _, scaling = str(kind).partition("/")
    name, _, number = base.rpartition("-")
    if name not in KINDS or not number.isdigit() or int(number) < 1 or scaling not in SCALINGS:
        known = ", ".join(f"{name}-d" for name in KINDS)
        raise ValueError(f"vectors must be one of {known}, d dimensions, such as 'svd-50', not {kind!r}")
    return name, int(number), scaling


def outside_text(kind: str) -> bool:
    """Whether vectors of that kind were pretrained on other texts than those at hand."""
    return parsed(kind)[0] in OUTSIDE


def unit(vectors: np.ndarray) -> np.ndarray:
    """The rows at unit length; rows of zeros stay as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def tfidf(texts: Sequence[str], words: int | None = None) -> tuple[csr_array, np.ndarray]:
    """TF-IDF (N, V) with rows of unit length, and the V words: all that two texts have, without English stop words.

    words : keep so many of the most frequent ones. Raises ValueError where no word is left, TypeError for texts that
    are not strings.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(stop_words="english", min_df=2, max_features=words, dtype=np.float32)
    return _fitted(vectorizer, _strings(texts)), vectorizer.get_feature_names_out()


def _strings(texts: Sequence[str]) -> list[str]:
    """The texts as a list; TypeError for one string alone, and for a text that is not a string."""
    if isinstance(texts, str):
        raise TypeError("texts must be a sequence of strings, not one string")
    texts = list(texts)
    if odd := [number for number, text in enumerate(texts) if not isinstance(text, str)]:
        told = f"{len(odd):,} are not, such as number {odd[0]}, {texts[odd[0]]!r}"
        raise TypeError(f"texts must be strings, but {told}; drop these rows")
    return texts


def _fitted(vectorizer, texts: Sequence[str]) -> csr_array:
    """What a vectorizer of scikit-learn counts, (N, V); ValueError where it finds no word that two texts have."""
    try:
        return csr_array(vectorizer.fit_transform(texts))
    except ValueError as error:
        ignored = " (stop words do not count)" if vectorizer.stop_words else ""
        raise ValueError(f"no word occurs in two of the {len(texts):,} texts{ignored}") from error


def _tfidf(texts: list[str], dimensions: int) -> np.ndarray:
    return tfidf(texts, dimensions)[0].toarray()


def _svd(texts: list[str], dimensions: int) -> np.ndarray:
    from sklearn.decomposition import TruncatedSVD

    words = tfidf(texts)[0]
    _check("svd", dimensions, min(words.shape) - 1)
    return TruncatedSVD(dimensions, random_state=0).fit_transform(words)


def _words(texts: list[str], dimensions: int) -> np.ndarray:
    """Mean word vector of each text, frequent words weighted down, the first principal direction removed."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.utils.extmath import randomized_svd

    counter = CountVectorizer(token_pattern=r"(?u)\b\w[\w+#.\-]*", min_df=2)
    counts = _fitted(counter, texts)
    _check("words", dimensions, min(counts.shape) - 1)
    vectors = _word_vectors(_neighbors(texts, counter), dimensions)
    share = counts.sum(0) / counts.sum()
    known = np.maximum(counts.sum(1), 1)
    means = (counts * (SIF / (SIF + share))) @ vectors / known[:, None]
    _, _, first = randomized_svd(means, 1, random_state=0)
    return means - means @ first.T @ first


def _neighbors(texts: list[str], counter) -> csr_array:
    """How often word j is at most `WINDOW` known words from word i in a text, (V, V)."""
    analyze, number = counter.build_analyzer(), counter.vocabulary_
    known = [[number[word] for word in analyze(text) if word in number] for text in texts]
    word = np.concatenate([np.asarray(each, dtype=np.int64) for each in known])
    text = np.repeat(np.arange(len(known)), [len(each) for each in known])
    pairs = [
        (word[:-step][same], word[step:][same])
        for step in range(1, WINDOW + 1)
        if (same := text[:-step] == text[step:]).any()
    ]
    if not pairs:
        raise ValueError("word vectors need a text with two words that occur in two texts")
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    once = coo_array((np.ones(len(left)), (left, right)), shape=(len(number), len(number))).tocsr()
    return once + once.T


def _word_vectors(neighbors: csr_array, dimensions: int) -> np.ndarray:
    """Positive pointwise mutual information of words and their neighbors, brought to (V, d) by an SVD."""
    from sklearn.utils.extmath import randomized_svd

    totals = np.maximum(neighbors.sum(1), 1)
    contexts = totals**SMOOTHING
    ratio = (diags_array(1 / totals) @ neighbors @ diags_array(contexts.sum() / contexts)).tocoo()
    positive = ratio.data > 1
    where = ratio.coords[0][positive], ratio.coords[1][positive]
    ppmi = csr_array((np.log(ratio.data[positive]), where), shape=ratio.shape)
    u, s, _ = randomized_svd(ppmi, dimensions, random_state=0)
    return u * np.sqrt(s)


def _wordllama(texts: list[str], dimensions: int) -> np.ndarray:
    _check("wordllama", dimensions, 256)
    try:
        import wordllama
    except ImportError as error:
        raise MissingDataError(
            "vectors of the kind wordllama need the package wordllama, which holds them: pip install 'dcbook[text]'"
        ) from error
    inside = Path(wordllama.__file__).parent  # the files that came with the package; nothing is downloaded
    trunc_dim = None if dimensions == 256 else dimensions
    model = wordllama.WordLlama.load(trunc_dim=trunc_dim, cache_dir=inside, disable_download=True)
    return model.embed(texts)


def _check(name: str, dimensions: int, most: int) -> None:
    if dimensions > most:
        told = f"vectors {name}-{dimensions}: at most {most} dimensions are possible here"
        raise ValueError(f"{told}: give more texts, or fewer dimensions")


KINDS: dict[str, Callable[[list[str], int], np.ndarray]] = {
    "tfidf": _tfidf,
    "svd": _svd,
    "words": _words,
    "wordllama": _wordllama,
}
