"""A chapter's claims as Markdown: the page of verdicts (README.md) and the page of all intervals (INTERVALS.md)."""

from __future__ import annotations

from collections.abc import Sequence

from dcbook.book.questions import Data, answered, asked, most_telling
from dcbook.book.verdicts import TOO_SMALL, Answer, Claim, Verdict, told_counts
from dcbook.experiments.contrast import told_interval

INTERVALS = "INTERVALS.md"
BREAK = "<br>"  # between the lines of a cell
PIPE = r"\|"  # in a cell
TO_COME = "What `make evidence` still has to run, in its order, and how many of the runs have a record."


def page(title: str, introduction: str, claims: Sequence[Claim], verdicts: Sequence[Verdict], to_come: str = "") -> str:
    """The verdicts as a Markdown page that ends with a newline.

    The evidence of a claim is the estimate of its most telling questions over all data sets; `intervals` has the rest.
    `to_come` lists the runs that have not been made; a last section holds it.
    """
    with_status = any(claim.status for claim in claims)
    columns = ["#", "in the paper", "claim", "notebook", *(["status"] if with_status else [])]
    columns += ["verdict", "rests on", "evidence"]
    rows = []
    for number, (claim, found) in enumerate(zip(claims, verdicts, strict=True), 1):
        where = f"[{claim.notebook}]({claim.notebook}.ipynb)" if claim.notebook else ""
        cells = [str(number), claim.place, claim.text, where, *([claim.status] if with_status else [])]
        rows.append(_row([*cells, f"**{found.verdict}**", rests_on(claim, found), _evidence(number, found)]))
    count = f"Of {len(claims)} claims: {told_counts(verdicts)}."
    last = f"\n## Not run yet\n\n{TO_COME}\n\n{to_come}\n" if to_come else ""
    return f"# {title}\n\n{introduction}\n\n{count}\n\n{_head(columns)}\n" + "\n".join(rows) + f"\n{last}"


def intervals(title: str, claims: Sequence[Claim], verdicts: Sequence[Verdict], records: Sequence[str] = ()) -> str:
    """Every interval behind the verdicts, over all data sets and for each one, as a Markdown page.

    records : folders of the records that they come from, below the checkout.
    """
    parts = [
        f"# {title}: all intervals",
        "Each table lists the questions of a tested claim: what the claim needs, the estimate over all data sets with "
        "its interval, and the same for each data set. The intervals of a claim hold simultaneously at 95 %. "
        "[How verdicts are made](../VERDICTS.md) explains the rule; [the chapter's page](README.md) lists the claims.",
    ]
    parts += [f"The records are in {', '.join(f'[{each}](../../{each})' for each in records)}."] * bool(records)
    for number, (claim, found) in enumerate(zip(claims, verdicts, strict=True), 1):
        if found.answer is None:
            continue
        rows = [
            _row([each["about"].rstrip(":,"), _needed(each), each["verdict"], told_interval(each), _by_data_set(each)])
            for each in asked(answered(found.answer))
        ]
        columns = ["question", "the claim needs", "verdict", "over all data sets", "by data set"]
        head = f"## Claim {number}\n\n{claim.place}: {claim.text}. **{found.verdict.capitalize()}**, `{claim.scale}`."
        note = f"\n\nNote: {found.answer.note}." if found.answer.note else ""
        parts.append(f"{head}\n\n{_head(columns)}\n" + "\n".join(rows) + note)
    return "\n\n".join(parts) + "\n"


def rests_on(claim: Claim, found: Verdict) -> str:
    """The scale, the share of the protocol and the power of a verdict, in words."""
    if found.answer is None:
        return ""
    parts = [f"`{claim.scale}`" + (f": {found.protocol}" if found.protocol else "")]
    if found.power:
        parts.append(str(found.power))
    return BREAK.join(parts)


def _evidence(number: int, found: Verdict) -> str:
    """The most telling intervals in the lines of a cell, with a link to all."""
    if found.answer is None:
        return found.evidence
    questions = asked(answered(found.answer))
    shown = most_telling(questions)
    lines = [*_reasons(found, found.answer), *(f"{each['about']} {told_interval(each)}" for each in shown)]
    lines += [found.answer.note] * bool(found.answer.note)
    more = len(questions) - len(shown)
    return BREAK.join([*lines, f"[{f'{more} more, ' if more else ''}all intervals]({INTERVALS}#claim-{number})"])


def _reasons(found: Verdict, answer: Answer) -> list[str]:
    """Why a verdict is not the one that its questions alone would give."""
    small = [f"{answer.verdict} {TOO_SMALL}"] * (answer.verdict != found.verdict)
    return small + ([answer.missed] if answer.missed else [])


def _needed(question: Data) -> str:
    """What a question's true value must be for the claim."""
    kind = next(name for name in ("within", "below", "above") if name in question)
    words = "at most ± " if kind == "within" else f"{kind} "
    return f"{words}{question[kind]:g} {question['unit']}".strip()


def _by_data_set(question: Data) -> str:
    """The estimate on each data set; the name alone of a single one."""
    sets = question["data sets"]
    if len(sets) == 1:
        return next(iter(sets))
    return BREAK.join(f"{name}: {told_interval({**question, 'n': None, **each})}" for name, each in sets.items())


def _head(columns: Sequence[str]) -> str:
    return f"{_row(columns)}\n|{'---|' * len(columns)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"
