"""The sweeps of Figs. 7, 10, 11(b) and 12: one setting moves, everything else stays as the table's runs have it."""

import pytest

from dcbook.chapters.dcss import grids
from dcbook.chapters.dcss.grids import SENSITIVITY
from dcbook.experiments import Record, over, sampled, stand_in, summarize, to_frame, with_clusters

ONE_SETTING = {
    "alpha": grids.alpha,
    "m": grids.fuzziness,
    "T1": grids.updates_of_centers,
    "T2": grids.handover,
}


@pytest.mark.parametrize("scale", SENSITIVITY)
@pytest.mark.parametrize("name", ONE_SETTING)
def test_one_setting_varies_and_the_start_is_shared(name, scale):
    runs = ONE_SETTING[name](scale)
    values = {run.params[name] for run in runs}
    assert len(runs) == len(values) * len(SENSITIVITY[scale].seeds) and len(values) >= 2
    assert len({tuple((k, v) for k, v in run.params.items() if k != name) for run in runs}) == 1
    assert len({str(run.start.recipe("digest")) for run in runs if run.seed == runs[0].seed}) == 1
    assert all(run.watch is None for run in runs)


@pytest.mark.parametrize("name", ["alpha", "m", "T1"])
def test_the_default_of_the_paper_is_among_the_values(name):
    default = {"alpha": 0.1, "m": 1.5, "T1": 2}[name]
    assert default in {run.params[name] for run in ONE_SETTING[name]("laptop")}


def test_the_handover_goes_from_the_first_epoch_to_never():
    values = sorted({run.params["T2"] for run in grids.handover("laptop")})
    assert values[0] == 0 and values[-1] == SENSITIVITY["laptop"].methods["DCSS"].params["phase2_epochs"]
    assert SENSITIVITY["laptop"].methods["DCSS"].params["T2"] in values


@pytest.mark.parametrize("scale", SENSITIVITY)
def test_thresholds_are_valid_pairs(scale):
    pairs = {(run.params["zeta"], run.params["gamma"]) for run in grids.thresholds(scale)}
    assert len(pairs) >= 4 and all(0 <= gamma <= zeta <= 1 for zeta, gamma in pairs)


def test_imbalance_thins_the_pretraining_too():
    runs = grids.imbalance("laptop", seeds=[0])
    assert len(runs) == 5 * len(grids.CONTESTANTS)
    for run in runs:
        assert run.sampling["retention"] in (0.1, 0.3, 0.5, 0.7, 0.9) and run.sampling["subset"] == 2000
        assert run.start is None or run.start.sampling == run.sampling
    assert {run.dataset for run in runs} == {"mnist-test"}


def test_a_wrong_k_is_wrong_from_the_pretraining_on():
    runs = [run for run in grids.wrong_k("laptop", seeds=[0]) if run.method == "DCSS"]
    assert [run.params["n_clusters"] for run in runs] == [4, 7, 10, 13, 16]
    for run in runs:
        at = run
        while at.start:
            at = at.start
            assert at.params["n_clusters"] == run.params["n_clusters"]
    assert len({run.identity["params"]["n_clusters"] for run in runs}) == 5


def test_a_sample_and_a_number_of_clusters_leave_the_run_itself_alone():
    run = grids.alpha("quick")[0]
    thinner, fewer = sampled(run, retention=0.5), with_clusters(run, 3)
    assert "retention" not in run.sampling and "n_clusters" not in run.params
    assert thinner.identity != run.identity != fewer.identity
    assert thinner.start.recipe("digest") == run.start.recipe("digest")  # the digest of the data tells them apart
    assert fewer.start.recipe("digest") != run.start.recipe("digest")


@pytest.mark.parametrize(
    ("wanted", "present", "found"),
    [
        ("usps", ["mnist-test", "usps"], "usps"),
        ("mnist", ["usps", "mnist-test"], "mnist-test"),
        ("mnist", ["usps", "mnist", "mnist-test"], "mnist"),
        ("fashion-mnist", ["digits"], "digits"),
        ("mnist", ["digits", "usps"], "digits"),
    ],
)
def test_what_stands_for_the_data_of_the_paper(wanted, present, found):
    assert stand_in(wanted, present) == found


def test_a_table_reads_parameters_and_the_sample():
    run = {"method": "a", "dataset": "x", "scale": "s", "seed": 0, "params": {"m": 1.1}, "sampling": {"retention": 0.3}}
    frame = to_frame([Record(run, {"acc": 0.5}, [], {})], ["m", "retention", "zeta"])
    assert frame.loc[0, ["m", "retention", "zeta"]].tolist() == [1.1, 0.3, None]


def test_a_wide_table_has_a_column_for_each_value():
    rows = [("b", "x", "acc at T1 = 5", v) for v in (40, 44)] + [("b", "x", "acc at T1 = 1", 50)]
    wide = over(summarize([*rows, ("a", "x", "acc at m = 2", 7)]), "T1")
    assert wide.columns.tolist() == ["T1 = 5", "T1 = 1"] and wide.index.tolist() == [("b", "x", "acc")]
    assert wide.iloc[0].tolist() == ["42.0 ± 2.8", "50.0"]
