"""The judgments of the R-DC chapter on records made by hand, its tables and its pictures."""

import pytest
from matplotlib import pyplot as plt

from dcbook import twist
from dcbook.book import rdc
from dcbook.book.verdicts import NOT_YET, Claim, page
from dcbook.experiments import Record
from dcbook.experiments import rdc as lists
from dcbook.experiments.claims import HOLDS, IN_PART, NOT


def record(method, seed=0, dataset="x", start="reconstruction", history=(), portrait=None, **scores):
    run = {"method": method, "dataset": dataset, "seed": seed, "start": {"method": start}}
    return Record(run, scores, list(history), {}, portrait or {})


def course(first, *later, seed=0, start="reconstruction"):
    """ID and LID before DEC and after some of its epochs, with one that was not looked at and a pretraining before."""
    history = [{"phase": "pretraining", "epoch": 1}, {"phase": "clustering", "epoch": 1}]
    history += [{"phase": "clustering", "epoch": 2 + at, "id": i, "lid": d} for at, (i, d) in enumerate(later)]
    portrait = {"start": dict(zip(("id", "lid"), first, strict=True))}
    return record(f"DEC after {start}", seed, start=start, history=history, portrait=portrait)


def test_dimensions_over_the_epochs():
    frame = lists.dimensions([course((2, 8), (3, 8), (7, 7))])
    assert frame[["epoch", "id", "lid"]].values.tolist() == [[0, 2, 8], [2, 3, 8], [3, 7, 7]]
    assert set(frame["start"]) == {"reconstruction"}
    none = course((None, None), (3, 8))
    assert list(lists.dimensions([none])["epoch"]) == [2]


def test_curved_at_first_and_flat_in_the_end():
    twisted, flat, other = (
        course((2, 8), (7, 8)),
        course((6, 7), (5, 5), seed=1),
        course((6, 7), (6, 9), start="contrastive"),
    )
    curved, ends = rdc.curved_at_first("reconstruction"), rdc.flat_in_the_end("reconstruction")
    assert curved([twisted, other]) == (HOLDS, "after it ID 2.0, LID 8.0")
    assert curved([twisted, flat])[0] == IN_PART and curved([flat])[0] == NOT
    assert ends([twisted, other])[0] == HOLDS
    assert ends([flat]) == (
        NOT,
        "ID 6.0, LID 7.0 before DEC, ID 5.0, LID 5.0 after it; ID rises in 0 of 1 runs, a gap to LID closes in 0",
    )
    assert ends([course((6, 8), (5, 5))])[0] == IN_PART
    assert rdc.flat_in_the_end("contrastive")([twisted, course((6, 7), (5, 9), start="contrastive")])[0] == NOT


def shown(*frames, seed=0):
    """Portraits with rank and LID, and places on a circle that is squeezed to a line."""
    circle = [[0, 1], [1, 0], [0, -1], [-1, 0]]
    portrait = {
        "labels": [0] * 4,
        "frames": [
            {
                "epoch": at,
                "places": [[x, (1 - flat) * y] for x, y in circle],
                "id": 2.0,
                "lid": lid,
                "rank": rank,
                "variance": 1,
            }
            for at, (flat, lid, rank) in enumerate(frames)
        ],
    }
    return record("DEC", seed, portrait=portrait)


def test_flattened_and_collapsed():
    falls, stays = shown((0, 8, 9), (0.9, 4, 5)), shown((0, 8, 9), (0.1, 8, 5), seed=1)
    verdict, text = rdc.flattened([falls])
    assert verdict == HOLDS and text.startswith("variance of a class on one line: 50 % before DEC, 99 % after")
    assert rdc.flattened([falls, stays])[0] == IN_PART and rdc.flattened([stays])[0] == NOT
    assert rdc.collapses([falls]) == (
        HOLDS,
        "on average effective rank 9.0 to 5.0, LID 8.0 to 4.0, ID 2.0 to 2.0; both fall in 1 of 1 runs",
    )
    assert rdc.collapses([falls, stays])[0] == IN_PART and rdc.collapses([stays])[0] == NOT


def phases(method, before, after, seed=0, dataset="x"):
    portrait = {"phase 1": {"acc": before, "nmi": before}, "majority": 0.4}
    return record(method, seed, dataset, portrait=portrait, acc=after, nmi=after)


def test_phase_2_over_phase_1():
    better = [phases("DEC", 0.5, 0.6 + s / 100, s, d) for s in range(3) for d in "xy"]
    verdict, text = rdc.second_phase_gains("DEC")([*better, phases("IDEC", 0.5, 0.4)])
    assert verdict == HOLDS and text.startswith("ACC +11.0 [+10.1, +11.9] points over 6 pairs (x +11.0, y +11.0); NMI")
    mixed = [*better, *(phases("DEC", 0.5, 0.4, s, "z") for s in range(3))]
    assert rdc.second_phase_gains("DEC")(mixed)[0] == IN_PART
    assert rdc.second_phase_gains("IDEC")([phases("IDEC", 0.5, 0.4, s) for s in range(3)])[0] == NOT
    assert rdc.second_phase_gains("DynAE")(better)[0] == NOT_YET


def test_the_pictures_hold_every_run():
    frame = lists.phases([phases(m, 0.5, 0.7, s, d) for m in ("DEC", "IDEC") for s in range(3) for d in "xy"])
    assert frame.query("metric == 'acc'")["phase 1"].tolist() == [50] * 12 and set(frame["majority"]) == {40}
    figure = twist.phases(frame)
    points = [c.get_offsets() for c in figure.axes[1].collections if len(c.get_offsets()) == 6]
    assert [set(each[:, 0].round(6)) for each in points] == [{50}, {70}] and len(set(points[0][:, 1])) == 6
    plt.close(figure)
    figure = twist.dimensions(lists.dimensions([course((2, 8), (3, 8)), course((2, 8), (3, 8), start="contrastive")]))
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["x, reconstruction", "x, contrastive"]
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [[2, 3], [8, 8]]
    plt.close(figure)


def test_a_page_has_a_status_where_a_claim_has_one():
    claims = [Claim("1", "a", "", "not testable here", status="exact"), Claim("2", "b", "", "not testable here")]
    text = page("Title", "Hello.", claims, lambda claim: [])
    assert (
        "| # | in the paper | claim | notebook | status | verdict | evidence |\n|---|---|---|---|---|---|---|" in text
    )
    assert "| 1 | 1 | a |  | exact | **not testable here** |" in text and "| 2 | 2 | b |  |  | **" in text


@pytest.mark.parametrize("claim", rdc.CLAIMS, ids=lambda claim: claim.text[:40])
def test_every_claim_has_a_status_and_a_notebook_or_says_why_not(claim, request):
    notebooks = request.config.rootpath / "notebooks" / "rdc"
    assert claim.status in (rdc.EXACT, rdc.RECONSTRUCTION, rdc.UNKNOWN)
    assert (notebooks / f"{claim.notebook}.ipynb").exists() if claim.notebook else isinstance(claim.judge, str)
