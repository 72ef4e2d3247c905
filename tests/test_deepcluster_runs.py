"""The runs of the DeepCluster chapter, and what they keep of each network's layers."""

import numpy as np
import pandas as pd
import pytest

from dcbook import plots
from dcbook.chapters.deepcluster import grids, tables
from dcbook.chapters.deepcluster.watches import LayerProbes
from dcbook.chapters.deepcluster.watches.layer_probes import halves
from dcbook.data import load
from dcbook.experiments import Record, curves, summarize, sweep, to_frame
from dcbook.experiments.records import path_of, read
from dcbook.experiments.worker import estimator
from dcbook.methods import DeepCluster

LISTS = (
    grids.numbers_of_clusters,
    grids.started_anew,
    grids.safeguards,
    grids.samplers,
    grids.layers,
    grids.filters,
    grids.transfers,
    grids.uncurated,
)


@pytest.mark.parametrize("scale", grids.SCALES)
@pytest.mark.parametrize("several", LISTS)
def test_runs_differ_and_their_settings_are_valid(scale, several):
    runs = several(scale)
    scales = grids.GUARDED if several in (grids.safeguards, grids.samplers) else grids.SCALES
    seeds = scales[scale].seeds
    assert len({path_of(run.identity, ".") for run in runs}) == len(runs) >= len(seeds)
    assert {run.seed for run in runs} == set(seeds) and (scale == "quick" or len(seeds) >= 3)
    for run in runs:
        estimator(run, "cpu", 10)._check_hyperparameters()
    assert [run.seed for run in several(scale, [7])] == [7] * (len(runs) // len(seeds))


def test_probes_of_a_trained_network_beat_chance_and_leave_it_alone():
    data = load("digits", subset=400)
    model = DeepCluster(20, epochs=2, width=0.3, hidden=24, pca_dim=8, batch_size=50, random_state=0).fit(data.images)
    before = model.transform(data.images)
    probed = LayerProbes(dim=64, epochs=60).portrait(model, data)["probes"]
    np.testing.assert_array_equal(model.transform(data.images), before)
    assert set(probed) == {"untrained", "trained"}
    for accuracies in probed.values():
        assert list(accuracies) == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc7"]
        assert all(0.2 < accuracy <= 1 for accuracy in accuracies.values())
    assert probed["untrained"] != probed["trained"]


def test_a_supervised_twin_learns_from_one_half_and_all_are_probed_elsewhere(monkeypatch):
    data = load("digits", subset=300)
    model = DeepCluster(20, epochs=1, width=0.5, hidden=24, pca_dim=8, batch_size=50, random_state=0, dropout=0)
    model.set_params(sobel=False).fit(data.images)
    probes = LayerProbes(dim=64, epochs=40, supervised=12, elsewhere=("digits", {"subset": 200, "seed": 1}))
    portrait = probes.portrait(model, data)
    names = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc7", "mlp"]
    for part in ("probes", "elsewhere"):
        assert {name: list(found) for name, found in portrait[part].items()} == dict.fromkeys(
            ("untrained", "trained", "supervised"), names
        )
    assert portrait["probes"]["supervised"]["fc7"] > portrait["probes"]["untrained"]["fc7"]
    shuffled = data.labels.copy()
    half = halves(data)[1]
    shuffled[half] = np.random.default_rng(0).permutation(shuffled[half])  # labels that only the test may see
    learned = []
    monkeypatch.setattr(
        "dcbook.chapters.deepcluster.watches.networks.train_with_labels",
        lambda _, x, y, **options: learned.append((len(x), y.tolist())),
    )
    for labels in (data.labels, shuffled):
        probes.portrait(model, type(data)("digits", data.images, labels, data.class_names))
    assert learned[0] == learned[1] and learned[0][0] == 150


def test_a_record_has_curves_and_probes(tmp_path):
    (run,) = (run for run in grids.numbers_of_clusters("quick") if run.params["n_clusters"] == 10)
    short = {"epochs": 2, "width": 0.2}
    run = type(run)(**{**vars(run), "params": {**run.params, **short}, "sampling": {"subset": 300}})
    sweep([run], tmp_path, starts_folder=tmp_path / "starts", n_jobs=1, progress=False)
    record = read(path_of(run.identity, tmp_path))
    assert list(curves([record], "stability", ["n_clusters"])["n_clusters"]) == [10]
    assert list(curves([record], "nmi")["epoch"]) == [1, 2]
    probed = tables.probes([record], "n_clusters")
    assert set(probed["metric"]) >= set(tables.SHOWN) and (probed["n_clusters"] == 10).all()
    assert to_frame([record], ["n_clusters"])["n_clusters"].unique() == [10]


def course(k=10, warm=None, seed=0, stability=(0.5, 0.7)):
    """A record of Fig. 2: the first epoch has no stability."""
    params = {"n_clusters": k} | ({} if warm is None else {"warm_start": warm})
    run = {"method": "DeepCluster", "dataset": "digits", "seed": seed, "sampling": {}, "params": params}
    history = [{"phase": "clustering and training", "epoch": 1, "nmi": 0.3}]
    history += [{"phase": "clustering and training", "epoch": 2, "nmi": 0.4, "stability": s} for s in stability]
    return Record(run, {"nmi": 0.4}, history, {})


def test_fig2_names_the_data_set_where_there_are_several():
    once = summarize(tables.settled([course()]))
    both = tables.by_k(pd.concat([once, once.assign(dataset="stl10")]))
    alone = tables.MEASURES["nmi"]
    assert tables.by_k(once)["%"].tolist()[0] == alone
    assert both["%"].tolist()[:2] == [f"{alone}, digits (8×8)", f"{alone}, STL-10"]


def test_fig2_tells_how_k_means_starts():
    records = [course(), course(30, warm=False)]
    assert tables.settled(records) == [
        ("DeepCluster", "digits", "nmi at n_clusters = 10", 40.0),
        ("DeepCluster", "digits", "stability at n_clusters = 10", 70.0),
        ("DeepCluster", "digits", "nmi_anew at n_clusters = 30", 40.0),
        ("DeepCluster", "digits", "stability_anew at n_clusters = 30", 70.0),
    ]
    drawn = tables.courses(records, "stability")
    assert drawn["stability"].tolist() == [0.5, 0.7] * 2 and drawn["method"].tolist() == ["k = 10"] * 2 + ["k = 30"] * 2
    titles = [axis.get_title(loc="left") for axis in plots.histories(drawn, "stability", "").axes]
    assert titles == ["digits (8×8)\nk-means from the clusters before", "digits (8×8)\nk-means anew"]


def test_relatives_have_one_untrained_row():
    def found(method, probe):
        portrait = {
            "trained": {"probe": probe, "acc": 0.5, "nmi": 0.4},
            "untrained": dict.fromkeys(("probe", "acc", "nmi"), 0.2),
        }
        run = {"method": method, "dataset": "digits", "seed": 0, "sampling": {}, "params": {}}
        return Record(run, {"nmi": 0.1}, [], {}, portrait)

    told = tables.worth_table(summarize(tables.worth([found("DeepCluster", 0.7), found("SwAV", 0.9)])))
    assert told["%"].tolist() == ["untrained", "DeepCluster", "SwAV"]
    assert told["linear probe"].tolist() == [20, 70, "**90.0**"]
    assert told["NMI of k-means"].tolist() == [20, "**40.0**", "**40.0**"]
