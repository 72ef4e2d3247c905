"""The committed notebooks: how they are built, that what nbval compares is really there, and that it can fail."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from dcbook.book import paths
from dcbook.book.parameters import literals, validated
from dcbook.chapters.dcss.grids import TABLE1
from tests.conftest import notebook

ROOT = Path(__file__).parents[1]
NOTEBOOKS = paths.notebooks(ROOT / "notebooks")
CHECKED = "nbval-check-output"
each = pytest.mark.parametrize("name", NOTEBOOKS)


def read(name):
    return nbformat.read(NOTEBOOKS[name], as_version=4)


def code(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tagged(book, tag):
    return [cell for cell in code(book) if tag in cell.metadata.get("tags", [])]


def kind(output):
    """What a reader sees of an output with data, a picture aside."""
    return "text/markdown" if "text/markdown" in output.data else "text/plain"


def text_of(cell):
    return "".join(output.data[kind(output)] if "data" in output else output.get("text", "") for output in cell.outputs)


def test_there_are_notebooks():
    assert "start/00_start_here" in NOTEBOOKS
    assert "dcss/table1_benchmark" in NOTEBOOKS


@each
def test_parameters_are_one_cell_of_literals_and_the_next_checks_them(name):
    book = read(name)
    (cell,) = tagged(book, "parameters")
    values = literals(cell.source)
    assert values and "scale" in values
    assert validated(values, TABLE1, values)["scale"] == "quick"
    before = code(book)[: code(book).index(cell)]
    assert all("verdict(" in early.source for early in before), "only the verdict comes before the parameters"
    second = code(book)[len(before) + 1]
    nodes = list(ast.walk(ast.parse(second.source)))
    (opened,) = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "Book.open"]
    assert opened.args[0].value == name
    assert {node.id for node in nodes if isinstance(node, ast.Name)} >= set(values), "a parameter that nobody reads"


@each
def test_notebook_is_told_and_sized_for_a_reader(name):
    book = read(name)
    nbformat.validate(book)
    assert book.metadata.kernelspec.name == "python3"
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    assert len(book.cells[0].source) > 150, "the claim belongs under the title"
    assert "provenance" in code(book)[-1].source
    assert len(book.cells) <= 30
    assert max(len(cell.source.splitlines()) for cell in code(book)) <= 15
    assert NOTEBOOKS[name].stat().st_size < 1_500_000


@each
def test_outputs_are_stored_and_of_no_one_machine(name):
    book = read(name)
    assert [cell.execution_count for cell in code(book)] == list(range(1, len(code(book)) + 1))
    outputs = [output for cell in code(book) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    raw = NOTEBOOKS[name].read_text()
    assert "widget" not in book.metadata and "application/vnd.jupyter.widget" not in raw
    assert "papermill" not in book.metadata and not re.search(r'"(start_time|iopub\.|shell\.)', raw)
    assert not re.search(r"""(?<![\w./])(/(home|root|tmp|work|Users|var)/|[A-Z]:\\\\)""", raw)
    assert not [cell for cell in code(book) if "FAIL" in text_of(cell)]


@each
def test_outputs_are_tables_and_pictures_and_no_console(name):
    for cell in code(read(name)):
        plain = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
        for text in plain if "provenance" not in cell.source else []:
            assert not re.search(r"^saved |\d+/\d+ \||PASS|FAIL", text, re.MULTILINE), cell.source
            assert len(text.splitlines()) <= 15, cell.source


@each
def test_checked_cells_have_something_to_check(name):
    checked = tagged(read(name), CHECKED)
    assert len(checked) >= 2
    for cell in checked:
        assert cell.execution_count
        assert len(text_of(cell)) >= 20, f"nothing that could differ is stored: {cell.source}"
        assert not {"nbval-skip", "nbval-ignore-output", "raises-exception"} & set(cell.metadata.tags)
        assert "NBVAL_" not in cell.source
        assert not cell.source.rstrip().endswith(";"), "nbval doesn't know ';': end with print or an assignment"
    assert any(re.search(r"\d", text_of(cell)) for cell in checked)


# nbval itself, as `make test` calls it


def replayed(cell, changed=False):
    """A cell that gives again what is stored in `cell`; if changed, with its last digit raised by one (9 to 0)."""
    texts = [(output.data, kind(output)) if "data" in output else (output, "text") for output in cell.outputs]
    source = ["from IPython.display import display"]
    for holder, key in reversed(texts):
        if changed and re.search(r"\d", holder.get(key, "")):
            holder = dict(holder)
            holder[key] = re.sub(r"\d(?=\D*$)", lambda hit: str((int(hit[0]) + 1) % 10), holder[key])
            changed = False
        given = f"display({dict(holder)!r}, raw=True)" if key != "text" else f"print({holder[key]!r}, end='')"
        source.insert(1, given)
    rest = {name: cell[name] for name in ("metadata", "outputs", "execution_count")}  # with an id of its own
    return nbformat.v4.new_code_cell("\n".join(source), **rest)


@pytest.fixture(scope="module")
def nbval(tmp_path_factory):
    """Names of the cells that fail in four notebooks, and the output of one pytest that runs them all."""
    folder = tmp_path_factory.mktemp("nbval")
    checked = [cell for name in NOTEBOOKS for cell in tagged(read(name), CHECKED)]
    as_stored, changed = notebook(), notebook()
    as_stored.cells = [replayed(cell) for cell in checked]
    changed.cells = [replayed(cell, changed=bool(re.search(r"\d", text_of(cell)))) for cell in checked]
    checks = "from dcbook.book.checks import check\ncheck('ACC', {}, 76, 82)"
    band = notebook(
        (checks.format(79.1), CHECKED, None), (checks.format(75.9), CHECKED, None), "1 / 0", ("6 * 7", CHECKED, None)
    )
    magic = notebook("%no_such_magic 3", "%%no_such_magic\n1", "print(1)")
    all_made = {"as_stored": as_stored, "changed": changed, "band": band, "magic": magic}
    for name, made in all_made.items():
        nbformat.write(made, folder / f"{name}.ipynb")
    makefile = (ROOT / "Makefile").read_text()
    flags = re.search(r"(-p \S+) --dist loadfile \\\n\t\t(--nbval-.*) notebooks$", makefile, re.MULTILINE)
    command = [sys.executable, "-m", "pytest", "-q", *" ".join(flags.groups()).split(), "-p", "no:cacheprovider", "."]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    failed = {name: [] for name in all_made}
    for name, cell in re.findall(r"^FAILED (\w+)\.ipynb::(Cell \d+)", run.stdout, re.MULTILINE):
        failed[name].append(cell)
    assert (run.returncode == 0) == (not any(failed.values())), run.stdout
    collected = sum(len(made.cells) for made in all_made.values())
    assert re.search(rf"^{sum(map(len, failed.values()))} failed, \d+ passed", run.stdout, re.MULTILINE), run.stdout
    passed = int(re.search(r"(\d+) passed", run.stdout)[1])
    assert passed + sum(map(len, failed.values())) == collected, "nbval ran every cell of all four"
    return failed, run.stdout


def test_nbval_catches_a_changed_number_in_every_checked_cell(nbval):
    failed, output = nbval
    checked = [cell for name in NOTEBOOKS for cell in tagged(read(name), CHECKED)]
    assert not failed["as_stored"], output
    assert failed["changed"] == [f"Cell {i}" for i, cell in enumerate(checked) if re.search(r"\d", text_of(cell))], (
        output
    )
    assert failed["changed"]


def test_nbval_catches_a_value_that_left_its_band_and_an_error(nbval):
    failed, output = nbval
    assert failed["band"] == ["Cell 2", "Cell 3"], output  # not Cell 4: without stored outputs nothing is compared
    assert "ACC: 75.9, expected 76 to 82 %" in output and "ZeroDivisionError" in output


def test_a_cell_with_an_unknown_magic_fails(nbval):
    failed, output = nbval
    assert failed["magic"] == ["Cell 1", "Cell 2"], output
    assert "UsageError: Line magic function `%no_such_magic` not found" in output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("text,topic\n,a\n ,b\n", "'text' of .*mine.csv holds 0 distinct texts in 2 rows: is it the right one"),
        ("text,topic\nsame,a\nsame ,b\n", "holds 1 distinct texts in 2 rows"),
        ("topic\na\n", "mine.csv has no column 'text': it has topic"),
    ],
)
def test_a_file_without_texts_is_refused_by_its_name(content, told, tmp_path):
    (cell,) = [cell for cell in code(read("start/02_your_texts")) if "pd.read_csv" in cell.source]
    (tmp_path / "mine.csv").write_text(content)
    given = {"file": tmp_path / "mine.csv", "column": "text", "encoding": "utf-8-sig", "separator": ",", "pd": pd}
    with pytest.raises(ValueError, match=told):
        exec(cell.source, given | {"np": np})


def test_the_index_has_every_notebook():
    text = (ROOT / "notebooks" / "INDEX.md").read_text()
    links = re.findall(r"^\| \[[^]]+\]\(([\w/]+\.ipynb)\)", text, re.MULTILINE)
    assert sorted(links) == sorted(path.relative_to(ROOT / "notebooks").as_posix() for path in NOTEBOOKS.values())
