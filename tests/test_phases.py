"""What the second phase makes of the first: scores and pictures of both, from records, and nothing else changed."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from dcbook.chapters.rdc import grids, pictures, tables
from dcbook.chapters.rdc.grids import phases
from dcbook.chapters.rdc.tables import straightness
from dcbook.chapters.rdc.watches import BothPhases, ClusterDimensions, Snapshots
from dcbook.data import Dataset, load
from dcbook.evaluation import cluster_dimensions, scores
from dcbook.experiments import sweep
from dcbook.experiments.records import path_of, read
from dcbook.experiments.worker import estimator
from dcbook.methods import DEC, AEKMeans, Pretraining

LISTS = [grids.GRIDS[name] for name in ("fig1", "fig2", "arcs", "fig3", "lengths")]
RECIPE = Pretraining(widths=(16,), latent_dim=3, epochs=30, batch_size=32, lr=1e-2)


@pytest.fixture(scope="module")
def groups():
    """Three groups of unequal size in 6 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [80, 40, 40])
    points = np.eye(6)[labels] + rng.normal(0, 0.15, (160, 6))
    images = ((points - points.min()) / np.ptp(points)).astype(np.float32).reshape(160, 1, 2, 3)
    return Dataset("groups", images, labels)


@pytest.fixture(scope="module")
def fitted(groups):
    start = AEKMeans(3, start=RECIPE, random_state=0).fit(groups.images)
    model = DEC(3, start=start.start_, max_updates=40, update_interval=5, tol=0, batch_size=32, random_state=0)
    return start, model.fit(groups.images)


