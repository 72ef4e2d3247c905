"""Running the book from the command line: what is run, stored, refused and told."""

import json
import os
import sys
from importlib import import_module

import nbformat
import papermill
import pytest

from dcbook.book import evidence, paths
from dcbook.book.__main__ import main
from dcbook.book.kernels import ThisPython
from dcbook.book.run import run_all, select
from dcbook.book.store import store_all
from dcbook.experiments.records import RecordError
from tests.conftest import notebook

TABLE = "method,dataset,metric,mean,std,n,reported\n"
WRITES = f"""
import os, pathlib
folder = pathlib.Path(os.environ["DCBOOK_OUTPUT"], "figures", scale, "ch")
folder.mkdir(parents=True, exist_ok=True)
folder.joinpath("%s.csv").write_text({TABLE!r})
print("half a line, ", end="")
print("and the rest")
"""
OPENS = "from dcbook.book import Book\nbook = Book.open('ch/nb', scale=scale, seeds=seeds)\nprint(book.seeds)"


def test_runner_names_the_failed_and_keeps_going(book_folder, capsys):
    folder, put = book_folder
    put("ch/a_fails", notebook("1 + 1", 'raise KeyError("the missing thing")'))
    put("ch/b_dies", notebook("import os\nos._exit(1)", WRITES % "b_dies"))
    put("ch/c_writes_nothing", notebook("1 + 1"))
    put("ch/d_succeeds", notebook(WRITES % "d_succeeds", "import sys\nprint(sys.executable)"))
    assert main(["--chapter", "ch"]) == 1
    shown = capsys.readouterr()
    assert "      | half a line, and the rest\n" in shown.out
    assert f"| {sys.executable}\n" in shown.out
    assert "  figures/quick/ch/d_succeeds.csv" in shown.out
    assert (
        "FAILED: ch/a_fails: KeyError: 'the missing thing'\n    in cell [4] of build/quick/ch/a_fails.ipynb"
        in shown.err
    )
    assert "FAILED: ch/b_dies: DeadKernelError" in shown.err
    assert "FAILED: ch/c_writes_nothing: it ended without an error, but without writing" in shown.err
    assert shown.err.count("FAILED") == 3
    assert (folder / "build/quick/ch/d_succeeds.ipynb").is_file()

    assert main(["--notebook", "d_succeeds"]) == 0  # an old table does not count as written now
    put("ch/d_succeeds", notebook("1 + 1"))
    assert main(["--notebook", "d_succeeds"]) == 1


@pytest.mark.parametrize("missing", ["papermill", "nbformat"])
def test_a_plain_install_is_told_what_is_missing(missing, monkeypatch):
    for module in ("dcbook.book.__main__", "dcbook.book.run", "dcbook.book.store", "dcbook.book.redraw"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit, match=f"the book needs {missing}, which is not installed: .*pip install --editable"):
        import_module("dcbook.book.__main__")


def test_runner_refuses_before_anything_runs(book_folder, capsys):
    folder, put = book_folder
    put("ch/nb", notebook("raise SystemError", parameters='scale = "quick"\nseeds = None'))
    put("overview", notebook("raise SystemError"))
    for arguments, told in [
        (["--scale", ""], "no scale '': choose from"),
        (["--scale", "quik"], "no scale 'quik': choose from quick, laptop, paper"),
        (["--chapter", "dcsss"], "no chapter 'dcsss': choose from ch, start, all"),
        (["--notebook", "table"], "no notebook 'table': choose from overview, nb"),
        (["--chapter", "start", "--notebook", "nb"], "no notebook 'nb': choose from overview"),
        (["--budget", "-1"], "or more"),
        (["--budget", "inf"], "or more"),
        (["--notebook", "nb", "-p", "budget", "5"], "give --budget in place of -p"),
        (["--notebook", "nb", "-p", "sede", "1"], "ch/nb has no parameter sede; it has scale, seeds"),
        (["--redraw", "--store"], "give one of --store, --redraw"),
        (["--store", "--redraw", "--verdicts"], "give one of --store, --redraw, --verdicts"),
        (["--store", "--scale", "laptop"], "--store does not take --scale"),
        (["--store", "--scale", "quick", "-p", "seeds", "[0]"], "--store does not take --scale, -p"),
        (["--redraw", "--budget", "0"], "--redraw does not take --budget"),
        (["--verdicts", "--notebook", "nb"], "--verdicts does not take --notebook"),
    ]:
        assert main(arguments) == 2
        assert told in capsys.readouterr().err
    assert not (folder / "build").exists()
    assert list(select("ch")) == ["ch/nb"]
    assert list(select(notebook="start/overview")) == ["start/overview"]


