"""What a notebook is made with: its parameters, its checks, its pictures and tables, and the runs of its grid."""

import base64
import io
import math
import sys
import types

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dcbook.book import Book, check
from dcbook.book.output import compact, save_figure
from dcbook.book.parameters import given_names, literals
from dcbook.book.store import tidy
from dcbook.chapters.dcss.grids import TABLE1
from dcbook.experiments import Method, Scale
from dcbook.methods import KMeans

TABLE = "method,dataset,metric,mean,std,n,reported\n"


# parameters


def test_open_fills_in_what_the_scale_has():
    book = Book.open(
        "dcss/table1_benchmark", scales=TABLE1, scale="quick", datasets=None, methods=["DCSS", "DEC"], budget=9
    )
    assert book.datasets == tuple(TABLE1["quick"].datasets)
    assert book.methods == ("DCSS", "DEC")
    assert book.seeds == TABLE1["quick"].seeds
    assert book.budget == 9
    assert len(book.runs()) == 2 * len(book.datasets) * len(book.seeds)
    with pytest.raises(AttributeError):
        book.seeds = (1,)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"scale": "quik"}, "scale = 'quik' is not one of 'quick', 'laptop', 'paper'"),
        ({"scale": ["quick"]}, "is not one of 'quick', 'laptop', 'paper'"),
        ({"scale": None}, "is not one of 'quick'"),
        ({"datasets": "digits"}, '-y "datasets: [digits]"'),
        ({"datasets": ["usps"]}, "datasets has 'usps', but scale 'quick' has 'digits'"),
        ({"datasets": []}, "empty"),
        ({"datasets": ["digits", "digits"]}, "twice"),
        ({"datasets": 3}, "a list of names out of 'digits'"),
        ({"methods": ["dcss"]}, "methods has 'dcss', but scale 'quick' has 'k-means'"),
        ({"methods": [1]}, "a list of names out of 'k-means'"),
        ({"seeds": "[0, 1]"}, '-y "seeds: [0, 1]"'),
        ({"seeds": [0, 0]}, f"a list of different integers >= 0, or None for {[*TABLE1['quick'].seeds]}"),
        ({"seeds": []}, "a list of different integers"),
        ({"seeds": [-1]}, "a list of different integers"),
        ({"seeds": [True]}, "a list of different integers"),
        ({"seeds": [1.0]}, "a list of different integers"),
        ({"seeds": 3}, "a list of different integers"),
        ({"budget": -1}, "a number of seconds, 0 (make no run) or more, or None"),
        ({"budget": math.nan}, "a number of seconds, 0"),
        ({"budget": "60"}, "a number of seconds, 0"),
        ({"budget": True}, "a number of seconds, 0"),
        ({"seed": [0]}, "takes scale, datasets, methods, seeds, budget, not seed"),
    ],
)
def test_open_refuses_a_wrong_name_type_or_value(wrong, told):
    with pytest.raises(ValueError) as error:
        Book.open("dcss/table1_benchmark", scales=TABLE1, **{"scale": "quick", **wrong})
    assert told in str(error.value)


def test_open_tells_of_all_that_is_wrong_at_once():
    with pytest.raises(ValueError, match=r"(?s)datasets.*seeds.*budget"):
        Book.open("dcss/table1_benchmark", scales=TABLE1, scale="quick", datasets="x", seeds="y", budget="z")


def test_literals_are_plain_assignments_only():
    assert literals('scale = "quick"  # one\nseeds = [0, -1]\nbudget = None') == {
        "scale": "quick",
        "seeds": [0, -1],
        "budget": None,
    }
    for source in ("import os", "a = b", "a = list()", "a, b = 1, 2", "a = 1\nprint(a)", "a += 1", "%time", "a.b = 1"):
        assert literals(source) is None


OWN = '# parameters: plain literals\nscale = "quick"\nseeds = None'
OPENING = "book = Book.open(...)"


@pytest.mark.parametrize(
    ("ran", "names"),
    [
        ([OWN], {"scale", "seeds"}),
        (["n = 25", OWN], {"scale", "seeds"}),
        ([OWN, "n = 25"], {"scale", "seeds"}),
        ([OWN, "import numpy", "n = 25", "%time"], {"scale", "seeds"}),
        ([OWN, "# Parameters\nsede = [0]\n"], {"scale", "seeds", "sede"}),
        ([OWN, "# Parameters\nscale = 'laptop'\nsede = [0]\n", "n = 25"], {"scale", "seeds", "sede"}),
        ([OWN + "\nsede = [0]", OPENING, OWN], {"scale", "seeds"}),
        ([OWN, OPENING, OWN + "\nsede = [0]"], {"scale", "seeds", "sede"}),
        (["n = 25"], set()),
        ([], set()),
    ],
)
def test_parameters_are_the_names_of_their_cells_and_not_of_scratch_cells(ran, names, monkeypatch):
    shell = types.SimpleNamespace(user_ns={"In": ["", *ran, OPENING]})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert set(given_names()) == names


# checks


def test_check_is_silent_within_the_band(capsys):
    check("ACC", 79.123, 76, 82)
    check("inertia", 3, high=4, unit="")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [75.99, 82.01, math.nan, math.inf])
