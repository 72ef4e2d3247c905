"""Numbers that the page of the contrastive methods' table states, computed again from tables and records."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import dcbook.methods
from dcbook.book import paths
from dcbook.chapters.contrastive.claims import FINDING
from dcbook.chapters.contrastive.grids.benchmark import LAPTOP
from dcbook.chapters.contrastive.tables import scan_steps
from dcbook.experiments.image_learners import SCAN
from dcbook.experiments.records import read_all
from tests.prose.conftest import ROOT, between, by_method, state, words

SCAN_STEPS = (("step 2", "pretext"), ("step 2", "step 3"))  # what step 2 gains, what step 3 costs


def of_the_table(dataset):
    """The committed table's rows of a data set by method and metric, and a function that tells one as prose does."""
    table = pd.read_csv(paths.table("contrastive/table1_images", "laptop", ROOT))
    table = table[table["dataset"] == dataset].set_index(["method", "metric"])
    return table, lambda name, metric="acc": f"{table['mean'][name, metric]:.1f} ± {table['std'][name, metric]:.1f} %"


def test_what_the_contrastive_methods_reach():
    table, told = of_the_table("fashion-mnist-test")
    acc, nmi = (table["mean"].xs(metric, level="metric") for metric in ("acc", "nmi"))

    unit, below = "k-means, unit length", ("SimCLR+k-means", "PAC", "PICA", "CC", "IDFD")
    above = ("SCAN", "IMSAT", "DCSS on SimCLR", "SPICE-Self")
    least = [acc[each] for each in (*below, *above)]
    assert acc.drop("SCAN").max() < acc["SimCLR+k-means"] + 3
    assert set(nmi[nmi > nmi["IMSAT"]].index) == {"SCAN"}
    assert set(nmi[nmi > nmi[unit]].index) == set(above) and acc[unit] < min(least)
    assert max(nmi[each] for each in below) < nmi[unit] - 1
    told_below = [f"{nmi[each]:.1f} %" for each in below]
    told_above = [f"{nmi[each]:.1f} %" for each in above]
    records = read_all(ROOT / "figures" / "laptop" / "contrastive" / "records")
    records = [record for record in records if record.run["dataset"] == "fashion-mnist-test"]
    reached = {(r.run["method"], r.run["seed"]): 100 * r.scores["acc"] for r in records}
    pretext = [reached["SimCLR+k-means", seed] for seed in range(3)]
    lost, behind = ([a - reached[name, seed] for seed, a in enumerate(pretext)] for name in ("TEMI", "IDFD"))
    assert sum(each < 0 for each in lost) == 1
    gained = [reached["SPICE-Self", seed] - a for seed, a in enumerate(pretext)]
    short = ("DAC", "DCCM", "DAC*", "MiCE")
    state(
        "contrastive/table1_images",
        f"it gives an NMI of {nmi[unit]:.1f} %, more than SimCLR with k-means ({told_below[0]}), PAC "
        f"({told_below[1]}), PICA ({told_below[2]}), CC ({told_below[3]}) and IDFD ({told_below[4]}).",
        f"Only SCAN ({told_above[0]}), IMSAT ({told_above[1]}), DCSS on SimCLR ({told_above[2]}) and SPICE's second "
        f"step ({told_above[3]}) have a higher NMI. Its ACC, {acc[unit]:.1f} %, is lower "
        "than that of all these methods.",
        f"It has {told('SCAN')} ACC and {told('SCAN', 'nmi')} NMI; k-means on the codes of the same pretext has "
        f"{told('SimCLR+k-means')} and {told('SimCLR+k-means', 'nmi')}.",
        f"PAC ({told('PAC')}) ends where k-means does, TEMI ({told('TEMI')})** above it by {-min(lost):.1f} points of "
        f"ACC with one seed and below it by {' and '.join(f'{each:.1f}' for each in lost if each > 0)} points with the "
        "two others.",
        f"SPICE's second step ({told('SPICE-Self')}) ends above k-means with each seed, by "
        f"{between(gained, 1)} points.",
        f"IDFD ({told('IDFD')}) ends below with each seed, by {between(behind, 1)} points",
        f"has {told('DCSS on SimCLR')} ACC and {told('DCSS on SimCLR', 'nmi')} NMI",
        f"PICA ({told('PICA')}) and CC ({told('CC')})",
        f"has {told('IMSAT')} ACC and {told('IMSAT', 'nmi')} NMI",
        f"{', '.join(f'{each} ({told(each)})' for each in short[:3])} and MiCE ({told('MiCE')}) end about where "
        f"k-means on pixels of unit length does in ACC ({acc[unit]:.1f} %), and "
        f"{between([nmi[unit] - nmi[each] for each in short])} points below in NMI.".replace("DAC* ", "DAC\\* "),
    )


