"""The explorer's data: frames are the run's own, maps are what they are called, and files are what they say."""

import base64
import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.decomposition import PCA

from dcbook.book.explorer import Frame, Plan, Route, course, data_file, make
from dcbook.book.explorer.__main__ import main
from dcbook.book.explorer.course import chain, of_pixels, of_route, of_start
from dcbook.book.explorer.maps import GRID, on_grid, pca, rotation, tsne
from dcbook.book.explorer.packing import ALONE, packed, settled, unpacked
from dcbook.chapters.dcss.explorer import EXPLORER
from dcbook.chapters.dcss.grids.convolutional import CONVOLUTIONAL, convolutional
from dcbook.data import load
from dcbook.evaluation import accuracy
from dcbook.experiments import Method, Scale, runs
from dcbook.experiments.records import path_of, read
from dcbook.experiments.starts import Starts
from dcbook.methods import DCSS, DEC, AEKMeans, DCSS_u, Pretraining

ROOT = Path(__file__).parents[1]
FOLDER = make.folder()
NAMES = [path.stem for path in sorted(FOLDER.glob("*.js")) if path.read_text().startswith("dcbookExplorer.sets")]
TINY = Scale(
    {"digits": {"subset": 80}},
    (0,),
    {
        "DEC": Method(DEC, {"max_updates": 6, "update_interval": 2, "batch_size": 40, "tol": 0}, start="net"),
        "first": Method(DCSS_u, {"phase1_epochs": 3, "batch_size": 40}, start="net"),
        "both": Method(DCSS, {"phase1_epochs": 0, "phase2_epochs": 2, "T2": 1, "batch_size": 40}, start="first"),
    },
    {"net": Method(AEKMeans, {"start": Pretraining(widths=(16,), epochs=2, batch_size=40)})},
    name="tiny",
)
ROUTES = {"DEC": Route("DEC", "about DEC"), "both": Route("both", "about both")}
PLAN = Plan(TINY, {"digits": "Digits"}, "A start.", ROUTES)


def opened(held):
    """Classes, clusters by frame, and places by map, as a file's object has them."""
    classes = np.frombuffer(base64.b64decode(held["classes"]), np.uint8)
    clusters = unpacked(held["clusters"]["packed"], held["clusters"]["before"])
    places = {kind: unpacked(those["packed"], those["before"]) for kind, those in held["maps"].items()}
    return classes, clusters, {kind: each.reshape(len(each), -1, 2) for kind, each in places.items()}


# --- frames -----------------------------------------------------------------------------------------------------------


def taken(tmp_path, name, data):
    (run,) = runs(TINY, [name])
    starts = Starts(tmp_path / "starts")
    first = of_start(chain(run)[0], data, starts)
    return first, of_route(ROUTES[name], run, data, starts, tmp_path / "frames")


def test_frames_are_those_of_a_fit_without_the_explorer(tmp_path):
    data = load("digits", subset=80)
    first, (early, _, end) = taken(tmp_path, "DEC", data)
    net = AEKMeans(10, random_state=0, start=TINY.starts["net"].params["start"]).fit(data.images)
    plain = DEC(10, random_state=0, start=net.start_, **TINY.methods["DEC"].params).fit(data.images)
    assert (early.name, end.name) == ("clustering, epoch 1", "clustering, epoch 3 (end)")
    assert np.array_equal(first.clusters, net.labels_) and np.array_equal(first.codes, net.transform(data.images))
    assert np.array_equal(end.clusters, plain.labels_) and np.array_equal(end.codes, plain.transform(data.images))
    assert not np.array_equal(early.codes, end.codes)


def test_a_route_follows_the_runs_that_lead_to_its_own(tmp_path):
    data = load("digits", subset=80)
    _, frames = taken(tmp_path, "both", data)
    assert [frame.name for frame in frames] == [
        "phase 1, epoch 1",
        "phase 1, epoch 2",
        "phase 1, epoch 3 (end)",
        "phase 2, epoch 1",
        "phase 2, epoch 2 (end)",
    ]
    assert [frame.milestone for frame in frames] == [True, False, True, True, True]


