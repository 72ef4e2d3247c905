"""The long runs in their order: what is left is made, what is done stays, and a budget ends it."""

from types import SimpleNamespace

import pytest

from dcbook.book import evidence
from dcbook.book.chapters import chapters, part
from dcbook.experiments import Method, Scale, records, runs
from dcbook.methods import AEKMeans, KMeans, Pretraining

METHODS = {
    "k-means": Method(KMeans, {"n_init": 1}),
    "AE": Method(AEKMeans, {"start": Pretraining(widths=(8,), epochs=400, batch_size=50)}),
}


def give(method, dataset="digits"):
    scale = Scale({dataset: {"subset": 100} if dataset == "digits" else {}}, (0, 1), METHODS, name="paper")
    return lambda: runs(scale, [method])


@pytest.fixture
def book(monkeypatch, tmp_path):
    """A book of two chapters, with its output in a folder of its own."""
    one = SimpleNamespace(EVIDENCE=[(3, "third", give("AE")), (1, "first", give("k-means"))])
    two = SimpleNamespace(EVIDENCE=[(2, "second, of data that is not here", give("k-means", "usps"))])
    rooms = {"one": one, "two": two, "three": SimpleNamespace()}
    monkeypatch.setattr(evidence, "chapters", lambda: list(rooms))
    monkeypatch.setattr(evidence, "part", lambda chapter, _: rooms[chapter])
    monkeypatch.setattr(evidence.os, "nice", lambda _: None)
    monkeypatch.setenv("DCBOOK_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("DCBOOK_DATA", str(tmp_path / "no data"))
    return tmp_path / "output" / "figures" / "paper"


def test_all_is_made_in_the_order_of_the_ranks_and_once(book, capsys):
    assert [item.title[:5] for item in evidence.agenda()] == ["first", "secon", "third"]
    assert evidence.main(["--jobs", "1", "--list"]) == 0
    assert "0     2           ?  first" in capsys.readouterr().out and not book.exists()
    assert evidence.main(["--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert told.index("one: first") < told.index("two: second") < told.index("one: third")
    assert "left out, its data is not here" in told and "usps" in told
    assert "2     0         0 s  first" in told and "0     2" in told and "2     0         0 s  third" in told
    made = {path: path.read_bytes() for path in book.rglob("*.json")}
    assert len(made) == 4
    assert evidence.main(["--jobs", "1"]) == 0
    assert {path: path.read_bytes() for path in book.rglob("*.json")} == made
    assert "one: " not in capsys.readouterr().out


def test_a_spent_budget_leaves_the_rest_for_the_next_time(book, capsys):
    assert evidence.main(["--jobs", "1", "--hours", "0.00002"]) == 0  # less than a tenth of a second
    left = 4 - len(list(book.rglob("*.json")))
    assert left and "the time budget is spent" in capsys.readouterr().out
    assert evidence.main(["--jobs", "1"]) == 0
    assert len(list(book.rglob("*.json"))) == 4


def test_a_budget_that_ends_between_two_items_is_told(book, capsys):
    assert evidence.main(["--jobs", "1", "--hours", "1e-12"]) == 0
    assert "Stopped: the time budget is spent" in capsys.readouterr().out and not book.exists()


@pytest.mark.parametrize("wrong", [["--hours", "0"], ["--jobs", "0"], ["--hours", "nan"]])
def test_wrong_arguments_are_refused(book, wrong, capsys):
    assert evidence.main(wrong) == 2
    assert "hours must be above 0 and jobs at least 1" in capsys.readouterr().err


def test_the_books_own_list_holds_runs_of_its_grids():
    items = evidence.agenda()
    assert items and {item.chapter for item in items} <= set(chapters())
    of_grids = {
        chapter: {
            records.key(run.identity)
            for grid in part(chapter, "grids").GRIDS.values()
            for scale in ("laptop", "paper")
            for run in grid(scale)
        }
        for chapter in chapters()
    }
    for item in items:
        assert item.runs and {records.key(run.identity) for run in item.runs} <= of_grids[item.chapter]