def test_what_each_step_of_scan_gains(on_clothes):
    scan, pretext = on_clothes["SCAN"], on_clothes["SimCLR+k-means"]
    assert [r.run["seed"] for r in scan] == [r.run["seed"] for r in pretext] == [0, 1, 2]
    frozen, step_2, last, ends = [], [], [], []
    for record, start in zip(scan, pretext, strict=True):
        chosen = min((e for e in record.history if "selection" in e), key=lambda e: e["selection"])
        assert chosen["phase"] == "neighbors", "the selected epoch is one of step 2"
        of_frozen = [e for e in record.history if e["phase"] == "frozen"]
        frozen.append(100 * (of_frozen[-1]["acc"] - start.scores["acc"]))
        step_2.append(100 * (chosen["acc"] - start.scores["acc"]))
        last.append(100 * (record.scores["acc"] - chosen["acc"]))
        ends.append((100 * chosen["acc"], 100 * record.scores["acc"]))
    gained, worst = [f"{each:.1f}" for each in last if each > 0], int(np.argmin(last))
    settings = SCAN["laptop"]
    updates = settings["selflabel_epochs"] * 10_000 // dcbook.methods.SCAN.SIZES["selflabel_batch_size"]
    assert all(f > s / 2 for f, s in zip(frozen, step_2, strict=True)), "most of the gain comes before step 2"
    assert gained == ["1.5", "1.5"] and len(last) == 3 and settings["lr"] == 10 * dcbook.methods.SCAN.lr
    state(
        "contrastive/table1_images",
        f"after its last epoch ACC is {words(frozen)} points above k-means (seeds 0 to 2). At the selected epoch of "
        f"step 2, which trains the whole network, it is {words(step_2)} points above.",
        f"it gained {gained[0]} points with each of two seeds and lost {-last[worst]:.1f} with the third. Its "
        f"schedule is short, {updates} updates (five epochs of ten batches of 1,000), with ten times the released step",
    )
    mean = scan_steps([*scan, *pretext]).groupby("metric")[["pretext", "frozen", "step 2"]].mean()
    of_frozen = [f"{value:.1f}" for value in mean["frozen"] - mean["pretext"]]
    beyond, whole = ([f"{value:.1f}" for value in mean["step 2"] - mean[name]] for name in ("frozen", "pretext"))
    state(
        "contrastive/table1_images",
        f"the heads at the selected epoch of `frozen` are {of_frozen[0]} points of ACC and {of_frozen[1]} of NMI above "
        f"k-means, and step 2 adds {beyond[0]} and {beyond[1]} points.",
    )
    assert (
        f"SCAN's step 2 ends {whole[0]} points of ACC and {whole[1]} of NMI above k-means on the codes that it starts "
        f"from, of which a phase of ours before it gives {of_frozen[0]} and {of_frozen[1]};"
    ) in " ".join(FINDING.split())
    state(
        "ssl/contrastive_first",
        f"On all 10,000 images, where it makes {updates} updates, self-labeling gained {gained[0]} points with each of "
        f"two seeds and lost {-last[worst]:.1f} ({ends[worst][0]:.1f} to {ends[worst][1]:.1f} %) with the third",
    )


def test_whose_neighbors_share_a_class(on_clothes):
    portraits = [record.portrait for record in on_clothes["SimCLR+k-means"]]
    z, h, pixels = ([100 * each[space] for each in portraits] for space in ("z", "h", "pixels"))
    assert between(z) == "70 to 70" and len(z) == 3
    state(
        "contrastive/table1_images",
        f"Of an image's 20 nearest neighbors {z[0]:.0f} % have its class in $z$, and {between(h)} % in $h$.",
    )
    state(
        "contrastive/scan_premise",
        f"the pixels have purer neighborhoods ({pixels[0]:.0f} %) than SimCLR's outputs $z$ ({z[0]:.0f} %)",
    )


def test_what_growing_pairs_gain_dac(on_clothes):
    pairs = list(zip(on_clothes["DAC"], on_clothes["DAC, thresholds at rest"], strict=True))
    gains = [[100 * (a.scores[metric] - b.scores[metric]) for a, b in pairs] for metric in ("acc", "nmi")]
    assert len(pairs) == 3
    state(
        "contrastive/table1_images",
        f"at rest with each seed, by {between(gains[0], 1)} points of ACC and {between(gains[1], 1)} of NMI;",
    )


