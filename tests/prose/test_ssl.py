"""Numbers that the chapter on self-supervision states (texts: test_ssl_texts), computed again from its records."""

import numpy as np
import pandas as pd

from dcbook.book import paths
from dcbook.book.verdicts import recorded
from dcbook.chapters.ssl.grids import GRIDS, weighted
from dcbook.chapters.ssl.tables import multiply_adds
from tests.prose.conftest import ROOT, between, means, state


def test_what_scan_gains_from_simclr():
    table = pd.read_csv(paths.table("ssl/contrastive_first", "laptop", ROOT)).set_index(["method", "metric"])
    codes, step, scan = ("k-means, SimCLR codes", "SCAN's clustering step, SimCLR codes", "SCAN, SimCLR codes")
    told = {name: f"{table['mean'][name, 'acc']:.1f} ± {table['std'][name, 'acc']:.1f} %" for name in (step, scan)}
    state(
        "ssl/contrastive_first",
        f"The pixels have the purest neighbors ({table['mean']['SCAN, pixels', 'purity']:.0f} %), and SCAN from there "
        f"has the lowest NMI ({table['mean']['SCAN, pixels', 'nmi']:.1f} %)",
        f"SimCLR's neighbors are less pure ({table['mean'][scan, 'purity']:.0f} %)",
        f"k-means has {table['mean'][codes, 'acc']:.1f} % ACC, the clustering step {told[step]}, and after "
        f"self-labeling {told[scan]} remain.",
    )
    assert table["mean"].xs("nmi", level="metric").idxmin() == "SCAN, pixels"


def test_what_probes_find():
    table = means("ssl/probes")
    small, large = ("usps", "fashion-mnist-test"), ("mnist", "cifar10")

    def trunk(dataset, method, n):
        return table.loc[(dataset, method), f"trunk, {n} labels"]

    def gain(dataset, n, over="untrained", method="DeepCluster"):
        return trunk(dataset, method, n) - trunk(dataset, over, n)

    numbers = {**dict.fromkeys(small, (10, 100, 200)), **dict.fromkeys(large, (10, 100, "1,000"))}
    assert between([gain(each, 200) for each in small]) == "3 to 5"
    lost = {
        each: [table.loc[(each, m), f"codes, {n} labels"] for m in ("AE", "DEC") for n in numbers[each]]
        for each in numbers
    }
    lost = {each: np.subtract(found[:3], found[3:]) for each, found in lost.items()}
    acc = {each: table.loc[(each, "DEC"), "acc"] - table.loc[(each, "AE"), "acc"] for each in numbers}
    over_ae = [gain(each, n, over="AE") for each in numbers for n in numbers[each]]
    simclr = {(each, n): gain(each, n, method="SimCLR") for each in numbers for n in numbers[each]}
    trained = [trunk("cifar10", method, "1,000") for method in ("AE", "DEC", "IDEC", "DeepCluster", "SimCLR")]
    assert abs(lost["cifar10"]).max() < 1.05 and max(trained) < trunk("cifar10", "untrained", "1,000")
    assert sum(simclr[each, 10] < 0 for each in numbers) == 3 and max(simclr.values()) < 2
    state(
        "ssl/probes",
        f"gains {gain('usps', 10):.1f} points on USPS, {gain('fashion-mnist-test', 10):.1f} on Fashion-MNIST, "
        f"{gain('mnist', 10):.1f} on MNIST and {gain('cifar10', 10):.1f} on CIFAR-10 over the untrained trunk, "
        "and 3 to 5 points with 200.",
        f"{gain('mnist', '1,000'):.1f} points on MNIST, and none on CIFAR-10 ({gain('cifar10', '1,000'):.1f}), where "
        f"the same trunk, trained with these labels, gains {gain('cifar10', '1,000', method='with labels'):.1f}.",
        f"by {acc['usps']:.1f} points on USPS, {acc['fashion-mnist-test']:.1f} on Fashion-MNIST, "
        f"{acc['mnist']:.1f} on MNIST.",
        f"tell a probe *less*: {between(np.concatenate([lost[each] for each in (*small, 'mnist')]))} points less",
        f"where ACC stays at {table.loc[('cifar10', 'DEC'), 'acc']:.0f} %",
        f"on each set and with each number of labels, by {between(over_ae)} points.",
        f"the untrained trunk reaches {trunk('usps', 'untrained', 100):.0f} % on USPS",
    )


