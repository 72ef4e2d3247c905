"""Claims as HTML, from ``claims.json``: the page "What holds?", a chapter's list, and the picture of the home page.

Addresses that begin with "/" are those of the site; `links` makes them relative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import seaborn as sns

from dcbook.book.badge import SIGNS
from dcbook.book.chapters import part
from dcbook.book.protocol import ENOUGH, told
from dcbook.book.questions import asked, most_telling
from dcbook.book.site.intervals import drawn
from dcbook.book.verdicts import NOT_HERE, NOT_YET, Power
from dcbook.experiments.contrast import told_interval
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED
from dcbook.plots.style import PALETTE

Claim = Mapping[str, Any]  # an entry of ``claims.json``
ORDER = (SUPPORTED, MIXED, NO_EFFECT, CONTRADICTED, UNDECIDED, NOT_HERE, NOT_YET)
UNTESTED = "–"
COLORS = dict(zip((SUPPORTED, MIXED, NO_EFFECT, CONTRADICTED, UNDECIDED), (2, 8, 4, 3, 7), strict=True))  # in PALETTE
STRENGTHS = {3: "good", 2: "fair", 1: "thin", 0: "none"}
SHARES = {
    "enough": f"enough: the paper's network, {ENOUGH:.0%} or more",
    "part": "1 % or more",
    "trace": "below 1 %",
    "other": "other data",
    "unknown": "not known",
}


def colors() -> dict[str, tuple[str, str]]:
    """A verdict's class in the style sheet to its color and that of text on it, black or white."""
    found = {}
    for verdict, index in COLORS.items():
        color = sns.color_palette(PALETTE)[index]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        dark_text = (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05)
        found[slug(verdict)] = (sns.color_palette([color]).as_hex()[0], "#000" if dark_text else "#fff")
    return found


def slug(verdict: str) -> str:
    """A verdict as a class and in an address: "no-effect"."""
    return verdict.replace(" ", "-")


def strength(claim: Claim) -> int:
    """How much a claim was tested, 0 to 3: the least over its premises and questions.

    3 is at least three data sets and nine pairs or runs, 2 is two data sets or nine pairs, 1 is less, 0 is no test.
    """
    sets, n = _tested_on(claim)
    return 3 if sets >= 3 and n >= 9 else 2 if sets >= 2 or n >= 9 else min(n, 1)


def _tested_on(claim: Claim) -> tuple[int, int]:
    """The least number of data sets, and of pairs or runs, over the premises and questions; 0 for no test."""
    questions = asked(claim)
    return tuple(min((each[name] for each in questions), default=0) for name in ("n data sets", "n"))


def share(claim: Claim) -> str:
    """A key of `SHARES`: the share of the paper's images, or of its updates if smaller, that a claim was tested on."""
    protocol = claim.get("protocol")
    if not protocol or None in (protocol["images"], protocol["updates"]):
        return "unknown"
    if protocol["enough"]:
        return "enough"
    if protocol["images"] == 0:
        return "other"
    return "part" if min(protocol["images"], protocol["updates"]) >= 0.01 else "trace"


def counted(claims: Sequence[Claim]) -> list[tuple[str, int]]:
    """Verdicts that occur, in `ORDER`, with their numbers."""
    found = Counter(claim["verdict"] for claim in claims)
    return [(verdict, found[verdict]) for verdict in ORDER if found[verdict]]


def in_words(claims: Sequence[Claim]) -> str:
    """ "71 claims: 13 supported, 4 mixed, 54 undecided"."""
    return f"{len(claims)} claims: " + ", ".join(f"{n} {verdict}" for verdict, n in counted(claims))


def papers(claims: Sequence[Claim]) -> dict[str, str]:
    """The chapters of these claims and the short names of their papers."""
    return {name: part(name, "claims").PAPER[0] for name in dict.fromkeys(claim["chapter"] for claim in claims)}


def page(claims: Sequence[Claim]) -> str:
    """The page "What holds?": a bar a paper, filters, and every claim."""
    return _rendered("claims.html", claims, filters=_filters(claims))


def chapter(claims: Sequence[Claim]) -> str:
    """The claims of one chapter, without filters."""
    return _rendered("claims.html", claims, filters=())


def tiles(claims: Sequence[Claim]) -> str:
    """A square a claim, by paper, each a link to its claim."""
    return _rendered("tiles.html", claims)


def _rendered(template: str, claims: Sequence[Claim], **more: Any) -> str:
    folder = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    names = papers(claims)
    rows = [_row(claim, names) for claim in claims]
    by_paper = [(key, name, [row for row in rows if row["chapter"] == key]) for key, name in names.items()]
    environment.globals |= {"slug": slug, "sign": sign, "counted": counted, "in_words": in_words}
    html = environment.get_template(template).render(rows=rows, papers=by_paper, colors=colors(), **more)
    return "\n".join(line for line in html.splitlines() if line.strip())  # an empty line would end the HTML in Markdown


def sign(verdict: str) -> str:
    """The sign that stands before a verdict's word."""
    return SIGNS.get(verdict, UNTESTED)


def _row(claim: Claim, names: Mapping[str, str]) -> dict[str, Any]:
    """A claim with what the templates show of it."""
    questions = asked(claim)
    shown = most_telling(questions)
    sets, n = _tested_on(claim)
    power = claim.get("power")
    return {
        **claim,
        "paper": names[claim["chapter"]],
        "rank": ORDER.index(claim["verdict"]),
        "strength": strength(claim),
        "strength_word": STRENGTHS[strength(claim)],
        "share": share(claim),
        "tested_on": f"{_several(sets, 'data set')}, {_several(n, 'pair or run', 'pairs or runs')}"
        if questions
        else "",
        "protocol_words": told(claim["protocol"]) if claim.get("protocol") else "",
        "intervals": [{"about": each["about"], "told": _told(each), "svg": drawn(each)} for each in shown],
        "more": len(questions) - len(shown),
        "all": [{**each, "told": told_interval(each), "sets": _on_sets(each)} for each in questions],
        "power_words": power and f"{power['probability']:.2f} for {Power(**power).truth}",
        "records_archive": _archive(claim["files"]["records"]),
    }


def _several(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _told(question: Mapping) -> str:
    return told_interval(question).partition(" over ")[0]


def _on_sets(question: Mapping) -> str:
    return ", ".join(f"{name} {found['mean']:.3g}" for name, found in question["data sets"].items())


def _archive(folder: str) -> str:
    """``figures/laptop/dcss/records`` → ``records/dcss-laptop.tar.gz``, see `source`."""
    if not folder:
        return ""
    _, scale, name, _ = folder.split("/")
    return f"records/{name}-{scale}.tar.gz"


def _filters(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The groups of chips: what they filter by, and for each value that occurs its label and its number of claims."""

    def group(key: str, title: str, values: Mapping[Any, str], of) -> dict[str, Any]:
        found = Counter(map(of, claims))
        chips = [(str(value), label, found[value]) for value, label in values.items() if found[value]]
        return {"key": key, "title": title, "chips": chips}

    verdicts = {slug(verdict): f"{sign(verdict)} {verdict}" for verdict in ORDER}
    return [
        group("paper", "Paper", papers(claims), lambda claim: claim["chapter"]),
        group("verdict", "Verdict", verdicts, lambda claim: slug(claim["verdict"])),
        group("strength", "Evidence", STRENGTHS, strength),
        group("share", "Share of the protocol", SHARES, share),
    ]
