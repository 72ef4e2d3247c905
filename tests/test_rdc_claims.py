"""The judgments of the R-DC chapter on records made by hand, its tables and its pictures."""

import pytest
from matplotlib import pyplot as plt

from dcbook.book.pages import page
from dcbook.book.verdicts import Claim, NotTested
from dcbook.chapters.rdc import claims, grids, pictures, tables
from dcbook.chapters.rdc.claims import phases, reconstruction
from dcbook.chapters.rdc.grids.phases import ACAI, LENGTHS
from dcbook.experiments import Record
from dcbook.experiments.contrast import NoPairs
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED


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


def courses(first, last, start="reconstruction"):
    """Three seeds of the same course, whose ID and LID differ by a hundredth in the end."""
    return [course(first, (last[0] + s / 100, last[1] - s / 100), seed=s, start=start) for s in range(3)]


def test_curved_at_first():
    judge = phases.curved_at_first("reconstruction")
    others = courses((6, 7), (6, 9), start="contrastive")
    twisted = judge([*courses((2, 8), (7, 8)), *others])
    assert twisted.verdict == SUPPORTED
    told = "LID / ID before DEC 4.00 [4.00, 4.00] over 3 runs (x 4.00); before DEC ID 2.0, LID 8.0"
    assert twisted.evidence == told
    assert judge(courses((6, 7), (5, 5))).verdict == CONTRADICTED
    assert judge([course((2, 8), (7, 8)), course((6, 7), (5, 5), seed=1)]).verdict == UNDECIDED
    with pytest.raises(NotTested, match="no record of DEC after contrastive"):
        phases.curved_at_first("contrastive")(courses((2, 8), (7, 8)))


def test_flat_in_the_end():
    judge = phases.flat_in_the_end("reconstruction")
    others = courses((6, 7), (5, 9), start="contrastive")
    rises = judge([*courses((2, 8), (7, 8)), *others])
    assert rises.verdict == SUPPORTED and "rise of ID +5.01 [" in rises.evidence
    assert "before DEC ID 2.0, LID 8.0, after it ID 7.0, LID 8.0" in rises.evidence
    assert judge(courses((6, 8), (5, 5))).verdict == MIXED  # they meet, but because LID falls
    assert judge(courses((6, 7), (5, 3))).verdict == CONTRADICTED
    assert judge(courses((6, 7), (9, 4))).verdict == MIXED  # ID rises past LID
    assert phases.flat_in_the_end("contrastive")([*courses((2, 8), (7, 8)), *others]).verdict == CONTRADICTED


def shown(*frames, seed=0, method="DEC, linear"):
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
    return record(method, seed, portrait=portrait)


def test_flattened_and_collapsed():
    falls = [shown((0, 8, 9), (0.9 - s / 100, 4, 5 + s / 10), seed=s) for s in range(3)]
    stays = [shown((0, 8, 9), (0.1 + s / 100, 8, 5 + s / 10), seed=s) for s in range(3)]
    straight = phases.flattened(falls)
    assert straight.questions[0].estimate.unit == "points", "a difference of two shares"
    assert straight.verdict == SUPPORTED and "over 3 pairs (linear +48." in straight.evidence
    deeper = [shown((0, 8, 9), (0.8 - s / 100, 4, 5), seed=s, method="DEC, one hidden layer") for s in range(3)]
    assert "over 3 pairs (linear +48." in phases.flattened([*falls, *deeper]).evidence, "a seed is one observation"
    assert phases.flattened(stays).verdict == MIXED  # somewhat straighter, but not straight
    assert phases.flattened([*falls[:2], shown((0, 8, 9), (0, 8, 5), seed=2)]).verdict == UNDECIDED
    collapsed = phases.collapses(falls)
    assert collapsed.verdict == SUPPORTED
    assert "effective rank 9.0 to 5.1, LID 8.0 to 4.0, ID 2.0 to 2.0; a twist" in collapsed.evidence
    assert phases.collapses([shown((0, 8, 9), (0, 9, 10), seed=s) for s in range(3)]).verdict == CONTRADICTED
    assert phases.collapses([shown((0, 8, 9), (0, 9, 5), seed=s) for s in range(3)]).verdict == MIXED