def test_pica_s_confusion_falls_as_nmi_rises(on_clothes):
    found = []
    for record in on_clothes["PICA"]:
        confusion, nmi = zip(*((e["confusion"], e["nmi"]) for e in record.history), strict=True)
        found.append(spearmanr(confusion, nmi).statistic)
    told = f"{min(found):.2f} to {max(found):.2f}".replace("-", "−")
    state("contrastive/table1_images", f"(rank correlation {told}, three seeds)")
    assert len(found) == 3


def test_what_parts_of_cc_and_idfd_gain(on_clothes):
    def over(better, worse, metric):
        pairs = zip(on_clothes[better], on_clothes[worse], strict=True)
        return [100 * (a.scores[metric] - b.scores[metric]) for a, b in pairs]

    alone = {metric: over("CC, cluster head alone", "CC", metric) for metric in ("acc", "nmi")}
    acc, nmi = (over("IDFD", "IDFD, instances alone", metric) for metric in ("acc", "nmi"))
    assert min(*alone["acc"], *alone["nmi"], *nmi) > 0 and [each > 0 for each in acc] == [False, True, True]
    epochs = on_clothes["CC"][0].run["params"]["epochs"]
    state(
        "contrastive/table1_images",
        f"with each seed, by {between(alone['acc'], 1)} points of ACC and {between(alone['nmi'], 1)} of NMI: the "
        f"opposite of claim 2, after {epochs} of its {dcbook.methods.CC.epochs:,} epochs.",
        f"Decorrelation gains IDFD {between(nmi, 1)} points of NMI with each seed, and ACC with two of three",
    )


def test_what_dccm_gains_over_its_graph_of_pairs(on_clothes):
    pairs = list(zip(on_clothes["DCCM"], on_clothes["DCCM, graph alone"], strict=True))
    gains = [[100 * (a.scores[metric] - b.scores[metric]) for a, b in pairs] for metric in ("acc", "nmi")]
    assert len(pairs) == 3 and all(sorted(each)[-1] > sum(each) / 2 for each in gains), "one seed has most of the gain"
    state(
        "contrastive/table1_images",
        f"alone with each seed, by {between(gains[0], 1)} points of ACC and {between(gains[1], 1)} of NMI; one seed",
    )


def test_what_the_contrastive_methods_reach_on_photographs():
    table, told = of_the_table("cifar10")
    assert (table["n"] == 3).all()

    acc = table["mean"].xs("acc", level="metric")
    below = ("PAC", "SCAN", "SPICE-Self", "IDFD", "PICA", "DCSS on SimCLR")
    names = ("PAC", "SCAN", "SPICE's second step", "IDFD", "PICA", "DCSS's second phase")
    each = [f"{name} ({told(method)})" for name, method in zip(names, below, strict=True)]
    assert max(acc[method] for method in below) < acc["SimCLR+k-means"] - 1 and acc.max() < acc["SimCLR+k-means"] + 1
    mean = table["mean"]
    over_pixels = {
        metric: [mean[name, metric] - mean["k-means, unit length", metric] for name in ("DAC", "DCCM", "DAC*")]
        for metric in ("acc", "nmi")
    }
    records = by_method("contrastive", "laptop", "cifar10")
    steps = scan_steps([*records["SCAN"], *records["SimCLR+k-means"]])
    gains, lost = (steps[a].sub(steps[b]).groupby(steps["metric"]).agg(list) for a, b in SCAN_STEPS)
    (behind,), ahead = ([g for g in gains["acc"] if g < 0], [g for g in gains["acc"] if g > 0])
    step_2 = steps[steps["metric"] == "acc"]["step 2"].mean()
    assert step_2 > acc.max() and len(ahead) == 2 and np.mean(lost["acc"]) > np.mean(gains["acc"])
    state(
        "contrastive/table1_images",
        f"k-means on SimCLR's codes** ({told('SimCLR+k-means')} ACC, {told('SimCLR+k-means', 'nmi')} NMI). In ACC, "
        f"TEMI ({told('TEMI')}) and CC ({told('CC')}) end at its level, and {', '.join(each[:-1])} and {each[-1]} "
        "below it on average.",
        f"MiCE ({told('MiCE')}) ends near k-means on pixels of unit length ({told('k-means, unit length')}), and IMSAT "
        f"({told('IMSAT')}) between these and the pixels as they are ({told('k-means')}). DAC ({told('DAC')}), DCCM "
        f"({told('DCCM')}) and DAC\\* ({told('DAC*')}) end {between(over_pixels['acc'], 1)} points of ACC and "
        f"{between(over_pixels['nmi'], 1)} of NMI above k-means on pixels of unit length.",
        f"ACC is {ahead[0]:.1f} and {ahead[1]:.1f} points above k-means with two seeds and {-behind:.1f} below with "
        f"one, and NMI {between(gains['nmi'], 1)} points above with each.",
        f"then costs {between(lost['acc'], 1)} points of ACC.",
    )
    gained = [f"{np.mean(gains[metric]):.1f}" for metric in ("acc", "nmi")]
    assert f"step 2 gains {gained[0]} and {gained[1]} points and self-labeling costs more" in " ".join(FINDING.split())
    state("contrastive/scan_premise", f"gains {gained[0]} points of ACC and {gained[1]} of NMI on CIFAR-10")