def test_what_clustering_costs_inside_deepcluster():
    table = means("ssl/scale").loc["fashion-mnist-test"]
    lloyd, mini = table.loc["Lloyd, each pass"], table.loc["mini-batch 256, each pass"]
    seldom = table.loc["Lloyd, each 4th pass"]
    features, k_means = lloyd["features seconds"], lloyd["k-means seconds"]
    forward = 1e6 * multiply_adds((3, 224, 224), architecture="alexnet")
    share = 20 * 10_000 * 256 / forward
    counted = lloyd["iterations"] * 500 * 64 / (1e6 * multiply_adds((1, 28, 28), width=0.33, sobel=False))
    less = seldom["features seconds"] + seldom["k-means seconds"]
    slower = mini["k-means seconds"] / mini["iterations"] / (k_means / lloyd["iterations"])
    each, fourth = (table[table.index.str.endswith(f)].mean() for f in ("each pass", "4th pass"))
    gain, change = fourth - each, table[table.index.str.startswith("mini-batch 256, ")].mean()
    change -= table[table.index.str.startswith("Lloyd, ")].mean()
    assert change[["10 labels", "100 labels"]].abs().max() < 0.6, "a fraction of a point"
    assert 200_000 < forward / (20 * 256) < 220_000 and 0.01 < share / (4 + share) < 0.015
    state(
        "ssl/scale",
        f"it spends {lloyd['targets']:.0f} % of its computing time on its targets: {features:.1f} CPU seconds on the "
        f"features of all images and {k_means:.1f} on k-means, beside {lloyd['training seconds']:.0f} of training.",
        f"Even if k-means took no time, {100 * features / (features + k_means):.0f} % of this would be left",
        f"takes {mini['k-means seconds']:.1f} CPU seconds in batches and {k_means:.1f} by Lloyd's algorithm.",
        f"ends after {lloyd['iterations']:.1f} iterations, mini-batches after {mini['iterations']:.1f}, on average; "
        f"and our iteration in twenty small batches takes {slower:.1f} times as long",
        f"falls from {features + k_means:.1f} CPU seconds to {less:.1f}.",
        f"on average by {gain['10 labels']:.1f} points with 10 labels a class and by {gain['100 labels']:.1f} with "
        "100. A likely reason",
        f"({each['10 labels']:.1f} and {table.loc['untrained', '10 labels']:.1f} %)",
        f"{lloyd['iterations']:.1f} iterations are {100 * counted:.0f} % of the multiplications of the features and "
        f"took {100 * k_means / features:.0f} % of their time.",
        f"20 iterations take {100 * share:.0f} % of the multiplications of the features",
    )


def test_how_targets_pass():
    table = means("ssl/passing_targets").loc["usps"]
    last, time = table["moved last"].round().astype(int), table["time"].round().astype(int)
    nmi = table["last NMI"] - table["first NMI"]
    less = table.loc["DeepCluster", "moved"] - table.loc["SwAV", "moved"]
    state(
        "ssl/passing_targets",
        f"three quarters in DeepCluster-v2, and {table.loc['SwAV', 'moved']:.0f} % in SwAV.",
        f"So {table.loc['DeepCluster', 'renumbered']:.0f} % of the targets get another *number*",
        f"In the last epoch {last['SwAV']} % of the images change their prototype, against {last['DeepCluster']} % and "
        f"{last['DeepCluster-v2']} %.",
        f"Over all epochs SwAV has the lower share by {less:.0f} points.",
        f"On average NMI rises in all three methods, by {between(nmi, 1)} points",
        f"DeepCluster spends {time['DeepCluster']} % of its processor time",
        f"which reads a memory bank, {time['DeepCluster-v2']} %; Sinkhorn takes SwAV {time['SwAV']} %.",
    )
    assert 70 < table.loc["DeepCluster-v2", "moved"] < 80 and 45 < table.loc["DeepCluster", "moved"] < 55


