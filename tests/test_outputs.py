"""MNet's use of its outputs: the loss over all pairs, the watch, and the grid of several MNets on one start."""

import sys

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.chapters.dcss import grids
from dcbook.chapters.dcss.watches import Outputs
from dcbook.data import Dataset
from dcbook.evaluation import loss_of_pairs
from dcbook.methods import DCSS, AEKMeans
from dcbook.models import IdentityEncoder


def test_the_loss_of_all_pairs_is_that_of_one_batch(monkeypatch):
    monkeypatch.setattr(sys.modules["dcbook.evaluation.pairs"], "ROWS", 7)
    draw = torch.Generator().manual_seed(0)
    q, p = (torch.softmax(5 * torch.randn(30, 4, generator=draw), 1) for _ in range(2))
    for judge in (p, q):
        expected = losses.pairwise_loss(q, judge @ judge.T).item() / (30 * 29)
        assert loss_of_pairs(q, judge) == pytest.approx(expected, rel=1e-5)


def test_merged_clusters_have_no_loss_by_q_and_a_large_one_by_p():
    p = np.eye(4)[np.arange(40) % 4]
    merged = np.eye(4)[np.array([0, 1, 2, 2])[np.arange(40) % 4]]
    assert loss_of_pairs(merged, merged) == 0
    assert loss_of_pairs(merged, p) == pytest.approx(2 * 10 * 10 / (40 * 39))
    assert loss_of_pairs(p, p) == 0


def test_the_watch_counts_outputs_in_use():
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    data = Dataset("groups", (np.eye(6)[labels] + rng.normal(0, 0.05, (150, 6))).astype(np.float32), labels)
    start = AEKMeans(3, start=IdentityEncoder(), random_state=0, device="cpu").fit(data.images).start_
    settings = {"phase1_epochs": 0, "phase2_epochs": 6, "T2": 6, "batch_size": 30, "mnet_lr": 0.01}
    model = DCSS(3, start=start, **settings, random_state=0, device="cpu").fit(data.images)
    found = Outputs().portrait(model, data)
    assert found["used"] == 3 and found["sizes"] == [50, 50, 50] and found["ari"] == 1
    assert found["by_p"] < 0.05
    assert {name: found[name] for name in ("used", "by_p", "by_q")} == Outputs().epoch(model, data)
    assert Outputs().epoch(AEKMeans(3, start=IdentityEncoder(), device="cpu").fit(data.images), data) == {}


def test_several_mnets_share_each_start():
    found = grids.several_mnets("laptop")
    assert len(found) == 20 and {run.dataset for run in found} == {"usps"}
    starts = {str(run.start.identity) for run in found}
    assert len(starts) == 2
    for name in ("DCSS, epochs", "DCSS, updates"):
        seeds = [run.params["random_state"] for run in found if run.method == name and run.seed == 0]
        assert seeds == [0, 1, 2, 3, 4]
