"""The benches of DCSS in the small: what they print, and that a target that is missed is seen."""

import re
from dataclasses import replace

import pytest
import torch

from dcbook.methods import Pretraining
from tests.bench import _table, dcss, protocol
from tests.bench._table import HEADER, Row, markdown

SPEED = Row("a", ours=1.0, theirs=7.0, ratio=7.0, target=6)
GOOD = dcss.Agreement(forms=0.97, in_turn_to_start=0.8, one_to_start=0.82, clusters=10)


@pytest.fixture
def small(monkeypatch):
    """Batches of 10 images, and an agreement from a start that is hardly trained."""
    threads = torch.get_num_threads()
    for bench in (dcss, protocol):
        monkeypatch.setattr(bench, "BATCH", 10)
    monkeypatch.setattr(
        dcss, "STARTS", {name: Pretraining(name, widths=(16,), epochs=1, restarts=1) for name in dcss.STARTS}
    )
    monkeypatch.setattr(dcss, "DIGITS", 12)
    monkeypatch.setattr(dcss, "EPOCHS", 1)
    monkeypatch.setattr(_table, "PEAK_SIDE", 64)
    yield monkeypatch
    torch.set_num_threads(threads)


def lines(rows: list[Row]) -> list[list[str]]:
    """The cells of each row as printed."""
    found = [line[2:-2].split(" | ") for line in markdown(rows).splitlines()]
    assert {len(cells) for cells in found} == {len(HEADER.splitlines()[0][2:-2].split(" | "))}
    return found


def test_rows_of_phase_1(small):
    rows = dcss.run(quick=True)
    printed = lines(rows)
    assert len(printed) == 4 and [row.target for row in rows] == [1.5, 6, 1.5, 6]
    forms = printed[1], printed[3]
    assert ["fully-connected" in forms[0][0], "convolutional" in forms[1][0]] == [True, True]
    for *_, target, note in forms:
        assert re.search(r"ARI of their labels -?[\d.]+ .*K updates -?[\d.]+, one -?[\d.]+; \d+ clusters in use", note)
        assert target in ("≥ 6 met", "≥ 6 MISSED")
    assert all(0 < row.ours < row.theirs for row in rows[1::2]), "K updates take longer than one"
    always = [replace(row, target=0, agrees=True) for row in rows]
    assert all("MISSED" in cells[4] for cells in lines([replace(row, target=1e9) for row in always]))
    assert all("MISSED" not in cells[4] for cells in lines(always))


def test_whole_protocol_has_a_target_with_pretraining_too(small):
    small.setattr(protocol, "TARGET", 1e9)
    printed = lines(protocol.run(quick=True))
    assert [bool(cells[4]) for cells in printed] == [False] * 4 + [True] * 2
    assert all(cells[4] == "≥ 1e+09 MISSED" for cells in printed[4:])
    assert "of pretraining" in printed[5][0] and "from a pretrained start" in printed[4][0]
    assert all(float(cells[1]) > 0 and float(cells[2]) > 0 for cells in printed)


def test_labels_that_never_change_are_no_agreement(small):
    small.setattr(dcss, "EPOCHS", 0)
    found = dcss.agreement(dcss.STARTS["fully-connected"])
    assert (found.forms, found.in_turn_to_start, found.one_to_start) == (1, 1, 1) and not found.holds


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"forms": 1.0, "clusters": 1}, False),
        ({"forms": 0.89}, False),
        ({"in_turn_to_start": 0.96}, False),
        ({"one_to_start": 0.96}, False),
        ({"forms": 1.0, "in_turn_to_start": 1.0, "one_to_start": 1.0}, False),
    ],
)
def test_agreement_decides_beside_the_ratio(changes, holds):
    agreed = replace(GOOD, **changes)
    assert agreed.holds is holds
    assert lines([replace(SPEED, agrees=agreed.holds)])[0][4] == ("≥ 6 met" if holds else "≥ 6 MISSED")


def test_ratio_decides_beside_the_agreement():
    assert lines([SPEED])[0][4] == "≥ 6 met"
    assert lines([replace(SPEED, ratio=5.9)])[0][4] == "≥ 6 MISSED"
    assert lines([replace(SPEED, target=None)])[0][4] == ""
