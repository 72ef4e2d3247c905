"""Texts: the corpus, its vectors by hand and beside other libraries, clusters as words, and cluster ids as a signal."""

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims.texts import (
    depends_on_input,
    helps_with_few_labels,
    poor_starts_gain,
    signal_helps,
    stays_below,
)
from dcbook.chapters.ssl.claims.tuning import setting_matters, tells_the_best
from dcbook.chapters.ssl.watches import CONTROL, SIGNAL, Signal, Unlabeled, agreement
from dcbook.data import Corpus, Dataset, MissingDataError, data_root, files, load, short_texts
from dcbook.data.vectors import outside_text, parsed, tfidf, vectorize
from dcbook.evaluation import accuracy, describe_clusters, nmi, top_words
from dcbook.experiments import Record, summarize
from dcbook.experiments.records import place
from dcbook.methods import DEC, IDEC, DCSS_u, IterativeClassification, KMeans, Pretraining

FRUIT = ["red apple pie", "green apple juice", "apple pie and juice", "red and green apple"]
ROAD = ["fast car engine", "old car on the road", "engine of a fast car", "road and engine"]


@pytest.fixture(scope="module")
def questions():
    return load("questions")


def test_texts_are_refused_with_a_word_on_vectors(questions):
    for texts in (list(questions.texts), np.array(questions.texts), pd.Series(questions.texts)):
        with pytest.raises(ValueError, match=r"x holds texts; pass vectors of them, .*vectors\.vectorize"):
            KMeans(6).fit(texts)
    with pytest.raises(TypeError, match=r"not Corpus; pass vectors of its texts"):
        KMeans(6).fit(questions)


# the corpus


def test_the_questions_are_the_same_everywhere(questions):
    assert len(questions) == 240 and questions.n_classes == 6 and questions.original
    assert np.bincount(questions.labels).tolist() == [40] * 6 and len(set(questions.texts)) == 240
    assert questions.digest == "9e230a1423e5" + questions.digest[12:]
    assert questions.labels[questions.texts.index("How do I true a wheel with a loose spoke?")] == 2
    assert not any(name in text for text in questions.texts for name in ("http", "#"))


def test_a_sample_keeps_texts_beside_their_labels(questions):
    part = questions.sample(30, seed=3)
    assert isinstance(part, Corpus) and np.bincount(part.labels).tolist() == [5] * 6
    where = [questions.texts.index(text) for text in part.texts]
    assert where == sorted(where)
    np.testing.assert_array_equal(questions.labels[where], part.labels)
    assert part.provenance["sampling"][0]["n"] == 30 and json.dumps(part.provenance)
    assert questions.imbalanced(0.1, seed=0).provenance["sampling"][0]["per_class"][-1] == 40


@pytest.mark.parametrize(
    ("texts", "labels", "error", "message"),
    [
        ("one text", [0], TypeError, "sequence of strings"),
        (["a", 2], [0, 1], TypeError, "sequence of strings"),
        ([], [], ValueError, "one or more"),
        (["a", "  "], [0, 1], ValueError, "none of them empty"),
        (["a", "b"], [0, 1, 1], ValueError, "2 texts need labels"),
        (["a", "b"], [0, -1], ValueError, "smallest is -1"),
    ],
)
def test_a_corpus_of_another_form_is_refused(texts, labels, error, message):
    with pytest.raises(error, match=message):
        Corpus("toy", texts, np.array(labels, dtype=int))


def test_vectors_are_of_the_whole_set_and_samples_are_drawn_from_them(questions):
    whole, part = load("questions", vectors="svd-5"), load("questions", vectors="svd-5", subset=60, seed=1)
    rows = [questions.texts.index(text) for text in part.texts]
    np.testing.assert_array_equal(part.images, whole.images[rows])
    assert isinstance(part, Dataset) and len(part.texts) == 60 and "vectors of texts" in repr(part)
    assert part.digest != whole.digest and part.provenance["vectors"]["made_from"] == questions.digest
    assert questions.sample(60, seed=1).vectors("svd-5").digest != part.digest, "other vectors, the same texts"
    assert load("questions", vectors="svd-6").digest != whole.digest