def test_longer_notebooks_run_when_they_are_asked_for(book_folder, capsys):
    _, put = book_folder
    put("ch/short", notebook("1"))
    long = notebook("1")
    long.cells[0].metadata.setdefault("tags", []).append("longer")
    put("ch/long", long)
    assert list(select()) == ["ch/short"]
    assert list(select("ch")) == list(select("all")) == ["ch/long", "ch/short"]
    assert list(select(notebook="long")) == ["ch/long"]
    assert main(["--budget", "1e-9"]) == 0
    assert "1 longer notebooks were left out: make figures CHAPTER=all" in capsys.readouterr().out


def test_a_spent_budget_starts_nothing(book_folder, capsys):
    _, put = book_folder
    put("ch/nb", notebook(WRITES % "nb"))
    assert run_all(select(), "quick", budget=1e-9) == []
    assert "the budget is spent" in capsys.readouterr().out


def test_papermill_alone_is_refused_in_the_second_cell(book_folder):
    folder, put = book_folder
    given = {"sede": [0], "seeds": "[0, 1]"}
    path = put("ch/nb", notebook(OPENS, parameters='scale = "quick"\nseeds = None'))
    with pytest.raises(papermill.PapermillExecutionError) as error:
        papermill.execute_notebook(
            path, folder / "out.ipynb", given, kernel_manager_class=ThisPython, progress_bar=False
        )
    assert error.value.ename == "ValueError"
    assert "'sede' is no parameter of this notebook: it has scale, seeds" in error.value.evalue
    assert "papermill passes lists by -y" in error.value.evalue


def test_store_keeps_outputs_and_nothing_volatile(book_folder, monkeypatch):
    folder, put = book_folder
    path = put("ch/nb", notebook(WRITES % "nb", "6 * 7"))
    put("ch/wrong", notebook("print(1)", "1 / 0"))
    before = (folder / "notebooks/ch/wrong.ipynb").read_bytes()
    results = store_all(select())
    assert [bool(result.error) for result in results] == [False, True]
    assert (folder / "notebooks/ch/wrong.ipynb").read_bytes() == before
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    assert [cell.execution_count for cell in stored.cells] == [1, 2, 3]
    assert [output.text for output in stored.cells[1].outputs] == ["half a line, and the rest\n"]
    assert stored.cells[2].outputs[0].data["text/plain"] == "42"
    assert stored.cells[0].metadata == {"tags": ["parameters"]}
    assert "papermill" not in json.dumps(stored)
    assert not (folder / "figures").exists()
    assert os.environ[paths.OUTPUT] == str(folder)


def test_store_does_not_overwrite_an_edit(book_folder):
    _, put = book_folder
    edit = "from pathlib import Path\nPath('nb.ipynb').write_text('what a reader saved meanwhile')"
    path = put("ch/nb", notebook(WRITES % "nb", edit))
    (result,) = store_all(select())
    assert "edited while it ran" in result.error and path.read_text() == "what a reader saved meanwhile"


def test_a_file_in_place_of_the_output_folder_is_told(book_folder, monkeypatch, capsys):
    folder, put = book_folder
    put("ch/nb", notebook("1"))
    monkeypatch.setenv(paths.OUTPUT, str(folder / "notebooks/ch/nb.ipynb"))
    assert main(["--notebook", "nb"]) == 2
    assert "error: [Errno" in capsys.readouterr().err


def test_the_output_folder_may_be_written_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(paths.OUTPUT, "~/book")
    assert paths.output_root() == tmp_path / "book"


def test_evidence_names_a_damaged_record(monkeypatch, capsys):
    def refuse():
        raise RecordError("one.json: truncated")

    monkeypatch.setattr(evidence, "agenda", refuse)
    assert evidence.main(["--list"]) == 2
    assert "error: one.json: truncated" in capsys.readouterr().err
