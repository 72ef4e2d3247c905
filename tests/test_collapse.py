"""Neighbor consistency, and what tells a collapse: by hand, beside slow twins."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims.collapse import all_in_one, every_weight_prevents, needs, ran_empty
from dcbook.chapters.ssl.watches import Usage, usage
from dcbook.data import Dataset
from dcbook.experiments import Record, summarize
from dcbook.methods import KMeans, NeighborConsistency, SwAV


@pytest.fixture(scope="module")
def groups():
    """240 points in three tight groups, and their group."""
    random = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 80)
    return (10 * np.eye(3)[y] + random.normal(0, 0.3, (240, 3))).astype(np.float32), y


def test_neighbors_are_the_nearest_by_principal_components(groups):
    x, _ = groups
    x = np.hstack([x, 0.001 * np.random.default_rng(1).normal(size=(240, 20))]).astype(np.float32)
    model = NeighborConsistency(3, pca_dim=3, n_neighbors=4)
    found = model._neighbors(torch.as_tensor(x)).numpy()
    centered = x - x.mean(0)
    reduced = centered @ np.linalg.svd(centered.astype(float))[2][:3].T
    expected = NearestNeighbors(n_neighbors=5).fit(reduced).kneighbors(reduced, return_distance=False)[:, 1:]
    assert [set(row) for row in found.tolist()] == [set(row) for row in expected.tolist()]


def test_without_entropy_one_cluster_with_it_all(groups):
    x, y = groups
    settings = {"epochs": 60, "batch_size": 40, "width": 32, "lr": 3e-3, "random_state": 0, "device": "cpu"}
    cloud = np.random.default_rng(1).normal(size=(240, 3)).astype(np.float32)  # neighbors of neighbors reach all of it
    with pytest.warns(match="only 1 of 3"):
        alone = NeighborConsistency(3, entropy=0.0, **settings).fit(cloud)
    spread = NeighborConsistency(3, entropy=5.0, **settings).fit(x)
    assert len(set(alone.labels_)) == 1 and alone.history_[-1]["entropy"] < 0.05
    assert len(set(zip(spread.labels_, y, strict=True))) == 3, "each group is one cluster"
    last = spread.history_[-1]
    assert last["loss"] == pytest.approx(last["disagreement"] - 5 * last["entropy"], rel=1e-5)
    assert last["entropy"] == pytest.approx(math.log(3), abs=0.05)
    np.testing.assert_array_equal(spread.transform(x), x)
    np.testing.assert_allclose(spread.predict_proba(x).sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"entropy": -1}, "entropy"), ({"n_neighbors": 240}, "from 1 to 239"), ({"width": 0}, "width"), ({"lr": 0}, "lr")],
)
def test_wrong_settings_are_refused_before_training(groups, wrong, message):
    with pytest.raises(ValueError, match=message):
        NeighborConsistency(3, **wrong).fit(groups[0])


def test_usage_by_hand():
    assert usage([4, 4]) == {"used": 2, "largest": 0.5, "entropy": 1.0}
    assert usage([9, 0, 0]) == {"used": 1, "largest": 1.0, "entropy": 0.0}
    found = usage([6, 2, 0, 0])
    assert found["used"] == 2 and found["largest"] == 0.75
    assert found["entropy"] == pytest.approx((0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / math.log(4))
    for wrong in ([3], [0, 0]):
        with pytest.raises(ValueError, match="two clusters or more"):
            usage(wrong)


def test_usage_of_prototypes_and_of_clusters():
    x = np.random.default_rng(0).random((30, 1, 8, 8), dtype=np.float32)
    data = Dataset("thirty", x, np.arange(30) % 3)
    settings = {"width": 4, "projection_dim": 4, "epochs": 1, "batch_size": 10, "random_state": 0, "device": "cpu"}
    learner = SwAV(3, prototypes=7, lr=0.1, **settings).fit(x)
    z = learner.project(x)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    sizes = Usage().portrait(learner, data)["sizes"]
    assert sizes == sorted(np.bincount((z @ learner.prototypes_.T).argmax(1), minlength=7), reverse=True)
    model = KMeans(3, random_state=0).fit(x)
    assert Usage().portrait(model, data)["sizes"] == sorted(np.bincount(model.labels_, minlength=3), reverse=True)


def record(method, sizes, seed):
    run = {"method": method, "dataset": "usps", "seed": seed, "params": {}, "sampling": {}}
    return Record(run=run, scores={"acc": 0.5, "nmi": 0.25}, history=[], provenance={}, portrait={"sizes": sizes})


def test_judges():
    bare, full = [100, 0, 0], [40, 30, 30]
    collapsed = [record(grids.weighted(0), bare, seed) for seed in range(8)]
    spread = [record(grids.weighted(w), full, seed) for w in grids.WEIGHTS if w for seed in range(8)]
    assert all_in_one(collapsed + spread).verdict == "supported"
    assert all_in_one(collapsed[:3] + spread).verdict == "undecided", "three of three"
    assert every_weight_prevents(spread).verdict == "supported"
    worse = [
        r if r.run["method"] != grids.weighted(0.2) else record(grids.weighted(0.2), bare, r.run["seed"])
        for r in spread
    ]
    assert every_weight_prevents(worse).verdict == "contradicted"
    guarded, unguarded = grids.weighted(5), grids.weighted(0)
    assert needs(guarded, unguarded)(collapsed + spread).verdict == "supported"
    assert needs(guarded, grids.weighted(1))(spread).verdict == "contradicted"
    assert needs(guarded, unguarded)(collapsed[:3] + spread).verdict == "undecided", "three of three"
    assert needs(unguarded, guarded)(collapsed + spread).verdict == "undecided", "with its safeguard it collapses, too"
    with pytest.raises(NotTested, match="no record of nobody"):
        needs("nobody", guarded)(spread)


@pytest.mark.parametrize(
    ("live", "sizes", "verdict"),
    [
        ((4, 4, 4), (40, 30, 20, 10), "undecided"),
        ((3, 3, 3), (40, 30, 30, 0), "contradicted"),
        ((2, 2, 2), (99, 1, 0, 0), "supported"),
        ((4, 4, 4), (97, 1, 1, 1), "undecided"),
    ],
    ids=["none ran empty", "empty and no collapse", "empty and a collapse", "a collapse of another cause"],
)
def test_a_repair_is_needed_only_where_clusters_run_empty(live, sizes, verdict):
    """Four clusters; `live`: how many have samples in the middle epoch, for each seed."""
    safe = [record("safe", [40, 30, 20, 10], seed) for seed in range(3)]
    unsafe = [record("unsafe", sizes, seed) for seed in range(3)]
    for each, found in zip(unsafe, live, strict=True):
        each.run["params"]["n_clusters"] = 4
        each.history.extend({"clusters": n} for n in (4, found, 4))
    found = needs("safe", "unsafe", ran_empty)(safe + unsafe)
    assert found.verdict == verdict
    assert (found.missed != "") == (live == (4, 4, 4)), "the premise"
    assert "some cluster ran empty without repair, unsafe:" in found.evidence
    with pytest.raises(NotTested, match="no record of nobody"):
        ran_empty(safe, "nobody")


def test_the_repair_of_deepcluster_has_this_premise():
    from dcbook.chapters.ssl.claims import CLAIMS

    bare = ("DeepCluster, empty clusters left", "DeepCluster, none", "DCN, random weights")
    safe = ("DeepCluster, both safeguards", "DCN, pretrained")
    records = [record(name, [40, 30, 30], seed) for name in (*bare, *safe) for seed in range(3)]
    for each in records:
        each.run["params"]["n_clusters"] = 3
        each.history.append({"clusters": 3})
    asked = [claim for claim in CLAIMS if claim.text.startswith(("DeepCluster collapses", "DCN collapses"))]
    found = {claim.text: claim.judge(records).verdict for claim in asked}
    assert sorted(found.values()) == ["contradicted", "undecided", "undecided"]
    assert all((verdict == "undecided") == text.startswith("DeepCluster") for text, verdict in found.items())


def test_tables_and_picture():
    records = [record("a", [6, 2, 0, 0], 0), record("a", [4, 4, 0, 0], 1), record("b, bare", [8, 0, 0, 0], 0)]
    row = tables.usage_table(summarize(tables.usage_numbers(records))).iloc[0]
    assert row["method"] == "a" and row["clusters used"] == "2 of 4" and row["largest share, %"] == 62.5
    assert row["ACC, %"] == "50.0 ± 0.0"
    once = summarize(tables.usage_numbers(records))
    several = tables.usage_table(pd.concat([once, once.assign(dataset="another")]))
    assert "data set" not in tables.usage_table(once) and several["data set"].tolist() == ["USPS"] * 2 + ["another"] * 2
    numbers = [(grids.weighted(1), "usps", name, value) for name, value in (("disagreement", 0.2), ("H", 2.0))]
    minima = tables.two_minima(summarize(numbers), 0.25, 1.0)
    assert minima["loss at w = 0.25"].tolist() == ["-0.30", "+0.00"]
    frame = tables.shares(records)
    assert frame[frame["method"] == "a"]["share"].tolist() == [62.5, 37.5, 0, 0]
    bars = [bar for bar in pictures.shares(frame).axes[0].patches if bar.get_width() > 0]
    assert [bar.get_width() for bar in bars] == [62.5, 37.5, 100]
    records[0].run["dataset"] = "mnist"
    apart = tables.shares(records)
    assert apart[apart["method"] == "a"]["share"].tolist() == [75, 25, 0, 0, 50, 50, 0, 0], "sets are not averaged"
    assert [axis.get_title(loc="left") for axis in pictures.shares(apart).axes] == ["MNIST", "USPS"]


def test_the_sweep_of_weights_is_a_part_of_the_runs_on_collapse():
    every = [run.identity for run in grids.collapse("laptop")]
    sweep = [run.identity for run in grids.weights("laptop")]
    assert len(sweep) == 8 * len(grids.WEIGHTS) and all(run in every for run in sweep)
