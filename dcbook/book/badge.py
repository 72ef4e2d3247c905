"""The verdicts of a notebook's claims, as its page shows them: from ``notebooks/claims.json``."""

from __future__ import annotations

import json

from IPython.display import Markdown

from dcbook.book import paths
from dcbook.book.judging import PAGES
from dcbook.book.protocol import told
from dcbook.experiments.contrast import told_interval
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED

SIGNS = {SUPPORTED: "✔", CONTRADICTED: "✘", NO_EFFECT: "○", MIXED: "◐", UNDECIDED: "?"}
SHOWN = 4  # questions that a page shows, those that speak most against the claim; the chapter's page has all
AGAINST = (CONTRADICTED, NO_EFFECT, MIXED, UNDECIDED, SUPPORTED)


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


def most_telling(questions: list[dict]) -> list[dict]:
    """The questions that a page has room for: where there are many, those that speak most against the claim."""
    if len(questions) <= SHOWN:
        return questions
    return sorted(questions, key=lambda each: (AGAINST.index(each["verdict"]), _support(each)))[:SHOWN]


def asked(claim: dict) -> list[dict]:
    """Premises, called so, and questions of a claim of ``claims.json``; none where it was not tested."""
    premises = [{**each, "about": f"premise: {each['about']}"} for each in claim.get("premises", [])]
    return [*premises, *claim.get("questions", [])]


def _evidence(questions: list[dict]) -> str:
    shown = [f"{each['about']} {told_interval(each)}" for each in most_telling(questions)]
    more = len(questions) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _support(question: dict) -> float:
    """Larger for a mean that speaks more for the claim."""
    if "within" in question:
        return -abs(question["mean"])
    return -question["mean"] if "below" in question else question["mean"]
