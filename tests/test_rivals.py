"""Methods over computing time: the clock of a fit, what records keep of it, and DCSS beside rivals at equal time."""

import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from dcbook.book.verdicts import NotTested, recorded
from dcbook.chapters.dcss import pictures, tables
from dcbook.chapters.dcss.claims.judges import leads_in_time
from dcbook.chapters.dcss.grids import BEFORE, COMPARED, GRIDS, RIVALS
from dcbook.chapters.dcss.watches import CoreSeconds
from dcbook.data import Dataset
from dcbook.experiments import Method, Record, Scale, runs, sweep
from dcbook.experiments.records import path_of, read
from dcbook.experiments.verdict import CONTRADICTED, SUPPORTED, UNDECIDED
from dcbook.experiments.worker import estimator
from dcbook.methods import DEC, IDEC, AEKMeans, Pretraining

ROOT = Path(__file__).parents[1]
RECIPE = Pretraining(widths=(16,), latent_dim=3, epochs=10, batch_size=32, lr=1e-2)
SHORT = {"max_updates": 30, "update_interval": 5, "batch_size": 32, "tol": 0.0}


def points(n=150):
    """Three groups in 6 dimensions."""
    rng = np.random.default_rng(0)
    return (np.eye(6)[np.arange(n) % 3] + rng.normal(0, 0.1, (n, 6))).astype(np.float32)


def dataset(name="groups"):
    x = points()
    images = ((x - x.min()) / np.ptp(x)).reshape(len(x), 1, 2, 3)
    return Dataset(name, images, np.arange(len(x)) % 3)


