"""The released code's protocol, seen through: each phase goes on from the checkpoint that the labels picked."""

import numpy as np
import pytest

from dcbook.chapters.dcss.grids import PAPER_AGAINST_CODE
from dcbook.chapters.dcss.watches import LabelPickedProtocol
from dcbook.data import Dataset
from dcbook.evaluation import LabelPicked, label_picked
from dcbook.experiments import Method, Scale, records, runs, sweep
from dcbook.methods import DCSS, Pretraining
from dcbook.methods.dcss import RELEASED_ROWS

LABELS = np.array([0, 0, 1, 1])


class Step:
    """A phase that goes through given accuracies; its checkpoint is a name."""

    def __init__(self, phase, accuracies, start=None):
        self.phase, self.accuracies, self.start = phase, accuracies, start

    def set_params(self, start):
        self.start = start
        return self

    def fit(self, x, monitor):
        self.history_ = []
        for epoch, accuracy in enumerate(self.accuracies, 1):
            wrong = round(4 * (1 - accuracy))
            self.labels_ = np.array([0, 0, 1, 1]) if not wrong else np.array([0, 0, 1, 0])
            self.start_ = f"{self.phase}, epoch {epoch}"
            self.history_.append({"phase": self.phase, "epoch": epoch})
            self.history_[-1].update(monitor(self))
        return self


def test_each_step_starts_from_the_picked_checkpoint_of_the_one_before():
    steps = [Step("first", [0.75, 1, 0.75]), Step("second", [0.75, 0.75]), Step("third", [1])]
    found = label_picked(steps, None, LABELS)
    assert [step.start for step in steps] == [None, "first, epoch 2", "second, epoch 1"]  # the earliest of equals
    assert list(found) == ["first", "second", "third"]
    assert found["first"]["best"] == {"epoch": 2, "acc": 1.0, "nmi": 1.0}
    assert found["first"]["last"]["epoch"] == 3 and found["first"]["last"]["acc"] == 0.75


def overlapping(name="groups", n=120):
    """Three groups that overlap, so that epochs differ."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    points = np.eye(6)[labels] + rng.normal(0, 0.45, (n, 6))
    images = ((points - points.min()) / np.ptp(points)).astype(np.float32).reshape(n, 1, 2, 3)
    return Dataset(name, images, labels)


SETTINGS = {
    "start": Pretraining(widths=(16,), latent_dim=3, epochs=12, batch_size=32, lr=1e-2),
    "phase1_epochs": 6,
    "phase1_lr": 1e-3,
    "phase2_epochs": 6,
    "T2": 3,
    "batch_size": 32,
    "schedule_size": None,
    "mnet_lr": 0.01,
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The record of one run, looked at and not."""

    def swept(watch):
        scale = Scale(datasets={"groups": {}}, seeds=(0,), methods={"DCSS": Method(DCSS, SETTINGS, watch=watch)})
        grid = runs(scale)
        options = {"load": overlapping, "n_jobs": 1, "device": "cpu", "progress": False}
        assert sweep(grid, folder / "records", starts_folder=folder / "starts", **options).complete
        return records.read(records.path_of(grid[0].identity, folder / "records"))

    folder = tmp_path_factory.mktemp("protocol")
    return swept(LabelPickedProtocol()), swept(None)


def test_the_watch_changes_nothing_of_the_run(both):
    watched, alone = both
    assert watched.scores == alone.scores and watched.history == alone.history


def test_the_portrait_is_the_chain_made_by_hand(both):
    portrait, data = both[0].portrait, overlapping()
    skipped = ({"phase1_epochs": 0, "phase2_epochs": 0}, {"phase2_epochs": 0}, {"phase1_epochs": 0})
    start = SETTINGS["start"]
    for phase, off in zip(("pretraining", "phase 1", "phase 2"), skipped, strict=True):
        watch = LabelPicked(data.labels)
        model = DCSS(3, random_state=0, **SETTINGS | off | {"start": start}).fit(data.images, monitor=watch)
        assert {entry["phase"] for entry in model.history_} == {phase}
        for name in ("epoch", "acc", "nmi"):
            assert portrait[phase]["best"][name] == pytest.approx(watch.best[phase][name], abs=1e-5)
            assert portrait[phase]["last"][name] == pytest.approx(model.history_[-1][name], abs=1e-5)
        start = watch.best[phase]["start"]
    assert list(portrait) == ["pretraining", "phase 1", "phase 2"]
    assert portrait["pretraining"]["best"]["epoch"] < 12, "a case in which the labels pick another epoch than the last"


def test_the_label_free_values_are_in_the_history(both):
    """The notebook takes them from there: the last epoch of each phase, and the last of all is the result."""
    history, scores = both[0].history, both[0].scores
    ends = {entry["phase"]: entry for entry in history if "acc" in entry}
    assert (ends["phase 1"]["epoch"], ends["phase 2"]["epoch"]) == (6, 6)
    assert ends["phase 2"]["acc"] == pytest.approx(scores["acc"], abs=1e-5)


@pytest.mark.parametrize("scale", PAPER_AGAINST_CODE)
def test_variants_differ_in_their_rows_alone(scale):
    dataset = next(iter(PAPER_AGAINST_CODE[scale].datasets))
    grid = {run.method: run for run in runs(PAPER_AGAINST_CODE[scale], datasets=[dataset], seeds=[0])}
    whole, *variants = grid.values()
    assert [run.params["variant"] for run in variants] == ["paper", *RELEASED_ROWS, "released"]
    for run in variants:
        same = {k: v for k, v in run.params.items() if k not in ("variant", "phase1_epochs")}
        first = run.start.params
        assert same.items() <= whole.params.items() and run.params["phase1_epochs"] == 0
        assert (first["phase1_epochs"], first["phase2_epochs"]) == (whole.params["phase1_epochs"], 0)
        released = "centers" if run.params["variant"] in ("centers", "released") else "paper"
        assert first.get("variant", "paper") == released
        assert run.start.start.params["start"] == whole.params["start"]