def both(method, before, after, seed=0, dataset="x"):
    portrait = {"phase 1": {"acc": before, "nmi": before}, "majority": 0.4}
    return record(method, seed, dataset, portrait=portrait, acc=after, nmi=after)


def test_phase_2_over_phase_1():
    better = [both("DEC", 0.5, 0.6 + s / 100, s, d) for s in range(3) for d in "xy"]
    found = phases.second_phase_gains("DEC")([*better, both("IDEC", 0.5, 0.4)])
    assert found.verdict == SUPPORTED and found.evidence.startswith("ACC +11.0 [")
    assert "points over 6 pairs (x +11.0, y +11.0); NMI" in found.evidence
    mixed = [*better, *(both("DEC", 0.5, 0.4 + s / 1000, s, "z") for s in range(3))]
    assert phases.second_phase_gains("DEC")(mixed).verdict == MIXED
    worse = [both("IDEC", 0.5, 0.4 + s / 1000, s) for s in range(3)]
    assert phases.second_phase_gains("IDEC")(worse).verdict == CONTRADICTED
    equal = [both("IDEC", 0.5, 0.5 + s / 1000, s) for s in range(3)]
    assert phases.second_phase_gains("IDEC")(equal).verdict == NO_EFFECT
    with pytest.raises(NotTested, match="no record of DynAE"):
        phases.second_phase_gains("DynAE")(better)


def diagnosed(method, seed=0, acc=0.5, fr=None, end=None, dataset="x", look=(), **run):
    """A record with one look at phase 2 and the shape at its end; `look` has more of what was seen."""
    shape = dict.fromkeys(tables.SHAPE, 1.0) | (end or {})
    seen = {"phase": "phase 2", "epoch": 1, "effective_rank": 1.0} | ({} if fr is None else {"fr_dynae": fr})
    history = [seen | dict(look), {"phase": "phase 2", "epoch": 2}]
    made = record(method, seed, dataset, history=history, acc=acc, nmi=acc, f1_macro=acc)
    made.portrait.update(shape=shape, majority=0.6)
    made.run.update(params=run.get("params", {}), sampling=run.get("sampling", {}), start={"method": "ACAI"})
    return made


def cosines(method, *values):
    return [diagnosed(method, seed, fr=fr) for seed, fr in enumerate(values)]


STARTS = [diagnosed(grids.BEFORE, seed) for seed in range(3)]


def test_cosines_are_compared_run_by_run():
    others = [*STARTS, *cosines("DEC", 0.2, 0.3, 0.1), *cosines("IDEC", 0.4, 0.5, 0.3)]
    judge = reconstruction.aligned("fr_dynae")
    high = judge([*others, *cosines(grids.RDC, 0.61, 0.7, 0.5)])
    assert high.verdict == SUPPORTED
    assert "FR over that of IDEC +0.20 [" in high.evidence and "over 3 pairs (x +0.20)" in high.evidence
    assert f"DEC 0.20, IDEC 0.40, {grids.RDC} 0.60" in high.evidence
    assert judge([*others, *cosines(grids.RDC, -0.6, -0.5, -0.7)]).verdict == CONTRADICTED
    assert judge([*others, *cosines(grids.RDC, 0.3, 0.4, 0.2)]).verdict == MIXED  # over DEC's, but not over IDEC's
    assert judge([*others, *cosines(grids.RDC, 0.9, -0.2, 0.5)]).verdict == UNDECIDED
    low = [*STARTS, *cosines("DEC", -0.3, -0.31, -0.29), *cosines("IDEC", -0.4, -0.41, -0.39)]
    near = cosines(grids.RDC, 0.05, 0.051, 0.049)
    assert judge([*low, *near]).questions[0].verdict() == CONTRADICTED, "near 0, as in `opposed`"
    with pytest.raises(NotTested, match="with that number"):
        judge([*STARTS, *cosines(grids.RDC, 0.6)])
    with pytest.raises(NotTested, match="with that number"):
        reconstruction.aligned("fd_rdc")([*others, *cosines(grids.RDC, 0.6, 0.6, 0.6)])
    elsewhere = [diagnosed(name, s, fr=0.5, dataset="y") for name in ("DEC", "IDEC", grids.RDC) for s in range(3)]
    elsewhere += [diagnosed(grids.BEFORE, s, dataset="y") for s in range(3)]
    two = judge([*others, *cosines(grids.RDC, 0.6, 0.7, 0.5), *cosines(grids.ADEC, 0.1, 0.1, 0.1), *elsewhere])
    assert f"{grids.ADEC} 0.10 (x alone), {grids.RDC} 0.55" in two.evidence


