import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from dcbook.experiments import curves, records, starts, to_frame
from dcbook.experiments.records import Record, RecordError
from tests import fakes

RUN = {
    "method": "AE+k-means",
    "estimator": "AEKMeans",
    "params": {"lr": 0.1, "widths": [5, 2]},
    "dataset": "usps",
    "sampling": {},
    "seed": 3,
    "scale": "quick",
    "start": None,
}


def record(**changes):
    return Record(
        RUN | changes,
        {"acc": 0.75, "nmi": 1 / 3},
        [{"phase": "fit", "epoch": 1, "loss": np.float32(1 / 3), "acc": 0.1234567891}, {"epoch": 2, "loss": math.nan}],
        {"seconds": 12.5, "data": {"digest": "ab" * 32}},
    )


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path = records.write(record(), tmp_path)
    assert path.relative_to(tmp_path).as_posix() == f"usps/AE+k-means-seed3-{records.key(RUN)[:8]}.json"
    back = records.read(path)
    assert back.run == RUN
    assert back.scores == {"acc": 0.75, "nmi": 1 / 3}
    assert back.history == [{"phase": "fit", "epoch": 1, "loss": 0.333333, "acc": 0.123457}, {"epoch": 2, "loss": None}]
    assert records.read_all(tmp_path) == [back]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_key_is_the_identity_in_any_order():
    turned = dict(reversed(RUN.items())) | {"params": {"widths": (5, 2), "lr": np.float64(0.1)}}
    assert records.key(turned) == records.key(RUN)
    for change in ({"seed": 4}, {"params": {"lr": 0.2, "widths": [5, 2]}}, {"sampling": {"subset": 100}}):
        assert records.key(RUN | change) != records.key(RUN)


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -3])
def test_a_record_that_was_cut_off_is_refused_by_name(tmp_path, keep):
    path = records.write(record(), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:keep] if keep >= 0 else whole[: keep - 1])
    with pytest.raises(RecordError, match=f"{re.escape(path.name)}: truncated"):
        records.read(path)
    with pytest.raises(RecordError, match=re.escape(path.name)):
        records.read_all(tmp_path)


