"""Numbers that the chapter on self-supervision states of texts, computed again from its tables and records."""

import numpy as np

from dcbook.book.verdicts import recorded
from dcbook.chapters.ssl.grids import BATCHES, GRIDS, LLOYD, in_batches
from dcbook.chapters.ssl.tables import speeds
from dcbook.chapters.ssl.watches import CONTROL, SIGNAL
from dcbook.experiments.records import read_all
from tests.prose.conftest import ROOT, between, means, state

SVD, WORDS, LLAMA = "TF-IDF, SVD to", "word vectors of these texts, 100", "WordLlama, 256 (pretrained on outside text)"


def test_texts_and_their_cluster_ids():
    table = means("ssl/text_signal")
    acc, gain = table["acc"].unstack("dataset"), (table["acc after"] - table["acc"]).unstack("dataset")
    stack = acc.loc[[f"{SVD} {d}" for d in (10, 20, 50, 100, 200, 300)], "stackoverflow"]
    ahead = (acc.loc[LLAMA] - acc.loc[WORDS])[["stackoverflow", "searchsnippets"]]
    good = gain.loc[[f"{SVD} 20", LLAMA], "stackoverflow"]
    poor = [*gain["searchsnippets"].dropna(), *gain.loc["TF-IDF, 2,000 words"]]
    assert (acc.loc[LLAMA] - acc.loc[WORDS])["biomedical"] < 0
    state(
        "ssl/text_signal",
        f"k-means** put {stack[f'{SVD} 20']:.0f} % of StackOverflow's texts",
        f"from 10 to 300 dimensions the means lie between {stack.min():.0f} and {stack.max():.0f} %",
        f"reach {acc.loc[WORDS, 'stackoverflow']:.0f} % on StackOverflow",
        f"is ahead of them by {between(ahead)} points on StackOverflow and SearchSnippets",
        f"ten rounds cost {-good.mean():.0f} points of ACC",
        f"the rounds gain {int(min(poor))} to {max(poor):.0f} points",
    )


def test_dcss_on_texts():
    """Means over the seeds that DCSS has, all of which start where the other networks of that seed start."""
    kinds = {"tfidf-2000/min-max": "TF-IDF, 2,000 words", "words-100/min-max": "word vectors of these texts, 100"}
    steps, runs, table = ("AE+k-means", "DCSS_u", "DCSS"), {}, means("ssl/text_signal").loc["stackoverflow"]
    for record in read_all(ROOT / "figures" / "laptop" / "ssl" / "records"):
        if (kind := record.run["sampling"].get("vectors")) in kinds:
            runs.setdefault(kind, {}).setdefault(record.run["seed"], {})[record.run["method"]] = record
    acc, nmi, peak, share, used, lower = {}, {}, {}, {}, {}, []
    for kind, name in kinds.items():
        found = [each for each in runs[kind].values() if "DCSS" in each]
        assert len(found) == len(runs[kind]), "the table's means are of the same seeds"
        for each in found:
            assert len({each[m].provenance["start"]["digest"] for m in ("AE+k-means", "DEC", "IDEC", "DCSS_u")}) == 1
        by_p = [[100 * row["acc"] for row in each["DCSS"].history if not row["judged_by_q"]] for each in found]
        lower += [rise[-1] > 100 * each["DCSS"].scores["acc"] for rise, each in zip(by_p, found, strict=True)]
        acc[kind], nmi[kind] = (
            [f"{table.loc[f'{step} on {name}, min-max', metric]:.1f}" for step in steps] for metric in ("acc", "nmi")
        )
        peak[kind] = f"{np.mean([rise[-1] for rise in by_p]):.0f}"
        share[kind] = f"{table.loc[f'DCSS_u on {name}, min-max', 'share of centering, %']:.1f}"
        used[kind] = f"{table.loc[f'DCSS on {name}, min-max', 'outputs in use']:.1f}".removesuffix(".0")
    tfidf, words = kinds
    state(
        "ssl/text_signal",
        f"ACC is {acc[tfidf][0]} % for k-means on the codes that it starts from, {acc[tfidf][1]} % after the first "
        f"phase and {acc[tfidf][2]} % after the second, NMI {nmi[tfidf][0]}, {nmi[tfidf][1]} and {nmi[tfidf][2]} %.",
        f"ACC is {acc[words][0]}, {acc[words][1]} and {acc[words][2]} %.",
        f"the ACC of MNet's clusters rises to {peak[tfidf]} and {peak[words]} % on average; in {sum(lower)} of "
        f"{len(lower)} runs it is lower after its own outputs have chosen them.",
        f"{share[tfidf]} % of the loss of phase 1 on TF-IDF and {share[words]} % on word vectors",
        f"{used[tfidf]} and {used[words]} of 20 are in use.",
    )