def test_the_drift_of_the_reconstruction_is_told_after_its_hand_over():
    def drifting(method, seed, first, second):
        made = diagnosed(method, seed, fr=0.1, look={"fd_rdc": first})
        made.history[1] |= {"effective_rank": 1.0, "fr_dynae": 0.1, "fd_rdc": second}
        return made

    late = [drifting(grids.RDC, seed, 1.0, 0.2 + seed / 10) for seed in range(3)]
    records = [*STARTS, *late, *(drifting(name, s, 0.1, 0.1 + s / 100) for name in ("DEC", "IDEC") for s in range(3))]
    assert reconstruction.after_the_hand_over(records, "fd_rdc") == pytest.approx({"x": 0.65})  # at its half and after
    late[0].history.extend({"phase": "phase 2", "epoch": at} for at in (3, 4))
    found = reconstruction.aligned("fd_rdc")(records)
    assert "FD (rdc) 0.65 [" in found.evidence
    assert found.evidence.endswith("before the hand-over, after which it is 0.52 (x 0.52)")  # of one run one look


def test_twist_is_a_rising_id_and_falling_gaps():
    def ending(method=grids.RDC, **end):
        return [diagnosed(method, s, end={name: value + s / 1000 for name, value in end.items()}) for s in range(3)]

    flat = {"id": 2.0, "curvature_gap": 0.0, "spectral_gap": 0.0}
    judge = reconstruction.untwisted
    assert judge([*STARTS, *ending(id=1.2, curvature_gap=0.8)]).verdict == SUPPORTED  # within what is tolerated
    assert judge([*STARTS, *ending(**flat)]).verdict == CONTRADICTED
    part = judge([*STARTS, *ending(id=1.0, curvature_gap=0.0), *ending("DEC", **flat)])
    assert part.verdict == MIXED and "change of LID - ID -1.00 [" in part.evidence
    assert part.evidence.endswith("changes in DEC: ID +1.00, LID - ID -1.00, spectral gap -1.00")
    copied = [diagnosed(n, s, end=flat, dataset="breastmnist") for n in ("DEC", grids.RDC) for s in range(3)]
    copied += [diagnosed(grids.BEFORE, s, dataset="breastmnist") for s in range(3)]
    told = judge([*STARTS, *ending(id=1.0, curvature_gap=0.0), *ending("DEC", id=1.5), *copied]).evidence
    without = f"without that set {grids.RDC} ID +0.00, LID - ID -1.00, DEC ID +0.50, LID - ID +0.00"
    assert told.endswith(f"ID of BreastMNIST is low by its near-copies; {without}")
    scattered = [diagnosed(grids.RDC, s, end={"curvature_gap": gap}) for s, gap in enumerate((2.0, 0.5, 0.8))]
    assert judge([*STARTS, *scattered]).verdict == UNDECIDED
    with pytest.raises(NotTested, match="and of its phase 1"):
        judge(STARTS)


def reconstructed(*scores):
    return [diagnosed(grids.RDC, seed, acc) for seed, acc in enumerate(scores)]


