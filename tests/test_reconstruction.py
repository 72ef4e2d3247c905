"""The runs that test R-DC (reconstruction), their tables, and the pictures of what the filters keep."""

import math

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator

from dcbook import methods
from dcbook.book.chapters import chapters, part
from dcbook.chapters.rdc import grids, pictures, tables
from dcbook.chapters.rdc.grids import BEFORE, METHODS, PARADIGMS, RDC, SCRATCH, everyone, reconstruction
from dcbook.chapters.rdc.grids.phases import ACAI
from dcbook.chapters.rdc.watches import Diagnostics, Filtered
from dcbook.data import Dataset
from dcbook.experiments import Record, sweep
from dcbook.experiments.records import path_of, read
from dcbook.experiments.runs import Scale, runs
from dcbook.experiments.worker import estimator
from dcbook.methods import (
    CC,
    DAC,
    DCCM,
    IDFD,
    IMSAT,
    PICA,
    SCAN,
    AEKMeans,
    DeepCluster,
    DeepClusterV2,
    MiCE,
    MoCo,
    Pretraining,
    RDCReconstruction,
    SimCLR,
    SwAV,
)

LISTS = (everyone, grids.compared, grids.choices, grids.noisy)


@pytest.fixture(scope="module")
def groups():
    """Three groups of unequal size in 6 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [80, 40, 40])
    points = np.eye(6)[labels] + rng.normal(0, 0.15, (160, 6))
    images = ((points - points.min()) / np.ptp(points)).astype(np.float32).reshape(160, 1, 2, 3)
    return Dataset("groups", images, labels)


@pytest.mark.parametrize("scale", ("quick", "laptop", "paper"))
@pytest.mark.parametrize("several", LISTS)
def test_runs_differ_and_their_settings_are_valid(scale, several):
    runs = several(scale)
    assert len({path_of(run.identity, ".") for run in runs}) == len(runs)
    assert {run.seed for run in runs} == ({0} if scale == "quick" else set(range(3 if scale == "laptop" else 5)))
    for run in runs:
        estimator(run, "cpu", 10)._check_hyperparameters()
    assert {run.seed for run in several(scale, [7])} == {7}


@pytest.mark.parametrize("scale", ("quick", "laptop", "paper"))
def test_all_methods_begin_at_one_place_and_are_diagnosed_alike(scale):
    found = grids.compared(scale)
    assert {run.method for run in found} == set(METHODS)
    for run in found:
        assert run.start.method == ACAI and isinstance(run.watch, Diagnostics)
    for dataset in {run.dataset for run in found}:
        same = [run for run in found if run.dataset == dataset]
        assert len({(run.watch.name, str(run.start.params)) for run in same}) == 1
    assert "reconstruction" in RDC


@pytest.mark.parametrize("scale", SCRATCH)
def test_every_method_of_the_picture_has_a_paradigm_and_is_diagnosed(scale):
    found = everyone(scale)
    assert {run.method for run in found} == set(PARADIGMS) | {BEFORE}
    heads = {CC, DAC, DCCM, IDFD, IMSAT, PICA, SCAN, MiCE}
    learners = {DeepCluster, DeepClusterV2, MoCo, SimCLR, SwAV}
    assert {run.cls for run in found} == set(METHODS.values()) | learners | heads
    assert all(isinstance(run.watch, Diagnostics) for run in found)


def test_every_method_has_a_home_in_a_chapter():
    """At `paper`, where every grid has all of its methods. Iterative classification runs inside of a watch."""
    runs = [run for name in chapters() for several in part(name, "grids").GRIDS.values() for run in several("paper")]
    homes = {run.cls for run in runs} | {run.start.cls for run in runs if run.start}
    theirs = {cls for cls in map(vars(methods).get, methods.__all__) if isinstance(cls, type)}
    assert {cls for cls in theirs if issubclass(cls, BaseEstimator)} <= homes | {methods.IterativeClassification}


def test_starts_are_those_of_fig_3_where_the_images_are():
    theirs = {(run.dataset, run.seed): run.start for run in grids.GRIDS["fig3"]("laptop")}
    ours = [run for run in grids.compared("laptop") if (run.dataset, run.seed) in theirs]
    for run in ours:
        assert run.start.recipe("data") == theirs[run.dataset, run.seed].recipe("data")
    assert {run.dataset for run in ours} == {"fashion-mnist-test", "breastmnist", "pneumoniamnist"}


def shape(**numbers):
    return dict.fromkeys(tables.SHAPE, 1.0) | numbers


def record(method, *looks, seed=0, dataset="x", end=None, acc=0.5, params=None, noise=None):
    """A record of as many epochs as there are `looks`, {} where none was due."""
    sampling = {} if noise is None else {"noise": noise}
    run = {"method": method, "dataset": dataset, "seed": seed, "params": params or {}, "sampling": sampling}
    run["start"] = {"method": ACAI} if method in METHODS else None
    history = [{"phase": "pretraining", "epoch": 1, "effective_rank": 9.0}]
    history += [{"phase": "phase 2", "epoch": at, **each} for at, each in enumerate(looks, 1)]
    portrait = {"shape": end or shape(), "majority": 0.25}
    return Record(run, {"acc": acc, "nmi": acc, "f1_macro": acc}, history, {}, portrait)


def test_courses_go_from_phase_1_to_the_end():
    before = record(BEFORE, end=shape(id=2.0))
    looked = {"effective_rank": 3.0, "id": 4.0, "fr_dynae": 0.5}
    dec = record("DEC", looked, {}, {"effective_rank": 2.0, "id": 5.0}, {}, end=shape(id=6.0))
    stray = record("DEC", looked, seed=1)
    frame = tables.courses([dec, before, stray])
    assert frame["progress"].tolist() == [0, 0.25, 0.75, 1] and frame["id"].tolist() == [2, 4, 5, 6]
    assert frame["fr_dynae"].dropna().tolist() == [0.5] and frame["fd_rdc"].isna().all()
    assert set(frame["method"]) == {"DEC"} and set(frame["seed"]) == {0}


def test_a_method_without_a_phase_1_begins_where_it_was_first_looked_at():
    looks = [{"effective_rank": 3.0, "id": 4.0, "fr_dynae": 0.5}, {"effective_rank": 2.0, "id": 5.0}]
    found = [record("SimCLR", *looks, end=shape(id=6.0)), record(BEFORE, end=shape(id=2.0))]
    assert tables.courses(found)["id"].tolist() == [4, 5, 6]
    assert tables.diagnoses(found).set_index("method").loc["SimCLR", "id"] == 2


def test_diagnoses_are_means_of_cosines_and_changes_of_the_shape():
    before = record(BEFORE, end=shape(id=2.0, spectral_gap=None))
    looks = [{"effective_rank": 3.0, "fr_dynae": value} for value in (0.5, -0.1)]
    dec = record("DEC", *looks, end=shape(id=6.0, effective_rank=0.5), acc=0.75)
    rows = tables.diagnoses([before, dec]).set_index("method")
    assert rows.loc["DEC", ["fr_dynae", "id", "effective_rank", "lid"]].tolist() == pytest.approx([0.2, 4, -0.5, 0])
    assert rows["acc"].tolist() == [50, 75] and rows["majority"].tolist() == [25, 25]
    assert math.isnan(rows.loc["DEC", "fd_rdc"]) and math.isnan(rows.loc["DEC", "spectral_gap"])
    assert rows.loc[BEFORE, list(tables.SHAPE)].isna().all()


def test_a_sweep_of_all_methods_has_every_number(tmp_path, groups):
    scale = Scale(datasets={"groups": {}}, seeds=(0,), methods={})
    short = {"widths": (16,), "latent_dim": 4, "epochs": 20, "batch_size": 32, "lr": 1e-2}
    settings = reconstruction.as_long(
        {"max_updates": 15, "update_interval": 5},
        3,
        {"phase1_epochs": 1, "phase2_epochs": 1, "T2": 1, "schedule_size": None},
    )
    settings = {name: {**each, "batch_size": 32} for name, each in settings.items()}
    todo = runs(reconstruction.beside(scale, settings, short, every=1))
    given = {"starts_folder": tmp_path / "starts", "load": lambda name: groups, "n_jobs": 1, "device": "cpu"}
    assert sweep(todo, tmp_path / "records", progress=False, **given).complete
    records = [read(path_of(run.identity, tmp_path / "records")) for run in todo]
    rows = tables.diagnoses(records).set_index("method")
    assert (rows["majority"] == 50).all() and {"acc", "f1_macro", "f1_micro"} <= set(rows)
    others = rows.drop(BEFORE)
    assert others[["fr_dynae", "fd_rdc", *tables.SHAPE]].notna().all().all()
    assert set(others.index[others["fd_dynae"].isna()]) == {RDC}
    assert others[["fr_dynae", "fd_rdc"]].abs().le(1).all().all()


def test_each_choice_differs_from_the_method_as_it_is_in_one_setting():
    found = grids.choices("laptop", [0])
    settings = [tables.setting(record(run.method, params=run.params)) for run in found]
    assert settings[:3] == ["phase 1", "as it is", "loss = latent"] and len(set(settings)) == len(found) == 13
    assert len({run.dataset for run in found}) == 1
    defaults = RDCReconstruction().get_params()
    for name, values in grids.CHOICES.items():
        assert defaults[name] not in values and set(grids.HYPERPARAMETERS) <= set(defaults)


def test_noise_is_on_the_images_of_the_pretraining_too():
    found = grids.noisy("laptop", [0])
    levels = [run.sampling.get("noise") for run in found]
    assert levels == [None, None, 0.1, 0.1, 0.3, 0.3, 0.5, 0.5]
    assert all(run.sampling == run.start.sampling for run in found)
    for several in (grids.choices, grids.noisy):
        watched = [run for run in several("quick") if run.watch]
        assert [(run.method, run.watch.name) for run in watched] == [(RDC, "neighborhoods, 8 shown")]
    shared = {path_of(run.identity, ".") for run in found} & {
        path_of(run.identity, ".") for run in grids.choices("laptop", [0])
    }
    assert len(shared) == 2


def test_the_watch_tells_what_both_filters_keep(groups):
    recipe = Pretraining(widths=(16,), latent_dim=3, epochs=30, batch_size=32, lr=1e-2)
    start = AEKMeans(3, start=recipe, random_state=0).fit(groups.images).start_
    model = RDCReconstruction(3, start=start, n_neighbors=4, epochs=1, batch_size=32, random_state=0)
    portrait = Filtered(shown=5).portrait(model.fit(groups.images), groups)
    u = AEKMeans(3, start=start, random_state=0).fit(groups.images).transform(groups.images).astype(float)
    distances = np.linalg.norm(u[:, None] - u, axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, 1)[:, :4]
    near = np.take_along_axis(distances, nearest, 1)
    near = near <= near.mean()
    agree = np.array([[i in nearest[j] for j in nearest[i]] for i in range(160)])
    assert portrait["survived"] == pytest.approx((near & agree).any(1).mean())
    assert portrait["kept"] == pytest.approx((near & agree).mean())
    alike = groups.labels[nearest] == groups.labels[:, None]
    masks = {"all": near | True, "distance": near, "agreement": agree, "both": near & agree}
    assert portrait["alike"] == pytest.approx({name: alike[mask].mean() for name, mask in masks.items()})
    rows = portrait["samples"]
    assert len(rows) == 5 and portrait["neighbors"] == nearest[rows].tolist()
    assert portrait["near"] == near[rows].tolist() and portrait["agree"] == agree[rows].tolist()
    kept = (near & agree)[rows]
    centroids = (u[rows] + (u[nearest[rows]] * kept[:, :, None]).sum(1)) / (1 + kept.sum(1, keepdims=True))
    with torch.no_grad():
        images = start.autoencoder.decoder(torch.tensor(centroids, dtype=torch.float32)).flatten(1).clamp(0, 1)
    np.testing.assert_allclose(portrait["centroids"], 255 * images, atol=0.51)
    figure = pictures.neighborhoods(portrait, groups.images)
    frames = [axis.spines["top"].get_edgecolor()[:3] for axis in figure.axes]
    wanted = [pictures.FATES[pair] for i in rows for pair in zip(near[i], agree[i], strict=True)]
    assert [color for number, color in enumerate(frames) if 0 < number % 6 < 5] == wanted
    plt.close(figure)


def test_the_curves_have_a_row_for_each_data_set_and_a_line_for_each_method():
    looks = [{"effective_rank": 3.0, "fr_dynae": 0.5}, {"effective_rank": 2.0, "fr_dynae": 0.25}]
    found = [record(BEFORE, seed=s, dataset=d) for s in range(2) for d in "xyz"]
    found += [record(name, *looks, seed=s, dataset=d) for name in ("DEC", RDC) for s in range(2) for d in "xyz"]
    figure = pictures.courses(tables.courses(found), {"fr_dynae": "FR", "fd_dynae": "FD"})
    assert [axis.get_title("left") for axis in figure.axes] == [f"{name}, {d}" for d in "xyz" for name in ("FR", "FD")]
    assert [len(axis.lines) for axis in figure.axes] == [2, 0] * 3
    heights = figure.axes[0].lines[0].get_ydata()
    assert np.isnan(heights[0]) and (heights[50], heights[-1]) == (0.5, 0.25)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DEC", RDC]
    plt.close(figure)


def test_the_picture_of_the_book_has_a_dot_for_each_number():
    looks = [{"effective_rank": 3.0, "fr_dynae": 0.5, "fd_rdc": 0.25}]
    found = [record(BEFORE, seed=s, dataset=d) for s in range(2) for d in "xy"]
    found += [record(name, *looks, seed=s, dataset=d) for name in ("DEC", RDC) for s in range(2) for d in "xy"]
    frame = tables.diagnoses(found)
    rows = {name: PARADIGMS[name] for name in ("DEC", RDC)}
    figure = pictures.diagnoses(frame, {"fr_dynae": "FR", "fd_dynae": "FD", "effective_rank": "rank"}, rows)
    dots = [np.concatenate([c.get_offsets() for c in axis.collections]) for axis in figure.axes]
    assert [len(each) for each in dots] == [8, 0, 8] and set(dots[0][:, 0]) == {0.5}
    assert set(dots[0][:, 1].round()) == {0, 1}
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [f"{name}\n{paradigm}" for name, paradigm in rows.items()]
    plt.close(figure)
