import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
import pytest
from joblib.externals.loky import reusable_executor

from dcbook.chapters.dcss.grids import GRIDS, TABLE1, TABLE4
from dcbook.data import load
from dcbook.evaluation import scores
from dcbook.experiments import records, task_queue, to_frame
from dcbook.experiments import sweep as sweep_runs
from dcbook.experiments.progress import Progress, clock
from dcbook.experiments.runs import Method, Scale, runs, vary
from dcbook.experiments.worker import Outcome, Task, idle
from dcbook.methods import DEC, AEKMeans, Pretraining
from tests import fakes


def scale(trail=None, seeds=(0, 1), datasets=("points",), **methods):
    """A start, two methods that go on from it, and one that goes on from the first of them."""
    return Scale(
        datasets={name: {} for name in datasets},
        seeds=seeds,
        starts={"common": Method(fakes.Pretrained, {"trail": trail})},
        methods={
            "alone": Method(fakes.Threshold, {"trail": trail, "shift": 0.1}),
            "first": Method(fakes.Threshold, {"trail": trail, "shift": 0.2}, start="common"),
            "second": Method(fakes.Threshold, {"trail": trail, "shift": 0.3}, start="common"),
            "third": Method(fakes.Threshold, {"trail": trail, "shift": 0.4}, start="first"),
            **methods,
        },
    )


def sweep(chosen, folder, **options):
    given = {"starts_folder": folder / "starts", "load": fakes.load, "start_type": fakes.Start, "n_jobs": 1}
    return sweep_runs(chosen, folder / "records", **given | {"progress": False} | options)


def outcome(folder):
    """What a sweep found, without what may differ from run to run."""
    found = records.read_all(folder / "records")
    return [(r.run, r.scores, r.history, (r.provenance["start"] or {}).get("digest")) for r in found]


def test_every_run_gets_a_record_and_the_second_time_there_is_nothing_to_do(tmp_path, capsys):
    trail = str(tmp_path / "trail")
    grid = runs(scale(trail))
    result = sweep(grid, tmp_path, progress=True)
    assert result.complete
    assert set(map(str, result.done)) == {f"{m} on points, seed {s}" for m in scale().methods for s in (0, 1)}
    assert "8 done, 0 had a record, 0 failed, 0 unfinished" in capsys.readouterr().out
    begun = len(fakes.trail(trail))
    again = sweep(grid, tmp_path)
    assert (len(again.done), len(again.skipped)) == (0, 8)
    assert len(fakes.trail(trail)) == begun


def test_a_record_says_what_was_run_and_where_it_comes_from(tmp_path):
    (run,) = runs(scale(seeds=(1,)), ["third"])
    sweep([run], tmp_path)
    (record,) = records.read_all(tmp_path / "records")
    common = fakes.Pretrained(random_state=1).fit(fakes.load("points").images, monitor=lambda model: {})
    first = fakes.Threshold(start=common.start_, shift=0.2, random_state=1)
    first.fit(fakes.load("points").images, monitor=lambda model: {})
    third = fakes.Threshold(start=first.start_, shift=0.4, random_state=1)
    third.fit(fakes.load("points").images, monitor=lambda model: {})
    assert record.scores == scores(fakes.load("points").labels, third.labels_)
    assert [row["acc"] for row in record.history] == pytest.approx([record.scores["acc"]] * 2, rel=1e-5)
    assert record.run["params"] == {"trail": None, "shift": 0.4}
    assert record.run["start"]["method"] == "first"
    about = record.provenance
    assert about["start"]["digest"] == first.start_.digest
    assert about["data"] == {"digest": fakes.load("points").digest, "original": True, "note": "made up"}
    assert about["parameters"]["epochs"] == 2
    assert about["threads"] == 1
    assert about["seconds"] >= 0
    assert 10 < about["peak_memory_mib"] < 1e5
    assert set(about["versions"]) == {"python", "dcbook", "torch", "numpy", "sklearn", "torchvision"}