@pytest.mark.parametrize("scale", ("quick", "laptop", "paper"))
@pytest.mark.parametrize("several", LISTS)
def test_runs_differ_and_their_settings_are_valid(scale, several):
    runs = several(scale)
    seeds = {run.seed for run in runs}
    assert len({path_of(run.identity, ".") for run in runs}) == len(runs)
    assert scale == "quick" or len(seeds) >= 3
    for run in runs:
        estimator(run, "cpu", 10)._check_hyperparameters()
    assert [run.seed for run in several(scale, [7])] == [7] * (len(runs) // len(seeds))


def test_methods_of_fig_3_share_their_pretraining_and_those_of_fig_1_differ_in_it_alone():
    several = grids.GRIDS["fig3"]("laptop")
    for run in several:
        assert run.start.method == (phases.FROZEN if run.method == grids.RELEASED else phases.ACAI)
    starts = {run.start.method: run.start.params["start"] for run in several}
    assert all(run.start.params["start"] == starts[run.start.method] for run in several)
    released = starts[phases.FROZEN]
    assert (released.critic, released.lam) == ("frozen", 0.5)
    assert released.changed(critic="trained", lam=starts[phases.ACAI].lam) == starts[phases.ACAI]
    assert len({run.dataset for run in several}) == 5
    first, second = grids.GRIDS["fig1"]("laptop", [0])[:2]
    assert first.params == second.params and first.start.method != second.start.method
    ours, other = (run.start.params["start"] for run in (first, second))
    for name in ("widths", "latent_dim", "epochs", "batch_size", "lr"):
        assert getattr(ours, name) == getattr(other, name)


def test_both_phases_are_scored(groups, fitted):
    start, model = fitted
    portrait = BothPhases().portrait(model, groups)
    assert portrait == {"phase 1": scores(groups.labels, start.labels_), "majority": 0.5}


def test_dimensions_are_those_of_the_model_and_of_its_start(groups, fitted):
    watch = ClusterDimensions()
    for model, found in zip(
        fitted, (watch.portrait(fitted[1], groups)["start"], watch.epoch(fitted[1], groups)), strict=True
    ):
        wanted = cluster_dimensions(model.transform(groups.images), model.labels_)
        assert found == {"id": pytest.approx(wanted.id), "lid": pytest.approx(wanted.lid)}
    few = Dataset("few", groups.images[::10], groups.labels[::10])
    model = DEC(3, start=fitted[0].start_, max_updates=0, batch_size=16).fit(few.images)
    assert watch.epoch(model, few) == {"id": None, "lid": None}


def test_snapshots_show_the_space_before_within_and_after(groups):
    start = AEKMeans(3, start=RECIPE, random_state=0).fit(groups.images)
    model = DEC(3, start=start.start_, max_updates=40, update_interval=5, tol=0, batch_size=32, random_state=0)
    model.fit(groups.images)
    portrait = Snapshots(shown=50, frames=3).portrait(model, groups)
    assert [frame["epoch"] for frame in portrait["frames"]] == [0, 1, 4, 8]
    first, *_, last = (np.array(frame["places"]) for frame in portrait["frames"])
    assert first.shape == (50, 2) and len(portrait["labels"]) == 50
    rows = np.sort(np.random.default_rng(0).permutation(160)[:50])
    u, v = (each.transform(groups.images) for each in (start, model))
    # the plane by singular value decomposition, up to signs; and it stays while the codes move
    axes = np.linalg.svd(u - u.mean(0), full_matrices=False)[2][:2]
    signs = np.sign(((u - u.mean(0))[rows] @ axes.T * first).sum(0))
    np.testing.assert_allclose(first, (u - u.mean(0))[rows] @ axes.T * signs, atol=1e-3)
    np.testing.assert_allclose(last, (v - u.mean(0))[rows] @ axes.T * signs, atol=1e-3)
    share = np.square((u - u.mean(0)) @ axes.T).sum() / np.square(u - u.mean(0)).sum()
    assert portrait["held"] == pytest.approx(share, abs=1e-4)
    found = cluster_dimensions(v, model.labels_)
    assert (portrait["frames"][-1]["id"], portrait["frames"][-1]["lid"]) == pytest.approx((found.id, found.lid))


def test_two_dimensions_are_shown_as_they_are_and_no_phase_2_has_one_frame(groups):
    recipe = Pretraining(widths=(), latent_dim=2, epochs=3, batch_size=32)
    model = DEC(3, start=recipe, max_updates=0, batch_size=32, random_state=0).fit(groups.images)
    portrait = Snapshots(shown=200).portrait(model, groups)
    (frame,) = portrait["frames"]
    np.testing.assert_allclose(frame["places"], model.transform(groups.images), atol=1e-4)
    assert frame["epoch"] == 0 and portrait["held"] == 1


def test_straightness_by_hand():
    cross = np.array([[-3, 0], [3, 0], [0, -4], [0, 4]])
    assert straightness(cross, [0, 0, 0, 0]) == pytest.approx(16 / 25)
    assert straightness(cross, [0, 0, 1, 1]) == pytest.approx(1)
    assert straightness(np.vstack([cross, cross + 9]), [0] * 4 + [1, 1, 2, 2]) == pytest.approx((16 / 25 + 2) / 3)


def test_dec_flattens_the_arcs_and_the_record_tells(tmp_path):
    (run,) = (run for run in grids.arcs("quick", [0]) if run.method == "DEC, linear")
    assert sweep([run], tmp_path, starts_folder=tmp_path / "starts", n_jobs=1, device="cpu", progress=False).complete
    record = read(path_of(run.identity, tmp_path))
    table = tables.shapes([record])
    assert list(table["epoch"]) == [frame["epoch"] for frame in record.portrait["frames"]] and len(table) == 7
    assert table["straightness"].iloc[0] < 0.9 < 0.97 < table["straightness"].iloc[-1]
    assert table["rank"].iloc[-1] < 1.3 < 1.7 < table["rank"].iloc[0]
    assert (load("arcs").images.reshape(-1, 2).std(0) > 0.1).all()
    figure = pictures.snapshots({"linear": record.portrait})
    assert len(figure.axes) == pictures.FRAMES
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert (titles[0], titles[-1]) == ("before phase 2", f"epoch {table['epoch'].iloc[-1]}")
    plt.close(figure)
