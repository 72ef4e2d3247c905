"""Committed figures are what their records draw: some of them here, all of them in `make redraw`."""

import shutil

import matplotlib.pyplot as plt
import nbformat
import pytest

from dcbook.book import paths
from dcbook.book.__main__ import main
from dcbook.book.redraw import differences
from tests.conftest import notebook

QUICKLY_DRAWN = ("rdc/fig3_phases", "rdc/phase1_length", "dcss/fig10_sensitivity", "deepcluster/safeguards")
DRAWS = """
import os, pathlib
folder = pathlib.Path(os.environ["DCBOOK_OUTPUT"], "figures", scale, "ch")
assert (folder / "records" / "digits" / "run.json").exists(), "the committed records are there"
for name, text in {files}.items():
    folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
    folder.joinpath(name).write_text(text)
"""


@pytest.mark.parametrize("name", QUICKLY_DRAWN)
def test_committed_figures_are_drawn_again_to_the_byte(name, tmp_path):
    chapter = name.partition("/")[0]
    records = paths.root() / "figures" / "laptop" / chapter / "records"
    shutil.copytree(records, tmp_path / "figures" / "laptop" / chapter / "records")
    path = paths.notebooks()[name]
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    parameters = next(cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    cells = cells[cells.index(parameters) + 1 :]
    names = {}
    exec(parameters.source, names)
    names["scale"] = "laptop"
    with paths.output_in(tmp_path):
        for cell in cells:
            exec(cell.source, names)
    plt.close("all")
    assert differences({name: path}, "laptop", tmp_path) == []
    assert list((tmp_path / "figures" / "laptop" / chapter).glob(f"{path.stem}_*"))


def test_names_of_clip_paths_do_not_count_but_places_do(book_folder):
    folder, _ = book_folder
    place, drawn = "figures/laptop/ch/nb_a.svg", folder / "drawn"
    committed = '<g clip-path="url(#p0123456789)"/><clipPath id="p0123456789"/>'

    def found(text):
        for root, content in (
            (folder, '<g clip-path="url(#p0123456789)"/><clipPath id="p0123456789"/>'),
            (drawn, text),
        ):
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(content)
        return differences({"ch/nb": folder}, "laptop", drawn)

    assert found('<g clip-path="url(#pabcdef0123)"/><clipPath id="pabcdef0123"/>') == []
    assert found('<g clip-path="url(#pabcdef0123)"/><clipPath id="pabcdef0124"/>') == [f"{place} differs"]
    assert found(committed + " ") == [f"{place} differs"]


def test_each_difference_is_named(book_folder, capsys):
    folder, put = book_folder
    committed = {"nb.csv": "1", "nb_same.svg": "2", "nb_changed.svg": "3", "nb_gone.svg": "4", "other.csv": "5"}
    for name, text in (committed | {"records/digits/run.json": "{}"}).items():
        path = folder / "figures" / "laptop" / "ch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    drawn = {"nb.csv": "1", "nb_same.svg": "2", "nb_changed.svg": "x", "nb_new.svg": "6", "records/digits/new.json": ""}
    put("ch/nb", notebook(DRAWS.replace("{files}", repr(drawn))))
    put("ch/other", notebook("1 / 0"))
    put("ch/not_committed", notebook("1 / 0"))
    before = {path: path.read_text() for path in folder.glob("figures/**/*.*")}
    assert main(["--redraw"]) == 1
    *_, failed, changed, gone, new, missing, anew = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith(("ch/", "figures/"))
    ]
    assert failed.startswith("ch/other failed: ZeroDivisionError")
    assert changed == "figures/laptop/ch/nb_changed.svg differs"
    assert gone == "figures/laptop/ch/nb_gone.svg is committed but not drawn"
    assert new == "figures/laptop/ch/nb_new.svg is drawn but not committed"
    assert missing == "figures/laptop/ch/other.csv is committed but not drawn"
    assert anew.startswith("figures/laptop/ch/records/digits/new.json was made anew")
    assert {path: path.read_text() for path in folder.glob("figures/**/*.*")} == before
    put("ch/other", notebook(DRAWS.replace("{files}", repr({"other.csv": "5"}))))
    assert main(["--redraw", "--notebook", "other"]) == 0
    assert "all committed figures and tables are what their records draw" in capsys.readouterr().out
    assert main(["--redraw", "--notebook", "not_committed"]) == 2
    assert "error: there is nothing to draw again: no table of ch/not_committed" in capsys.readouterr().err