def test_what_rounds_gain_from_cluster_ids_and_from_shuffled_ones():
    records = recorded(GRIDS["signal"]("laptop"), ROOT / "figures" / "laptop" / "ssl" / "records")
    courses = {ids: np.array([r.portrait[ids]["acc"] for r in records]) for ids in (SIGNAL, CONTROL)}
    gained = {ids: 100 * (course[:, -1] - course[:, 0]).mean() for ids, course in courses.items()}
    lead = 100 * (courses[SIGNAL] - courses[CONTROL]).mean(0)
    best = {kind: [] for kind in ("svd-20", "wordllama-256", "words-100", "tfidf-2000")}
    for record, course in zip(records, courses[SIGNAL], strict=True):
        if record.run["dataset"] == "stackoverflow":
            best[record.run["sampling"]["vectors"]].append(course.argmax() == 0)
    two, every = [*best["svd-20"], *best["wordllama-256"]], [each for some in best.values() for each in some]
    state(
        "ssl/text_signal",
        f"On average over all {len(records)} runs, ten rounds gain {gained[SIGNAL]:.1f} points of ACC over the start "
        f"from the cluster ids and {gained[CONTROL]:.1f} points from the shuffled ones.",
        f"it is {lead[0]:.1f} points at the start and {lead[-1]:.1f} at the end",
        f"the best round is round 0 in {sum(two)} of the {len(two)} runs from the SVD to 20 and from WordLlama, and in "
        f"{sum(every)} of all {len(every)}.",
    )


def test_which_dimensions_the_silhouette_prefers():
    table = means("ssl/tuning_without_labels")
    ten, twenty = (table.xs(f"{SVD} {d}", level="method") for d in (10, 20))
    svd = table[table.index.get_level_values("method").str.startswith(SVD)]
    best = svd["acc"].groupby("dataset").max()
    assert {name: svd.loc[name, "silhouette"].idxmax() for name in best.index} == {
        "stackoverflow": f"{SVD} 20",
        "searchsnippets": f"{SVD} 10",
        "biomedical": f"{SVD} 10",
    }
    behind = (best - ten["acc"])[["searchsnippets", "biomedical"]]
    assert behind.min() == 0 and best["stackoverflow"] == twenty["acc"]["stackoverflow"]
    state(
        "ssl/tuning_without_labels",
        f"rises from {ten['silhouette']['stackoverflow']:.1f} in 10 dimensions to "
        f"{twenty['silhouette']['stackoverflow']:.1f} in 20.",
        f"10 happened to be the best dimension or within {behind.max():.1f} points of it",
    )


def test_dec_and_idec_on_texts():
    table = means("ssl/text_signal").loc["stackoverflow"]
    start, dec, idec = (table.loc[f"{name} on TF-IDF, 2,000 words, min-max"] for name in ("AE+k-means", "DEC", "IDEC"))
    assert 1 < dec["acc"] - start["acc"] < 2 and idec["acc"] < start["acc"]
    state("ssl/text_signal", f"IDEC adds nothing and lowers the NMI by {start['nmi'] - idec['nmi']:.0f} points")


