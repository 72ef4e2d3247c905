"""The judgments of the R-DC chapter on records made by hand, its tables and its pictures."""

import pytest
from matplotlib import pyplot as plt

from dcbook.book.verdicts import NOT_YET, Claim, page
from dcbook.chapters.rdc import claims, grids, pictures, tables
from dcbook.chapters.rdc.claims import phases, reconstruction
from dcbook.chapters.rdc.grids.phases import ACAI, LENGTHS
from dcbook.experiments import Record
from dcbook.experiments.contrast import HOLDS, IN_PART, NOT


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
    frame = tables.dimensions([course((2, 8), (3, 8), (7, 7))])
    assert frame[["epoch", "id", "lid"]].values.tolist() == [[0, 2, 8], [2, 3, 8], [3, 7, 7]]
    assert set(frame["start"]) == {"reconstruction"}
    none = course((None, None), (3, 8))
    assert list(tables.dimensions([none])["epoch"]) == [2]


def test_curved_at_first_and_flat_in_the_end():
    twisted, flat, other = (
        course((2, 8), (7, 8)),
        course((6, 7), (5, 5), seed=1),
        course((6, 7), (6, 9), start="contrastive"),
    )
    curved, ends = phases.curved_at_first("reconstruction"), phases.flat_in_the_end("reconstruction")
    assert curved([twisted, other]) == (HOLDS, "after it ID 2.0, LID 8.0")
    assert curved([twisted, flat])[0] == IN_PART and curved([flat])[0] == NOT
    assert ends([twisted, other])[0] == HOLDS
    assert ends([flat]) == (
        NOT,
        "ID 6.0, LID 7.0 before DEC, ID 5.0, LID 5.0 after it; ID rises in 0 of 1 runs, a gap to LID closes in 0",
    )
    assert ends([course((6, 8), (5, 5))])[0] == IN_PART
    assert phases.flat_in_the_end("contrastive")([twisted, course((6, 7), (5, 9), start="contrastive")])[0] == NOT


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
    verdict, text = phases.flattened([falls])
    assert verdict == HOLDS and text.startswith("variance of a class on one line: 50 % before DEC, 99 % after")
    assert phases.flattened([falls, stays])[0] == IN_PART and phases.flattened([stays])[0] == NOT
    assert phases.collapses([falls]) == (
        HOLDS,
        "on average effective rank 9.0 to 5.0, LID 8.0 to 4.0, ID 2.0 to 2.0; both fall in 1 of 1 runs",
    )
    assert phases.collapses([falls, stays])[0] == IN_PART and phases.collapses([stays])[0] == NOT


def both(method, before, after, seed=0, dataset="x"):
    portrait = {"phase 1": {"acc": before, "nmi": before}, "majority": 0.4}
    return record(method, seed, dataset, portrait=portrait, acc=after, nmi=after)


def test_phase_2_over_phase_1():
    better = [both("DEC", 0.5, 0.6 + s / 100, s, d) for s in range(3) for d in "xy"]
    verdict, text = phases.second_phase_gains("DEC")([*better, both("IDEC", 0.5, 0.4)])
    assert verdict == HOLDS and text.startswith("ACC +11.0 [+10.1, +11.9] points over 6 pairs (x +11.0, y +11.0); NMI")
    mixed = [*better, *(both("DEC", 0.5, 0.4, s, "z") for s in range(3))]
    assert phases.second_phase_gains("DEC")(mixed)[0] == IN_PART
    assert phases.second_phase_gains("IDEC")([both("IDEC", 0.5, 0.4, s) for s in range(3)])[0] == NOT
    assert phases.second_phase_gains("DynAE")(better)[0] == NOT_YET


def diagnosed(method, seed=0, acc=0.5, fr=None, end=None, **run):
    """A record with one look at phase 2 and the shape at its end."""
    shape = dict.fromkeys(tables.SHAPE, 1.0) | (end or {})
    look = {"phase": "phase 2", "epoch": 1, "effective_rank": 1.0} | ({} if fr is None else {"fr_dynae": fr})
    made = record(method, seed, history=[look, {"phase": "phase 2", "epoch": 2}], acc=acc, nmi=acc, f1_macro=acc)
    made.portrait.update(shape=shape, majority=0.6)
    made.run.update(params=run.get("params", {}), sampling=run.get("sampling", {}), start={"method": "ACAI"})
    return made