def test_phase_2_of_the_reconstruction_is_judged_in_three_scores_beside_the_largest_class():
    better = reconstruction.improves([*STARTS, *reconstructed(0.58, 0.60, 0.62)])
    assert better.verdict == SUPPORTED and better.evidence.startswith("ACC +10.0 [")
    assert "F1-macro +10.0" in better.evidence
    assert "ACC above the largest class's share in 1 of 3 runs; the abstract names no baseline" in better.evidence
    assert reconstruction.improves([*STARTS, *reconstructed(0.45, 0.46, 0.44)]).verdict == CONTRADICTED
    with pytest.raises(NoPairs, match="no data set and seed has records of both"):
        reconstruction.improves(STARTS)


def test_three_falling_scores_are_no_mixed_result():
    """ACC, NMI and F1 fall on average, and the seeds scatter: once that read "holds in part"."""
    assert reconstruction.improves([*STARTS, *reconstructed(0.40, 0.49, 0.52)]).verdict == UNDECIDED
    apart = [*STARTS, *reconstructed(0.40, 0.49, 0.52)]
    for record in apart[3:]:
        record.scores["nmi"] = 0.3 + record.scores["acc"] / 100  # falls in every run, by much the same
    judged = Claim("", "", "", reconstruction.improves).verdict(apart, lambda _: claims.protocol(shared()))
    assert judged.verdict == UNDECIDED and judged.evidence.startswith("contradicted at this share of the protocol")
    assert reconstruction.improves(apart).verdict == CONTRADICTED


def test_a_paradigm_is_judged_method_by_method():
    others = [*STARTS, *cosines("DEC", 0.9, 0.9, 0.9), *cosines(grids.RDC, 0.9, 0.9, 0.9)]
    idec, dcn = cosines("IDEC", 0.05, 0.04, 0.06), cosines("DCN", -0.4, -0.5, -0.3)
    judge = reconstruction.opposed("fr_dynae", {"self, then both"})
    near = judge([*others, *idec, *dcn])
    assert near.verdict == SUPPORTED and len(near.questions) == 2
    assert "FR of DCN -0.40 [" in near.evidence and "over 3 runs (x -0.40)" in near.evidence
    assert judge([*others, *idec, *cosines("VaDE", 0.3, 0.31, 0.29)]).verdict == CONTRADICTED
    assert judge([*others, *idec, *cosines("VaDE", 0.3, -0.3, 0.2)]).verdict == UNDECIDED
    with pytest.raises(NotTested, match="no record of such a method"):
        judge(others)


def test_dynae_has_no_fr_where_no_sample_has_a_pseudo_label():
    """Its gradient would be that of reconstruction alone."""

    def seen(conflicted, fr, seed, dataset="x", **fd):
        return diagnosed("DynAE", seed, fr=fr, dataset=dataset, look={"conflicted": conflicted, **fd})

    first = [seen(1.0, 0.9, s) for s in range(3)]
    later = [seen(1.0, 0.3 + s / 100, s, fd_dynae=0.2) for s in range(3)]  # the thresholds have fallen since the count
    assert tables.diagnoses([*STARTS, *first])["fr_dynae"].isna().sum() == 6
    assert tables.diagnoses([*STARTS, *later])["fr_dynae"].dropna().tolist() == pytest.approx([0.3, 0.31, 0.32])
    other = [diagnosed(grids.BEFORE, s, dataset="y") for s in range(3)]
    found = reconstruction.opposed("fr_dynae", {"self, then both"})(
        [*STARTS, *later, *other, *(seen(1.0, 0.9, s, "y") for s in range(3))]
    )
    assert "FR of DynAE 0.31 [" in found.evidence and "over 3 runs (x 0.31)" in found.evidence
    told = "no FR of DynAE on y, where its phase 2 would be reconstruction alone"
    assert found.evidence.endswith(told)
    dcn = [diagnosed("DCN", s, fr=0.2, dataset=name) for s in range(3) for name in "xy"]
    found = reconstruction.opposed("fr_dynae", {"self, then both"})([*STARTS, *later, *other, *dcn])
    assert found.evidence.endswith(told), "where it has no record, too"


