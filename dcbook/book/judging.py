"""All claims of the book, judged: the pages of the chapters, the page on verdicts, and ``claims.json``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from dcbook.book.chapters import chapters, part
from dcbook.book.protocol import ENOUGH
from dcbook.book.verdicts import Claim, Verdict, page, recorded, told_counts
from dcbook.experiments import Question, Record
from dcbook.experiments.contrast import LEVEL
from dcbook.experiments.records import rounded
from dcbook.experiments.verdict import BAND, CONTRADICTED, SUPPORTED, discoveries

PAGES = "notebooks"
SCHEMA = 1


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and its number in its chapter, from 1 on."""

    chapter: str
    number: int
    claim: Claim
    verdict: Verdict

    @property
    def name(self) -> str:
        """Of the claim in the whole book: "dcss-13"."""
        return f"{self.chapter}-{self.number}"


def judge(chapter: str, figures: Path) -> list[Judged]:
    """Every claim of a chapter, by the records below the folder `figures`."""
    claims = part(chapter, "claims")

    @cache
    def found(grid, scale: str) -> list[Record]:
        return recorded(grid(scale), figures / scale / chapter / "records")

    def verdict(claim: Claim) -> Verdict:
        records = found(claim.runs, claim.scale) if claim.runs else []
        return claim.verdict(records, getattr(claims, "protocol", lambda _: None))

    return [Judged(chapter, number, claim, verdict(claim)) for number, claim in enumerate(claims.CLAIMS, 1)]


def written(figures: Path, names: list[str] | None = None) -> dict[str, str]:
    """Path below the checkout to text: a page for each chapter; with all chapters also the page on verdicts and data."""
    judged = {name: judge(name, figures) for name in names or chapters()}
    files = {f"{PAGES}/{name}/README.md": _page(name, claims) for name, claims in judged.items()}
    if not names or set(names) == set(chapters()):
        claims = [each for found in judged.values() for each in found]
        files[f"{PAGES}/VERDICTS.md"] = overview(claims)
        files[f"{PAGES}/claims.json"] = json.dumps(as_data(claims), indent=1, ensure_ascii=False) + "\n"
    return files


def _page(chapter: str, judged: list[Judged]) -> str:
    claims = part(chapter, "claims")
    return page(claims.TITLE, claims.INTRODUCTION, [each.claim for each in judged], [each.verdict for each in judged])


def standing(judged: list[Judged]) -> dict[str, bool]:
    """Which tested claims stay decided when the number of claims is taken into account, see `discoveries`."""
    tested = [each for each in judged if each.verdict.answer]
    decided = (SUPPORTED, CONTRADICTED)
    errors = [each.verdict.answer.p() if each.verdict.verdict in decided else 1.0 for each in tested]
    return dict(zip([each.name for each in tested], discoveries(errors), strict=True))


def as_data(judged: list[Judged]) -> dict:
    """What ``claims.json`` holds: claims, verdicts, and every interval behind them."""
    stand = standing(judged)
    return {
        "schema": SCHEMA,
        "rule": {"level": LEVEL, "band": BAND, "share of the protocol": ENOUGH},
        "claims": [_data(each, stand.get(each.name, False)) for each in judged],
    }


def _data(judged: Judged, stands: bool) -> dict:
    claim, found = judged.claim, judged.verdict
    tested = {} if found.answer is None else {
        "protocol": found.protocol and asdict(found.protocol) | {"enough": found.protocol.enough},
        "power": {"gain": claim.gain, "probability": found.power},
        "stands among all claims": stands,
        "premises": [_question(premise, found.answer.level) for premise in found.answer.premises],
        "questions": [_question(question, found.answer.level) for question in found.answer.questions],
    }  # fmt: skip
    about = {name: getattr(claim, name) for name in ("place", "text", "notebook", "status", "scale")}
    identity = {"id": judged.name, "chapter": judged.chapter, **about}
    return rounded({**identity, "verdict": found.verdict, "evidence": found.evidence, **tested})