def test_check_fails_outside_of_the_band(value):
    with pytest.raises(AssertionError, match=r"ACC: .+, expected 76 to 82 %"):
        check("ACC", value, 76, 82)


@pytest.mark.parametrize("band", [{}, {"low": 2, "high": 1}, {"low": math.nan}])
def test_check_refuses_a_band_that_decides_nothing(band):
    with pytest.raises(ValueError, match="can't be checked"):
        check("ACC", 1, **band)


# output


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_figures_are_the_same_bytes_each_time(tmp_path, suffix):
    for name in "ab":
        figure, axes = plt.subplots()
        axes.scatter(np.arange(9), np.arange(9) ** 2, label="points")
        axes.legend()
        save_figure(figure, tmp_path / f"{name}{suffix}")
        plt.close(figure)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def drawn_with_many_colors(**how):
    """The bytes of a PNG, whose gradients have thousands of colors."""
    figure, axes = plt.subplots()
    axes.imshow(np.linspace(0, 1, 120 * 3).reshape(-1, 4, 3), interpolation="bilinear")
    axes.scatter(np.arange(50), np.arange(50) % 4, c=np.arange(50), alpha=0.5)
    content = io.BytesIO()
    figure.savefig(content, format="png", **how)
    plt.close(figure)
    return content.getvalue()


def test_pictures_shrink_to_256_colors():
    png = drawn_with_many_colors()
    before, after = (Image.open(io.BytesIO(each)).convert("RGB") for each in (png, compact(png)))
    assert len(before.getcolors(1 << 24)) > 1000 and len(after.getcolors(1 << 24)) <= 256
    assert len(compact(png)) < len(png) / 2
    assert before.size == after.size and np.abs(np.asarray(before, int) - np.asarray(after, int)).mean() < 2
    transparent = drawn_with_many_colors(transparent=True)
    assert compact(transparent) == transparent


def test_stored_pictures_are_small():
    png = drawn_with_many_colors()
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": "<Figure>"}
    cell = nbformat.v4.new_code_cell("plt.show()", outputs=[nbformat.v4.new_output("display_data", data)])
    (output,) = tidy(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs
    assert base64.b64decode(output.data["image/png"]) == compact(png) and output.data["text/plain"] == "<Figure>"


def test_tables_and_figures_have_their_places(book_folder, capsys):
    folder, _ = book_folder
    book = Book.open("dcss/table1_benchmark", scales=TABLE1, scale="quick")
    frame = pd.DataFrame([("DCSS", "digits", "acc", 80.0, math.nan, 1, math.nan)], columns=TABLE.strip().split(","))
    assert book.committed("laptop") is None
    book.save_table(frame)
    figure = plt.figure()
    book.save_figure(figure, "latent.svg")
    assert (folder / "figures/quick/dcss/table1_benchmark.csv").read_text() == TABLE + "DCSS,digits,acc,80.0000,,1,\n"
    assert (folder / "figures/quick/dcss/table1_benchmark_latent.svg").is_file()
    assert capsys.readouterr().out == ""
    assert book.records_folder == folder / "figures/quick/dcss/records"
    assert book.starts_folder == folder / "build/starts/quick"
    assert book.committed("quick").loc[0, "mean"] == 80
    with pytest.raises(ValueError, match="lacks reported"):
        book.save_table(frame.drop(columns="reported"))
    with pytest.raises(ValueError, match=r"\.svg or \.png"):
        book.save_figure(figure, "latent.pdf")
    plt.close(figure)


def test_a_budget_that_allows_no_run_where_nothing_is_recorded_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DCBOOK_OUTPUT", str(tmp_path))
    settings = {"methods": ["k-means"], "seeds": [0], "scale": "quick", "scales": TABLE1}
    Book.open("dcss/table1_benchmark", budget=0, **settings).sweep(n_jobs=1, progress=False)
    assert "None of these 1 runs has a record at scale 'quick', and the budget allowed none" in capsys.readouterr().out
    Book.open("dcss/table1_benchmark", **settings).sweep(n_jobs=1, progress=False)
    Book.open("dcss/table1_benchmark", budget=0, **settings).sweep(n_jobs=1, progress=False)
    assert "None of these" not in capsys.readouterr().out


@pytest.mark.usefixtures("book_folder")
def test_sweep_records_and_provenance(capsys):
    scales = {"quick": Scale({"digits": {"subset": 200}}, (0, 1), {"k-means": Method(KMeans, {"n_init": 2})})}
    book = Book.open("dcss/table1_benchmark", scale="quick", seeds=[1], scales=scales)
    assert book.records() == []
    assert book.sweep(n_jobs=1, progress=False).complete
    (record,) = book.records()
    assert record.run["seed"] == 1
    capsys.readouterr()
    book.provenance()
    told = capsys.readouterr().out
    assert record.provenance["data"]["digest"][:12] in told
    assert f"torch {record.provenance['versions']['torch']}" in told
    bad = {"quick": Scale({"digits": {}}, (0,), {"k-means": Method(KMeans, {"n_init": -2})})}
    with pytest.raises(RuntimeError, match="1 of 1 runs failed; the first, k-means on digits, seed 0"):
        Book.open("dcss/table1_benchmark", scale="quick", scales=bad).sweep(n_jobs=1, progress=False)
