"""SCAN on neighbors from several spaces: where neighbors come from, and judges by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims.contrastive_first import distances, follows_purity, steadier
from dcbook.chapters.ssl.grids.contrastive_first import AE, PIXELS, SIMCLR, SPACES
from dcbook.chapters.ssl.watches import Purity
from dcbook.data import load
from dcbook.experiments import Record, summarize
from dcbook.methods import SCAN, KMeans, PixelNeighbors, SimCLRPretext, Start

SHARED = {"architecture": "resnet-9", "width": 4, "projection_dim": 8, "batch_size": 20, "n_neighbors": 7}
CPU = {"random_state": 1, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def digits():
    return load("digits", subset=80)


def nearest(space, k):
    """Neighbors by the cosine, as sets."""
    rows = space.reshape(len(space), -1).astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    return [set(row) for row in np.argsort(-cosines, axis=1)[:, :k].tolist()]


def share_of_class(space, labels):
    """Of an image's five nearest neighbors, how many have its class."""
    near = nearest(space, 5)
    return np.mean([np.mean([labels[j] == y for j in row]) for row, y in zip(near, labels, strict=True)])


def test_neighbors_of_pixels_on_an_untrained_network(digits, tmp_path):
    model = PixelNeighbors(10, epochs=0, **SHARED, **CPU).fit(digits.images)
    assert [set(row) for row in model.codes_.neighbors.tolist()] == nearest(digits.images, 7)
    twin = SimCLRPretext(10, epochs=0, **SHARED, **CPU).fit(digits.images)
    weights = zip(model.autoencoder_.parameters(), twin.autoencoder_.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights) and torch.equal(model.codes_.h, twin.codes_.h)
    model.start_.save(tmp_path)
    kept = Start.load(tmp_path)
    assert torch.equal(kept.codes.neighbors, model.codes_.neighbors)
    settings = {"epochs": 1, "selflabel_epochs": 0, "n_neighbors": 7, "batch_size": 20}
    used = []
    SCAN(10, start=kept, **settings, **CPU).fit(digits.images, monitor=lambda m: used.append(m._neighbors.clone()))
    assert torch.equal(used[0], model.codes_.neighbors), "SCAN takes the neighbors of the start"


def test_purity_is_of_the_space_that_gives_the_neighbors(digits):
    pixels = KMeans(10, unit_length=True, random_state=0).fit(digits.images)
    expected = share_of_class(digits.images, digits.labels)
    assert Purity().portrait(pixels, digits)["purity"] == pytest.approx(expected)
    learner = SimCLRPretext(10, epochs=3, **SHARED, **CPU).fit(digits.images)
    expected = share_of_class(learner.project(digits.images), digits.labels)
    assert Purity().portrait(learner, digits)["purity"] == pytest.approx(expected, abs=0.01)  # nearly equal cosines


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_each_space_has_kmeans_and_scan(scale):
    runs = {run.method: run for run in grids.contrastive_first(scale, [0])}
    assert set(runs) == {grids.kmeans_on(s) for s in SPACES} | {grids.scan_on(s) for s in SPACES} | {
        "DEC",
        grids.scan_on(SIMCLR, selflabel=False),
    }
    assert runs[grids.scan_on(SIMCLR)].start.identity == runs[grids.kmeans_on(SIMCLR)].identity
    assert runs["DEC"].start.identity == runs[grids.scan_on(AE)].start.identity
    frozen = {space: runs[grids.scan_on(space)].params["frozen_epochs"] for space in SPACES}
    ours = 0 if scale == "paper" else 20
    assert frozen == {PIXELS: 0, AE: ours, SIMCLR: ours}, "the phase of ours that the page names"
    untrained = runs[grids.scan_on(PIXELS)].start
    assert untrained.params == {**runs[grids.kmeans_on(SIMCLR)].params, "epochs": 0}


def record(method, seed, acc, purity=None):
    run = {"method": method, "dataset": "usps", "seed": seed, "params": {}, "sampling": {}}
    return Record(run, {"acc": acc, "nmi": acc / 2}, [], {}, {} if purity is None else {"purity": purity})


def everything(scan=(0.80, 0.81, 0.79), dec=(0.5, 0.6, 0.4), accs=(0.3, 0.5)):
    """Three seeds: SCAN on SimCLR's codes and DEC as given, SCAN on pixels and on AE codes with `accs`."""
    found = []
    for seed in range(3):
        found += [
            record(grids.kmeans_on(s), seed, a, p)
            for s, a, p in zip(SPACES, (0.4, 0.5, 0.6 + seed / 10), (0.5, 0.6, 0.9), strict=True)
        ]
        found += [record(grids.scan_on(s), seed, a) for s, a in zip(SPACES, (*accs, scan[seed]), strict=True)]
        found += [record("DEC", seed, dec[seed])]
    return found


def test_judges():
    usual = everything()
    assert distances(usual, "DEC") == pytest.approx({("usps", 0): 0, ("usps", 1): 10, ("usps", 2): 10})
    judge = steadier(grids.scan_on(SIMCLR), ("DEC", grids.kmeans_on(SIMCLR)))
    answer = judge(usual)
    assert [q.estimate.mean for q in answer.questions] == pytest.approx([-6, -6])
    assert answer.verdict == "undecided", "three seeds with one of them at the median scatter too much"
    assert answer.note.startswith("fewer than 5 seeds cannot decide this")
    with pytest.raises(NotTested, match="nobody"):
        steadier("DEC", ("nobody",))(usual)
    answer = follows_purity(usual)
    assert answer.questions[0].estimate.mean == 1 and answer.verdict == "undecided", "three of three at the end"
    against = follows_purity(everything(scan=(0.1, 0.1, 0.1), accs=(0.5, 0.3)))
    assert against.questions[0].estimate.mean == -1 and against.verdict == "undecided"
    with pytest.raises(NotTested, match="three spaces"):
        follows_purity([r for r in usual if r.run["method"] != grids.scan_on(AE)])


def test_table_and_picture():
    records = everything()
    frame = tables.first_table(summarize(tables.first_numbers(records))).set_index("method")
    assert frame.loc[grids.scan_on(AE), "neighbors of the same class, %"] == 60
    assert frame.loc["DEC", "ACC, %"] == "50.0 ± 10.0" and np.isnan(frame.loc["DEC", "neighbors of the same class, %"])
    once = summarize(tables.first_numbers(records))
    several = tables.first_table(pd.concat([once, once.assign(dataset="another")]))
    assert "data set" not in tables.first_table(once) and several["data set"].tolist() == ["USPS"] * 7 + ["another"] * 7
    figure = pictures.steadiness(tables.steadiness(records))
    assert len(figure.axes[0].lines) == 6 + 3, "k-means and SCAN in three spaces, DEC once a seed"
