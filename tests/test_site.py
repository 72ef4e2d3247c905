"""What the site is made of, without Sphinx: claims as HTML, intervals, exercises, docstrings, references."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dcbook.book import paths
from dcbook.book.chapters import chapters
from dcbook.book.judging import judge, pictures
from dcbook.book.site import claims, docstrings, exercises, intervals, reference, source

ROOT = Path(__file__).parents[1]
CLAIMS = json.loads((ROOT / "notebooks/claims.json").read_text())["claims"]
VOID = {"img", "input", "br", "hr", "meta", "link"}


class Balanced(HTMLParser):
    """Elements that are opened and not closed, in text that is inserted into a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def question(**more):
    found = {"about": "ACC over <b>", "unit": "points", "paired": True, "above": 0.0, "n": 9, "verdict": "undecided"}
    return found | {"mean": 1.0, "low": -2.0, "high": 4.0, "data sets": {"a": {"mean": 1}}} | more


# claims


@pytest.mark.parametrize("made", [claims.page, claims.chapter, claims.tiles])
def test_claims_are_whole_html_without_an_empty_line(made):
    text = made(CLAIMS)
    found = Balanced(text)
    assert not found.open and "\n\n" not in text
    assert len(set(found.ids)) == len(found.ids)
    assert text.count("dc-undecided") >= sum(claim["verdict"] == "undecided" for claim in CLAIMS)


def test_every_value_of_a_filter_is_a_chip():
    text = claims.page(CLAIMS)
    for name in ("paper", "verdict", "strength", "share"):
        used = set(re.findall(rf'data-{name}="([^"]+)"', text))
        chips = dict(re.findall(rf'data-group="{name}" data-value="([^"]+)"[^>]*>.*?<span class="dc-n">(\d+)<', text))
        assert used == set(chips)
        assert sum(map(int, chips.values())) == len(CLAIMS)


@pytest.mark.parametrize(("sets", "n", "strength"), [(3, 9, 3), (3, 8, 2), (2, 6, 2), (1, 9, 2), (1, 3, 1), (0, 0, 0)])
def test_strength_of_evidence(sets, n, strength):
    settings = {"about": "ACC", "data sets": dict.fromkeys(range(9))}  # places, such as nine settings of a data set
    tested = [settings | {"n data sets": sets, "n": n}, settings | {"n data sets": 5, "n": 15}]
    assert claims.strength({"questions": tested if sets else []}) == strength
    if sets:
        assert claims.strength({"questions": tested[1:], "premises": tested[:1]}) == strength


def test_the_strength_of_evidence_is_that_of_the_numbers_beside_it():
    found = {claim["id"]: claims._row(claim, claims.papers(CLAIMS)) for claim in CLAIMS if claim.get("questions")}
    thin = {name for name, row in found.items() if row["strength_word"] == "thin"}
    assert thin and all(row["tested_on"].startswith("1 data set,") == (row["id"] in thin) for row in found.values()
                        if int(re.search(r"(\d+) (pair|run)", row["tested_on"])[1]) < 9)  # fmt: skip


@pytest.mark.parametrize(
    ("images", "updates", "enough", "share"),
    [
        (1, 1, True, "enough"),
        (1, 0.3, False, "part"),
        (1, 0.009, False, "trace"),
        (0, 1, False, "other"),
        (None, 1, False, "unknown"),
        (1, None, False, "unknown"),
    ],
)
def test_share_of_the_protocol(images, updates, enough, share):
    assert claims.share({"protocol": {"images": images, "updates": updates, "enough": enough}}) == share
    assert claims.share({"protocol": None}) == claims.share({}) == "unknown"


def test_verdicts_are_told_apart_without_color():
    assert len({claims.sign(verdict) for verdict in claims.COLORS}) == len(claims.COLORS)
    assert len({color for color, _ in claims.colors().values()}) == len(claims.COLORS)


@pytest.mark.parametrize("chapter", chapters())
def test_a_claim_names_a_picture_that_its_notebook_shows(chapter):
    tested = [claim for claim in CLAIMS if claim["chapter"] == chapter and claim["files"]["records"]]
    named = [claim for claim in tested if claim["files"]["picture"]]
    assert named or not tested
    for claim in named:
        shown = pictures(ROOT / "notebooks" / chapter / f"{claim['notebook']}.ipynb", ROOT)
        assert claim["files"]["picture"] in shown and (ROOT / claim["files"]["picture"]).is_file(), claim["id"]


def test_a_picture_that_no_page_shows_is_refused(monkeypatch):
    from dcbook.chapters.dcss import claims as dcss

    wrong = [claim.__class__(**{**vars(claim), "picture": "none.svg"}) for claim in dcss.CLAIMS[:1]]
    monkeypatch.setattr(dcss, "CLAIMS", wrong)
    with pytest.raises(ValueError, match=r"shows no picture 'none.svg'"):
        judge("dcss", ROOT / "figures")


# intervals


def test_an_interval_is_drawn_to_scale():
    text = intervals.drawn(question())
    left, width = intervals.EDGE, intervals.WIDTH - 2 * intervals.EDGE
    at = {value: round(left + width * (value + intervals.SPAN) / (2 * intervals.SPAN), 1) for value in (-2, 0, 1, 4)}
    assert f'd="M{at[-2]} 8.0H{at[4]}"' in text and f'cx="{at[1]}"' in text and f'd="M{at[0]} 0V' in text
    assert "arrow" not in text and "&lt;b&gt;" in text