def test_what_the_contrastive_methods_reach_on_usps():
    table, told = of_the_table("usps")
    assert (table["n"] == 3).all()

    records = by_method("contrastive", "laptop", "usps")
    reached = {name: [100 * r.scores["acc"] for r in some] for name, some in records.items()}
    acc, nmi = (table["mean"].xs(metric, level="metric") for metric in ("acc", "nmi"))
    unit, pretext = "k-means, unit length", records["SimCLR+k-means"]
    rest = acc.drop(["SCAN", "DCSS on SimCLR", "k-means", unit, "AE+k-means"])
    scratch = ["CC", "PICA", "DAC", "DAC*", "DCCM", "IDFD", "MiCE", "IMSAT"]
    others = [max(values) for name, values in reached.items() if name in acc.index and name != "SCAN"]
    assert min(reached["SCAN"]) > max(others) and rest.min() > acc[unit]
    assert acc[scratch].idxmax() == "PICA" and nmi[scratch].idxmax() == "IMSAT"
    assert rest.drop("SimCLR+k-means").max() == acc["PICA"] and table["std"].xs("acc", level="metric").idxmax() == "DAC"
    steps = scan_steps([*records["SCAN"], *pretext]).query("metric == 'acc'")
    purity = np.mean([100 * record.portrait["z"] for record in pretext])
    gains = {
        metric: [
            100 * (a.scores[metric] - b.scores[metric]) for a, b in zip(records["DCSS on SimCLR"], pretext, strict=True)
        ]
        for metric in ("acc", "nmi")
    }
    state(
        "contrastive/table1_images",
        f"with each seed: {told('SCAN')} ACC and {told('SCAN', 'nmi')} NMI.** k-means on the codes of its pretext has "
        f"{told('SimCLR+k-means')} and {told('SimCLR+k-means', 'nmi')}. There {purity:.0f} % of an image's neighbors",
        f"the heads at the selected epoch of `frozen` have {steps['frozen'].mean():.1f} % ACC on average, step 2 has "
        f"{steps['step 2'].mean():.1f} %, and self-labeling, which costs ACC on CIFAR-10, adds "
        f"{between(steps['step 3'] - steps['step 2'], 1)} points with each seed.",
        f"DCSS's second phase ({told('DCSS on SimCLR')} ACC, {told('DCSS on SimCLR', 'nmi')} NMI) ends above k-means "
        f"on the codes that it starts from with each seed, by {between(gains['acc'], 1)} points of ACC and "
        f"{between(gains['nmi'], 1)} of NMI. The other methods lie between {rest.min():.1f} and {acc['PICA']:.1f} % "
        f"ACC, above k-means on pixels of unit length ({told(unit)}). PICA ({told('PICA')}) is the highest",
        f"in NMI ({told('IMSAT', 'nmi')}).",
        f"by {table['std']['DAC', 'acc']:.1f} points for DAC ({told('DAC')})",
    )
    gain = acc["SCAN"] - acc["SimCLR+k-means"]
    finding = " ".join(FINDING.split())
    assert f"{purity:.0f} % and" in finding and f"SCAN ends at {acc['SCAN']:.1f} % and" in finding
    assert f"% ACC, {gain:.1f} and" in finding
    whole = pd.read_csv(paths.table("contrastive/table1_images", "laptop", ROOT)).query("metric == 'acc'")
    means = whole.pivot(index="dataset", columns="method", values="mean").drop("mnist-test")
    assert len(means) == 3 and (means[scratch].max(axis=1) < means["SimCLR+k-means"] + 1).all()


