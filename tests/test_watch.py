"""A watch adds to the record and changes nothing else; DCSS's own shows what the equations say."""

import shutil

import numpy as np
import pytest

from dcbook.chapters.dcss.watches import SelfSupervision
from dcbook.chapters.dcss.watches.self_supervision import BINS
from dcbook.data import Dataset
from dcbook.evaluation import pairs, residuals
from dcbook.experiments import Method, Scale, records, runs, sweep
from dcbook.methods import DCSS, AEKMeans, Pretraining

RECIPE = Pretraining(widths=(16,), latent_dim=3, epochs=40, batch_size=32, lr=1e-2)
SETTINGS = {"phase1_epochs": 0, "phase2_epochs": 6, "T2": 2, "batch_size": 32, "schedule_size": None, "mnet_lr": 0.01}


def three_groups(name="groups", n=150):
    """Three well separated groups in 6 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    points = np.eye(6)[labels] + rng.normal(0, 0.1, (n, 6))
    images = ((points - points.min()) / np.ptp(points)).astype(np.float32).reshape(n, 1, 2, 3)
    return Dataset(name, images, labels)


def swept(folder, **options):
    scale = Scale(
        datasets={"groups": {}},
        seeds=(0,),
        starts={"autoencoder": Method(AEKMeans, {"start": RECIPE})},
        methods={"DCSS": Method(DCSS, SETTINGS, start="autoencoder", **options)},
    )
    grid = runs(scale)
    given = {"starts_folder": folder / "starts", "load": three_groups, "n_jobs": 1, "device": "cpu", "progress": False}
    assert sweep(grid, folder / "records", **given).complete
    return records.read(records.path_of(grid[0].identity, folder / "records"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("watched")


@pytest.fixture(scope="module")
def watched(folder):
    return swept(folder, watch=SelfSupervision())


def test_the_record_holds_what_the_watch_saw_and_the_run_is_the_same(folder, watched):
    alone = swept(folder)
    assert watched.scores == alone.scores and len(list((folder / "records").glob("*/*.json"))) == 2
    assert alone.portrait == {} and alone.run == {k: v for k, v in watched.run.items() if k != "watch"}
    for seen, plain in zip(watched.history, alone.history, strict=True):
        assert {name: seen[name] for name in plain} == plain
    model = DCSS(3, start=AEKMeans(3, start=RECIPE, random_state=0).fit(three_groups().images).start_, **SETTINGS)
    q = model.set_params(random_state=0).fit(three_groups().images).predict_proba(three_groups().images)
    for name in ("similar", "dissimilar", "lonely"):
        assert watched.history[-1][name] == pytest.approx(getattr(pairs(q), name), abs=1e-5)
    counts, _ = np.histogram(residuals(q), bins=BINS, range=(0, 1))
    assert watched.portrait["residuals"] == counts.tolist()


def test_the_pairs_that_the_loss_takes_are_those_of_p_until_t2_and_then_those_of_q(watched):
    entries = [entry for entry in watched.history if "similar" in entry]
    by_q = [entry["chosen_similar"] == entry["similar"] for entry in entries if entry["judged_by_q"]]
    assert by_q and all(by_q)
    assert entries[0]["chosen_similar"] > 0.3 > entries[0]["similar"]  # p knows the three groups before MNet does


def test_the_portrait_shows_three_spaces_that_keep_the_groups_apart(watched):
    portrait = watched.portrait
    labels = np.array(portrait["labels"])
    assert list(portrait["maps"]) == ["u after phase 1", "u after phase 2", "q"]
    for places in map(np.array, portrait["maps"].values()):
        assert places.shape == (150, 2) and places.min() == 0 and places.max() == 999
        far = np.linalg.norm(places[:, None] - places[None], axis=2) + 2000 * np.eye(150)
        assert (labels[far.argmin(1)] == labels).mean() > 0.95
    assert min(portrait["purity"].values()) > 0.95 and min(portrait["silhouette"].values()) > 0.5
    q = np.array(portrait["q"])
    assert q.shape == (30, 3) and np.allclose(q.sum(1), 1, atol=2e-3)


def test_an_edited_portrait_is_refused(folder, watched, tmp_path):
    whole = records.path_of(watched.run, folder / "records")
    path = tmp_path / whole.parent.name / whole.name
    path.parent.mkdir()
    shutil.copy(whole, path)
    assert records.read(path) == watched
    path.write_text(path.read_text().replace('"residuals": [', '"residuals": [7, '))
    with pytest.raises(records.RecordError, match="edited"):
        records.read(path)


def test_residuals_by_hand():
    q = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert residuals(q) == pytest.approx([0, 0.5**0.5, (2 / 3) ** 0.5])