def test_a_lead_is_over_each_rival_where_it_has_run():
    ours = [diagnosed(grids.RDC, s, 0.6 + s / 100, dataset=d) for s in range(3) for d in "xy"]
    others = [name for name in reconstruction.RIVALS if name != "DynAE"]
    rivals = [diagnosed(name, s, 0.5, dataset=d) for name in others for s in range(3) for d in "xy"]
    found = reconstruction.leads([*ours, *rivals, *(diagnosed("DynAE", s, 0.5) for s in range(3))])
    assert found.verdict == SUPPORTED and "ACC over DynAE +11.0 [" in found.evidence
    assert found.evidence.endswith("on x, y (DynAE without y); the summary names six sets and no number")


def changed(*scores, **how):
    return [diagnosed(grids.RDC, seed, acc, **how) for seed, acc in enumerate(scores)]


def test_robust_to_hyperparameters_is_staying_near_the_method_as_it_is_on_average():
    base = changed(0.50, 0.52, 0.54)
    near = changed(0.51, 0.53, 0.55, params={"n_neighbors": 3})
    far = changed(0.42, 0.44, 0.46, params={"hand_over": 0.0})
    other = changed(0.1, 0.1, 0.1, params={"loss": "latent", "epochs": 3})
    within = reconstruction.steady([*base, *near, *other])
    assert within.verdict == SUPPORTED and len(within.questions) == 2
    assert "ACC at n_neighbors = 3 +1.0 [+1.0, +1.0] points" in within.evidence
    assert within.evidence.endswith("not judged, as they change the method: loss = latent ACC -42.0, NMI -42.0")
    assert reconstruction.steady([*base, *near, *far]).verdict == CONTRADICTED
    swapped = changed(0.54, 0.52, 0.50, params={"n_neighbors": 3})
    assert reconstruction.steady([*base, *swapped]).verdict == UNDECIDED  # equal means, but the pairs scatter
    with pytest.raises(NotTested, match="no record of a changed setting"):
        reconstruction.steady(base)


def test_robust_to_noise_is_staying_near_what_is_reached_without_on_average():
    clean = [*STARTS, *changed(0.50, 0.52, 0.54)]
    little = changed(0.51, 0.53, 0.55, sampling={"noise": 0.1})
    much = changed(0.40, 0.42, 0.44, sampling={"noise": 0.3})
    before = [diagnosed(grids.BEFORE, s, 0.2, sampling={"noise": 0.1}) for s in range(3)]
    found = reconstruction.unshaken([*clean, *little, *before])
    assert found.verdict == SUPPORTED and "ACC at sd 0.1 +1.0 [" in found.evidence
    alone = "phase 1 alone: ACC at sd 0.1 -30.0, NMI at sd 0.1 -30.0"
    assert found.evidence.endswith(f"absolute changes, not compared with rivals; {alone}")
    assert reconstruction.unshaken([*clean, *little, *much]).verdict == CONTRADICTED
    with pytest.raises(NotTested, match="no records with noise and without"):
        reconstruction.unshaken(clean)


def shared(estimator="RDCReconstruction", dataset="mnist-test", pretraining="ACAIPretraining", widths=(125, 125, 500)):
    """A record of one run with its start, as far as its protocol goes."""
    recipe = {pretraining: {"widths": list(widths), "epochs": 160, "batch_size": None, "lam": 0.05}}
    about = {"dataset": dataset, "seed": 0, "sampling": {"subset": 2000} if dataset == "mnist-test" else {}}
    start = {"method": ACAI, "estimator": "AEKMeans", "params": {"start": recipe}, "start": None} | about
    run = {"method": estimator, "estimator": estimator, "params": {}, "start": start} | about
    return [Record(run, {}, [], {}, {})]