def test_what_the_contrastive_methods_reach_on_mnist():
    table, told = of_the_table("mnist-test")
    assert (table["n"] == 3).all()

    records = by_method("contrastive", "laptop", "mnist-test")
    pretext = records["SimCLR+k-means"]

    def over(name, metric="acc"):
        return [100 * (a.scores[metric] - b.scores[metric]) for a, b in zip(records[name], pretext, strict=True)]

    acc = table["mean"].xs("acc", level="metric")
    unit, pairwise = acc["k-means, unit length"], ["DAC", "DAC*", "DCCM"]
    assert list(acc.sort_values(ascending=False).index[:5]) == ["SCAN", "DAC", "DAC*", "IMSAT", "DCCM"]
    best = [100 * max(r.scores["acc"] for r in records[name]) for name in pairwise]
    apart = [100 * r.scores["acc"] for r in records["IDFD"]]
    assert max(acc["MiCE"], acc["PICA"]) < unit and sum(each > 0 for each in over("IDFD")) == 1
    printed = [table["reported"][name, "acc"] for name in pairwise[:2]]
    assert all("unverified" in table["reported_on"][name, "acc"] for name in pairwise[:2])
    steps = scan_steps([*records["SCAN"], *pretext]).query("metric == 'acc'")
    purity = np.mean([100 * record.portrait["z"] for record in pretext])
    assert sum(each > 0 for each in over("DCSS on SimCLR")) == 2 and min(over("DCSS on SimCLR", "nmi")) > 0
    assert sum(each > 0 for each in over("PAC")) == 1 and sum(each > 0 for each in over("CC")) == 2
    state(
        "contrastive/table1_images",
        f"on average: {told('SCAN')} ACC and {told('SCAN', 'nmi')} NMI.** k-means on the codes of its pretext has "
        f"{told('SimCLR+k-means')} and {told('SimCLR+k-means', 'nmi')}, although {purity:.0f} % of an image's",
        f"the heads at the selected epoch of `frozen` have {steps['frozen'].mean():.1f} % ACC on average, step 2 has "
        f"{steps['step 2'].mean():.1f} %, and self-labeling adds {between(steps['step 3'] - steps['step 2'], 1)} "
        "points with each seed.",
        f"DAC ({told('DAC')}), DAC\\* ({told('DAC*')}) and DCCM ({told('DCCM')}), "
        f"{between([gain for name in pairwise for gain in over(name)], 1)} points of ACC above k-means on SimCLR's",
        f"The best seeds of DAC and DAC\\*, {best[0]:.1f} and {best[1]:.1f} %, come near the printed {printed[0]:.1f} "
        f"% (unverified) and {printed[1]:.1f} % (unverified, a log)",
        f"**IMSAT ({told('IMSAT')} ACC, {told('IMSAT', 'nmi')} NMI)**",
        f"Its paper prints {table['reported']['IMSAT', 'acc']:.1f} % ACC (unverified), for all 70,000 images.",
        f"SPICE's second step ({told('SPICE-Self')}) and TEMI ({told('TEMI')}) end above k-means with each seed, by "
        f"{between([*over('SPICE-Self'), *over('TEMI')], 1)} points of ACC. DCSS's second phase "
        f"({told('DCSS on SimCLR')} ACC, {told('DCSS on SimCLR', 'nmi')} NMI) gains NMI with each seed",
        f"PAC ({told('PAC')}) ends below",
        f"CC ({told('CC')}) ends above k-means on SimCLR's codes with two of three seeds, IDFD ({told('IDFD')}) with "
        f"one; IDFD's seeds lie {max(apart) - min(apart):.1f} points apart. MiCE ({told('MiCE')}) and PICA "
        f"({told('PICA')}) end below k-means on pixels of unit length ({told('k-means, unit length')}) on average.",
        f"after {LAPTOP.pica} of {dcbook.methods.PICA.epochs:,} epochs in PICA, {LAPTOP.mice['epochs']} of "
        f"{dcbook.methods.MiCE.epochs:,} in MiCE and {LAPTOP.idfd} of {dcbook.methods.IDFD.epochs:,} in IDFD;",
    )
    finding = " ".join(FINDING.split())
    gain = acc["SCAN"] - acc["SimCLR+k-means"]
    assert f"and {purity:.0f} % of the neighbors share a class" in finding
    assert f"and {acc['SCAN']:.1f} % ACC" in finding and f"and {gain:.1f} points above k-means" in finding
    scratch = acc[["DAC", "IMSAT", "DCCM"]]
    assert f"on MNIST DAC, IMSAT and DCCM have ({between(scratch, 1)} %)" in finding