def test_two_processes_do_what_one_does_and_each_start_is_trained_once_before_what_needs_it(tmp_path):
    for jobs in (1, 2):
        assert sweep(runs(scale(seeds=(0, 1, 2))), tmp_path / str(jobs), n_jobs=jobs).complete
    assert outcome(tmp_path / "1") == outcome(tmp_path / "2")
    trail = str(tmp_path / "trail")
    grid = [run for run in runs(scale(trail)) if run.method != "alone"]
    assert sweep(grid[::-1], tmp_path / "3", n_jobs=2).complete
    notes = fakes.trail(trail)
    assert Counter((name, shift, seed) for what, name, shift, seed, *_ in notes if what == "begin") == Counter(
        {
            **{("Pretrained", 0.0, seed): 1 for seed in (0, 1)},
            **{("Threshold", shift, seed): 1 for shift in (0.2, 0.3, 0.4) for seed in (0, 1)},
        }
    )
    place = {(what, shift, seed): i for i, (what, _, shift, seed, *_) in enumerate(notes)}
    for seed in (0, 1):
        assert place["end", 0.0, seed] < min(place["begin", 0.2, seed], place["begin", 0.3, seed])
        assert place["end", 0.2, seed] < place["begin", 0.4, seed]
    assert all(process != os.getpid() for *_, process in notes)


def test_fresh_processes_do_what_forked_ones_do(tmp_path, monkeypatch):
    assert sweep(runs(scale()), tmp_path / "forked", n_jobs=2).complete
    fresh = partial(joblib.parallel_config, "loky", inner_max_num_threads=1)  # beside a GPU, and not on Linux
    module = sys.modules[sweep_runs.__module__]
    monkeypatch.setattr(module, "local_workers", lambda jobs, device: fresh(n_jobs=jobs))
    assert sweep(runs(scale()), tmp_path / "fresh", n_jobs=2).complete
    assert outcome(tmp_path / "forked") == outcome(tmp_path / "fresh")


def test_a_start_is_kept_for_later_sweeps_and_trained_anew_for_other_data(tmp_path, monkeypatch):
    trail = str(tmp_path / "trail")
    sweep(runs(scale(trail, seeds=(0,)), ["first"]), tmp_path)
    sweep(runs(scale(trail, seeds=(0,)), ["second"]), tmp_path)
    assert [name for what, name, *_ in fakes.trail(trail) if what == "end"] == ["Pretrained", "Threshold", "Threshold"]
    monkeypatch.setenv("FAKE_DATA", "0.5")
    with pytest.raises(ValueError, match="second on points, seed 0: its record was made with other data"):
        sweep(runs(scale(trail, seeds=(0,)), ["second"]), tmp_path)
    sweep(runs(scale(trail, seeds=(0,)), ["third"]), tmp_path)
    assert [name for what, name, *_ in fakes.trail(trail) if what == "end"][3] == "Pretrained"


def test_starts_that_set_their_own_seed_are_not_shared(tmp_path):
    starts = {name: Method(fakes.Threshold, {"random_state": seed}) for name, seed in (("a", 1), ("b", 2))}
    after = {f"after {name}": Method(fakes.Threshold, {}, start=name) for name in starts}
    assert sweep(runs(Scale({"points": {}}, (0,), starts | after)), tmp_path).complete
    found = {record.run["method"]: record for record in records.read_all(tmp_path / "records")}
    for name, method in starts.items():
        alone = fakes.Threshold(**method.params).fit(fakes.load("points").images, monitor=lambda model: {})
        assert found[f"after {name}"].provenance["start"]["digest"] == alone.start_.digest


def test_a_failed_run_is_named_with_its_error_and_the_others_go_on(tmp_path, capsys):
    broken = Method(fakes.Threshold, {"mode": "fail"})
    after = Method(fakes.Threshold, {}, start="broken")
    result = sweep(runs(scale(broken=broken, after=after)), tmp_path, progress=True, n_jobs=2)
    assert len(result.done) == 8
    assert not result.complete
    assert {str(failure.run): failure.error for failure in result.failed} == {
        **{f"broken on points, seed {s}": "RuntimeError: the moon was wrong" for s in (0, 1)},
        **{
            f"after on points, seed {s}": f"its start, broken on points, seed {s}, failed: RuntimeError: "
            "the moon was wrong"
            for s in (0, 1)
        },
    }
    assert "failed: broken on points, seed 1: RuntimeError: the moon was wrong" in capsys.readouterr().out
    assert "in fit" in result.failed[0].trace
    assert len(records.read_all(tmp_path / "records")) == 8


