"""Numbers that the pages of the R-DC chapter state in prose, computed again from the committed records."""

import numpy as np

from dcbook.book.verdicts import recorded
from dcbook.chapters.rdc import grids, tables
from dcbook.chapters.rdc.claims.reconstruction import after_the_hand_over
from dcbook.experiments import Contrast, grouped, paired
from tests.test_prose_numbers import ROOT, state


def of(grid):
    """The records of a grid of R-DC's chapter at `laptop`."""
    return recorded(grids.GRIDS[grid]("laptop"), ROOT / "figures" / "laptop" / "rdc" / "records")


def signed(values, decimals=1):
    """Numbers with signs in words: "+3.8, +7.1 and +6.6"."""
    *first, last = (f"{value:+.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in values)
    return f"{', '.join(first)} and {last}"


def test_what_rises_and_falls_on_breastmnist():
    found = tables.diagnoses(of("compared")).dropna(subset=["id"])
    mean = found.groupby(["dataset", "method"])[["id", "curvature_gap", "spectral_gap", "effective_rank"]].mean()
    breast, several = mean.loc["breastmnist"], ["IDEC", "DynAE", grids.ADEC]
    assert (breast.loc[["DEC", *several]] * [1, -1, -1, -1] > 0).all(axis=None)
    assert (breast.drop(["DEC", *several])["curvature_gap"] > -0.25).all()
    told = [signed(breast.loc[several, name], 2) for name in ("id", "curvature_gap", "spectral_gap")]
    state(
        "rdc/claims",
        f"ID changes by {told[0]}, LID − ID by {told[1]}, the spectral gap by {told[2]}.",
    )
    rank = mean["effective_rank"].unstack("dataset").mean(axis=1)
    assert rank["DEC"] < rank["IDEC"] < rank[grids.RDC] < rank["DCN"] < rank["VaDE"]
    state("rdc/all_methods", "loses less effective rank than DEC and IDEC, more than VaDE and DCN (which we count as")
    dynae = found[found["method"] == "DynAE"].groupby("dataset")[["fr_dynae", "effective_rank"]].mean()
    assert set(dynae["fr_dynae"].nlargest(2).index) == {"fashion-mnist-test", "pneumoniamnist"}
    assert set(dynae["effective_rank"].nsmallest(3).index) - {"vesselmnist3d"} == set(
        dynae["fr_dynae"].nlargest(2).index
    )
    assert dynae["effective_rank"].idxmin() == "vesselmnist3d" and dynae["fr_dynae"].isna()["vesselmnist3d"]


def test_drift_of_the_reconstruction_before_and_after_its_hand_over():
    records = of("compared")
    ours = [record for record in records if record.run["method"] == grids.RDC]
    first = [next(entry["fd_rdc"] for entry in record.history if "fd_rdc" in entry) for record in ours]
    assert {f"{value:.2f}" for value in first} == {"1.00"} and len(first) == 15
    every = tables.diagnoses(records).query(f"method == '{grids.RDC}'")["fd_rdc"].mean()
    late = after_the_hand_over(records, "fd_rdc")
    images = np.mean([value for name, value in late.items() if name != "vesselmnist3d"])
    mean, volumes = np.mean(list(late.values())), late["vesselmnist3d"]
    about = f"({images:.2f} on images, {volumes:.2f} on volumes)"
    state(
        "rdc/claims",
        "it is 1.00 on all five sets",
        f"After the hand-over it is {mean:.2f} on average, against {every:.2f} over all looks: "
        f"{images:.2f} on images and {volumes:.2f} on volumes.",
    )
    told = (
        f"1.00 in the first epoch on all five sets, {every:.2f} on average, but {mean:.2f} after the hand-over {about}"
    )
    state("notebooks/rdc/DEVIATIONS.md", told)


def test_updates_on_breastmnist():
    updates = {}
    for record in of("compared"):
        epochs = sum(entry["phase"] != "pretraining" for entry in record.history)
        if record.run["dataset"] == "breastmnist":
            updates.setdefault(record.run["method"], set()).add(epochs * (8 if record.run["method"] == "VaDE" else 4))
    counts = {"DEC": 840, "IDEC": 840, "DynAE": 560, "VaDE": 800, "DCN": 400, "DKM": 400, grids.RDC: 400}
    assert {name: updates[name] for name in counts} == {name: {count} for name, count in counts.items()}
    told = "840 updates of DEC and IDEC, 560 of DynAE"
    state("rdc/claims", f"{told}, 800 of VaDE, 400 of R-DC (reconstruction)")
    state("notebooks/rdc/DEVIATIONS.md", f"{told}, which stops there, but 400 of R-DC (reconstruction), DCN and DKM")


def test_choices_of_the_reconstruction_that_are_not_judged():
    found = {}
    for record in of("choices"):
        found.setdefault(tables.setting(record), []).append(record)
    seeds = {name: sum(paired(some, found["as it is"], "acc").gains.values(), ()) for name, some in found.items()}
    state(
        "rdc/reconstruction",
        f"ACC changes by {signed(seeds['loss = latent'])} points with the loss on codes, by "
        f"{signed(seeds['target_decoder = current'])} with targets from the current decoder, and by "
        f"{signed(seeds['agreement_filter = confidence'])} with filter B by confidence.",
    )


def test_dynae_after_both_critics_and_several_lengths():
    gain = tables.phases(of("fig3")).query("metric == 'acc'")
    gain = gain.assign(gain=gain["phase 2"] - gain["phase 1"]).pivot(
        index=["dataset", "seed"], columns="method", values="gain"
    )
    better = (gain[grids.RELEASED] - gain["DynAE"]).reset_index(name="gain")
    contrast = Contrast(grouped(zip(better["dataset"], better["gain"], strict=True)))
    low, high = contrast.interval()
    told = f"better by {contrast.mean:.1f} points of gain in ACC ([{low:+.1f}, {high:+.1f}], {contrast.n} pairs)"
    state("notebooks/rdc/DEVIATIONS.md", told)
    frame = tables.by_length(of("lengths"))
    score = frame.assign(value=100 * frame["value"]).set_index(["lam", "epochs", "method", "metric"])["value"]
    trained = {
        metric: score.xs((0.05, "DynAE", metric), level=("lam", "method", "metric")) for metric in ("acc", "nmi")
    }
    means_of = {metric: values.groupby("epochs").mean() for metric, values in trained.items()}
    acc, nmi = (f"from {each[26]:.1f} to {each[1646]:.1f} %" for each in means_of.values())
    state("rdc/fig3_phases", f"raise DynAE's result (ACC {acc}, NMI {nmi})")
    alone = [score[0.5, 26, grids.RELEASED, "acc"], score[0.0, 26, "DynAE", "acc"]]
    frozen, without = ("{:.1f}, {:.1f} and {:.1f} %".format(*values) for values in alone)
    nmi, acc = (
        score[0.05, 1646, "DEC", name].mean() - score[0.05, 1646, "phase 1", name].mean() for name in ("nmi", "acc")
    )
    assert acc < 0
    state(
        "rdc/phase1_length",
        f"ends at an ACC of {frozen} with the frozen critic, and of {without} without interpolations",
        f"in NMI DEC gains on the longest, too ({nmi:.1f} points)",
    )