def test_the_digest_of_vectors_does_not_hang_on_their_last_digits(questions):
    whole = questions.vectors("svd-5")
    shifted = Dataset(
        whole.name, whole.images + np.float32(1e-7), whole.labels, (), True, whole.provenance, whole.texts
    )
    assert shifted.digest == whole.digest
    with pytest.raises(ValueError, match="240 vectors need as many texts, not 239"):
        Dataset(whole.name, whole.images, whole.labels, (), True, whole.provenance, whole.texts[1:])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("questions", {"padding": 2}, "padding is for images"),
        ("questions", {"noise": 0.1}, "noise is for images"),
        ("questions", {"mixed_with": "digits"}, "mixed_with is for images"),
        ("digits", {"mixed_with": "questions"}, "questions: these are texts"),
        ("digits", {"vectors": "svd-5"}, "made of texts"),
        ("questions", {"vectors": "glove-50"}, "tfidf-d, svd-d, words-d, wordllama-d"),
        ("questions", {"vectors": "svd"}, "such as 'svd-50', not 'svd'"),
        ("questions", {"vectors": "svd-0"}, "not 'svd-0'"),
        ("questions", {"vectors": "svd-5/unit"}, "not 'svd-5/unit'"),
        ("questions", {"vectors": "svd-5000"}, "at most"),
    ],
)
def test_what_texts_do_not_take_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        load(name, **options)


@pytest.fixture
def folder(tmp_path):
    """A data folder with four short lines that call themselves SearchSnippets."""
    (tmp_path / "short_text").mkdir()
    (tmp_path / "short_text" / "SearchSnippets.txt").write_text("\ufeffone line \nanother line\nthree\nfour\n")
    (tmp_path / "short_text" / "SearchSnippets_gnd.txt").write_text("1\n2\n2\n8\n")
    return tmp_path


def test_files_are_read_line_by_line_and_checked(folder, monkeypatch):
    with pytest.raises(OSError, match=r"SearchSnippets.txt: its content is neither the published one nor a known"):
        load("searchsnippets", root=folder)
    (texts, labels), _ = short_texts.read(_Unchecked("searchsnippets", folder), "SearchSnippets")
    assert texts.tolist() == ["one line", "another line", "three", "four"] and labels.tolist() == [0, 1, 1, 7]
    (folder / "short_text" / "SearchSnippets_gnd.txt").write_text("1\n2\n")
    with pytest.raises(OSError, match="4 texts and 2 labels"):
        load("searchsnippets", root=folder)


class _Unchecked(files.Files):
    def read(self, decode, *paths, **_):
        return decode(self.root / paths[0][0])


def test_missing_texts_are_named_with_their_place(tmp_path):
    with pytest.raises(MissingDataError, match=r"Biomedical.txt, short_text/Biomedical_gnd.txt .* DCBOOK_DATA"):
        load("biomedical", root=tmp_path)
    with pytest.raises(OSError, match="STC2"):
        load("stackoverflow", root=tmp_path, download=True)


@pytest.mark.parametrize(
    ("name", "n", "k"), [("stackoverflow", 20_000, 20), ("searchsnippets", 12_340, 8), ("biomedical", 20_000, 20)]
)
def test_the_real_sets_have_the_published_sizes(name, n, k):
    if not (data_root() / "short_text").is_dir():
        pytest.skip("DCBOOK_DATA holds no short texts")
    corpus = load(name)
    assert len(corpus) == n and corpus.n_classes == k and not corpus.original
    assert min(np.bincount(corpus.labels)) == (370 if name == "searchsnippets" else 1000)


# vectors


def test_tfidf_by_hand():
    """apple is in all 4 texts, pie, juice, red and green in 2; idf = ln((1 + 4) / (1 + df)) + 1."""
    weights, words = tfidf(FRUIT)
    assert words.tolist() == ["apple", "green", "juice", "pie", "red"]
    common, rare = 1.0, math.log(5 / 3) + 1
    expected = np.array([common, 0, 0, rare, rare]) / math.hypot(common, rare, rare)
    np.testing.assert_allclose(weights.toarray()[0], expected, rtol=1e-6)
    kept, few = tfidf(FRUIT, words=1)
    assert few.tolist() == ["apple"] and kept.shape == (4, 1)
    with pytest.raises(ValueError, match="no word occurs in two of the 2 texts"):
        tfidf(["one thing", "another matter"])


