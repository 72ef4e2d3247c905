"""Feature files: written whole, found, checked, sampled as the images are, and swept over."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from filelock import FileLock
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.decomposition import PCA

from dcbook.data import DataError, Dataset, MissingDataError, content_digest, load, save_features
from dcbook.evaluation import accuracy
from dcbook.experiments import Method, Scale, make_features, read_all, runs, sweep, sweep_scale
from dcbook.experiments.records import workroom
from dcbook.experiments.runs import SWEPT
from dcbook.methods import KMeans, SimCLR
from tests import fakes

DIGITS = load("digits")
VALUES = PCA(12, random_state=0).fit_transform(DIGITS.images.reshape(1797, -1)).astype(np.float32)
MADE_BY = {"method": "PCA", "components": 12}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data folder with features of the digits."""
    monkeypatch.setenv("DCBOOK_DATA", str(tmp_path))
    save_features(tmp_path / "features" / "pca.safetensors", VALUES, DIGITS, MADE_BY)
    return tmp_path


def test_features_take_the_place_of_the_images(root):
    data = load("digits", features="pca.safetensors")
    assert data.images.shape == (1797, 12) and data.images.dtype == np.float32
    np.testing.assert_array_equal(data.images, VALUES)
    np.testing.assert_array_equal(data.labels, DIGITS.labels)
    assert data.class_names == DIGITS.class_names and data.name == "digits" and data.original
    assert data.digest == content_digest(VALUES, DIGITS.labels) != DIGITS.digest
    about = data.provenance["features"]
    assert about["file"] == "pca.safetensors" and about["made_by"] == MADE_BY and about["made_from"] == DIGITS.digest
    assert data.provenance["files"] == DIGITS.provenance["files"] and str(root) not in json.dumps(data.provenance)
    assert repr(data).startswith("<Dataset digits: 1,797 features 12 float32, 10 classes, original")
    assert f"features from pca.safetensors, digest {about['digest'][:12]}" in data.summary()
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 0