def test_what_clusters_of_medical_images_and_of_vowels_follow():
    table = means("ssl/without_labels")
    images = ("breastmnist", "pneumoniamnist", "vesselmnist3d")
    found, few = table["balanced"], table["few balanced"]
    brightness = [table.loc[(each, "k-means"), "brightness in clusters"] for each in images]
    classes = [table.loc[(each, "k-means"), "brightness in classes"] for each in images]
    ae = [found[each, "AE+k-means"] - found[each, "k-means"] for each in images[:2]]
    dec = [found[each, "DEC"] - found[each, "AE+k-means"] for each in images]
    labels = {each: few[each, "DEC"] - found[each, "DEC"] for each in images}
    weaker = [-labels["breastmnist"], -labels["vesselmnist3d"]]
    pneumonia, vowels = found["pneumoniamnist"], found["japanese-vowels"]
    assert between(dec) == "3 to 3"
    state(
        "ssl/without_labels",
        f"{between(brightness)} % of its variance lies between the two clusters, and only {between(classes)} % between "
        "the classes.",
        f"the balanced accuracy is {ae[0]:.0f} and {ae[1]:.0f} points higher; DEC adds about 3 points more on each of "
        "the three sets.",
        f"On PneumoniaMNIST its clusters reach {pneumonia['DEC']:.0f} %, the probe with all labels "
        f"{table.loc[('pneumoniamnist', 'k-means'), 'probe balanced']:.0f} %.",
        f"On the codes of DEC it is {labels['pneumoniamnist']:.0f} points better than the clusters on PneumoniaMNIST "
        f"and {between(weaker)} points weaker on the other two sets.",
        f"k-means on 20 frames has a balanced accuracy of {vowels['k-means']:.0f} %;",
        f"The codes of the autoencoder lower it to {vowels['AE+k-means']:.0f} % and DEC to {vowels['DEC']:.0f} %, "
        "though a probe shows that the codes of DEC still hold the speakers "
        f"({table.loc[('japanese-vowels', 'DEC'), 'probe balanced']:.0f} %).",
    )


def test_what_scan_does_without_entropy(on_clothes):
    ends = [record.history[-1] for record in on_clothes["SCAN, no entropy"]]
    clusters, largest = ([end[name] for end in ends] for name in ("clusters", "largest"))
    assert len(ends) == 3
    state(
        "ssl/collapse",
        f"with three seeds it keeps {between(clusters, 1)} effective clusters of ten, with the largest holding "
        f"{between([100 * share for share in largest])} % of the images",
    )


def test_where_balanced_clusters_end():
    records = recorded(GRIDS["collapse"]("laptop"), ROOT / "figures" / "laptop" / "ssl" / "records")
    scores = {(r.run["method"], r.run["seed"]): [100 * r.scores[name] for name in ("acc", "nmi")] for r in records}
    over = {
        w: np.array([np.subtract(scores[weighted(w), seed], scores["AE+k-means", seed]) for seed in range(8)])
        for w in (1.0, 2.0, 5.0)
    }
    acc = [gain for w in (1.0, 2.0) for gain in over[w][:, 0]]
    below, above = over[5.0].mean(0)
    state(
        "ssl/collapse",
        f"With $w = 5$ their ACC is {-below:.1f} points below that of k-means on the codes of an autoencoder on "
        f"average over eight seeds, and their NMI {above:.1f} above it; with 1 and 2 the seeds end on both sides of "
        f"it in ACC, from {-min(acc):.1f} points below to {max(acc):.1f} above.",
    )
