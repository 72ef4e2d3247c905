"""The runs of the DeepCluster chapter, and what they keep of each network's layers."""

import numpy as np
import pytest

from dcbook.data import load
from dcbook.experiments import curves, deepcluster, sweep, to_frame
from dcbook.experiments.records import path_of, read
from dcbook.experiments.watch import LayerProbes
from dcbook.experiments.work import estimator
from dcbook.methods import DeepCluster

LISTS = (deepcluster.numbers_of_clusters, deepcluster.safeguards, deepcluster.samplers)


@pytest.mark.parametrize("scale", deepcluster.SCALES)
@pytest.mark.parametrize("several", LISTS)
def test_runs_differ_and_their_settings_are_valid(scale, several):
    runs = several(scale)
    seeds = deepcluster.SCALES[scale].seeds
    assert len({path_of(run.identity, ".") for run in runs}) == len(runs) >= 2 * len(seeds)
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


def test_a_record_has_curves_and_probes(tmp_path):
    (run,) = (run for run in deepcluster.numbers_of_clusters("quick") if run.params["n_clusters"] == 10)
    short = {"epochs": 2, "width": 0.2}
    run = type(run)(**{**vars(run), "params": {**run.params, **short}, "sampling": {"subset": 300}})
    sweep([run], tmp_path, starts_folder=tmp_path / "starts", n_jobs=1, progress=False)
    record = read(path_of(run.identity, tmp_path))
    assert list(curves([record], "stability", ["n_clusters"])["n_clusters"]) == [10]
    assert list(curves([record], "nmi")["epoch"]) == [1, 2]
    probed = deepcluster.probes([record], "n_clusters")
    assert set(probed["metric"]) >= set(deepcluster.SHOWN) and (probed["n_clusters"] == 10).all()
    assert to_frame([record], ["n_clusters"])["n_clusters"].unique() == [10]