def busy(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def test_the_clock_of_a_fit_counts_what_it_computes_and_no_looks():
    def idle_and_look(model):
        time.sleep(0.01)
        busy(0.02)
        return {"at": model.core_seconds_}

    start = AEKMeans(3, start=RECIPE, random_state=0).fit(points()).start_
    began = time.process_time()
    model = IDEC(3, start=start, random_state=0, progress=False, **SHORT).fit(points(), monitor=idle_and_look)
    spent, looks = time.process_time() - began, 0.02 * len(model.history_)
    at = [entry["at"] for entry in model.history_]
    assert at == sorted(at) and at[0] > 0 and at[-1] <= model.core_seconds_ <= spent - looks


class Stop(Exception):
    pass


def test_the_clock_goes_on_from_a_checkpoint(tmp_path):
    def stop(model):
        busy(0.02)
        if len(model.history_) == 13:
            raise Stop

    def fresh():
        return IDEC(3, start=RECIPE, random_state=0, progress=False, **SHORT)

    def looked(model):
        return {"at": model.core_seconds_}

    with pytest.raises(Stop):
        fresh().fit(points(), monitor=stop, checkpoint=tmp_path / "half")
    whole = fresh().fit(points(), monitor=looked)
    rest = fresh().fit(points(), monitor=looked, checkpoint=tmp_path / "half")
    later = [entry["at"] for entry in rest.history_ if "at" in entry]
    assert len(later) == len(rest.history_) - 12 and later == sorted(later)
    pretraining = [entry["at"] for entry in whole.history_ if entry["phase"] == "pretraining"][-1]
    assert later[0] > pretraining / 20, "the time before the checkpoint is lost"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder, watch = tmp_path_factory.mktemp("timed"), CoreSeconds()
    scale = Scale(
        datasets={"groups": {}},
        seeds=(0, 1),
        starts={"autoencoder": Method(AEKMeans, {"start": RECIPE})},
        methods={
            BEFORE: Method(AEKMeans, start="autoencoder", watch=watch),
            "DCSS": Method(DEC, SHORT, "autoencoder", watch),
            "BRB (IDEC)": Method(IDEC, SHORT, "autoencoder", watch),
        },
        monitor_every=2,
    )
    grid = runs(scale)
    given = {"starts_folder": folder / "starts", "load": dataset, "n_jobs": 1, "device": "cpu", "progress": False}
    assert sweep(grid, folder / "records", **given).complete
    return [read(path_of(run.identity, folder / "records")) for run in grid]


def test_rows_begin_with_the_start_and_end_with_the_run(swept):
    frame = tables.timed(swept, BEFORE)
    assert set(frame["method"]) == {"DCSS", "BRB (IDEC)"} and set(frame["seed"]) == {0, 1}
    by_run = {(r.run["method"], r.run["seed"]): r for r in swept}
    for (method, seed), rows in frame.groupby(["method", "seed"]):
        record = by_run[method, seed]
        assert rows["seconds"].is_monotonic_increasing and rows["seconds"].iloc[0] == 0
        assert rows["acc"].iloc[0] == pytest.approx(100 * by_run[BEFORE, seed].scores["acc"])
        assert rows["acc"].iloc[-1] == pytest.approx(100 * record.scores["acc"])
        assert rows["seconds"].iloc[-1] == record.portrait["core_seconds"]
        assert len(rows) == 2 + sum("acc" in entry for entry in record.history) >= 4


def timed_record(method, seed, end, *looks, dataset="x"):
    """A record whose last (seconds, ACC) is `end`; ACC in per cent."""
    run = {"method": method, "dataset": dataset, "seed": seed, "params": {}, "sampling": {}, "start": None}
    history = [
        {"phase": "p", "epoch": n, "core_seconds": at, "acc": a / 100, "nmi": a / 200}
        for n, (at, a) in enumerate(looks, 1)
    ]
    scores = {"acc": end[1] / 100, "nmi": end[1] / 200}
    return Record(run, scores, history, {}, {} if method == BEFORE else {"core_seconds": end[0]})


def race(n2d=(5, 60), late=70.0, seeds=3):
    """DCSS ends after 10 seconds with 80; a rival passes 50 in time and `late` after it."""
    found = []
    for seed in range(seeds):
        luck = seed / 100
        found += [
            timed_record(BEFORE, seed, (0, 40)),
            timed_record("DCSS", seed, (10, 80 + luck), (4, 30), (8, 75)),
            timed_record("N2D", seed, n2d),
            timed_record("BRB (IDEC)", seed, (20, late), (6, 50), (10.5, 65)),
            timed_record("SpectralNet", seed, (11, 90)),
        ]
    return found


def test_at_equal_time_stands_the_last_look_before_the_end_of_dcss():
    frame = tables.timed(race(), BEFORE)
    found = tables.in_time(frame, "DCSS").set_index(["method", "seed"])["acc"]
    assert found["DCSS", 1] == pytest.approx(80.01) and found["N2D", 0] == 60
    assert found["BRB (IDEC)", 2] == 50, "what comes after the end of DCSS does not count"
    assert found["SpectralNet", 0] == 40, "a run without a look in time stands at its start"


def test_the_claim_is_about_each_rival_at_equal_time():
    answer = leads_in_time(race())
    assert answer.verdict == UNDECIDED and answer.absent == ["BRB (DEC)", "BRB (DCN)"]
    assert replace(answer, absent=()).verdict == SUPPORTED
    assert len(answer.questions) == 4, "SpectralNet is not asked about"
    means = {question.about: question.estimate.mean for question in answer.questions}
    assert means["ACC over BRB (IDEC)"] == pytest.approx(30.01) and means["NMI over N2D"] == pytest.approx(10.005)
    assert "DCSS over the start, in 10 core-seconds: ACC +40.0" in answer.evidence
    assert leads_in_time(race(n2d=(9, 95))).verdict == CONTRADICTED
    assert replace(leads_in_time(race(late=99)), absent=()).verdict == SUPPORTED
    for records in ([], race()[:1], [each for each in race() if each.run["method"] in (BEFORE, "DCSS")]):
        with pytest.raises(NotTested, match="no timed records of DCSS beside N2D or BRB"):
            leads_in_time(records)


def test_the_summary_has_scores_in_time_and_at_the_end():
    summary = tables.raced(tables.timed(race(), BEFORE), "DCSS", BEFORE)
    means = summary.set_index(["method", "metric"])["mean"]
    assert means["BRB (IDEC)", "ACC, % in DCSS's time"] == 50 and means["BRB (IDEC)", "ACC, % at the end"] == 70
    assert means["BRB (IDEC)", "core-seconds"] == 20 and means[BEFORE, "core-seconds"] == 0
    assert means[BEFORE, "NMI, % at the end"] == 20
    page = tables.race(summary).set_index("method")
    assert page.index[0] == BEFORE and page.loc["DCSS", "ACC, % at the end"] == "80.0 ± 0.0"
    pd.testing.assert_series_equal(page["dataset"], pd.Series("x", page.index, name="dataset"), check_names=False)


def test_the_picture_has_a_panel_a_method_and_a_line_a_seed():
    figure = pictures.races(tables.timed(race(), BEFORE), "acc", "DCSS")
    titles = [axis.get_title("left") for axis in figure.axes]
    assert titles[:4] == ["DCSS", "N2D", "BRB (IDEC)", "SpectralNet"] and set(titles[4:]) <= {""}
    brb = figure.axes[2]
    curves = [line.get_xydata().tolist() for line in brb.lines if len(line.get_xydata()) == 4]
    assert len(curves) == 6 and curves[3] == [[0, 40], [6, 50], [10.5, 65], [20, 70]]
    plt.close(figure)


@pytest.mark.parametrize("scale", COMPARED)
def test_all_start_from_one_convolutional_autoencoder(scale):
    found = GRIDS["rivals"](scale)
    names = {run.method for run in found}
    assert {BEFORE, "DCSS", "N2D", "BRB (IDEC)"} <= names <= {BEFORE, "DCSS", *RIVALS}
    assert len({str(run.start.params) for run in found}) == 1
    assert all(isinstance(run.watch, CoreSeconds) for run in found)
    for run in found:
        if run.method != "N2D" or scale == "quick" or find_spec("umap"):  # the package is optional
            estimator(run, "cpu", 10)._check_hyperparameters()
    if scale == "paper":
        assert names == {BEFORE, "DCSS", *RIVALS} and {run.seed for run in found} == set(range(5))
        assert {run.dataset for run in found} == {"usps", "mnist-test", "fashion-mnist-test"}


def test_records_of_one_seed_come_from_the_same_weights():
    found = recorded(GRIDS["rivals"]("laptop"), ROOT / "figures" / "laptop" / "dcss" / "records")
    weights = {}
    for record in found:
        about = record.run["dataset"], record.run["seed"]
        weights.setdefault(about, set()).add(record.provenance["start"]["digest"])
    assert weights and all(len(each) == 1 for each in weights.values())


def test_what_the_page_says_of_the_laptop_runs():
    records = recorded(GRIDS["rivals"]("laptop"), ROOT / "figures" / "laptop" / "dcss" / "records")
    frame = tables.timed(records, BEFORE)
    ends = tables.in_time(frame, "DCSS").set_index(["method", "dataset", "seed"])[["acc", "nmi", "seconds"]]
    ends = ends.sort_index()
    starts = frame.query("method == 'DCSS' and seconds == 0").set_index(["dataset", "seed"])[["acc", "nmi"]]
    page = (ROOT / "notebooks" / "dcss" / "rivals.ipynb").read_text()
    gains = ends.groupby("method").apply(lambda rows: rows.loc[rows.name] - ends.loc["DCSS"])
    n2d, spectral, brb = (gains.loc[name].groupby("dataset") for name in ("N2D", "SpectralNet", "BRB (IDEC)"))
    assert n2d[["acc", "nmi"]].min().min().min() > 0, "N2D ends above DCSS with every seed"
    assert spectral["nmi"].min().min() > 0 and brb["nmi"].max().max() < 0
    assert (ends.loc["N2D", "seconds"] / ends.loc["DCSS", "seconds"]).max() < 1 / 5
    of_start = (ends.loc["BRB (IDEC)"] - starts)["acc"].groupby("dataset").mean()
    for dataset, name in (("usps", "USPS"), ("mnist-test", "MNIST"), ("fashion-mnist-test", "Fashion-MNIST")):
        least, most = n2d.min().loc[dataset], n2d.max().loc[dataset]
        mean, own = spectral.mean().loc[dataset], (ends.loc["DCSS"] - starts).groupby("dataset").mean().loc[dataset]
        for sentence in (
            f"{least['acc']:.0f} to {most['acc']:.0f} points of ACC and {least['nmi']:.0f} to {most['nmi']:.0f} of NMI "
            f"on {name}",
            f"{mean['nmi']:+.1f} points of NMI and {mean['acc']:+.1f} of ACC on {name}",
            f"{of_start[dataset]:+.1f} points of ACC on {name} (DCSS {own['acc']:+.1f})",
        ):
            assert sentence in page, sentence
    seeds = n2d.size()
    assert set(seeds) == {5} and len(seeds) == 3 and "mean ± standard deviation over five seeds" in page
