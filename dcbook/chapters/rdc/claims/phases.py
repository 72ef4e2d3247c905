"""Judges of the R-DC paper's claims about the phases of other methods, Figs. 1 to 3."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from dcbook.book.comparisons import in_both_metrics
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.rdc import tables
from dcbook.experiments import Contrast, Question, Record, grouped, over_settings

FAR = 2.0  # smallest ratio LID / ID for which LID counts as far above ID
STRAIGHT = 95.0  # per cent of the variance of a class along one line, above which it counts as straight
DIMENSIONS = "dimensions"
Ends = list[tuple[dict, dict]]  # measurements of a run before phase 2 and after its last epoch


def curved_at_first(start: str) -> Judge:
    """After the pretraining `start`, before phase 2, the mean LID is more than `FAR` times the mean ID."""

    def judge(records: Sequence[Record]) -> Answer:
        ends = _ends(records, start)
        ratio = _measured(ends, lambda first, last: first["lid"] / first["id"], "")
        return Answer([Question("LID / ID before DEC", ratio, above=FAR)], _told("before DEC", ends, 0))

    return judge


def flat_in_the_end(start: str) -> Judge:
    """In DEC the mean ID rises, and the distance between ID and LID decreases."""

    def judge(records: Sequence[Record]) -> Answer:
        ends = _ends(records, start)
        rises = _measured(ends, lambda first, last: last["id"] - first["id"], DIMENSIONS, paired=True)
        nearer = _measured(ends, lambda first, last: _apart(first) - _apart(last), DIMENSIONS, paired=True)
        questions = [Question("rise of ID", rises), Question("fall of the distance between ID and LID", nearer)]
        return Answer(questions, f"{_told('before DEC', ends, 0)}, {_told('after it', ends, 1)}")

    return judge


def flattened(records: Sequence[Record]) -> Answer:
    """In the plane, DEC makes classes straighter, and finally straight. The networks of a seed are one observation."""
    ends = [
        (
            first["dataset"],
            first["method"].removeprefix("DEC, "),
            first["seed"],
            first["straightness"],
            last["straightness"],
        )
        for first, last in _first_and_last(tables.shapes(records).to_dict("records"))
    ]
    gain = over_settings((*run, 100 * (after - before)) for *run, before, after in ends)
    after = replace(over_settings(((*run, 100 * after) for *run, _, after in ends), "%"), bounds=(0, 100))
    return Answer(
        [
            Question("rise of the share of a class's variance along one line", gain, band=None),
            Question("share of a class's variance along one line after DEC", after, above=STRAIGHT),
        ]
    )


def collapses(records: Sequence[Record]) -> Answer:
    """On images, the effective rank of the codes and the mean LID of the clusters decrease: how we read "collapse"."""
    ends = _first_and_last(tables.shapes(records).to_dict("records"))
    titles = {"rank": "effective rank", "lid": "LID", "id": "ID"}
    told = ", ".join(
        f"{title} {np.mean([first[name] for first, _ in ends]):.1f} to {np.mean([last[name] for _, last in ends]):.1f}"
        for name, title in titles.items()
    )
    note = f"{told}; a twist as in Fig. 1 would have ID rise"
    return Answer([Question(f"fall of the {titles[name]}", _fall(ends, name)) for name in ("rank", "lid")], note)


def second_phase_gains(method: str) -> Judge:
    """The gain of phase 2 over phase 1 of the same runs, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Answer:
        frame = tables.phases([record for record in records if record.run["method"] == method])
        if frame.empty:
            raise NotTested(f"no record of {method}")

        def gain(metric: str) -> Contrast:
            part = frame[frame["metric"] == metric]
            return Contrast(grouped(zip(part["dataset"], part["phase 2"] - part["phase 1"], strict=True)))

        return in_both_metrics(gain)

    return judge


def _ends(records: Sequence[Record], start: str) -> Ends:
    """ID and LID of each run with the pretraining `start`; NotTested if there is none."""
    ours = [record for record in records if record.run["start"]["method"] == start]
    if not ours:
        raise NotTested(f"no record of DEC after {start}")
    return _first_and_last(tables.dimensions(ours).to_dict("records"))


def _first_and_last(rows: Iterable[dict]) -> Ends:
    """The first and the last row of each run, in the order of the runs."""
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        found.setdefault((row["dataset"], row["method"], row["seed"]), []).append(row)
    return [(each[0], each[-1]) for each in found.values()]


def _measured(ends: Ends, measure: Callable[[dict, dict], float], unit: str, paired: bool = False) -> Contrast:
    """One number per run, computed from its first and last row."""
    return Contrast(grouped((first["dataset"], measure(first, last)) for first, last in ends), unit, paired)


def _fall(ends: Ends, name: str) -> Contrast:
    return _measured(ends, lambda first, last: first[name] - last[name], DIMENSIONS, paired=True)


def _apart(row: dict) -> float:
    return abs(row["lid"] - row["id"])


def _told(when: str, ends: Ends, at: int) -> str:
    id_, lid = np.mean([(each[at]["id"], each[at]["lid"]) for each in ends], 0)
    return f"{when} ID {id_:.1f}, LID {lid:.1f}"