def test_svd_is_scikit_learns_with_unit_rows(questions):
    raw = TfidfVectorizer(stop_words="english", min_df=2).fit_transform(questions.texts)
    expected = normalize(TruncatedSVD(7, random_state=0).fit_transform(raw))
    found = vectorize(questions.texts, "svd-7")
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1)[found.any(1)], 1, rtol=1e-5)


def test_min_max_brings_columns_to_the_unit_interval(questions):
    found = vectorize(questions.texts, "words-10/min-max")
    np.testing.assert_allclose(found.min(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.max(0), 1, atol=1e-6)
    assert parsed("words-10/min-max") == ("words", 10, "min-max")


def test_neighbors_and_word_vectors_against_a_slow_twin():
    """Counts of pairs at most five known words apart, PPMI with smoothed contexts, by loops over words."""
    from dcbook.data import vectors

    texts = [*FRUIT, *ROAD]
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(min_df=2).fit(texts)
    number, analyze = counter.vocabulary_, counter.build_analyzer()
    counts = np.zeros((len(number), len(number)))
    for text in texts:
        known = [number[word] for word in analyze(text) if word in number]
        for i, a in enumerate(known):
            for b in known[i + 1 : i + 1 + vectors.WINDOW]:
                counts[a, b] += 1
                counts[b, a] += 1
    np.testing.assert_array_equal(vectors._neighbors(texts, counter).toarray(), counts)
    total = counts.sum(1)
    contexts = total**0.75 / (total**0.75).sum()
    with np.errstate(divide="ignore"):
        ppmi = np.maximum(np.log(counts / total[:, None] / contexts), 0)
    d = 4
    u, s, _ = np.linalg.svd(ppmi)
    expected = u[:, :d] * np.sqrt(s[:d])
    found = vectors._word_vectors(vectors._neighbors(texts, counter), d)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


@pytest.mark.parametrize("kind", ["tfidf-1", "svd-1", "words-1"])
def test_texts_without_common_words_have_no_vectors(kind):
    with pytest.raises(ValueError, match="no word occurs in two of the 2 texts"):
        vectorize(["apple", "pear"], kind)


def test_texts_of_one_word_have_no_word_vectors():
    with pytest.raises(ValueError, match="a text with two words"):
        vectorize(["apple", "apple", "pear", "pear"], "words-1")


def test_word_vectors_tell_two_subjects_apart():
    texts = [*FRUIT, *ROAD] * 3
    labels = KMeans(2, random_state=0).fit(vectorize(texts, "words-3")).labels_
    assert accuracy(np.tile(np.repeat([0, 1], 4), 3), labels) == 1


def test_pretrained_vectors_are_labeled_and_their_package_is_named_when_missing(questions, monkeypatch):
    assert outside_text("wordllama-256") and not outside_text("words-100")
    assert "pretrained on outside text" in tables.named_vectors("wordllama-256")
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(MissingDataError, match=r"pip install 'dcbook\[text\]'"):
        questions.vectors("wordllama-256")


def test_pretrained_vectors_need_no_network(questions):
    pytest.importorskip("wordllama")
    data = questions.vectors("wordllama-256")
    assert data.images.shape == (240, 256) and data.provenance["vectors"]["outside_text"]
    found = KMeans(6, random_state=0).fit(data.images).labels_
    assert accuracy(data.labels, found) > 0.6
    with pytest.raises(ValueError, match="at most 256"):
        questions.vectors("wordllama-300")


def test_texts_cost_an_import_nothing():
    heavy = "import dcbook.data, sys; assert 'sklearn' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", heavy], check=True)


# methods on texts


@pytest.mark.parametrize("cls", [DEC, IDEC, DCSS_u])
def test_deep_methods_take_text_vectors(cls, questions):
    data = questions.vectors("words-20/min-max")
    recipe = Pretraining(widths=(32,), latent_dim=5, epochs=5, batch_size=32)
    length = {"phase1_epochs": 1, "schedule_size": None} if cls is DCSS_u else {"max_updates": 10, "update_interval": 5}
    model = cls(6, start=recipe, batch_size=32, random_state=0, device="cpu", **length).fit(data.images)
    assert model.labels_.shape == (240,) and model.predict(data.images[:3]).shape == (3,)