@pytest.mark.parametrize(("low", "high", "arrows"), [(-40, 4, 1), (-40, 40, 2), (None, 4, 1), (-2, 15.0, 0)])
def test_an_interval_that_goes_on_has_an_arrow(low, high, arrows):
    assert intervals.drawn(question(low=low, high=high)).count('class="arrow"') == arrows


def test_a_limit_and_a_band_are_drawn():
    assert 'class="limit"' in intervals.drawn(question(above=2.0))
    assert 'class="limit"' not in intervals.drawn(question())
    assert 'class="band"' in intervals.drawn(question(within=2.0))
    low, high = intervals.axis(question(unit="%", mean=99.5, low=99.0, high=99.7))
    assert (low, high) == (0.0, 99.7)


# pages made from notebooks and from the package


def test_every_exercise_is_on_the_page():
    notebooks = source.reading_order(ROOT)
    assert set(notebooks) == set(paths.notebooks(ROOT / "notebooks"))
    assert next(iter(notebooks)) == "start/00_start_here"
    text = exercises.collected(notebooks, ROOT)
    for path in notebooks.values():
        raw = "\n".join("".join(c["source"]) for c in json.loads(path.read_text())["cells"])
        assert (exercises.HEADING in raw) == (f"(/{path.relative_to(ROOT).as_posix()})" in text), path
    for link in re.findall(r"\]\(([^)\s#]+)", text):
        assert "://" in link or (ROOT / link.lstrip("/")).exists(), link


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("## Try it\n1. do\n## More\n2.", "1. do"),
        ("# A\n\n## Try it \n\n1. do\n", "1. do"),
        ("### Try it\n1. do", ""),
        ("see ## Try it\n1. do", ""),
    ],
)
def test_the_section_of_exercises(text, found):
    assert exercises._section(text) == found


@pytest.mark.parametrize("text", ["## Try it", "## Try it\n\n## More\n1."])
def test_a_heading_without_exercises_is_refused(text):
    with pytest.raises(ValueError, match="nothing stands below"):
        exercises._section(text)


def test_a_chapter_s_page_has_its_list_and_all_its_notebooks():
    name = chapters()[0]
    ours = [claim for claim in CLAIMS if claim["chapter"] == name]
    page = source.chapter_page(ROOT, name, (ROOT / f"notebooks/{name}/README.md").read_text(), ours)
    assert "| # |" not in page and page.count('class="dc-claim"') == len(ours)
    menu = page.rpartition("```{toctree}")[2]
    assert all(path.stem in menu for path in (ROOT / "notebooks" / name).glob("*.ipynb"))
    assert "DEVIATIONS" in menu


def test_a_docstring_becomes_restructured_text():
    text = """First *line*, a_ and `x`s.

| a | b |
|---|---|
| 1 | ||u|| |

Parameters
----------
x, y : of shape (N, d)
    More of it.
"""
    assert docstrings.in_rst(text.splitlines()) == [
        r"First \*line\*, a\_ and `x`\ s.",
        "",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - a",
        "     - b",
        "   * - 1",
        r"     - \|\|u\|\|",
        "",
        "",
        "",
        ".. rubric:: Parameters",
        "",
        "",
        "``x``, ``y``",
        "    of shape (N, d)",
        "    More of it.",
        "",
    ]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (["one", "two", "    deeper", "back"], ["one", "two", "", "    deeper", "", "back"]),
        (["term", "    definition"], ["term", "    definition"]),
        (["- one", "- two", "  goes on", "- three"], ["- one", "- two", "  goes on", "- three"]),
        (["one", "two", "    - a", "      b", "    - c"], ["one", "two", "", "    - a", "      b", "    - c"]),
        (["one", "two", "", "    quoted"], ["one", "two", "", "    quoted"]),
    ],
)
def test_an_indented_line_is_no_error(given, made):
    assert docstrings.in_rst(given) == made


def test_the_reference_has_every_public_module():
    pages = reference.api()
    text = "\n".join(pages.values())
    for room in reference.ROOMS:
        for path in (ROOT / "dcbook" / room).glob("*.py"):
            assert path.stem.startswith("_") or f"automodule:: dcbook.{room}.{path.stem}\n" in text, path
    assert all(f"| `{name}` |" in reference.data_sets() for name in ("usps", "mnist"))


def test_the_bibliography_has_every_paper_that_the_package_names():
    known = set(re.findall(r"\d{4}\.\d{5}", (ROOT / "dcbook/book/site/references.bib").read_text()))
    named = {}
    for path in (ROOT / "dcbook").rglob("*.py"):
        named |= dict.fromkeys(re.findall(r"arXiv[: ](\d{4}\.\d{5})", path.read_text()), path)
    assert len(named) > 10
    assert {number: path for number, path in named.items() if number not in known} == {}


def test_pages_name_the_sets_of_the_explorer():
    titles = source.explored()
    assert "USPS" in titles
    filled = source.fills(ROOT, source.PAGES, CLAIMS)["explored"]()
    assert filled.startswith("The explorer of latent space shows ") and all(title in filled for title in titles)
    assert [source._listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
