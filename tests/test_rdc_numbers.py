"""Numbers that the pages of the R-DC chapter state in prose, computed again from the committed records."""

import numpy as np

from dcbook.book.verdicts import recorded
from dcbook.chapters.rdc import grids, tables
from dcbook.chapters.rdc.claims.reconstruction import RIVALS, after_the_hand_over
from dcbook.evaluation import accuracy
from dcbook.experiments import Contrast, grouped, paired
from dcbook.methods import DynAE, KMeans
from tests.prose.conftest import ROOT, between, state

CLOTHES_AND_CHESTS = ("fashion-mnist-test", "pneumoniamnist")


def of(grid):
    """The records of a grid of R-DC's chapter at `laptop`."""
    return recorded(grids.GRIDS[grid]("laptop"), ROOT / "figures" / "laptop" / "rdc" / "records")


def signed(values, decimals=1):
    """Numbers with signs in words: "+3.8, +7.1 and +6.6"."""
    *first, last = (f"{value:+.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in values)
    return f"{', '.join(first)} and {last}"


def test_what_rises_and_falls_on_breastmnist():
    found = tables.diagnoses(of("compared")).dropna(subset=["id"])
    shape = ["id", "curvature_gap", "spectral_gap", "effective_rank"]
    mean = found.groupby(["dataset", "method"])[[*shape, "fr_dynae"]].mean()
    breast, several = mean.loc["breastmnist"], ["IDEC", "DynAE", grids.ADEC]
    assert (breast.loc[["DEC", *several], shape] * [1, -1, -1, -1] > 0).all(axis=None)
    assert (breast.drop(["DEC", *several])["curvature_gap"] > -0.25).all()
    told = [signed(breast.loc[several, name], 2) for name in ("id", "curvature_gap", "spectral_gap")]
    state(
        "rdc/claims",
        f"ID changes by {told[0]}, LID − ID by {told[1]}, the spectral gap by {told[2]}.",
    )
    rank = mean["effective_rank"].unstack("dataset").mean(axis=1)
    assert rank["DEC"] < rank["IDEC"] < rank[grids.RDC] < rank["DCN"] < rank["VaDE"]
    shared = rank.drop(["DCSS", grids.ADEC])
    assert list(shared.sort_values().index[:3]) == ["DEC", "IDEC", "DynAE"]
    most = f"({-rank['DEC']:.1f}, {-rank['IDEC']:.1f} and, on four sets, {-rank['DynAE']:.1f})"
    state(
        "rdc/all_methods",
        f"DEC, IDEC and DynAE lose most effective rank on average {most}.",
        "loses less effective rank than DEC and IDEC, more than VaDE and DCN (which we count as joint), on average; on "
        "Fashion-MNIST it loses as much as IDEC.",
    )
    dynae = mean.xs("DynAE", level="method")
    assert set(dynae.index) == {"breastmnist", "cifar10", *CLOTHES_AND_CHESTS}, "not the volumes"
    assert set(dynae["fr_dynae"].nlargest(2).index) == set(CLOTHES_AND_CHESTS)
    assert set(dynae["effective_rank"].nsmallest(2).index) == set(CLOTHES_AND_CHESTS)


def test_who_collapses_on_the_other_sets():
    found = tables.diagnoses(of("compared")).dropna(subset=["id"])
    mean = found.groupby(["method", "dataset"])[["id", "lid", "effective_rank"]].mean().drop("breastmnist", level=1)
    lost = -mean["effective_rank"]
    both, ours = lost.loc[["DEC", "IDEC"]], lost[grids.RDC]
    clothes = mean.loc[grids.RDC, "fashion-mnist-test"]
    assert f"{ours['fashion-mnist-test']:.1f}" == f"{lost['IDEC', 'fashion-mnist-test']:.1f}"
    assert mean.loc[("IDEC", "fashion-mnist-test"), ["id", "lid"]].gt(0).all() and len(ours) == 4
    told = "{:.1f} and {:.1f}".format(*(lost["DynAE", name] for name in CLOTHES_AND_CHESTS))
    state(
        "rdc/claims",
        f"they lose {between(both, 1)} dimensions of effective rank",
        f"DynAE does so on Fashion-MNIST and PneumoniaMNIST ({told}), and loses {lost['DynAE', 'cifar10']:.1f} on "
        "CIFAR-10.",
        f"as much as IDEC on Fashion-MNIST ({ours['fashion-mnist-test']:.1f}), where its ID and LID fall too (by "
        f"{-clothes['id']:.1f} and {-clothes['lid']:.1f}), and {between(ours.drop('fashion-mnist-test'), 1)} on the "
        "other three sets.",
    )


def test_who_shares_a_start():
    assert len(RIVALS) == 6 and set(grids.METHODS) - set(RIVALS) == {grids.BEFORE, grids.RDC, "DCSS", grids.ADEC}
    state("notebooks/INDEX.md", "R-DC (reconstruction) beside eight methods, six of them from the same start")


def test_how_far_adec_narrows_the_gap():
    ends = {}
    for record in of("compared"):
        if record.run["dataset"] == "breastmnist":
            ends.setdefault(record.run["method"], []).append(record.portrait["shape"]["curvature_gap"])
    adec, idec, dec = (np.mean(ends[name]) for name in (grids.ADEC, "IDEC", "DEC"))
    told = f"to {adec:.1f}, about as far as IDEC does ({idec:.1f}), where DEC closes it (\N{MINUS SIGN}{-dec:.1f})"
    state("rdc/claims", f"narrows the gap between LID and ID {told}.")


def test_acc_on_the_arcs_before_and_after_dec():
    before, after = [], []
    for record in of("arcs"):
        codes = np.array(record.portrait["frames"][0]["places"], dtype=np.float32)
        found = KMeans(4, random_state=0).fit_predict(codes)
        before.append(100 * accuracy(record.portrait["labels"], found))
        after.append(100 * record.scores["acc"])
    told = f"after DEC ({between(after)} %) than that of k-means on the codes before it ({between(before)} %)"
    state("rdc/fig2_collapse", f"on the arcs ACC is higher {told}")


def test_when_dynae_ends_with_two_classes():
    updates = []
    for record in of("compared"):
        if (record.run["method"], record.run["dataset"]) == ("DynAE", "pneumoniamnist"):
            epochs = [entry for entry in record.history if entry["phase"] != "pretraining"]
            interval = DynAE.update_interval
            updates.append(len(epochs) * 8 // interval * interval)
            assert epochs[-1]["beta1"] < 1 / 2 and epochs[-1]["beta2"] < 0, "all samples are unconflicted"
    state("notebooks/rdc/DEVIATIONS.md", f"DynAE stops after {between(updates)} of its 840 updates")
    volumes = [run for run in grids.compared("laptop") if run.dataset == "vesselmnist3d"]
    assert {run.method for run in volumes} == set(grids.METHODS) - {"DynAE", grids.ADEC}
    state("notebooks/rdc/DEVIATIONS.md", "DynAE has not run on volumes: in 140 updates it counts")


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


def test_what_methods_without_an_autoencoder_show():
    found = tables.diagnoses(of("everyone"))
    found = found[found["dataset"] == "fashion-mnist-test"].groupby("method")[
        ["fr_dynae", "fd_dynae", "effective_rank"]
    ]
    mean, several = found.mean(), found.size()
    heads = ["PICA", "MiCE", "IMSAT", "CC", "SCAN"]
    assert (several[list(grids.SCRATCH["laptop"].methods)] == 3).all()
    assert mean["fd_dynae"].idxmax() == "CC"
    rank = mean["effective_rank"][list(grids.SCRATCH["laptop"].methods)]
    assert rank.idxmin() == "DeepCluster"
    assert list(rank.sort_values(ascending=False).index[:6]) == ["IMSAT", "SimCLR", "IDFD", "CC", "PICA", "SwAV"]
    fr = mean["fr_dynae"]
    state(
        "rdc/all_methods",
        f"for PICA, MiCE, IMSAT, CC and SCAN it lies between {between(fr[heads], 2).replace(' to ', ' and ')}.",
        f"DAC has {fr['DAC']:.2f} and DCCM {fr['DCCM']:.2f}, which",
        f"of images and of clusters, agree most ({mean['fd_dynae']['CC']:.2f}).",
    )