def test_iterative_classification_on_dense_and_sparse_is_one(questions):
    x, _ = tfidf(questions.texts)
    start = KMeans(6, random_state=0).fit(questions.vectors("svd-10").images).labels_
    settings = {"start": start, "rounds": 3, "random_state": 0}
    sparse = IterativeClassification(6, **settings).fit(x)
    dense = IterativeClassification(6, **settings).fit(x.toarray())
    assert (sparse.labels_ == dense.labels_).mean() > 0.7, "scikit-learn moves intercepts of sparse input more slowly"
    np.testing.assert_array_equal(sparse.predict(csr_matrix(x)), sparse.labels_)
    assert sparse.transform(x).shape == (240, 6) and len(sparse.history_) == 3


def test_sparse_bytes_are_scaled_as_dense_ones_are():
    x = np.random.default_rng(0).choice([0, 51, 255], (30, 4)).astype(np.uint8)
    models = [IterativeClassification(1, rounds=1, random_state=0).fit(each) for each in (x, csr_matrix(x))]
    np.testing.assert_allclose(models[1].cluster_centers_, models[0].cluster_centers_, rtol=1e-5)


def test_iterative_classification_by_hand():
    """Two words; one text in three was put into the wrong cluster: what the words say wins, as its margin is small."""
    x = np.repeat(np.eye(2, dtype=np.float32), 6, axis=0)
    start = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0])
    found = IterativeClassification(2, start=start, low=0.5, high=0.5, random_state=0).fit(x)
    assert found.labels_.tolist() == [0] * 6 + [1] * 6
    assert found.history_[0]["moved"] == pytest.approx(4 / 12) and found.history_[-1]["moved"] == 0


def test_a_text_without_known_words_is_the_least_sure():
    x = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]], dtype=np.float32)
    model = IterativeClassification(2, start=np.array([0, 0, 1, 1, 1]))
    model.labels_ = model.start
    margins = model._margins(model._nearness(x))
    assert margins.argmin() == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": [0, 1]}, "start must be None or 8 integers in 0..1"),
        ({"start": [0.0] * 8}, "start must be None"),
        ({"start": [0, 2] * 4}, "start must be None"),
        ({"low": 0.9, "high": 0.5}, "0 < low <= high <= 1"),
        ({"rounds": 0}, "rounds and epochs >= 1"),
        ({"alpha": 0.0}, "alpha > 0"),
    ],
)
def test_iterative_classification_refuses_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        IterativeClassification(2, **settings).fit(np.eye(8, dtype=np.float32))


def test_one_cluster_and_empty_clusters_survive():
    x = np.random.default_rng(0).random((20, 3)).astype(np.float32)
    assert set(IterativeClassification(1, random_state=0).fit(x).labels_) == {0}
    with pytest.warns(match="2 of 4 clusters"):
        model = IterativeClassification(4, start=np.tile([0, 3], 10), rounds=2, random_state=0).fit(x)
    assert set(model.labels_) <= {0, 3} and np.isfinite(model.cluster_centers_).all()


# clusters as words


def test_clusters_are_told_by_their_words_and_nearest_texts():
    texts, labels = [*FRUIT, *ROAD], np.repeat([1, 0], 4)
    words = top_words(texts, labels, 2)
    assert words[1][0] == "apple" and set(words[0]) <= {"car", "engine", "fast", "road"}
    frame = describe_clusters([*texts, "apple"], [*labels, 1], n_words=3, n_texts=1)
    assert frame["cluster"].tolist() == [1, 0] and frame["texts"].tolist() == [5, 4]
    assert frame["nearest"][0] in [*FRUIT, "apple"] and frame["nearest"][1] in ROAD
    own = describe_clusters(texts, labels, np.eye(8)[:, [0, 4]] + np.eye(8)[:, [1, 5]] / 2, n_texts=2)
    assert own.set_index("cluster")["nearest"][1] == " · ".join(FRUIT[:2])
    with pytest.raises(ValueError, match="8 texts need as many integers"):
        top_words(texts, labels[1:])
    with pytest.raises(ValueError, match="need as many vectors, not 3"):
        describe_clusters(texts, labels, np.ones((3, 2)))