def test_the_share_of_the_protocol():
    few = claims.protocol(shared("DEC"))
    assert (few.images, few.network) == (pytest.approx(2000 / 70_000), False) and not few.enough
    assert few.updates == 1  # DEC's own number of updates, whatever the number of images
    assert "1,280 updates of pretraining" in str(few)
    whole = claims.protocol(shared("DEC", "mnist", widths=(500, 500, 2000)))
    assert (whole.images, whole.network, whole.updates) == (1, True, 1) and whole.enough
    for ours in (
        shared(dataset="mnist", widths=(500, 500, 2000)),
        shared("DEC", "mnist", "ContrastivePretraining", (500, 500, 2000)),
        shared("DEC", "arcs"),
    ):
        found = claims.protocol([*ours, *shared("DEC", "mnist", widths=(500, 500, 2000))])
        assert found.network is found.updates is None and not found.enough
        assert "R-DC's protocol is not public" in str(found)
    assert claims.protocol(shared("DEC", "arcs")).images == 0


def test_claims_about_others_rest_on_the_runs_of_others():
    by_text = {claim.text: claim.runs("laptop") for claim in claims.CLAIMS}
    first, joint = (
        {run.method for run in runs} for text, runs in by_text.items() if text.startswith("methods that train on")
    )
    assert joint == {grids.BEFORE, "IDEC", "DCN", "DKM", "VaDE", "DynAE"} < first
    assert {"DeepCluster", "DEC", "DCSS", "CC", "SCAN"} < first
    assert not first & {grids.RDC, grids.ADEC, "SimCLR", "IDFD", "SwAV"}, "reconstructions, no clusters, no losses told"
    phases_of = [runs for text, runs in by_text.items() if text.startswith("our premise: phase 2 of")]
    assert [{run.method for run in runs} for runs in phases_of[:3]] == [{"DEC"}, {"IDEC"}, {grids.RELEASED}]
    recipes = [{run.start.params["start"] for run in runs} for runs in phases_of[4:]]
    assert [[(r.critic, r.lam, r.epochs) for r in each] for each in recipes] == [
        [("frozen", 0.5, 26)],
        [("trained", 0.05, 1646)],
        [("trained", 0.0, 103)],
    ]
    for start in (grids.RECONSTRUCTION, grids.CONTRASTIVE):
        after = [runs for text, runs in by_text.items() if f"after {start} pretraining" in text]
        assert len(after) == 2 and all({run.start.method for run in runs} == {start} for runs in after)


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


def test_methods_after_a_trained_critic_are_not_exact():
    """DEC's and IDEC's own phase 1 is not ACAI."""
    found = {
        claim.text: claim.status
        for claim in claims.CLAIMS
        if "phase 2 of DEC" in claim.text or "IDEC has" in claim.text
    }
    assert len(found) == 2 and set(found.values()) == {claims.UNKNOWN}


def test_what_is_said_of_the_method_says_that_it_is_a_reconstruction():
    ours = [claim for claim in claims.CLAIMS if "R-DC" in claim.text]
    assert len(ours) == 7 and all(claim.status == claims.RECONSTRUCTION and grids.RDC in claim.text for claim in ours)


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
    text = page("Title", "Hello.", claims, [claim.verdict([]) for claim in claims])
    head = "| # | in the paper | claim | notebook | status | verdict | rests on | evidence |"
    assert f"{head}\n|---|---|---|---|---|---|---|---|" in text
    assert "| 1 | 1 | a |  | exact | **not testable here** |" in text and "| 2 | 2 | b |  |  | **" in text


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.text[:40])
def test_every_claim_has_a_status_and_a_notebook_or_says_why_not(claim, request):
    notebooks = request.config.rootpath / "notebooks" / "rdc"
    assert claim.status in (claims.EXACT, claims.RECONSTRUCTION, claims.UNKNOWN)
    assert (notebooks / f"{claim.notebook}.ipynb").exists() if claim.notebook else isinstance(claim.judge, str)