def test_a_file_is_found_by_its_path_and_by_its_name(root, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = save_features(elsewhere / "deep" / "own.safetensors", VALUES + 1, DIGITS, "by hand")
    assert path == elsewhere / "deep" / "own.safetensors" and [p.name for p in path.parent.iterdir()] == [path.name]
    for given in (path, str(path)):
        np.testing.assert_array_equal(load("digits", features=given).images, VALUES + 1)
    monkeypatch.delenv("DCBOOK_DATA")
    assert load("digits", features="pca.safetensors", root=root).digest != load("digits", features=path).digest


def test_the_digest_is_over_features_and_what_is_said_of_them(root):
    def digest(values, made_by):
        path = save_features(root / "other.safetensors", values, DIGITS, made_by)
        return load("digits", features=path).provenance["features"]["digest"]

    first = load("digits", features="pca.safetensors").provenance["features"]["digest"]
    assert digest(VALUES.astype(np.float64), dict(reversed(MADE_BY.items()))) == first
    assert len({first, digest(-VALUES, MADE_BY), digest(VALUES, MADE_BY | {"components": 13})}) == 3


@pytest.mark.parametrize(
    "options",
    [{"subset": 200}, {"subset": 150, "stratified": False, "seed": 3}, {"retention": 0.3, "seed": 1, "subset": 400}],
)
def test_samples_have_the_rows_of_the_images(root, options):
    images, features = load("digits", **options), load("digits", **options, features="pca.safetensors")
    np.testing.assert_array_equal(features.labels, images.labels)
    rows = [np.flatnonzero((DIGITS.images == image).all((1, 2, 3)))[0] for image in images.images]
    np.testing.assert_array_equal(features.images, VALUES[rows])
    assert features.provenance["sampling"] == images.provenance["sampling"]


def test_a_file_may_be_of_the_sample_that_is_asked_for(root):
    sample = load("digits", subset=200, seed=4)
    values = np.random.default_rng(0).normal(size=(200, 3))
    save_features(root / "features" / "sample.safetensors", values, sample, MADE_BY)
    data = load("digits", subset=200, seed=4, features="sample.safetensors")
    np.testing.assert_array_equal(data.images, values.astype(np.float32))
    assert data.provenance["sampling"] == sample.provenance["sampling"]
    for other in ({"subset": 200, "seed": 5}, {"subset": 199, "seed": 4}, {}):
        with pytest.raises(DataError, match=r"sample.safetensors holds features of other samples: 200 of digits"):
            load("digits", **other, features="sample.safetensors")


def altered_file(path, change):
    with safe_open(path, framework="numpy") as file:
        values, header = file.get_tensor("features"), file.metadata()
    values, header = change(values, header)
    save_file({"features": values}, path, header)


def one_more_row(values, header):
    return np.concatenate([values, values[:1]]), header


def one_bit(values, header):
    values.view(np.uint32)[700, 3] ^= 1
    return values, header


def another_maker(values, header):
    return values, header | {"made_by": '"me"'}


def another_source(values, header):
    return values, header | {"made_from": header["made_from"].replace(DIGITS.digest, "0" * 64)}


@pytest.mark.parametrize("change", [one_more_row, one_bit, another_maker, another_source])
def test_an_altered_file_is_refused(root, change):
    path = root / "features" / "pca.safetensors"
    altered_file(path, lambda values, header: (values, header))
    load("digits", features="pca.safetensors")
    altered_file(path, change)
    with pytest.raises(DataError, match=f"{re.escape(str(path))}: altered after it was written"):
        load("digits", features="pca.safetensors")


def test_a_cut_off_or_foreign_file_is_refused(root):
    path = root / "features" / "pca.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100], b"", b"no features"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=f"{re.escape(str(path))}: no whole feature file"):
            load("digits", features="pca.safetensors")
    save_file({"weights": VALUES}, path)
    with pytest.raises(DataError, match="no whole feature file"):
        load("digits", features="pca.safetensors")


def test_a_missing_file_is_named_with_the_places_where_it_was_looked_for(root):
    with pytest.raises(MissingDataError, match=f"nor at {re.escape(str(root))}/features/simclr.safetensors. Make it"):
        load("digits", features="simclr.safetensors")
    with pytest.raises(TypeError, match="path or the name of a feature file, not 3"):
        load("digits", features=3)


def test_features_of_another_set_are_refused(root):
    other = Dataset("others", DIGITS.images, DIGITS.labels[::-1])
    save_features(root / "features" / "others.safetensors", VALUES, other, MADE_BY)
    with pytest.raises(
        DataError, match=r"digits: .*others.safetensors holds features of other samples: 1,797 of others"
    ):
        load("digits", features="others.safetensors")


@pytest.mark.parametrize(
    ("values", "made_by", "error", "message"),
    [
        (VALUES[:5], MADE_BY, ValueError, "1,797 samples, and there are features of 5"),
        (VALUES[:, 0], MADE_BY, ValueError, r"shape Nxd, not \(1797,\)"),
        (VALUES[:, :0], MADE_BY, ValueError, r"shape Nxd, not \(1797, 0\)"),
        (np.where(VALUES > 1, np.nan, VALUES), MADE_BY, ValueError, "must be finite"),
        (VALUES, {"model": KMeans()}, TypeError, "JSON"),
        (VALUES, {"loss": float("nan")}, ValueError, "JSON"),
    ],
)
def test_bad_features_are_not_written(tmp_path, values, made_by, error, message):
    with pytest.raises(error, match=message):
        save_features(tmp_path / "bad.safetensors", values, DIGITS, made_by)
    assert not any(tmp_path.iterdir())


def test_a_dataset_of_features():
    data = Dataset("points", np.array([[-5.0, 3.0]] * 4, np.float32), [0, 1, 0, 1])
    assert data.sample(2, 0).images.shape == (2, 2)
    for bad, error in ((np.full((4, 2), np.inf, np.float32), ValueError), (np.ones((4, 2), np.uint8), TypeError)):
        with pytest.raises(error, match="features must be"):
            Dataset("points", bad, [0, 1, 0, 1])


def test_a_sweep_over_features(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep")

    def scale(**options):
        return Scale({"digits": {"subset": 300, **options}}, (0,), {"k-means": Method(KMeans, {"n_init": 2})})

    def swept(**options):
        return sweep(runs(scale(**options)), out / "records", starts_folder=out / "starts", n_jobs=1, progress=False)

    on_images, on_features = swept(), swept(features="pca.safetensors")
    assert on_images.complete and on_features.complete and len(swept(features="pca.safetensors").skipped) == 1
    plain, featured = sorted(read_all(out / "records"), key=lambda record: len(record.run["sampling"]))
    assert featured.run["sampling"] == {"subset": 300, "features": "pca.safetensors"}
    assert featured.provenance["data"]["features"]["made_by"] == MADE_BY
    data = load("digits", subset=300, features="pca.safetensors")
    assert featured.provenance["data"]["digest"] == data.digest != plain.provenance["data"]["digest"]
    labels = KMeans(10, n_init=2, random_state=0).fit_predict(data.images)
    assert featured.scores["acc"] == pytest.approx(accuracy(data.labels, labels))
    save_features(root / "features" / "pca.safetensors", -VALUES, DIGITS, MADE_BY)
    with pytest.raises(ValueError, match="its record was made with other data"):
        swept(features="pca.safetensors")
    with pytest.raises(FileNotFoundError, match="no feature file"):
        swept(features="simclr.safetensors")


LEARNER = SimCLR(
    10, width=2, projection_dim=3, epochs=1, lr=0.05, flip=False, batch_size=50, random_state=0, device="cpu"
)


def test_features_are_made_once(root, monkeypatch):
    data = load("digits", subset=100)
    paths = make_features(data, LEARNER)
    assert [paths[space].name for space in "hz"] == ["digits-simclr-h.safetensors", "digits-simclr-z.safetensors"]
    fitted = SimCLR(**LEARNER.get_params()).fit(data.images)
    for space, values in (("h", fitted.transform(data.images)), ("z", fitted.project(data.images))):
        kept = load("digits", subset=100, features=paths[space].name)
        np.testing.assert_array_equal(kept.images, values)
        about = kept.provenance["features"]["made_by"]
        assert about["method"] == "SimCLR" and about["space"] == space and about["seed"] == 0
        assert about["parameters"]["width"] == 2 and about["parameters"]["temperature"] == LEARNER.temperature
    monkeypatch.setattr(SimCLR, "fit", lambda *_: pytest.fail("trained again"))
    assert make_features(data, LEARNER) == paths
    with pytest.raises(
        ValueError, match=r"digits-simclr-h.safetensors was made by .*'epochs': 1.* not by .*'epochs': 2"
    ):
        make_features(data, SimCLR(**LEARNER.get_params() | {"epochs": 2}))
    with pytest.raises(ValueError, match="holds features of other samples"):
        make_features(load("digits", subset=101), LEARNER)


def test_features_need_a_method_that_projects_and_a_seed(root):
    with pytest.raises(TypeError, match="features come from SimCLR or MoCo"):
        make_features(DIGITS, KMeans(10, random_state=0))
    with pytest.raises(TypeError, match="integer as random_state"):
        make_features(DIGITS, SimCLR(10))


def test_a_budget_is_that_of_learner_and_runs_and_the_learner_goes_on(root, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAIL", str(tmp_path / "trail"))
    params = {name: value for name, value in LEARNER.get_params().items() if name not in SWEPT}
    scale = Scale(
        {"digits": {"subset": 100}},
        (0,),
        {"k-means": Method(KMeans, {"n_init": 2})},
        features={"simclr": Method(fakes.SlowLearner, params | {"epochs": 6})},
    )
    options = {"starts_folder": tmp_path / "starts", "n_jobs": 1, "progress": False, "device": "cpu"}
    result = sweep_scale(scale, runs(scale), tmp_path / "records", budget=1.0, **options)
    assert len(result.unfinished) == 2 and not list((root / "features").glob("custom-*/*.safetensors"))
    begun = len(fakes.trail(tmp_path / "trail"))
    assert 1 <= begun < 6
    assert len(sweep_scale(scale, runs(scale), tmp_path / "records", **options).done) == 2
    assert len(fakes.trail(tmp_path / "trail")) <= 6 + 1
    assert len(list((root / "features").glob("custom-*/*.safetensors"))) == 2


def test_a_budget_of_0_trains_no_learner_and_needs_no_data(root, tmp_path):
    learners = {"simclr": Method(SimCLR, {"epochs": 1})}
    scale = Scale({"usps": {}}, (0,), {"k-means": Method(KMeans)}, features=learners)
    options = {"starts_folder": tmp_path / "starts", "n_jobs": 1, "progress": False}
    result = sweep_scale(scale, runs(scale), tmp_path / "records", budget=0, **options)
    assert len(result.unfinished) == 2 and not list((root / "features").glob("custom-*"))
    for budget in (-1, float("nan")):
        with pytest.raises(ValueError, match="budget must be a number of seconds >= 0"):
            sweep_scale(scale, runs(scale), tmp_path / "records", budget=budget, **options)


def test_features_that_another_process_makes_are_waited_for_until_the_deadline(root):
    with FileLock(workroom(root / "features") / "digits-simclr.lock"), ThreadPoolExecutor(1) as other:
        waiting = other.submit(make_features, load("digits", subset=100), LEARNER, deadline=time.time() + 0.2)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=20)


def test_interrupted_features_are_not_kept(root, monkeypatch):
    monkeypatch.setattr(SimCLR, "_train", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.warns(UserWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        make_features(load("digits", subset=100), LEARNER)
    assert not list((root / "features").glob("digits-*"))