def test_cosines_are_compared_run_by_run():
    starts = [diagnosed(grids.BEFORE, s) for s in (0, 1)]
    others = [diagnosed(name, s, fr=fr) for name, fr in (("DEC", 0.2), ("IDEC", 0.4)) for s in (0, 1)]
    pairs = (0.6, 0.5), (0.3, 0.6), (-0.1, -0.2)
    high, low, negative = ([diagnosed(grids.RDC, s, fr=fr) for s, fr in enumerate(pair)] for pair in pairs)
    judge = reconstruction.aligned("fr_dynae")
    assert judge([*starts, *others, *high])[0] == HOLDS and judge([*starts, *others, *negative])[0] == NOT
    verdict, text = judge([*starts, *others, *low])
    assert verdict == IN_PART and text.endswith("above 0 in 2, above DEC's in 2, above IDEC's in 1 of 2 runs")
    assert f"DEC 0.20, IDEC 0.40, {grids.RDC} 0.45" in text
    assert judge([*starts, *high])[0] == NOT_YET == reconstruction.aligned("fd_rdc")([*starts, *others, *high])[0]


def test_twist_is_a_rising_id_and_falling_gaps():
    starts = [diagnosed(grids.BEFORE, s) for s in (0, 1)]
    flat = {"id": 2.0, "curvature_gap": 0.0, "spectral_gap": 0.0}
    calm = [diagnosed(grids.RDC, s, end={"id": 1.2, "curvature_gap": 0.8}) for s in (0, 1)]
    twisted = [diagnosed(grids.RDC, s, end=flat) for s in (0, 1)]
    assert (
        reconstruction.untwisted([*starts, *calm])[0] == HOLDS
        and reconstruction.untwisted([*starts, *twisted])[0] == NOT
    )
    verdict, text = reconstruction.untwisted([*starts, calm[0], twisted[1], diagnosed("DEC", end=flat)])
    assert verdict == IN_PART and "DEC ID +1.00, LID - ID -1.00, spectral gap -100.0 points" in text
    assert text.endswith("as claimed ID in 1, LID - ID in 1, spectral gap in 1 of 2 runs")
    assert reconstruction.untwisted(starts)[0] == NOT_YET


def test_phase_2_of_the_reconstruction_is_judged_in_three_scores_beside_the_largest_class():
    starts = [diagnosed(grids.BEFORE, s) for s in range(3)]
    verdict, text = reconstruction.improves([*starts, *(diagnosed(grids.RDC, s, 0.58 + s / 50) for s in range(3))])
    assert verdict == HOLDS and text.startswith("ACC +10.0 [") and "F1-macro +10.0" in text
    assert text.endswith("ACC above the largest class's share in 1 of 3 runs")
    assert reconstruction.improves([*starts, *(diagnosed(grids.RDC, s, 0.45) for s in range(3))])[0] == NOT
    assert reconstruction.improves(starts)[0] == NOT_YET


def test_a_paradigm_is_judged_by_the_runs_of_its_methods():
    starts = [diagnosed(grids.BEFORE, s) for s in (0, 1)]
    drifting = [diagnosed(name, s, fr=fr) for name, fr in (("IDEC", 0.05), ("DCN", -0.4)) for s in (0, 1)]
    others = [diagnosed(name, s, fr=0.9) for name in ("DEC", grids.RDC) for s in (0, 1)]
    judge = reconstruction.opposed("fr_dynae", {"self, then both"})
    verdict, text = judge([*starts, *drifting, *others])
    assert verdict == HOLDS and text == "on average IDEC 0.05, DCN -0.40; at most 0.1 in 4 of 4 runs"
    assert judge([*starts, *drifting[:2], diagnosed("VaDE", fr=0.3), *others])[0] == IN_PART
    assert judge([*starts, *others])[0] == NOT_YET


def test_robustness_is_staying_near_the_method_as_it_is():
    base = [diagnosed(grids.RDC, s, 0.5 + s / 50) for s in (0, 1)]
    near = [diagnosed(grids.RDC, s, 0.52, params={"n_neighbors": 3}) for s in (0, 1)]
    far = [diagnosed(grids.RDC, s, 0.42, params={"hand_over": 0.0}) for s in (0, 1)]
    other = diagnosed(grids.RDC, 0, 0.1, params={"loss": "latent", "epochs": 3})
    assert reconstruction.steady([*base, *near, other])[0] == HOLDS and reconstruction.steady([*base, *far])[0] == NOT
    verdict, text = reconstruction.steady([*base, *near, *far])
    assert (
        verdict == IN_PART
        and text.endswith("2 settings")
        and text.startswith("ACC 51.0 %, changed by -9.0 to +1.0 points, most at hand_over = 0.0; NMI")
    )
    assert reconstruction.steady(base)[0] == NOT_YET

    noise = [(0.1, 0.5, 0.5), (0.3, 0.4, 0.2)]
    levels = [
        diagnosed(name, acc=acc, sampling={"noise": sd})
        for sd, *both in noise
        for name, acc in zip((grids.RDC, grids.BEFORE), both, strict=True)
    ]
    clean = [diagnosed(grids.RDC, acc=0.51), diagnosed(grids.BEFORE)]
    verdict, text = reconstruction.unshaken([*clean, *levels])
    assert verdict == IN_PART
    assert text.startswith("at sd 0.1 ACC -1.0, NMI -1.0 points (its phase 1 +0.0, +0.0); at sd 0.3 ACC -11.0")
    assert (
        reconstruction.unshaken([*clean, *levels[:2]])[0] == HOLDS
        and reconstruction.unshaken([*clean, *levels[2:]])[0] == NOT
    )
    assert reconstruction.unshaken(clean)[0] == NOT_YET