def test_thinned_frames_keep_the_early_ones_and_the_milestones():
    frames = [Frame(str(e), "codes", None, None, e, milestone=e in (1, 4, 16, 21)) for e in range(1, 22)]
    assert course.thinned(frames, 1) == frames
    assert [frame.epoch for frame in course.thinned(frames, 5)] == [1, 2, 3, 4, 5, 6, 10, 15, 16, 20, 21]


def test_frames_are_kept(tmp_path, monkeypatch):
    data = load("digits", subset=80)
    before = taken(tmp_path, "both", data)[1]
    monkeypatch.setattr(DCSS, "fit", lambda *_, **__: pytest.fail("trained again"))
    after = taken(tmp_path, "both", data)[1]
    assert all(np.array_equal(a.codes, b.codes) for a, b in zip(before, after, strict=True))


def test_labels_move_no_point(tmp_path):
    data = load("digits", subset=80)
    other = replace(data, labels=np.random.default_rng(0).permutation(data.labels))
    for name in ROUTES:
        one, two = taken(tmp_path / "a", name, data)[1], taken(tmp_path / "b", name, other)[1]
        assert all(np.array_equal(a.codes, b.codes) for a, b in zip(one, two, strict=True))
        assert all(np.array_equal(a.clusters, b.clusters) for a, b in zip(one, two, strict=True))


def test_pixels_lie_in_the_unit_interval():
    data = load("digits", subset=80)
    frame = of_pixels(data, 0)
    assert frame.codes.shape == (80, 64) and frame.codes.min() >= 0 and 0.9 < frame.codes.max() <= 1
    assert set(frame.clusters) == set(range(10))


# --- maps -------------------------------------------------------------------------------------------------------------


def made_up(n=60, seed=0):
    draws = np.random.default_rng(seed)
    pixels = draws.normal(size=(n, 9))
    codes = draws.normal(size=(n, 4)) * [3, 2, 1, 0.5]
    end = codes / 2 + 5
    names = ("pixels", "start", "end")
    spaces, labels = ("pixels", "codes", "codes"), np.arange(n) % 3
    return [Frame(*each, labels) for each in zip(names, spaces, (pixels, codes, end), strict=True)]


def test_pca_has_the_plane_of_the_last_frame():
    frames = made_up()
    places, held = pca(frames)
    twin = PCA(2).fit(frames[2].codes)
    expected = [twin.transform(frame.codes) for frame in frames[1:]]
    for ours, theirs in zip(places[1:], expected, strict=True):
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-8)
    assert held[2] == pytest.approx(twin.explained_variance_ratio_.sum())
    np.testing.assert_allclose(places[1].std(0), 2 * places[2].std(0))  # halved codes look half as wide


def test_the_grid_keeps_one_scale():
    first = np.array([[0.0, 0.0], [4.0, 1.0]])
    on, span = on_grid([first, first / 2])
    assert span == 4 and on.dtype == np.uint16
    whole, half = np.ptp(on.astype(int), axis=1)
    np.testing.assert_allclose(whole, [GRID, GRID / 4], atol=1)
    np.testing.assert_allclose(half, whole / 2, atol=1)


