"""k-means inside DeepCluster: how the runs differ; judges, table and picture by hand."""

import numpy as np
import pandas as pd
import pytest

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims import inside as claims
from dcbook.chapters.ssl.grids.inside import EACH, FOURTH, variant
from dcbook.chapters.ssl.watches import FewLabels, Targets, TargetsAndProbes
from dcbook.data import load
from dcbook.experiments import Record, summarize
from dcbook.methods import AEKMeans, DeepCluster, TrunkPretraining

MINI, LLOYD = claims.MINI, claims.LLOYD
SHARED = {"random_state": 0, "device": "cpu"}


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_variants_differ_in_k_means_and_its_frequency_alone(scale):
    first, *runs = grids.inside_deepcluster(scale, [0])
    assert first.method == "untrained" and len({run.method for run in runs}) == 4
    own = ("kmeans_batch", "reassign", "epochs")
    others = [{name: value for name, value in run.params.items() if name not in own} for run in runs]
    assert all(each == others[0] for each in others) and others[0]["warm_start"] is False
    assert {run.params["reassign"] * run.params["epochs"] for run in runs} == {runs[0].params["epochs"]}, "passes"
    expected = {
        variant(a, f): (batch, n) for a, batch in ((LLOYD, None), (MINI, 256)) for f, n in ((EACH, 1), (FOURTH, 4))
    }
    assert {run.method: (run.params["kmeans_batch"], run.params["reassign"]) for run in runs} == expected