@pytest.mark.parametrize(
    "old, new",
    [
        ('"acc": 0.75', '"acc": 0.95'),
        ('"seed": 3', '"seed": 4'),
        ('"epoch": 2', '"epoch": 3'),
        ('"seconds"', '"second"'),
    ],
)
def test_a_record_that_was_edited_is_refused_by_name(tmp_path, old, new):
    path = records.write(record(), tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(RecordError, match="edited") as caught:
        records.read(path)
    assert str(path) in str(caught.value)


def test_a_record_of_another_schema_is_refused(tmp_path):
    path = records.write(record(), tmp_path)
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(RecordError, match="schema 2"):
        records.read(path)
    path.write_text("[]")
    with pytest.raises(RecordError, match="schema None"):
        records.read(path)


def test_a_record_under_the_name_of_another_run_is_refused(tmp_path):
    path = records.write(record(), tmp_path)
    other = records.path_of(RUN | {"seed": 4}, tmp_path)
    path.rename(other)
    with pytest.raises(RecordError, match=re.escape(path.name)):
        records.read(other)


@pytest.mark.parametrize(
    "content",
    [
        "NaN",
        '{"schema": 1, "scores": {"acc": NaN}}',
        '{"schema": 1, "run": {}, "scores": {"acc": 1e999}, "history": [], "provenance": {}}',
        '{"schema": 1, "run": {}, "scores": {"acc": ' + "9" * 5000 + "}}",
        "[" * 200_000 + "]" * 200_000,
        '{"schema": 1, "run": {}, "scores": {}, "history": ' + "[" * 900 + "]" * 900 + ', "provenance": {}}',
        "\x00\x01",
    ],
    ids=["NaN", "NaN inside", "infinity", "5,000 digits", "deep", "less deep", "no text"],
)
def test_what_no_record_holds_is_refused_by_name(tmp_path, content):
    path = tmp_path / "usps" / "AE.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(RecordError, match=re.escape(str(path))):
        records.read(path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("run", []),
        ("run", {}),
        ("run", {**RUN, "seed": "3"}),
        ("run", {**RUN, "seed": True}),
        ("run", {name: value for name, value in RUN.items() if name != "dataset"}),
        ("run", {**RUN, "params": None}),
        ("scores", [1]),
        ("history", {}),
        ("provenance", None),
    ],
)
def test_a_digest_is_no_excuse_for_what_is_no_run(tmp_path, part, value):
    path = records.write(record(), tmp_path)
    body = json.loads(path.read_text()) | {part: value}
    del body["sha256"]
    path.write_text(json.dumps(body | {"sha256": records.digest(body)}))
    with pytest.raises(RecordError, match=rf"{re.escape(str(path))}: not a record of a run \({part}"):
        records.read(path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_scores_are_finite(tmp_path, value):
    with pytest.raises(ValueError, match=r"'acc'.*only finite"):
        records.write(Record(RUN, {"acc": value}, [], {}), tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_what_json_cannot_hold_is_named(tmp_path):
    with pytest.raises(TypeError, match="ndarray"):
        records.write(record(params={"x": np.zeros(2)}), tmp_path)


def test_no_folder_of_records(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        records.read_all(tmp_path / "nowhere")


def test_one_row_for_each_run_and_metric():
    frame = to_frame([record(), record(seed=4, params={"lr": 0.2})], params=["lr"])
    assert list(frame["seed"]) == [3, 3, 4, 4]
    assert list(frame["lr"]) == [0.1, 0.1, 0.2, 0.2]
    assert list(frame["metric"]) == ["acc", "nmi"] * 2
    assert list(to_frame([]).columns) == list(to_frame([record()]).columns)


def fitted(value):
    return SimpleNamespace(start_=fakes.Start(value), history_=[{"epoch": 1, "loss": 0.5}])


def test_a_start_is_trained_once_and_refused_when_altered(tmp_path):
    kept = starts.Starts(tmp_path, fakes.Start)
    trained = []
    for _ in range(2):
        start, about = kept.get({"seed": 1}, lambda: trained.append(1) or fitted(2.5))
        assert fakes.Start.load(start).value == 2.5
        assert about["digest"] == fakes.Start(2.5).digest and about["history"] == [{"epoch": 1, "loss": 0.5}]
    assert len(trained) == 1
    value = kept.path({"seed": 1}) / "start" / "value"
    for content, complaint in (("3.5", "digest differs"), ("", "does not load")):
        value.write_text(content)
        with pytest.raises(starts.StartError, match=complaint) as caught:
            kept.get({"seed": 1}, lambda: fitted(2.5))
        assert kept.path({"seed": 1}).name in str(caught.value)
    about = kept.path({"seed": 1}) / starts.ABOUT
    about.write_text(json.dumps(json.loads(about.read_text()) | {"key": {"seed": 2}}))
    value.write_text("2.5")
    with pytest.raises(starts.StartError):
        kept.check({"seed": 1})


def test_a_start_that_another_process_is_training_is_waited_for_no_longer_than_said(tmp_path):
    kept = starts.Starts(tmp_path, fakes.Start)
    with kept.lock({"seed": 1}), pytest.raises(TimeoutError, match="still training"):
        kept.get({"seed": 1}, lambda: fitted(0.0), timeout=0.05)


def test_curves_leave_out_pretraining_and_what_was_not_measured():
    history = [
        {"phase": "pretraining", "epoch": 1, "nmi": 0.1},
        {"phase": "phase 1", "epoch": 1},
        {"phase": "phase 1", "epoch": 2, "nmi": 0.2},
        {"phase": "phase 2", "epoch": 1, "nmi": None},
        {"phase": "phase 2", "epoch": 2, "nmi": 0.4},
    ]
    frame = curves([records.Record(run=record().run, scores={}, history=history, provenance={})], "nmi")
    assert list(frame["nmi"]) == [0.2, 0.4]
    assert list(frame["progress"]) == [0.5, 1]
    assert list(frame["phase"]) == ["phase 1", "phase 2"]