def test_what_chooses_vectors_without_labels():
    table = means("ssl/tuning_without_labels")
    acc = table["acc"].unstack("dataset")
    spread, lost = acc.max() - acc.min(), acc.max() - acc.loc[f"{SVD} 10"]
    chosen = {c: table[c].unstack("dataset").idxmax() for c in ("silhouette", "loss", "agreement")}
    for name in ("searchsnippets", "biomedical"):
        assert {chosen["silhouette"][name], chosen["loss"][name]} == {f"{SVD} 10"}
    assert chosen["agreement"].to_dict() == {
        "searchsnippets": LLAMA,
        "biomedical": f"{SVD} 10",
        "stackoverflow": f"{SVD} 10",
    }
    stack = acc["stackoverflow"]
    state(
        "ssl/tuning_without_labels",
        f"differ by {spread['biomedical']:.0f} points of ACC on Biomedical, {spread['stackoverflow']:.0f} on "
        f"StackOverflow and {spread['searchsnippets']:.0f} on SearchSnippets",
        f"{lost['searchsnippets']:.1f} and {lost['biomedical']:.1f} points of ACC behind the best",
        f"on StackOverflow at a cost of {lost['stackoverflow']:.0f} points",
        f"{stack[f'{SVD} 10']:.0f} % if agreement or the loss chose the dimension, {stack[f'{SVD} 20']:.0f} % if the "
        "silhouette did",
    )


def test_what_mini_batches_do_to_texts():
    frame = speeds(recorded(GRIDS["speed"]("laptop"), ROOT / "figures" / "laptop" / "ssl" / "records"))
    lloyd = frame[frame["method"] == LLOYD].set_index(["dataset", "clusters", "seed"])
    frame = frame.join(lloyd[["cpu_seconds", "inertia"]].add_suffix("_of_lloyd"), on=lloyd.index.names)
    frame["time"], frame["cost"] = (frame[name] / frame[f"{name}_of_lloyd"] for name in ("cpu_seconds", "inertia"))
    runs = frame.groupby(["dataset", "clusters", "method"])
    assert (runs.size() == 5).all()
    time, cost = (np.exp(np.log(frame[name]).groupby(runs.ngroup()).mean()) for name in ("time", "cost"))
    time, cost = (each.set_axis(runs.size().index) for each in (time, cost))
    images, texts = dict.fromkeys(frame["dataset"])
    small, large, small_kept, large_kept = (in_batches(size, kept) for kept in (False, True) for size in BATCHES)
    of_seeds = runs[["largest", "cpu_seconds"]].agg(list).loc[texts]
    largest, alone = of_seeds.loc[100, "largest"], max(of_seeds["largest"][1000, small_kept])
    assert max(largest[LLOYD]) < 50 < min(largest[large]) and sum(share > 50 for share in largest[small]) == 2
    moved = np.subtract(largest[small], largest[small_kept])
    assert [share > 0 for share in moved] == [share > 50 for share in largest[small]]
    state(
        "ssl/scale",
        f"With 100 clusters, batches of 256 take {time[images, 100, small]:.2f} of the time; with 1,000, "
        f"{time[images, 1000, small]:.2f} of it, for {100 * cost[images, 1000, small] - 100:.0f} % more inertia",
        f"with 1,000 clusters they take {time[images, 1000, large]:.2f} of the time, for "
        f"{100 * cost[images, 1000, large] - 100:.0f} % more inertia.",
        f"With 1,000 clusters, batches of 256 take {time[texts, 1000, small]:.2f} of the time",
        f"Lloyd's algorithm itself took from {between(of_seeds['cpu_seconds'][1000, LLOYD])} seconds there.",
        f"the largest cluster has {between(largest[small_kept])} % of the texts in batches of 256 and "
        f"{between(largest[large_kept])} % in batches of 4,096, and the inertia is {cost[texts, 100, small_kept]:.2f} "
        f"and {cost[texts, 100, large_kept]:.2f} times that of Lloyd's",
        f"smaller by {np.mean(largest[large]) - np.mean(largest[large_kept]):.0f} points, with each seed",
        f"batches of 256 then have {cost[texts, 1000, small_kept]:.2f} times the inertia of Lloyd's algorithm, with "
        f"the rule {cost[texts, 1000, small]:.2f} times, and with one of five seeds the largest cluster holds "
        f"{alone:.0f} % of the texts.",
    )
