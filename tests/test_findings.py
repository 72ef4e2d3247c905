"""Findings of the contrastive chapter, and prose of their page, against the printed numbers and our records."""

import json
import re
from pathlib import Path

import pytest

from dcbook.chapters.contrastive import findings, printed_rows
from dcbook.chapters.contrastive.printed_rows import MORE, OF_DCSS, both, value
from dcbook.chapters.dcss.tables import table1_rows

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "notebooks" / "contrastive" / "reported.ipynb"
RECORDS = ROOT / "figures" / "laptop" / "contrastive" / "records"


def prose():
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def committed(method, dataset="fashion-mnist-test"):
    """The records of a method with seeds 0 to 2."""
    paths = (path for seed in range(3) for path in (RECORDS / dataset).glob(f"{method}-seed{seed}-*.json"))
    found = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    assert [record["run"]["seed"] for record in found] == [0, 1, 2]
    return found


def found(beginning):
    (only,) = [each for each in findings.findings() if each.finding.startswith(beginning)]
    return only


def test_each_finding_has_its_evidence_place_and_certainty():
    every = findings.findings()
    assert len(every) == len({each.finding for each in every}) == 16
    assert all(each.finding and each.evidence and each.seen and each.sure for each in every)
    frame = findings.as_table(every)
    assert len(frame) == 16 and list(frame) == ["what", "rests on", "seen in", "how sure"]
    assert "labell" not in frame.to_csv() + printed_rows.on_cifar10().to_csv()
    code = [each for each in findings.on_code() if each.sure == findings.READ]
    assert code and all(re.search(r"\.py:\d+", each.seen) for each in code), "a label that names lines needs lines"


def test_a_row_of_another_paper_against_the_own_one():
    other, log = "CC (as printed by DCSS)", "CC (re-run, start of C3)"
    for metric in ("acc", "nmi"):
        assert value(other, "cifar10", metric) == pytest.approx(value(log, "cifar10", metric), abs=0.05)
    for name in ("cifar10", "cifar100-20"):
        assert all(value(other, name, metric) < value("CC", name, metric) for metric in ("acc", "nmi"))
    assert (both(other, "imagenet10"), both("CC", "imagenet10")) == ("89.3 / 85.0", "89.3 / 85.9")
    assert both(other, "stl10") == both("CC", "stl10")
    told = table1_rows().set_index("method").loc["CC"]
    assert told["values"].startswith("copied (STL-10, ACC on ImageNet-10)")
    assert "NMI on ImageNet-10 is 85.0, CC's own 85.9 %" in told["evidence"]
    assert (value("CC", "cifar10", "nmi"), value("CC", "cifar100-20", "nmi")) == (70.5, 43.1), "as in CC's abstract"
    for name in OF_DCSS:
        for metric in ("acc", "nmi"):
            best = value("PICA (best of trials)", name, metric)
            assert value("PICA (as printed by DCSS)", name, metric) == best > value("PICA (mean)", name, metric)
    for name in OF_DCSS[:3]:
        assert both("MiCE (as printed by DCSS)", name) == both("MiCE", name)
    assert value("PCL", "stl10") < value("PCL", "stl10", "ari") < value("PCL", "stl10", "nmi")


def test_methods_without_a_row():
    for name in ("cifar10", "cifar100-20"):
        assert all(value(method, name) > value("DCSS", name) for method in MORE)
    assert [method for method in MORE if value(method, "stl10") > value("DCSS", "stl10")] == ["SPICE"]
    evidence = found("Methods without a row").evidence
    assert "SCAN is scored on test images alone, RUC's released code" in evidence and "that it trains on" in evidence
    for method, dataset in (("ProPos", "cifar100-20"), (MORE[0], "cifar100-20"), ("SPICE", "stl10"), ("DCSS", "stl10")):
        assert f"{value(method, dataset):.1f}" in evidence
    assert set(printed_rows.on_cifar10()["row"]) >= {"DCSS", *map(printed_rows.shown, MORE)}


def test_our_own_runs_are_those_of_the_committed_records():
    evidence = found("Pixels scaled").evidence
    for method in ("k-means", "k-means_unit_length", "SimCLR+k-means"):
        means = [100 * sum(record["scores"][metric] for record in committed(method)) / 3 for metric in ("acc", "nmi")]
        told = {
            f"{means[0]:.1f} / {means[1] + off:.1f}" for off in (0, 0.01)
        }  # the table's two decimals, rounded again
        assert any(text in evidence for text in told), told
    portraits = [record["portrait"] for record in committed("SimCLR+k-means")]
    for finding, space in (("SCAN's premise", "h"), ("SCAN's premise", "z"), ("Pixels scaled", "pixels")):
        purities = [100 * portrait[space] for portrait in portraits]
        assert f"{max(purities):.1f} %" in found(finding).evidence
    photographs = [record["portrait"] for record in committed("SimCLR+k-means", "cifar10")]
    premise = found("SCAN's premise")
    for space in ("h", "z", "pixels"):
        assert f"{100 * max(portrait[space] for portrait in photographs):.1f} %" in premise.evidence
    fails = max(portrait["z"] for portrait in photographs) < 0.5 < min(portrait["z"] for portrait in portraits)
    assert fails and premise.finding.endswith("holds on Fashion-MNIST's test images and not on CIFAR-10")


def test_prose_of_the_page():
    text = prose()
    gains = [value("PICA (best of trials)", name) - value("PICA (mean)", name) for name in printed_rows.TITLES]
    assert f"{min(gains):.1f} to {max(gains):.1f} points of ACC above the means" in text
    best, average = (value(f"SCAN after clustering step ({which})", "stl10") for which in ("best", "average"))
    assert f"{best:.1f} % at best and {average:.1f} % on average" in text
    assert "labell" not in text


def test_printed_values_side_by_side_with_their_sources():
    frame = printed_rows.side_by_side(["CC", "SCAN after self-labelling (best)", "DAC* (repo log)", "DCSS"]).set_index(
        "ACC / NMI, %"
    )
    assert frame["source"].str.len().min() > 0
    assert frame.loc["CC", "Tiny-ImageNet"] == "14.0 / –" and frame.loc["DCSS", "ImageNet-Dogs"] == ""
    assert frame.loc["CC", "source"].startswith("picture of ProPos Table 2; stored hyper.ai page")
    assert frame.loc["DAC* (repo log)", "source"] == "last line of the log in vector-1127/DAC"
    assert frame.loc["DCSS", ["CIFAR-10", "source"]].tolist() == ["84.2 / 75.1", "DCSS Table 1"]
    assert "SCAN after self-labeling (best)" in frame.index
    with pytest.raises(KeyError, match="nothing is printed for CC on svhn"):
        value("CC", "svhn")
