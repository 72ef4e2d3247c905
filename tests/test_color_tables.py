"""DCSS Tables 3 and 5: features as a part of a scale, made where they are missing, set beside the right numbers."""

from dataclasses import replace

import numpy as np
import pytest

from dcbook.book import reported
from dcbook.chapters.dcss import claims
from dcbook.chapters.dcss.grids import GRIDS, ON_FEATURES, TABLE3, TABLE5
from dcbook.data import DataError, MissingDataError, load, save_features
from dcbook.experiments import Method, Record, Scale, compare, contrast, make_missing, read_all, runs, sweep, to_frame
from dcbook.experiments.records import place
from dcbook.methods import DCSS, AEKMeans, KMeans, MoCo, Pretraining, SimCLR

LEARNER = Method(SimCLR, {"width": 2, "projection_dim": 3, "epochs": 1, "lr": 0.05, "flip": False, "batch_size": 30})
TINY = Scale(
    {"digits-rgb": {"subset": 60}},
    (0, 1),
    {"k-means": Method(KMeans, {"n_init": 2}), "AE+k-means": Method(AEKMeans, start="autoencoder")},
    {"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(5,), latent_dim=3, epochs=1, batch_size=30)})},
    {"simclr": LEARNER},
    name="tiny",
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("DCBOOK_DATA", str(tmp_path / "data"))
    return tmp_path


def swept(scale, root):
    todo = runs(scale)
    make_missing(scale, todo, root / "records", device="cpu")
    return sweep(todo, root / "records", starts_folder=root / "starts", n_jobs=1, device="cpu", progress=False)


def test_a_scale_with_a_learner_is_run_on_both_of_its_spaces():
    grid = runs(TINY)
    assert [place(run.identity) for run in grid[::4]] == ["digits-rgb-simclr-h", "digits-rgb-simclr-z"]
    assert len({str(run.identity) for run in grid}) == len(grid) == 2 * 2 * 2
    assert all(run.start.sampling == run.sampling for run in grid if run.start), "pretrained on the same features"
    names = {run.sampling["features"].partition("/")[0] for run in grid}
    other = replace(LEARNER, params={**LEARNER.params, "epochs": 2})
    for changed in (replace(TINY, features={"simclr": other}), replace(TINY, datasets={"digits-rgb": {"subset": 61}})):
        assert not names & {run.sampling["features"].partition("/")[0] for run in runs(changed)}
    assert all("features" not in run.sampling for run in runs(replace(TINY, features={})))


def test_features_are_made_where_a_run_needs_them(root, monkeypatch):
    assert len(swept(TINY, root).done) == 8
    records = read_all(root / "records")
    for record in records:
        about = record.provenance["data"]["features"]
        assert place(record.run) == f"digits-rgb-simclr-{about['made_by']['space']}"
        assert about["made_by"]["method"] == "SimCLR" and about["made_by"]["seed"] == 0
        assert load("digits-rgb", **record.run["sampling"]).digest == record.provenance["data"]["digest"]
    assert len({record.provenance["data"]["digest"] for record in records}) == 2
    assert set(to_frame(records)["dataset"]) == {"digits-rgb-simclr-h", "digits-rgb-simclr-z"}
    monkeypatch.setattr(SimCLR, "fit", lambda *_: pytest.fail("trained again"))
    for file in (root / "data" / "features").rglob("*.safetensors"):
        file.unlink()
    assert len(swept(TINY, root).skipped) == 8, "records need no features"


def test_features_of_other_samples_are_refused_before_any_training(root, monkeypatch):
    file = runs(TINY)[0].sampling["features"]
    other = load("digits-rgb", subset=60, seed=1)
    save_features(root / "data" / "features" / file, np.ones((60, 16)), other, "something else")
    monkeypatch.setattr(SimCLR, "fit", lambda *_: pytest.fail("training began"))
    with pytest.raises(ValueError, match=r"simclr-h\.safetensors holds features of other samples; delete it"):
        swept(TINY, root)
    with pytest.raises(DataError, match=r"simclr-h\.safetensors holds features of other samples: 60 of digits-rgb"):
        load("digits-rgb", subset=60, features=file)


def test_missing_features_come_with_the_command_that_makes_them(root):
    with pytest.raises(MissingDataError, match=r"make figures NOTEBOOK="):
        sweep(runs(TINY), root / "records", starts_folder=root / "starts", progress=False)


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_the_settings_are_the_tables(scale):
    table3, table5 = TABLE3[scale], TABLE5[scale]
    assert set(table3.methods) == {*ON_FEATURES, "DCSS", "k-means"} and set(table3.features) == {"simclr"}
    assert {table3.methods[name].start for name in ON_FEATURES} == {"autoencoder"}
    assert table3.methods["DCSS"].start == "DCSS_u" and table3.methods["DCSS"].params["phase1_epochs"] == 0
    top = table5.methods["MoCo+MNet"]
    assert top.cls is DCSS and top.start == "MoCo+k-means" and top.params["phase1_epochs"] == 0
    assert table5.methods["MoCo+k-means"].cls is MoCo and not table5.features
    assert table3.datasets == table5.datasets and table3.seeds == table5.seeds
    for method in (*table3.methods.values(), *table3.features.values(), *table5.methods.values()):
        method.cls(**method.params)


def record(method, acc, dataset="cifar10", seed=0, **sampling):
    run = {"method": method, "params": {}, "dataset": dataset, "sampling": sampling, "seed": seed, "start": None}
    return Record(run, {"acc": acc, "nmi": acc}, [], {"data": {"digest": str(sampling)}})


H, Z = ({"features": f"laptop-1a2b3c4d/cifar10-simclr-{space}.safetensors"} for space in "hz")


def test_each_space_stands_beside_its_own_row():
    tables = [reported(f"dcss/table{number}") for number in (1, 3, 5)]
    rows = [record("DEC", 0.81, **H), record("DEC", 0.76, **Z), record("MoCo+MNet", 0.7), record("DEC", 0.3)]
    frame = compare(rows, tables, metrics=["acc"]).set_index(["method", "dataset"])
    assert frame["reported"].to_dict() == {
        ("DEC", "cifar10"): 30.10,
        ("MoCo+MNet", "cifar10"): 76.24,
        ("DEC", "cifar10-simclr-h"): 81.59,
        ("DEC", "cifar10-simclr-z"): 76.60,
    }
    (part,) = compare([record("DEC", 0.4, subset=2000, **H)], tables, metrics=["acc"]).itertuples()
    assert part.reported_on == "cifar10-simclr-h (ours: 2,000 of its images)"
    assert (part.difference, part.verdict) == (-41.59, "below, on a part of its data")
    other = compare([record("DEC", 0.4, "digits-rgb", features="q/digits-rgb-simclr-z.safetensors")], tables)
    assert other["reported"].tolist() == [76.60, 66.91] and set(other["verdict"]) == {"not comparable: other data"}


def test_each_space_is_a_pair_of_its_own():
    features = [record(m, a + 0.1 * (s == Z), **s) for m, a in (("DCSS", 0.6), ("DEC", 0.5)) for s in (H, Z)]
    found = contrast(features, "DCSS", "DEC")
    assert found.means == pytest.approx({"cifar10-simclr-h": 10, "cifar10-simclr-z": 10})


def test_claims_about_features_are_judged_by_runs_on_features_alone():
    assert not any("features" in run.sampling for run in [*GRIDS["table1"]("laptop"), *GRIDS["table4"]("laptop")])
    places = [
        {run.sampling.get("features") for run in claim.runs("laptop")}
        for claim in claims.CLAIMS
        if "Table 3" in claim.place
    ]
    assert len(places) == 2 and all(len(each) == 2 and None not in each for each in places)
