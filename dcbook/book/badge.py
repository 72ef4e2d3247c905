"""The verdicts of a notebook's claims, as its page shows them: from ``notebooks/claims.json``."""

from __future__ import annotations

import json

from IPython.display import Markdown

from dcbook.book import paths
from dcbook.book.judging import PAGES
from dcbook.book.protocol import told
from dcbook.book.questions import asked, most_telling
from dcbook.experiments.contrast import told_interval
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED

SIGNS = {SUPPORTED: "✔", CONTRADICTED: "✘", NO_EFFECT: "○", MIXED: "◐", UNDECIDED: "?"}


def verdict(notebook: str) -> Markdown:
    """The verdict of every claim that a notebook tests, with what it rests on: `verdict("dcss/fig12_wrong_k")`.

    Raises ValueError if no claim of the chapter names that notebook.
    """
    chapter, _, name = notebook.partition("/")
    claims = json.loads((paths.root() / PAGES / "claims.json").read_text(encoding="utf-8"))["claims"]
    ours = [claim for claim in claims if (claim["chapter"], claim["notebook"]) == (chapter, name)]
    if not ours:
        raise ValueError(f"no claim of the chapter {chapter!r} is tested by a notebook {name!r}")
    return Markdown("\n\n".join(map(_told, ours)))


def _told(claim: dict) -> str:
    number = claim["id"].rpartition("-")[2]
    sign = SIGNS.get(claim["verdict"], "–")
    head = f"> {sign} **{claim['verdict']}** · [claim {number}](README.md), {claim['place']}: {claim['text']}."
    if "questions" not in claim:
        return f"{head} {claim['evidence']}."
    rests = [f"`{claim['scale']}`", *([told(claim["protocol"])] if claim["protocol"] else [])]
    return f"{head}\n>\n> {_evidence(asked(claim))}. *Rests on {', '.join(rests)}.*"


def _evidence(questions: list[dict]) -> str:
    shown = [f"{each['about']} {told_interval(each)}" for each in most_telling(questions)]
    more = len(questions) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
