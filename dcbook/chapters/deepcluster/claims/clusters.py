"""How records judge DeepCluster's claims about its clusters, its layers and its filters."""

from collections.abc import Callable, Sequence

import numpy as np

from dcbook.book.verdicts import Judgment, combined, counted
from dcbook.chapters.deepcluster.tables import fed
from dcbook.experiments import Contrast, Record, by_value, paired
from dcbook.experiments.records import place

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def rises(value: str, most: float | None = None) -> Callable[[Sequence[Record]], Judgment]:
    """A number of the history is higher in the last epoch than in the first, and at most `most`, in every run."""

    def judge(records: Sequence[Record]) -> Judgment:
        ends = [[e[value] for e in record.history if e.get(value) is not None] for record in records]
        kept = [run[-1] > run[0] and (most is None or run[-1] <= most) for run in ends]
        first, last = (100 * np.mean([run[at] for run in ends]) for at in (0, -1))
        return counted(
            sum(kept), len(kept)
        ), f"{first:.1f} to {last:.1f} % on average, in {sum(kept)} of {len(kept)} runs"

    return judge


def probed(record: Record, network: str = "trained") -> float:
    """The mean accuracy of the linear probes of all convolutions, in per cent."""
    return 100 * float(np.mean([record.portrait["probes"][network][layer] for layer in LAYERS]))


def training_beats_chance(records: Sequence[Record]) -> Judgment:
    """Probes of the trained convolutions against those of the same network untrained, layer by layer."""
    verdicts, texts = [], []
    for layer in LAYERS:
        gains: dict[str, tuple[float, ...]] = {}
        for record in records:
            after, before = (record.portrait["probes"][name][layer] for name in ("trained", "untrained"))
            gains[place(record.run)] = (*gains.get(place(record.run), ()), 100 * (after - before))
        verdicts.append(Contrast(gains).verdict)
        texts.append(f"{layer} {Contrast(gains).mean:+.1f}")
    return combined(verdicts), "points over the untrained network: " + ", ".join(texts)


def close_in_the_middle(records: Sequence[Record]) -> Judgment:
    """At conv3 within 5 points of the supervised twin, and further from it at conv5, in every run."""
    found = _accuracies(records, "probes", ("conv3", "conv5"))
    gaps = found[:, 2] - found[:, 1]
    kept = (gaps[:, 0] <= 5) & (gaps[:, 1] > gaps[:, 0])
    return counted(int(kept.sum()), len(kept)), _three(found, ("conv3", "conv5"))


def as_good_elsewhere(records: Sequence[Record]) -> Judgment:
    """On another data set, DeepCluster's conv3 and conv4 against the supervised twin's: within a point, or better."""
    found = _accuracies(records, "elsewhere", ("conv3", "conv4"))
    kept = found[:, 1] >= found[:, 2] - 1
    return counted(int(kept.sum()), kept.size), _three(found, ("conv3", "conv4"))


def _accuracies(records: Sequence[Record], where: str, layers: tuple[str, ...]) -> np.ndarray:
    """Of probes, in per cent: runs × (untrained, trained, supervised) × layers."""
    networks = ("untrained", "trained", "supervised")
    return 100 * np.array([[[r.portrait[where][n][layer] for layer in layers] for n in networks] for r in records])


def _three(found: np.ndarray, layers: tuple[str, ...]) -> str:
    """The means of `_accuracies`, in words: how much there is to learn belongs beside how close two networks are."""
    each = [
        f"{layer} " + ", ".join(f"{value:.1f}" for value in means)
        for layer, means in zip(layers, found.mean(0).T, strict=True)
    ]
    return "untrained, DeepCluster, labels, %: " + "; ".join(each)


def over_segmentation_helps(records: Sequence[Record]) -> Judgment:
    """The best mean of the probes is at more clusters than classes, in every data set."""
    texts, kept = [], []
    for dataset, some in _by(records, lambda record: place(record.run)).items():
        means = {k: float(np.mean([probed(r) for r in each])) for k, each in by_value(some, "n_clusters").items()}
        kept.append(max(means, key=means.get) > min(means))
        texts.append(f"{dataset}: " + ", ".join(f"k = {k} {mean:.1f}" for k, mean in means.items()))
    return counted(sum(kept), len(kept)), "mean accuracy of the probes, %: " + "; ".join(texts)


def repair_keeps_clusters(records: Sequence[Record]) -> Judgment:
    """Without repair clusters die, in every run; with it none does."""
    alive = {
        repaired: [record.history[-1]["clusters"] / record.run["params"]["n_clusters"] for record in some]
        for repaired, some in by_value(records, "repair").items()
    }
    kept = [share == 1 for share in alive[True]] + [share < 1 for share in alive[False]]
    text = (
        f"alive at the end: {100 * np.mean(alive[True]):.1f} % with repair, {100 * np.mean(alive[False]):.1f} % without"
    )
    return counted(sum(kept), len(kept)), text


def better_sampling(better: str, worse: str) -> Callable[[Sequence[Record]], Judgment]:
    """One sampling over another, in NMI with the classes, pair by pair."""

    def judge(records: Sequence[Record]) -> Judgment:
        repaired = [record for record in records if record.run["params"].get("repair", True)]
        found = by_value(repaired, "sampling")
        gain = paired(found[better], found[worse], "nmi")
        return gain.verdict, f"NMI {gain}"

    return judge


def purer_with_depth(records: Sequence[Record]) -> Judgment:
    """Classes of the images that activate a filter most: purer at conv5 than at conv1, and than untrained at conv5."""

    def purity(record: Record, layer: str, network: str = "trained") -> float:
        return 100 * float(np.mean(record.portrait["purity"][network][layer]))

    deeper = _gain(records, lambda record: purity(record, "conv5") - purity(record, "conv1"))
    learned = _gain(records, lambda record: purity(record, "conv5") - purity(record, "conv5", "untrained"))
    text = f"share of the commonest class among the top 9: from conv1 to conv5 {deeper}; conv5 over untrained {learned}"
    return combined([deeper.verdict, learned.verdict]), text


def filters_of_one_class(records: Sequence[Record]) -> Judgment:
    """Filters of conv5 whose top images are all of one class: more than in the untrained network, and not all."""

    def share(record: Record, network: str) -> float:
        return 100 * float(np.mean(np.equal(record.portrait["purity"][network]["conv5"], 1)))

    learned = _gain(records, lambda record: share(record, "trained") - share(record, "untrained"))
    before, after = (float(np.mean([share(r, name) for r in records])) for name in ("untrained", "trained"))
    return learned.verdict, f"{after:.1f} % of conv5's filters, untrained {before:.1f} %: {learned}"


def _gain(records: Sequence[Record], gain: Callable[[Record], float]) -> Contrast:
    """A difference within each run, by data set and what the network is fed with."""
    parts = _by(records, lambda record: f"{place(record.run)} {fed(record)}")
    return Contrast({name: tuple(gain(record) for record in part) for name, part in parts.items()})


def _by(records: Sequence[Record], key: Callable[[Record], str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return found