# watches and judges


def test_a_column_of_texts_is_read_by_its_order_whatever_its_index():
    texts, labels = FRUIT + ROAD, [0] * 4 + [1] * 4
    expected = describe_clusters(texts, labels)
    for index in (range(8, 0, -1), range(7, -1, -1), "abcdefgh"):
        pd.testing.assert_frame_equal(describe_clusters(pd.Series(texts, index=list(index)), labels), expected)


@pytest.mark.parametrize("odd", [np.nan, None, 3])
def test_a_text_that_is_no_string_is_named(odd):
    texts = [*FRUIT, odd, *ROAD]
    for refused in (lambda: vectorize(texts, "svd-2"), lambda: vectorize(texts, "words-2"), lambda: tfidf(texts)):
        with pytest.raises(TypeError, match=f"texts must be strings, but 1 are not, such as number 4, {odd}; drop"):
            refused()
    with pytest.raises(TypeError, match="not one string"):
        vectorize("red apple pie", "svd-2")


def test_signal_is_watched_from_the_first_ids_on(questions):
    data = questions.vectors("svd-10")
    model = KMeans(6, random_state=0).fit(data.images)
    portrait = Signal(rounds=2, few=0.1).portrait(model, data)
    assert [len(portrait[ids]["acc"]) for ids in (SIGNAL, CONTROL)] == [3, 3]
    assert portrait[SIGNAL]["acc"][0] == accuracy(data.labels, model.labels_)
    assert portrait[CONTROL]["nmi"][0] < 0.1 < nmi(data.labels, model.labels_)
    assert (
        portrait["few"]["vectors"] > 0.4 and portrait["few"]["learned from shuffled ids"] < portrait["few"]["learned"]
    )
    assert len(portrait["ids"]) == 240 and 0 < portrait["loss"] < 1
    assert json.dumps(portrait)


def test_agreement_does_not_depend_on_the_names_of_clusters():
    assert agreement(["0011", "1100"]) == 1 and agreement(["0011", "0101"]) < 0
    assert agreement(["0011", "1100", "2233"]) == 1
    with pytest.raises(ValueError, match="two runs or more"):
        agreement(["0011"])
    many = Dataset("many", np.eye(40, dtype=np.float32), np.arange(40))
    with pytest.raises(ValueError, match="up to 36 clusters"):
        Unlabeled().portrait(KMeans(40, n_init=1, random_state=0).fit(many.images), many)


def record(vectors, seed, acc, dataset="toy", **portrait):
    run = {"method": "k-means", "dataset": dataset, "seed": seed, "sampling": {"vectors": vectors}}
    return Record(run, {"acc": acc, "nmi": acc}, [], {}, portrait)


def course(start, end, control=0.1):
    return {SIGNAL: {m: [start, end] for m in ("acc", "nmi")}, CONTROL: {m: [0.05, control] for m in ("acc", "nmi")}}


def test_a_signal_that_helps_poor_starts_alone_is_mixed():
    noise = [0.001 * (-1) ** seed for seed in range(8)]
    poor = [record("words-5", s, 0.3, **course(0.3, 0.5 + e)) for s, e in enumerate(noise)]
    good = [record("svd-5", s, 0.8, **course(0.8, 0.75 + e)) for s, e in enumerate(noise)]
    assert signal_helps(poor).verdict == "supported" and signal_helps(good).verdict == "contradicted"
    assert signal_helps(poor + good).verdict == "mixed"
    found = signal_helps(poor + good)
    assert found.note == (
        "ACC rises in 8 of 16 runs; from shuffled ids, which start at chance, ACC over the start +5.0 points"
    )
    assert "over 8 pairs" in found.evidence, "both kinds of vectors of a seed are one observation"
    assert poor_starts_gain(poor + good).verdict == "supported"
    assert poor_starts_gain(poor + good).questions[0].estimate.mean == pytest.approx(-1)