def _question(question: Question, level: float) -> dict:
    estimate = question.estimate
    limits = {name: getattr(question, name) for name in ("within", "below", "above")}
    asked = next({name: limit} for name, limit in limits.items() if limit is not None)
    between = estimate.between(level)
    return {
        "about": question.about,
        "verdict": question.verdict(level),
        "unit": estimate.unit,
        **asked,
        **_interval(estimate.mean, estimate.interval(level)),
        "level": level,
        "n": estimate.n,
        "between data sets": list(between) if between else None,
        "data sets": {n: _interval(m, estimate.interval_on(n, level)) for n, m in estimate.means.items()},
    }


def _interval(mean: float, interval: tuple[float, float]) -> dict:
    low, high = interval
    return {"mean": mean, "low": low, "high": high}


def overview(judged: list[Judged]) -> str:
    """The page on verdicts: the rule, the counts of every chapter, and what the number of claims does to them."""
    stand = standing(judged)
    names = list(dict.fromkeys(each.chapter for each in judged))
    counts = "\n".join(
        f"| [{name}]({name}/README.md) | {told_counts(j.verdict for j in judged if j.chapter == name)} |"
        for name in names
    )
    decided = [j for j in judged if j.verdict.verdict in (SUPPORTED, CONTRADICTED)]
    fallen = [j for j in decided if not stand[j.name]]
    weak = [j for j in judged if not math.isnan(j.verdict.power) and j.verdict.power < 0.5]
    return f"""\
# How verdicts are made

Each claim of a paper is taken apart into questions. A question asks of one measured difference, such as the ACC of one
method over another, whether it is above 0 (or above the size that the claim states), or whether it is small. The answer
comes from a confidence interval:

| verdict | the interval |
|---|---|
| supported | lies above the limit, or inside the band of a claim that something matters little |
| contradicted | lies below the limit, or outside the band |
| no effect | lies within {BAND:g} point of 0 on both sides, though a gain was claimed |
| mixed | one data set, or one part of the claim, supports it, and another contradicts it or shows no effect |
| undecided | none of these: the runs cannot tell |

**Pairs.** Two methods are compared on the same data set from the same start: same weights, same centers, same seed.

**Seeds, then data sets.** The interval comes from the scatter of the seeds within each data set; every data set has the
same weight (Student's t, Satterthwaite's degrees of freedom). It holds for the data sets that were tested. How far
the data sets differ is printed beside it, and in `claims.json` as the interval "between data sets": a claim about data
sets that nobody tested would need that one.

**Several comparisons.** "Better than every other method" gets an interval for each rival, and a claim in ACC and NMI one
for each score. The intervals of one claim hold together at {LEVEL:.0%} (Bonferroni).

**Occurrences.** A claim that something happens is supported if it happens in more than half of all runs, by the exact
interval of Clopper and Pearson: six of six runs support it, three of three do not.

**Share of the protocol.** Each verdict states which share of the paper's images and updates it rests on, and whether the
network is the paper's. With another network, or less than {ENOUGH:.0%} of the images or of the updates, a claim is never
called contradicted or without effect: it is undecided, and the evidence says what was seen.

**Power.** Beside a verdict stands the probability with which these seeds and data sets would have supported a true gain
of the size that the paper claims (or 2 points, where it claims none), found by simulation with this rule and the scatter of the
seeds. A low number means that "undecided" was to be expected. {len(weak)} of the tested claims have less than 0.5.
`dcbook.experiments.seeds_needed` finds the number of seeds before a grid is run.

## All claims

| chapter | verdicts |
|---|---|
{counts}

**The number of claims.** The book tests {len(stand)} claims, so some verdicts will be wrong by chance. Of {len(decided)} claims
that are supported or contradicted, {len(decided) - len(fallen)} stay so when the share of wrong ones among them is held to {1 - LEVEL:.0%} over all claims
(Benjamini and Hochberg).{_fallen(fallen)}

This page is generated by `make verdicts`, as are the pages of the chapters and [claims.json](claims.json), which holds every
number of them.
"""


def _fallen(fallen: list[Judged]) -> str:
    if not fallen:
        return ""
    return f" These {len(fallen)} do not: {', '.join(each.name for each in fallen)}."