def test_a_process_that_dies_fails_its_run_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(task_queue, "CRASHES", 1)  # each crash costs a new pool
    deadly = Method(fakes.Threshold, {"mode": "die"})
    result = sweep(runs(scale(seeds=(0,), deadly=deadly), ["deadly", "alone"]), tmp_path, n_jobs=2)
    assert [str(failure.run) for failure in result.failed] == ["deadly on points, seed 0"]
    assert "its process died" in result.failed[0].error
    assert list(map(str, result.done)) == ["alone on points, seed 0"]


def test_what_ran_when_a_process_died_is_tried_again_alone():
    tasks = [Task(run, record=True, keep=False) for run in runs(scale(), ["alone"])] * 2
    plan = task_queue.TaskQueue(tasks, {}, deadline=float("inf"))
    calls = plan.stream(None)
    begun = [next(calls)[1][0] for _ in range(2)]
    assert begun == [0, 1]
    plan.crashed(OSError())
    assert [next(calls)[1][0] for _ in range(2)] == [2, 3]
    assert next(calls)[0] is idle  # 0 and 1 wait until they can run alone
    for number in (2, 3):
        plan.settle(Outcome(number, "done"))
    assert next(calls)[1][0] == 0
    assert next(calls)[0] is idle
    plan.crashed(OSError())
    assert next(calls)[1][0] == 1
    plan.settle(Outcome(1, "done"))
    assert {number: outcome.status for number, outcome in plan.ended.items()} == {
        0: "failed",
        **dict.fromkeys((1, 2, 3), "done"),
    }
    assert list(calls) == []


def test_a_spent_budget_stops_at_the_next_epoch_and_the_next_sweep_goes_on(tmp_path, capsys):
    slow = {"long": Method(fakes.Threshold, {"epochs": 1000, "pause": 0.05}, start="common")}
    grid = runs(scale(seeds=(0,), **slow), ["first", "long"])
    began = time.perf_counter()
    result = sweep(grid, tmp_path, budget=1.0, progress=True)
    assert time.perf_counter() - began < 5
    assert (list(map(str, result.done)), list(map(str, result.unfinished))) == (
        ["first on points, seed 0"],
        ["long on points, seed 0"],
    )
    assert not result.failed
    assert "the time budget is spent" in capsys.readouterr().out
    assert len(list((tmp_path / "starts").glob("*/about.json"))) == 1
    assert [r.run["method"] for r in records.read_all(tmp_path / "records")] == ["first"]
    result = sweep(grid, tmp_path, budget=0)
    assert (len(result.done), len(result.skipped), len(result.unfinished)) == (0, 1, 1)