def test_noise_alone_is_no_sign_that_poor_starts_gain():
    """Starts and ends scatter about one ACC: with the start the correlation would be about -0.7."""
    scatter, rows = np.random.default_rng(0), []
    for seed in range(8):
        for kind in range(40):
            rows.append(record(f"svd-{kind}", seed, 0.5, **course(*scatter.normal(0.5, 0.05, 2))))
    answer = poor_starts_gain(rows)
    assert answer.verdict == "undecided" and abs(answer.questions[0].estimate.mean) < 0.1


def test_few_labels_ask_for_more_than_either_input_alone():
    def few(both):
        found = {"vectors": 0.6, "words": 0.5, "learned": 0.4, "vectors and learned": both}
        return [record("svd-5", s, 0.5, few={**found, "vectors and learned": both + 0.001 * s}) for s in range(3)]

    assert helps_with_few_labels(few(0.7)).verdict == "supported"
    assert helps_with_few_labels(few(0.55)).verdict != "supported"


def test_a_reported_number_is_a_limit():
    rows = [record("svd-20", s, 0.80 + 0.001 * s, "stackoverflow") for s in range(3)]
    rows += [record("svd-300", s, 0.70 + 0.001 * s, "stackoverflow") for s in range(3)]
    assert stays_below("SCCL", "stackoverflow", ["svd-20"])(rows).verdict == "contradicted"
    assert stays_below("SCCL", "stackoverflow", ["svd-300"])(rows).verdict == "supported"
    assert stays_below("SCCL", "stackoverflow", ["svd-20", "svd-300"])(rows).verdict == "mixed"


def test_the_gain_of_a_network_on_two_inputs_is_compared_seed_by_seed():
    def runs(kind, gain):
        pairs = [(record(kind, s, 0.4), record(kind, s, 0.4 + gain + s / 1000)) for s in range(3)]
        for start, deep in pairs:
            start.run["method"], deep.run["method"] = "AE+k-means", "DEC"
        return [each for pair in pairs for each in pair]

    judge = depends_on_input("DEC", "AE+k-means", "tfidf-9", "words-9")
    answer = judge(runs("tfidf-9", 0.1) + runs("words-9", -0.05))
    assert answer.verdict == "supported" and "+15.0" in answer.evidence
    assert judge(runs("tfidf-9", 0.1) + runs("words-9", 0.2)).verdict == "contradicted"
    lost = judge(runs("tfidf-9", 0.1) + runs("words-9", -0.35))
    assert lost.verdict == "undecided" and "premise: NMI of DEC with words-9" in lost.evidence
    with pytest.raises(NotTested, match="words-9"):
        judge(runs("tfidf-9", 0.1))


def test_both_inputs_of_a_network_are_one_observation_a_seed():
    from dcbook.chapters.ssl.claims import CLAIMS

    runs = [record(kind, s, acc + s / 1000) for kind in ("tfidf-9", "words-9") for s in range(3) for acc in (0.4, 0.5)]
    for number, each in enumerate(runs):
        each.run["method"] = ("AE+k-means", "DEC")[number % 2]
    judge = next(claim.judge for claim in CLAIMS if "DEC (with the step of Self-Train" in claim.text)
    questions = judge(runs).questions
    assert [q.estimate.n for q in questions] == [3, 3] and questions[0].estimate.mean == pytest.approx(10)


def test_what_dcss_tells_of_itself():
    first, second = record("words-9", 0, 0.4), record("words-9", 0, 0.5, sizes=[190, 10, 0])
    first.run["method"], second.run["method"] = "DCSS_u", "DCSS"
    last = {"phase": "phase 1", "reconstruction": 3.0, "centering": 10.0, "total": 4.0, "acc": 0.4}
    first.history.extend([{**last, "total": 30.0}, last])
    table = tables.within_table(summarize(tables.numbers([first, second]))).set_index("method")
    name = "{} on word vectors of these texts, 9"
    assert table.loc[name.format("DCSS_u")].tolist() == ["25.0", "–"]
    assert table.loc[name.format("DCSS")].tolist() == ["–", "2.0"], "10 of 200 texts are more than a tenth of a third"
    once = summarize(tables.numbers([first, second]))
    both = tables.within_table(pd.concat([once, once.assign(dataset="other")]))
    assert both["data set"].tolist() == ["other"] * 2 + ["toy"] * 2