def test_scores_over_the_length_of_phase_1():
    found = [both(name, 0.5, after) for name, after in (("DEC", 0.6), ("DynAE", 0.7))]
    for each in found:
        each.run["start"]["params"] = {"start": {"ACAIPretraining": {"epochs": 40, "lam": 0.05, "critic": "trained"}}}
    found[1].history.extend({"phase": "clustering", "epoch": at, "conflicted": 1 / at} for at in (1, 2))
    frame = tables.by_length(found)
    acc = frame[frame["metric"] == "acc"].set_index("method")["value"]
    assert acc.to_dict() == {"phase 1": 0.5, "DEC": 0.6, "DynAE": 0.7} and set(frame["epochs"]) == {40}
    assert set(frame["lam"]) == {0.05} and set(frame["critic"]) == {"trained"}
    assert len(frame) == 7
    assert frame[frame["metric"] == "conflicted"][["method", "value"]].values.tolist() == [["DynAE", 1]]
    assert phases.after_the_longest(False)(found)[0] == NOT_YET
    shorter = [both("DynAE", 0.5, 0.4, seed) for seed in range(3)]
    for each in shorter:
        each.run["start"]["params"] = {"start": {"ACAIPretraining": {"epochs": 10, "lam": 0.05}}}
    longer = [both("DynAE", 0.5, 0.7 + seed / 100, seed) for seed in range(3)]
    for each in longer:
        each.run["start"]["params"] = found[1].run["start"]["params"]
    assert phases.after_the_longest(True)(shorter)[0] == NOT
    assert phases.after_the_longest(True)([*shorter, *longer])[0] == HOLDS
    frozen = [both(grids.RELEASED, 0.5, 0.4, seed) for seed in range(3)]
    for each in frozen:
        each.run["start"]["params"] = shorter[0].run["start"]["params"]
    assert phases.after_the_longest(True, grids.RELEASED)([*frozen, *longer])[0] == NOT
    assert phases.after_the_longest(True)([*frozen, *longer])[0] == HOLDS
    for scale, several in LENGTHS.items():
        recipes = [start.params["start"] for grid in several for start in grid.starts.values()]
        trained = {recipe.epochs for recipe in recipes if recipe.lam and recipe.critic == "trained"}
        assert trained >= {recipe.epochs for recipe in recipes}, scale
        assert len({(recipe.critic, recipe.epochs, recipe.lam) for recipe in recipes}) == len(several), scale
    longest = max(grid.starts[ACAI].params["start"].epochs for grid in LENGTHS["laptop"] if ACAI in grid.starts)
    assert 130_000 <= longest * 79 < 130_100


def test_the_released_critic_is_exact_and_the_trained_one_unknown():
    found = {claim.text: claim.status for claim in claims.CLAIMS if "critic" in claim.text}
    assert sorted(found.values()) == ["exact", "exact", "unknown", "unknown"]
    assert all((status == "exact") == ("as released" in text) for text, status in found.items())


def test_what_is_said_of_the_method_says_that_it_is_a_reconstruction():
    ours = [claim for claim in claims.CLAIMS if "R-DC" in claim.text]
    assert len(ours) == 6 and all(claim.status == claims.RECONSTRUCTION and grids.RDC in claim.text for claim in ours)


def test_the_pictures_hold_every_run():
    frame = tables.phases([both(m, 0.5, 0.7, s, d) for m in ("DEC", "IDEC") for s in range(3) for d in "xy"])
    assert frame.query("metric == 'acc'")["phase 1"].tolist() == [50] * 12 and set(frame["majority"]) == {40}
    figure = pictures.phases(frame)
    points = [c.get_offsets() for c in figure.axes[1].collections if len(c.get_offsets()) == 6]
    assert [set(each[:, 0].round(6)) for each in points] == [{50}, {70}] and len(set(points[0][:, 1])) == 6
    plt.close(figure)
    figure = pictures.dimensions(
        tables.dimensions([course((2, 8), (3, 8)), course((2, 8), (3, 8), start="contrastive")])
    )
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


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.text[:40])
def test_every_claim_has_a_status_and_a_notebook_or_says_why_not(claim, request):
    notebooks = request.config.rootpath / "notebooks" / "rdc"
    assert claim.status in (claims.EXACT, claims.RECONSTRUCTION, claims.UNKNOWN)
    assert (notebooks / f"{claim.notebook}.ipynb").exists() if claim.notebook else isinstance(claim.judge, str)