def test_rotation_undoes_a_rotation():
    before = np.random.default_rng(0).normal(size=(50, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([1, -1])
    np.testing.assert_allclose(before @ turn @ rotation(before @ turn, before), before, atol=1e-12)


def test_tsne_keeps_neighbors_and_begins_where_it_is_told():
    pytest.importorskip("openTSNE", reason="t-SNE of the explorer needs openTSNE")
    draws = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    codes = draws.normal(size=(120, 5)) + 20 * np.eye(5)[labels]
    first = tsne(codes, None, 0)
    gaps = np.linalg.norm(first[:, None] - first, axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert (labels[gaps.argmin(1)] == labels).mean() == 1
    second = tsne(codes + 0.1 * draws.normal(size=codes.shape), first, 0)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95


# --- numbers of many frames -------------------------------------------------------------------------------------------


@given(
    arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(1, 30)), elements=st.integers(0, 2**15 - 1)),
    st.randoms(use_true_random=False),
)
def test_what_was_packed_is_unpacked(given_arrays, chance):
    before = [chance.randrange(ALONE, number) if number else ALONE for number in range(len(given_arrays))]
    assert np.array_equal(unpacked(packed(given_arrays, before), before), given_arrays)


def test_points_that_stand_still_cost_next_to_nothing():
    places = np.random.default_rng(0).integers(0, GRID, (1000, 2))
    once, often = (len(packed([places] * count, [ALONE, *range(count - 1)])) for count in (1, 20))
    assert often < 1.1 * once


def test_a_settled_point_moves_when_it_is_far_from_where_it_is_drawn():
    start, moves = np.array([[100, 100], [200, 200]]), np.array([[0, 0], [2, 0]])
    places = [start + step * moves for step in range(6)]
    drawn = settled(places, [ALONE, 0, 1, 2, 3, 4], reach=3)
    assert [int(each[1, 0]) for each in drawn] == [200, 200, 204, 204, 208, 208]
    assert all(np.abs(each - true).max() <= 3 for each, true in zip(drawn, places, strict=True))
    assert all(np.array_equal(each[0], start[0]) for each in drawn)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_says_what_was_put_in():
    frames, data = made_up(), load("digits", subset=60)
    places, held = pca(frames)
    before = [ALONE, ALONE, 1]
    maps = {"pca": data_file.Maps(list(on_grid(places)[0]), before, [1.0] * 3, held)}
    routes = [{"name": "DEC", "steps": [{"frame": 0, "pca": 0}]}]
    content = data_file.content(data, "Digits", frames, before, maps, routes, seed=7)
    name, text = "digits", data_file.script("digits", content)
    assert data_file.read(text)[0] == name
    held = data_file.read(text)[1]
    assert held["seed"] == 7 and held["routes"] == routes and held["n"] == 60
    classes, clusters, drawn = opened(held)
    assert np.array_equal(classes, data.labels)
    assert all(np.array_equal(ours, frame.clusters) for ours, frame in zip(clusters, frames, strict=True))
    assert np.abs(drawn["pca"] - on_grid(places)[0].astype(int)).max() <= data_file.REACH
    assert held["grid"] == GRID
    with pytest.raises(ValueError, match="no data file"):
        data_file.read("something else")


def test_the_atlas_holds_the_images():
    images = load("digits", subset=60).images
    uri, tile, columns = data_file.atlas(images)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
    assert (tile, columns) == (8, 8)
    i = 21
    shown = sheet[i // columns * tile :][:tile, i % columns * tile :][:, :tile]
    gray = images[i, 0] if images.dtype == np.uint8 else 255 * images[i, 0]
    assert np.abs(shown - gray.astype(float)).max() <= 255 / 15 / 2 + 1


def test_large_images_shrink():
    images = np.zeros((3, 1, 28, 28), np.uint8)
    images[1, 0, :14] = 255
    uri, tile, columns = data_file.atlas(images)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
    assert tile == 14 and sheet.shape == (28, 28) and columns == 2
    assert sheet[:7, 14:].min() == 255 and sheet[7:14].max() == 0


def test_what_cannot_be_shown_is_said():
    with pytest.raises(ValueError, match="gray images"):
        data_file.atlas(np.zeros((2, 3, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="shows digits, not 'usps'"):
        make.make(PLAN, "usps", 0, Path("nowhere"))


def test_a_set_that_a_page_draws_slowly_is_told_before_its_training(monkeypatch):
    monkeypatch.setattr(data_file, "LARGEST_SET", 50)
    with pytest.raises(ValueError, match="draws up to 50 samples smoothly; digits has 60"):
        data_file.check_size(load("digits", subset=60))


def test_a_file_that_is_too_large_is_not_written(monkeypatch):
    monkeypatch.setattr(data_file, "LARGEST_FILE", 50)
    with pytest.raises(ValueError, match=r"2 frames of digits make .* a file may have 50"):
        data_file.script("digits", {"frames": [{"name": "pixels"}, {"name": "after pretraining"}]})


def test_the_command_makes_a_file_and_its_index(tmp_path, monkeypatch):
    pytest.importorskip("openTSNE", reason="t-SNE of the explorer needs openTSNE")
    monkeypatch.setenv("DCBOOK_OUTPUT", str(tmp_path / "out"))
    path = make.make(PLAN, "digits", 0, tmp_path, say=lambda _: None)
    check(path)
    assert data_file.read(path.read_text())[1]["title"] == "Digits"
    first = path.read_bytes()
    make.make(PLAN, "digits", 0, tmp_path, say=lambda _: None)
    assert path.read_bytes() == first
    assert hashlib.sha256(first).hexdigest() in (tmp_path / make.INDEX).read_text()


def test_frames_are_left_out_until_the_file_is_small_enough(tmp_path, monkeypatch):
    pytest.importorskip("openTSNE", reason="t-SNE of the explorer needs openTSNE")
    monkeypatch.setenv("DCBOOK_OUTPUT", str(tmp_path / "out"))
    monkeypatch.setattr(course, "EARLY", 0)
    monkeypatch.setattr(course, "MILESTONES", ())
    whole = make.make(PLAN, "digits", 0, tmp_path, say=lambda _: None).stat().st_size
    monkeypatch.setattr(data_file, "LARGEST_FILE", whole - 1)
    held = check(make.make(PLAN, "digits", 0, tmp_path, say=lambda _: None))
    names = [held["frames"][step["frame"]]["name"] for step in held["routes"][1]["steps"][2:]]
    assert names == ["phase 1, epoch 2", "phase 1, epoch 3 (end)", "phase 2, epoch 2 (end)"]
    monkeypatch.setattr(data_file, "LARGEST_FILE", 1000)
    with pytest.raises(data_file.TooLarge, match="a file may have 1,000"):
        make.make(PLAN, "digits", 0, tmp_path, say=lambda _: None)


@pytest.mark.parametrize("wrong", [["--dataset", "cifar10"], ["--dataset", "usps", "--scale", "huge"]])
def test_wrong_arguments_are_told(wrong, capsys):
    assert main(wrong) == 2
    assert "error: the explorer" in capsys.readouterr().err


def test_a_file_in_place_of_the_folder_is_told_before_the_training(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr("dcbook.book.explorer.__main__.make", pytest.fail)
    assert main(["--dataset", "usps", "--to", str(tmp_path / "file")]) == 2
    assert "is a file; give a folder" in capsys.readouterr().err


def test_a_chapter_without_an_explorer_is_told(capsys):
    assert main(["--dataset", "usps", "--chapter", "rdc"]) == 2
    assert "has no explorer" in capsys.readouterr().err


# --- the committed files ----------------------------------------------------------------------------------------------


def check(path):
    """All that a page relies on."""
    held = data_file.read(path.read_text())[1]
    n, k, frames, routes = held["n"], held["k"], held["frames"], held["routes"]
    labels, clusters, places = opened(held)
    assert len(labels) == n and labels.max() < len(held["class_names"])
    assert clusters.shape == (len(frames), n) and clusters.min() >= 0 and clusters.max() < k
    for frame, c in zip(frames, clusters, strict=True):
        assert len(frame["match"]) == k
        assert accuracy(labels, c) == pytest.approx(frame["acc"], abs=5e-5)
        assert (np.array(frame["match"])[c] == labels).mean() == pytest.approx(frame["acc"], abs=5e-5)
    for kind in ("pca", "tsne"):
        maps = len(held["maps"][kind]["span"])
        assert places[kind].shape == (maps, n, 2) and places[kind].min() >= 0 and places[kind].max() <= held["grid"]
        assert {step[kind] for route in routes for step in route["steps"] if kind in step} == set(range(maps))
    assert all("pca" in step for route in routes for step in route["steps"])
    assert len(held["maps"]["pca"]["held"]) == len(held["maps"]["pca"]["span"])
    assert all(0 < share <= 1 for share in held["maps"]["pca"]["held"])
    assert {step["frame"] for route in routes for step in route["steps"]} == set(range(len(frames)))
    for route in routes:
        steps = [frames[step["frame"]] for step in route["steps"]]
        assert [step["name"] for step in steps[:2]] == ["pixels", "after pretraining"]
        assert all("tsne" in step for step in (*route["steps"][:2], route["steps"][-1]))
        assert steps[-1]["name"].endswith("(end)") and route["about"] and route["settings"]
    sheet = Image.open(io.BytesIO(base64.b64decode(held["atlas"].partition(",")[2])))
    assert sheet.width == held["columns"] * held["tile"] and sheet.height * held["columns"] >= n * held["tile"]
    return held


def index():
    """The entries of the committed index, by name."""
    text = (FOLDER / make.INDEX).read_text()
    return {entry["name"]: entry for entry in json.loads(text[text.index("index: [") + 7 : text.rindex("]") + 1])}


def test_the_index_lists_all_that_is_there(tmp_path):
    assert sorted(index()) == NAMES and "usps" in NAMES
    for path in FOLDER.glob("*.js"):
        shutil.copy(path, tmp_path)
    assert make.write_index(tmp_path).read_text() == (FOLDER / make.INDEX).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_committed_files_are_whole(name):
    path, entry = FOLDER / f"{name}.js", index()[name]
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"] and len(content) == entry["bytes"]
    assert entry["bytes"] < data_file.LARGEST_FILE
    held = check(path)
    assert held["title"] == entry["title"] and held["made_with"]["dirty"] is False
    assert [route["name"] for route in held["routes"]] == list(EXPLORER["laptop"].routes)


@pytest.mark.parametrize("name", NAMES)
def test_frames_agree_with_the_committed_records(name):
    """The start, the end of phase 1 and the end of phase 2 have the ACC of the same runs' records, where there are.

    But for rounding: on another processor the same run ended up to 2.3 points elsewhere, and on Fashion-MNIST, where
    k-means finds other clusters at the start already, up to 7.6.
    """
    held = data_file.read((FOLDER / f"{name}.js").read_text())[1]
    recorded = {}
    for run in convolutional("laptop", [held["seed"]]):
        path = path_of(run.identity, ROOT / "figures" / "laptop" / "dcss" / "records")
        if run.dataset == name and path.exists():
            recorded[run.method] = read(path).scores["acc"]
    steps = [held["frames"][step["frame"]] for step in held["routes"][0]["steps"]]
    shown = {"AE+k-means": steps[1]["acc"], "DCSS": steps[-1]["acc"]}
    shown["DCSS_u"] = [frame["acc"] for frame in steps if frame["name"].startswith("phase 1")][-1]
    assert ("DCSS_u" in recorded) == (name in CONVOLUTIONAL["laptop"].datasets)
    for method in shown.keys() & recorded.keys():
        limit = 0.08 if name == "fashion-mnist-test" else 0.03
        assert shown[method] == pytest.approx(recorded[method], abs=limit), method


def test_the_chapter_shows_the_runs_of_its_grid():
    plan = EXPLORER["laptop"]
    (shown,) = runs(plan.settings, ["DCSS"], ["usps"], [0])
    (ran,) = (run for run in convolutional("laptop", [0]) if (run.method, run.dataset) == ("DCSS", "usps"))
    assert shown.identity == ran.identity


def test_the_arcs_are_those_of_the_package():
    text = (FOLDER / "arcs.js").read_text()
    held = json.loads(text.removeprefix("const dcbookArcsData = ").removesuffix(";\n"))
    data = load("arcs")
    assert held["digest"] == data.digest
    assert np.array_equal(np.array(held["points"]).reshape(-1, 2) / held["grid"], data.images.reshape(-1, 2))
    assert held["labels"] == data.labels.tolist()