def test_dcss_starts_where_dec_starts():
    for scale, inputs in grids.INPUTS.items():
        runs = {(run.method, run.dataset, run.sampling["vectors"]): run for run in grids.networks(scale, [0])}
        assert len(runs) == 5 * len(inputs) * len(grids.NETWORKS[scale].datasets)
        for (method, *where), run in runs.items():
            if method == "DCSS":
                assert run.start.identity | {"watch": 0} == runs["DCSS_u", *where].identity | {"watch": 0}
                assert run.start.start.identity == runs["DEC", *where].start.identity


def sweep(rank):
    """Five settings with ACC 0.2 to 0.6; silhouette in the order of `rank`, agreement the same for all."""
    return [
        record(
            f"svd-{k + 2}", s, 0.2 + 0.1 * k + 0.001 * s, silhouette=rank[k] / 10, ids="0011", loss=0.5 + rank[k] / 20
        )
        for k in range(5)
        for s in range(3)
    ]


def test_criteria_are_ranked_beside_acc():
    frame = tables.criteria(sweep([1, 2, 3, 4, 5]))
    assert tables.correlations(frame, "silhouette") == {"toy": pytest.approx((1, 1, 1))}
    assert tables.correlations(frame, "loss") == {"toy": pytest.approx((-1, -1, -1))}
    assert tells_the_best("silhouette")(sweep([1, 2, 3, 4, 5])).verdict == "supported"
    assert tells_the_best("silhouette")(sweep([5, 4, 3, 2, 1])).verdict == "contradicted"
    shown = tables.chosen(summarize(tables.tuning_numbers(tables.criteria(sweep([5, 4, 3, 2, 1])))))
    first = shown.iloc[0]
    assert first["vectors"] == "TF-IDF, SVD to 2" and first["with"] == "TF-IDF, SVD to 6"
    assert first["ACC, %"] == pytest.approx(20.1) and first["best ACC, %"] == pytest.approx(60.1)


def test_each_sweep_has_its_own_set_and_settings():
    many, few = sweep([1, 2, 3, 4, 5]), sweep([5, 4, 3, 2, 1])[:-1]
    for number, each in enumerate([*many, *few]):
        each.history.append({"total": number})
    for each in few:
        each.run["dataset"] = "other"
    told = tables.stored_sweeps({"alpha": many, "not run": [], "m": few}).set_index("sweep")
    assert list(told.index) == ["alpha", "m"] and told["data set"].tolist() == ["toy", "other"]
    assert told["settings"].tolist() == [5, 5] and told.loc["m", "rank correlation, each seed"] == "-1.00, -1.00, -1.00"
    assert tables.stored_sweeps({"both": many + few})["data set"].tolist() == ["toy", "other"]


def test_a_look_is_given_to_one_setting_alone():
    frame = tables.criteria(sweep([1, 2, 3, 4, 5]))
    lines = pictures.tuning(frame).axes[0].lines
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 5
    many = pd.concat([frame.assign(setting=frame["setting"] + more) for more in ("", "0", "00")])
    with pytest.raises(ValueError, match="tells 10 names apart, not 15"):
        pictures.tuning(many)


def test_no_seed_judges_the_setting_that_it_chose():
    found = setting_matters(sweep([1, 2, 3, 4, 5]))
    assert found.verdict == "supported" and found.questions[0].estimate.gains == {"toy": pytest.approx((40, 40, 40))}
    rng = np.random.default_rng(0)
    noise = [
        record(f"svd-{k}", s, 0.5 + 0.05 * rng.standard_normal(), silhouette=0, ids="01", loss=1)
        for k in (2, 3, 4)
        for s in range(40)
    ]
    assert abs(setting_matters(noise).questions[0].estimate.mean) < 2, "noise alone makes no best setting"


def test_places_name_the_vectors():
    assert place({"dataset": "questions", "sampling": {"vectors": "svd-5"}}) == "questions, svd-5"
    assert place({"dataset": "questions", "sampling": {}}) == "questions"
