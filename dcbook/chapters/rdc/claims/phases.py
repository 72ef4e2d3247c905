"""How records judge what the R-DC paper says of other methods' phases, in its Figs. 1 to 3."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from dcbook.book.verdicts import NOT_YET, Judgment, combined, counted
from dcbook.chapters.rdc import tables
from dcbook.experiments import Contrast, Record

FAR = 2.0  # LID is far above ID from so many times ID on
NEAR = 1.25  # and near it up to so many times
STRAIGHT = 0.95  # of the variance of a class on one line


def curved_at_first(start: str) -> Callable[[Sequence[Record]], Judgment]:
    """Before phase 2 the mean LID is at least `FAR` times the mean ID, in every run from that pretraining."""

    def judge(records: Sequence[Record]) -> Judgment:
        found = [(first["id"], first["lid"]) for first, _ in _ends(records, start)]
        return counted(sum(lid >= FAR * id_ for id_, lid in found), len(found)), f"after it {_told(found)}"

    return judge


def flat_in_the_end(start: str) -> Callable[[Sequence[Record]], Judgment]:
    """The mean ID rises during DEC, and a gap to LID closes: more than `NEAR` times ID before, no more in the end."""

    def judge(records: Sequence[Record]) -> Judgment:
        ends = _ends(records, start)
        rises = sum(last["id"] > first["id"] for first, last in ends)
        closes = sum(first["lid"] > NEAR * first["id"] and last["lid"] <= NEAR * last["id"] for first, last in ends)
        before, after = ([(each[at]["id"], each[at]["lid"]) for each in ends] for at in (0, 1))
        text = f"{_told(before)} before DEC, {_told(after)} after it; ID rises in {rises} of {len(ends)} runs"
        return counted(rises + closes, 2 * len(ends)), f"{text}, a gap to LID closes in {closes}"

    return judge


def flattened(records: Sequence[Record]) -> Judgment:
    """In the plane: in the end the classes are straighter than before DEC, and straight."""
    ends = _first_and_last(tables.shapes(records).to_dict("records"))
    before, after = zip(*((first["straightness"], last["straightness"]) for first, last in ends), strict=True)
    kept = [old < new >= STRAIGHT for old, new in zip(before, after, strict=True)]
    text = (
        f"variance of a class on one line: {100 * np.mean(before):.0f} % before DEC, {100 * np.mean(after):.0f} % after"
    )
    return counted(sum(kept), len(kept)), f"{text}, at least {100 * min(after):.0f} %, in {len(kept)} runs"


def collapses(records: Sequence[Record]) -> Judgment:
    """On images: the effective rank of the codes and the mean LID of the clusters fall."""
    ends = _first_and_last(tables.shapes(records).to_dict("records"))
    falls = [all(last[name] < first[name] for name in ("rank", "lid")) for first, last in ends]
    text = ", ".join(
        f"{title} {np.mean([first[name] for first, _ in ends]):.1f} to {np.mean([last[name] for _, last in ends]):.1f}"
        for name, title in {"rank": "effective rank", "lid": "LID", "id": "ID"}.items()
    )
    return counted(sum(falls), len(falls)), f"on average {text}; both fall in {sum(falls)} of {len(falls)} runs"


def second_phase_gains(method: str) -> Callable[[Sequence[Record]], Judgment]:
    """Phase 2 over phase 1 of the same runs, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Judgment:
        frame = tables.phases([record for record in records if record.run["method"] == method])
        if frame.empty:
            return NOT_YET, f"no record of {method}"
        found = {}
        for metric in ("acc", "nmi"):
            part = frame[frame["metric"] == metric]
            gains = (part["phase 2"] - part["phase 1"]).groupby(part["dataset"], sort=False).agg(tuple)
            found[metric] = Contrast(gains.to_dict())
        text = "; ".join(f"{metric.upper()} {gain}" for metric, gain in found.items())
        return combined([gain.verdict for gain in found.values()]), text

    return judge


def after_the_longest(interpolated: bool, method: str = "DynAE") -> Callable[[Sequence[Record]], Judgment]:
    """Phase 2 of `method` over its longest phase 1 there is, of those with or without interpolations."""

    def judge(records: Sequence[Record]) -> Judgment:
        some = [
            record
            for record in records
            if record.run["method"] == method and (tables.first_settings(record)["lam"] > 0) == interpolated
        ]
        longest = max((tables.first_settings(record)["epochs"] for record in some), default=0)
        return second_phase_gains(method)(
            [record for record in some if tables.first_settings(record)["epochs"] == longest]
        )

    return judge


def _ends(records: Sequence[Record], start: str) -> list[tuple[dict, dict]]:
    """ID and LID before phase 2 and after its last epoch, for each run from that pretraining."""
    frame = tables.dimensions([record for record in records if record.run["start"]["method"] == start])
    return _first_and_last(frame.to_dict("records"))


def _first_and_last(rows: Iterable[dict]) -> list[tuple[dict, dict]]:
    """The first and the last row of each run, in their order."""
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        found.setdefault((row["dataset"], row["method"], row["seed"]), []).append(row)
    return [(each[0], each[-1]) for each in found.values()]


def _told(pairs: Sequence[tuple[float, float]]) -> str:
    id_, lid = np.mean(pairs, 0)
    return f"ID {id_:.1f}, LID {lid:.1f}"