def test_all_begin_with_the_weights_of_the_untrained_network():
    first, *runs = grids.inside_deepcluster("quick", [0])
    data = load("digits", subset=100)
    recipe = TrunkPretraining(width=0.25, epochs=0, batch_size=50)
    untrained = AEKMeans(10, start=recipe, **SHARED).fit(data.images).autoencoder_.encoder.trunk
    trained = DeepCluster(**dict(runs[0].params) | {"epochs": 0}, **SHARED).fit(data.images).autoencoder_.encoder
    assert first.params == {"start": recipe}
    for a, b in zip(untrained.parameters(), trained.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_watch_is_made_of_two():
    data, watch = load("digits", subset=300), TargetsAndProbes((2, 5))
    settings = dict(grids.inside_deepcluster("quick", [0])[2].params) | {"epochs": 2}
    model = DeepCluster(**settings, **SHARED).fit(data.images, monitor=lambda m: watch.epoch(m, data))
    alone = DeepCluster(**settings, **SHARED).fit(data.images, monitor=lambda m: Targets().epoch(m, data))
    for ours, theirs in zip(model.history_, alone.history_, strict=True):
        assert ours.keys() - theirs.keys() == {"cluster_seconds"}
        assert ours["class_nmi"] == theirs["class_nmi"] and 0 < ours["cluster_seconds"] < ours["target_seconds"]
    assert watch.portrait(model, data) == FewLabels((2, 5)).portrait(model, data)
    assert "probes with 2, 5 labels" in watch.name


def run_of(method, seed, seconds=(10.0, 3.0, 1.0), probe=0.6):
    """A record whose time is `seconds` in all, in making targets and in k-means."""
    last = dict(zip(("cpu_seconds", "target_seconds", "cluster_seconds"), seconds, strict=True))
    history = [{"passes": 4}, {"passes": 6, "class_nmi": 0.5, **last}] if method != "untrained" else []
    history = [{"class_nmi": 0.4, **{name: value / 2 for name, value in last.items()}} | each for each in history]
    run = {"method": method, "dataset": "usps", "seed": seed, "params": {}, "sampling": {}}
    probes = {"trunk": {"10": probe + seed / 1000, "100": probe + 0.1}}
    probes |= {"codes": {"10": 0.1, "100": 0.2}} if method == "untrained" else {}
    return Record(run, {"acc": 0.5, "nmi": 0.5}, history, {}, {"probes": probes})


def three_of_each(**changed):
    """Three seeds of the untrained network and of four variants; `changed` maps parts of names to what differs."""
    base = {"untrained": {"probe": 0.5}, variant(LLOYD, EACH): {}, variant(MINI, EACH): {"seconds": (9.0, 1.2, 0.5)}}
    base |= {variant(LLOYD, FOURTH): {}, variant(MINI, FOURTH): {}}
    for name, what in changed.items():
        base = {method: how | (what if name in method else {}) for method, how in base.items()}
    return [run_of(method, seed, **how) for method, how in base.items() for seed in range(3)]


def test_judges():
    usual, by_algorithm, by_frequency = (
        three_of_each(),
        claims.costs_little(claims.BY_ALGORITHM),
        claims.costs_little(claims.BY_FREQUENCY),
    )
    for judge in (claims.takes_time, claims.halves_time, by_algorithm, by_frequency):
        assert judge(usual).verdict == "supported"
    assert "30.0 [30.0, 30.0] %" in claims.takes_time(usual).evidence
    assert "0.40 [0.40, 0.40] times" in claims.halves_time(usual).evidence
    assert claims.takes_time(three_of_each(Lloyd={"seconds": (10.0, 0.9, 0.1)})).verdict == "contradicted"
    assert claims.halves_time(three_of_each(**{"mini-batch": {"seconds": (10.0, 2.9, 0.1)}})).verdict == "contradicted"
    worse = three_of_each(**{"mini-batch": {"probe": 0.58}})
    assert by_algorithm(worse).verdict == "contradicted" and by_frequency(worse).verdict == "supported"
    assert by_frequency(three_of_each(**{"4th": {"probe": 0.58}})).verdict == "contradicted"
    one = by_algorithm(three_of_each(**{"mini-batch 256, each pass": {"probe": 0.59}}))
    assert one.verdict == "supported" and "-0.5 [-0.5, -0.5] points" in one.evidence, "the mean of two frequencies"


def test_nothing_is_lost_where_nothing_was_learned():
    useless = claims.costs_little(claims.BY_ALGORITHM)(three_of_each(untrained={"probe": 0.6}))
    assert useless.verdict == "undecided" and "premise" in useless.evidence


def test_a_seed_without_all_variants_is_left_out():
    usual = three_of_each()
    less = [r for r in usual if not (r.run["seed"] == 2 and r.run["method"] == variant(MINI, FOURTH))]
    answer = claims.costs_little(claims.BY_ALGORITHM)(less)
    assert all(question.estimate.n == 2 for question in answer.questions)
    with pytest.raises(NotTested, match="no seed has records of"):
        claims.halves_time([r for r in usual if LLOYD in r.run["method"]])


def test_multiplications_by_hand():
    """Two convolutions of the Sobel filter and the five of the network, and two layers of 7 and 7 units."""
    maps = [(20, 9 * 2 * 24), (10, 9 * 24 * 64), (5, 9 * 64 * 96), (5, 9 * 96 * 96), (5, 9 * 96 * 64)]
    by_hand = 2 * 9 * 20**2 + sum(side**2 * weights for side, weights in maps) + 64 * 5**2 * 7 + 7 * 7
    assert tables.multiply_adds((1, 20, 20), hidden=7) == pytest.approx(by_hand / 1e6)


def test_table_and_picture():
    records = three_of_each()
    frame = tables.inside_table(summarize(tables.inside_numbers(records)))
    assert frame.iloc[0]["probe, 10 labels a class, %"] == "50.1 ± 0.1", "codes are left out"
    assert frame["variant"].tolist()[:2] == ["untrained", "Lloyd, each pass"] and len(frame) == 5
    row = frame.iloc[1]
    assert (row["training, CPU seconds"], row["features, CPU seconds"], row["k-means, CPU seconds"]) == (7, 2, 1)
    assert row["features and k-means, % of the time"] == 30 and row["iterations of k-means"] == 5
    assert row["probe, 10 labels a class, %"] == "60.1 ± 0.1" and row["probe, 100 labels a class, %"] == "70.0 ± 0.0"
    assert np.isnan(frame.iloc[0]["training, CPU seconds"])
    both = summarize([*tables.inside_numbers(records), ("Lloyd", "mnist", "nmi at K = 10", 50.0)])
    assert len(tables.inside_table(both)) == 5, "rows of other runs are left out"
    once = summarize(tables.inside_numbers(records))
    several = tables.inside_table(pd.concat([once, once.assign(dataset="another")]))
    assert (
        "data set" not in tables.inside_table(once) and several["data set"].tolist() == ["USPS"] * 5 + ["another"] * 5
    )
    figure = pictures.inside(tables.times(records), tables.probed_trunks(records))
    bars, *dots = figure.axes
    assert len(bars.patches) == 12 and [patch.get_width() for patch in bars.patches[:3]] == [7, 2, 1]
    assert [len(axis.lines) for axis in dots] == [9, 9]