def test_a_training_that_can_go_on_does_so_in_the_next_sweep(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAIL", str(tmp_path / "trail"))
    small = {"width": 2, "projection_dim": 3, "epochs": 8, "lr": 0.02, "flip": False, "batch_size": 50}
    learner = Scale({"digits": {"subset": 100}}, (0,), {"SimCLR": Method(fakes.SlowLearner, small)}, monitor_every=1)
    real = {"load": load, "start_type": None}
    begun = 0
    while begun < 2:  # a busy machine needs more than one budget for that
        assert sweep(runs(learner), tmp_path, budget=1.5, **real).unfinished
        begun = len(fakes.trail(tmp_path / "trail"))
    assert begun < 8
    assert sweep(runs(learner), tmp_path, **real).done
    assert len(fakes.trail(tmp_path / "trail")) == 8, "it goes on after the last whole epoch"
    (record,) = records.read_all(tmp_path / "records")
    whole = fakes.SlowLearner(10, random_state=0, device="cpu", **small).fit(load("digits", subset=100).images)
    assert [entry["loss"] for entry in record.history] == pytest.approx([e["loss"] for e in whole.history_], rel=1e-5)
    assert record.provenance["seconds"] > 8 * 0.3, "the seconds of both sweeps count"
    assert not [path for path in (tmp_path / "records" / ".work").iterdir() if path.suffix not in (".lock", "")]
    assert not [p for p in (tmp_path / "records" / ".work").iterdir() if len(p.name) == 64], "no checkpoint is left"


@pytest.mark.parametrize("stored", ["records.write", "starts.Starts.save"])
def test_a_training_is_kept_until_its_result_is_stored(tmp_path, monkeypatch, stored):
    monkeypatch.setattr("dcbook.experiments.run_checkpoint.WORTH", 0)  # after every epoch
    recipe = Pretraining(widths=(8,), latent_dim=4, epochs=2, restarts=1)
    starts = {"autoencoder": Method(AEKMeans, {"start": recipe})}
    dec = {"DEC": Method(DEC, {"max_updates": 4, "batch_size": 100}, start="autoencoder")}
    grid = runs(Scale({"digits": {"subset": 100}}, (0,), dec, starts=starts))
    real = {"load": load, "start_type": None}

    def full(*_, **__):
        raise OSError("no space left on device")

    def checkpoints():
        return [path for path in (tmp_path / "records" / ".work").iterdir() if len(path.name) == 64]

    with monkeypatch.context() as disk:
        disk.setattr(f"dcbook.experiments.{stored}", full)
        assert sweep(grid, tmp_path, **real).failed
    assert len(checkpoints()) == 1
    assert sweep(grid, tmp_path, **real).done and not checkpoints()


def wait_for_notes(tmp_path, n, seconds=60):
    limit = time.monotonic() + seconds
    while len(fakes.trail(tmp_path / "trail")) < n:
        assert time.monotonic() < limit, "the sweep does not get on"
        time.sleep(0.01)


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_the_end_of(processes, seconds=30):
    limit = time.monotonic() + seconds
    while any(map(alive, processes)):
        assert time.monotonic() < limit, "workers outlive their sweep"
        time.sleep(0.05)


def forked_sweep(tmp_path, jobs=1, together=None):
    """Another sweep of the sixteen runs, in a process of its own; `together`: a barrier to wait at before it."""

    def run():
        if together:
            together.wait(60)
        reusable_executor._executor = None  # the workers that we may have are none of the new process
        sys.exit(not sweep(runs(scale(str(tmp_path / "trail"), seeds=range(4))), tmp_path, n_jobs=jobs).complete)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def test_kill_9_at_any_moment_loses_doubles_and_halves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_PAUSE", "0.02")
    trail, chance = str(tmp_path / "trail"), random.Random(0)
    kept = set()
    for _ in range(8):
        sweeper = forked_sweep(tmp_path)
        wait_for_notes(tmp_path, len(fakes.trail(trail)) + chance.randint(1, 4))
        time.sleep(chance.random() * 0.05)
        sweeper.kill()
        sweeper.join()
        found = records.read_all(tmp_path / "records") if (tmp_path / "records").exists() else []
        now = {records.path_of(r.run, tmp_path): r.provenance["finished"] for r in found}.items()
        assert kept <= now
        kept = now
    assert 0 < len(kept) < 16
    notes = len(fakes.trail(trail))
    monkeypatch.delenv("FAKE_PAUSE")
    result = sweep(runs(scale(trail, seeds=range(4))), tmp_path)
    assert (len(result.done), len(result.skipped)) == (16 - len(kept), len(kept))
    found = records.read_all(tmp_path / "records")
    assert len({records.key(r.run) for r in found}) == len(found) == 16
    assert all(entry.suffix == ".json" for entry in (tmp_path / "records" / "points").iterdir())
    assert all(count == 1 for count in Counter(map(str, fakes.trail(trail)[notes:])).values())
    assert sweep(runs(scale(trail, seeds=range(4))), tmp_path / "whole").complete
    assert [found[1:] for found in outcome(tmp_path)] == [found[1:] for found in outcome(tmp_path / "whole")]


def test_workers_end_soon_after_their_sweep_was_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_PAUSE", "60")
    sweeper = forked_sweep(tmp_path, jobs=2)
    wait_for_notes(tmp_path, 2)
    sweeper.kill()
    sweeper.join()
    wait_for_the_end_of({process for *_, process in fakes.trail(tmp_path / "trail")}, seconds=10)


@pytest.fixture
def ctrl_c():
    """Ctrl-C works, also where the tests were started in the background, deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("jobs, mode", [(2, "fit"), (1, "swallow")])
def test_ctrl_c_stops_quietly_and_records_nothing_half(tmp_path, capfd, jobs, mode):
    trail = tmp_path / "trail"
    slow = Method(fakes.Threshold, {"trail": str(trail), "mode": mode, "epochs": 10, "pause": 3})

    def press():
        wait_for_notes(tmp_path, jobs)
        for process in {os.getpid(), *(process for *_, process in fakes.trail(trail))}:
            os.kill(process, signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    result = sweep(runs(scale(slow=slow), ["slow"]), tmp_path, n_jobs=jobs, progress=True)
    assert result.interrupted
    assert len(result.unfinished) == 2
    assert not list((tmp_path / "records").glob("*/*.json"))
    output, errors = capfd.readouterr()
    assert "2 unfinished" in output
    assert "stopped by you" in output
    assert "Traceback" not in errors


def test_two_sweeps_in_one_folder_share_the_work(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_PAUSE", "0.1")
    together = multiprocessing.get_context("fork").Barrier(2)
    both = [forked_sweep(tmp_path, together=together) for _ in range(2)]
    for sweeper in both:
        sweeper.join(60)
    assert [sweeper.exitcode for sweeper in both] == [0, 0]
    notes = fakes.trail(tmp_path / "trail")
    assert Counter(what for what, *_ in notes) == {"begin": 20, "end": 20}
    assert len({process for *_, process in notes}) == 2
    assert len(records.read_all(tmp_path / "records")) == 16


def test_the_same_runs_go_to_a_dask_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    grid = runs(scale(str(tmp_path / "trail")))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        result = sweep(grid, tmp_path, n_jobs=None)
        workers = set(client.run(os.getpid).values())
    assert result.complete, str(result)
    assert {process for *_, process in fakes.trail(tmp_path / "trail")} <= workers
    assert Counter(what for what, *_ in fakes.trail(tmp_path / "trail")) == {"begin": 10, "end": 10}
    assert sweep(runs(scale(str(tmp_path / "trail"))), tmp_path / "here").complete
    assert outcome(tmp_path) == outcome(tmp_path / "here")


def test_what_is_wrong_is_said_before_any_work(tmp_path):
    grid = runs(scale(seeds=(0,)))
    with pytest.raises(ValueError, match="unknown method 'fourth': choose from 'alone', 'first', 'second', 'third'"):
        runs(scale(), ["fourth"])
    with pytest.raises(ValueError, match="unknown data set at scale 'laptop' 'digits': choose from 'usps', "):
        runs(TABLE1["laptop"], datasets=["digits"])
    with pytest.raises(ValueError, match="unknown scale 'huge': choose from 'quick', 'laptop', 'paper'"):
        GRIDS["table1"]("huge")
    with pytest.raises(TypeError, match=r"a Scale such as TABLE1\['laptop'\], not its name"):
        runs("laptop")
    for seeds, complaint in (
        ([0, -1], "not -1"),
        (["0"], "not '0'"),
        ([], "empty"),
        ([1, 1], "duplicates"),
        ("01", "list"),
    ):
        with pytest.raises(ValueError, match=complaint):
            runs(scale(), seeds=seeds)
    with pytest.raises(ValueError, match="starts from 'nothing', which is not one of"):
        scale(bad=Method(fakes.Threshold, start="nothing"))
    with pytest.raises(ValueError, match="a -> b -> a"):
        scale(a=Method(fakes.Threshold, start="b"), b=Method(fakes.Threshold, start="a"))
    with pytest.raises(TypeError, match=r"alone: .*shfit"):
        sweep(vary(grid[:1], shfit=[1]), tmp_path)
    with pytest.raises(FileNotFoundError, match="absent: put it there"):
        sweep(runs(scale(datasets=("points", "absent"))), tmp_path)
    with pytest.raises(ValueError, match="n_jobs"):
        sweep(grid, tmp_path, n_jobs=0)
    with pytest.raises(ValueError, match="budget"):
        sweep(grid, tmp_path, budget=-1)
    assert not list(tmp_path.iterdir())


def test_a_record_that_cannot_be_trusted_stops_the_sweep(tmp_path):
    grid = runs(scale(seeds=(0,)), ["alone"])
    sweep(grid, tmp_path)
    path = records.path_of(grid[0].identity, tmp_path / "records")
    whole = path.read_text()
    path.write_text(whole[:200])
    with pytest.raises(records.RecordError, match=path.name):
        sweep(grid, tmp_path)
    path.unlink()
    assert len(sweep(grid, tmp_path).done) == 1


def test_a_record_made_with_another_default_is_not_taken_for_todays(tmp_path, monkeypatch):
    grid = runs(scale(seeds=(0,)), ["alone"])
    sweep(grid, tmp_path)
    monkeypatch.setattr(
        fakes.Threshold.__init__, "__kwdefaults__", fakes.Threshold.__init__.__kwdefaults__ | {"epochs": 3}
    )
    with pytest.raises(ValueError, match="its record was made with epochs=2, which is now 3"):
        sweep(grid, tmp_path)


def test_a_start_made_with_another_default_is_not_taken_for_todays(tmp_path, monkeypatch):
    grid = vary(runs(scale(seeds=(0,)), ["third"]), epochs=[2])
    grid = [replace(run, start=replace(run.start, params={**run.start.params, "epochs": 2})) for run in grid]
    sweep(grid, tmp_path)
    monkeypatch.setattr(
        fakes.Threshold.__init__, "__kwdefaults__", fakes.Threshold.__init__.__kwdefaults__ | {"epochs": 3}
    )
    with pytest.raises(ValueError, match="the start of its record, common, was made with epochs=2, which is now 3"):
        sweep(grid, tmp_path)
    (record,) = records.read_all(tmp_path / "records")
    early = {"digest": record.provenance["start"]["digest"], "seconds": 1.0}  # of a record that does not hold them yet
    records.write(replace(record, provenance={**record.provenance, "start": early}), tmp_path / "records")
    assert len(sweep(grid, tmp_path).skipped) == 1


def test_a_sweep_over_a_parameter(tmp_path):
    grid = vary(runs(scale(), ["alone"]), shift=[-0.5, 0.5])
    assert len(sweep(grid, tmp_path).done) == 4
    frame = to_frame(records.read_all(tmp_path / "records"), params=["shift"])
    assert Counter(frame[frame["metric"] == "acc"]["shift"]) == {-0.5: 2, 0.5: 2}


def test_a_loss_that_is_not_finite_is_kept_as_nothing(tmp_path):
    sweep(vary(runs(scale(seeds=(0,)), ["alone"]), mode=["nan"]), tmp_path)
    (record,) = records.read_all(tmp_path / "records")
    assert [row["loss"] for row in record.history] == [None, None]


@pytest.mark.parametrize("every, scored", [(0, []), (1, [1, 2, 3, 4, 5]), (2, [2, 4])])
def test_the_history_is_scored_every_few_epochs(tmp_path, every, scored):
    options = scale(seeds=(0,), long=Method(fakes.Threshold, {"epochs": 5}))
    options = Scale(options.datasets, options.seeds, options.methods, options.starts, monitor_every=every)
    sweep(runs(options, ["long"]), tmp_path)
    (record,) = records.read_all(tmp_path / "records")
    assert [row["epoch"] for row in record.history if "acc" in row and "nmi" in row] == scored


def test_progress_is_a_few_plain_lines_where_there_is_no_terminal(capsys):
    with Progress(1000) as line:
        for done in range(1001):
            line.update(done, ["DEC on usps, seed 0"], 65.0 if done else None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 20
    assert lines[0] == "0/1000 | 0 s gone | now DEC on usps, seed 0"
    assert "about 1:05 min left" in lines[1]
    assert lines[-1].startswith("1000/1000 | ")


def test_progress_redraws_one_line_on_a_terminal(capsys):
    class Terminal:
        text = ""

        def isatty(self):
            return True

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    terminal = Terminal()
    with Progress(2, stream=terminal) as line:
        line.update(1, ["DEC on usps, seed 0"], 3.0)
        time.sleep(1.2)
    assert "\n" not in terminal.text
    assert "\r\033[K1/2 | 1 s gone | about 3 s left | now DEC on usps, seed 0" in terminal.text
    assert (clock(7), clock(185), clock(3720)) == ("7 s", "3:05 min", "1:02 h")


TABLE_1 = ["k-means", "LSSC", "LPMF", "AE+k-means", "DEC", "IDEC", "DCN", "DKM", "VaDE"]
TABLE_1 += ["GANMM", "EDESC", "DCSS_u", "DCSS"]


def test_the_settings_name_the_methods_of_table_1_at_every_scale():
    for name in TABLE1:
        grid = runs(TABLE1[name])
        assert [run.method for run in grid[: len(TABLE_1)]] == TABLE_1
        starts = {run.method: run.start and run.start.method for run in grid}
        assert starts["k-means"] is None
        assert starts["DCSS"] == "DCSS_u"
        assert len({records.key(run.identity) for run in grid}) == len(grid)
    assert len({run.seed for run in runs(TABLE1["laptop"])}) >= 3


def test_real_methods_go_on_from_one_kept_autoencoder(tmp_path):
    recipe = Pretraining(widths=(16,), latent_dim=4, epochs=2, restarts=2)
    tiny = Scale(
        datasets={"digits": {"subset": 300, "seed": 0}},
        seeds=(0,),
        starts={"autoencoder": Method(AEKMeans, {"start": recipe})},
        methods={
            "AE+k-means": Method(AEKMeans, start="autoencoder"),
            "DEC": Method(DEC, {"max_updates": 4, "batch_size": 100}, start="autoencoder"),
        },
    )
    assert sweep_runs(runs(tiny), tmp_path, starts_folder=tmp_path / "starts", n_jobs=1, progress=False).complete
    ours, dec = sorted(records.read_all(tmp_path), key=lambda record: record.run["method"])
    data = load("digits", subset=300, seed=0)
    alone = AEKMeans(data.n_classes, start=recipe, random_state=0, progress=False).fit(data.images)
    assert ours.scores == scores(data.labels, alone.labels_)
    assert ours.provenance["start"]["digest"] == dec.provenance["start"]["digest"] == alone.start_.digest
    assert ours.provenance["data"]["digest"] == data.digest
    assert ours.run["start"]["params"]["start"]["Pretraining"]["epochs"] == 2
    assert {"loss", "acc", "nmi"} <= set(dec.history[-1])
    assert {row["phase"] for row in ours.history} == {"pretraining"}, "it has no epochs beside those of its start"
    assert all(row["reconstruction"] > 0 for row in ours.history)


def test_table_4_puts_mnet_on_top_of_the_methods_of_table_1():
    for name in TABLE1:
        dataset = [next(iter(TABLE4[name].datasets))]
        grid = {run.method: run for run in runs(TABLE4[name], None, dataset, [0])}
        table1 = {run.method: run for run in runs(TABLE1[name], None, dataset, [0])}
        for below in ("DEC", "IDEC", "DCN", "DKM"):
            assert grid[below].identity == table1[below].identity
            assert grid[f"{below}+MNet"].start.identity == grid[below].identity
            assert grid[f"{below}+MNet"].params == table1["DCSS"].params
