"""How records judge the claims of DCSS's sections 3.4 and 4."""

from collections.abc import Callable, Sequence

import numpy as np

from dcbook.book.verdicts import NOT_YET, Judgment, beats, combined, counted, means_at
from dcbook.chapters.dcss.tables import histories, resemblances
from dcbook.evaluation import purity
from dcbook.experiments import Contrast, Record, by_value, contrast
from dcbook.experiments.contrast import HOLDS

OTHERS = ("k-means", "LSSC", "LPMF", "AE+k-means", "DEC", "IDEC", "DCN", "DKM", "VaDE")
CLASSES = 10  # of the set of Fig. 12
LOSSES = ("reconstruction", "centering", "total")


def losses_fall(records: Sequence[Record]) -> Judgment:
    found = {name: histories(records, "DCSS_u", name).values() for name in LOSSES}
    runs = list(zip(*found.values(), strict=True))
    ratios = {name: 100 * (np.mean([losses[-1] / losses[0] for losses in each]) - 1) for name, each in found.items()}
    text = ", ".join(f"{name} {ratio:+.0f} %" for name, ratio in ratios.items())
    return counted(sum(all(loss[-1] < loss[0] for loss in run) for run in runs), len(runs)), f"first to last: {text}"


def reconstruction_is_traded(records: Sequence[Record]) -> Judgment:
    reconstruction, centering = (histories(records, "DCSS_u", name).values() for name in LOSSES[:2])
    traded = [r[1] > r[0] and c[1] < c[0] for r, c in zip(reconstruction, centering, strict=True)]
    return counted(sum(traded), len(traded)), f"in the second epoch, in {sum(traded)} of {len(traded)} runs"


def loss_drops_at_the_handover(records: Sequence[Record]) -> Judgment:
    """The step from p to q is the steepest, relative to the loss, of the five epochs around it."""
    losses, by_q = (histories(records, "DCSS", name) for name in ("pairwise", "judged_by_q"))
    sharp, ratios, left = 0, [], []
    for run, loss in losses.items():
        first = by_q[run].index(1)
        steps = [loss[at] / loss[at - 1] for at in range(first - 2, first + 3)]
        ratios.append(steps[2])
        sharp += steps[2] == min(steps)
        left.append(loss[-1] / loss[0])
    text = f"there the loss falls by {100 * (1 - np.mean(ratios)):.0f} %, the steepest of the five epochs around in"
    return counted(
        sharp, len(losses)
    ), f"{text} {sharp} of {len(losses)} runs; {100 * np.mean(left):.1f} % is left at the end"


def vanishes(what: str, share: Callable[[dict], float], limit: float) -> Callable[[Sequence[Record]], Judgment]:
    """A share of DCSS's phase 2 is over a half at first, and at most `limit` at the end: two halves of one claim.

    `share` takes a watched entry of the history.
    """

    def judge(records: Sequence[Record]) -> Judgment:
        watched = [[e for e in record.history if "lonely" in e] for record in records if record.run["method"] == "DCSS"]
        begins, ends = ([100 * share(entries[at]) for entries in watched] for at in (0, -1))
        text = f"{what}: {np.mean(begins):.1f} % at the first look, {min(ends):.1f} to {max(ends):.1f} % at the end"
        kept = sum(begin > 50 for begin in begins) + sum(end <= 100 * limit for end in ends)
        return counted(kept, 2 * len(ends)), text

    return judge


def neighbors(after: str, before: str) -> Callable[[Sequence[Record]], Judgment]:
    """On the maps of DCSS, more nearest neighbors are of one's own class in space `after` than in `before`."""

    def judge(records: Sequence[Record]) -> Judgment:
        found: dict[str, tuple[float, ...]] = {}
        for record in records:
            if record.run["method"] == "DCSS":
                maps, labels = record.portrait["maps"], record.portrait["labels"]
                gain = 100 * (purity(maps[after], labels) - purity(maps[before], labels))
                found[record.run["dataset"]] = (*found.get(record.run["dataset"], ()), gain)
        return Contrast(found).verdict, f"neighbors of one's own class on the map: {Contrast(found)}"

    return judge


def one_hot(records: Sequence[Record]) -> Judgment:
    counts = [np.array(record.portrait["residuals"]) for record in records if record.run["method"] == "DCSS"]
    near = [count[: len(count) // 10].sum() / count.sum() for count in counts]
    text = f"residual under 0.1 for {100 * min(near):.1f} to {100 * max(near):.1f} % of the samples"
    return counted(sum(share >= 0.95 for share in near), len(near)), text


def leads_everywhere(records: Sequence[Record]) -> Judgment:
    """DCSS beats the best other method at every retention rate."""
    gains_at = {rate: contrast(some, "DCSS", OTHERS) for rate, some in by_value(records, "retention").items()}
    text = "; ".join(
        f"r = {rate:g}: {gain.mean:+.1f} [{gain.interval[0]:+.1f}, {gain.interval[1]:+.1f}]"
        for rate, gain in gains_at.items()
    )
    return combined([gain.verdict for gain in gains_at.values()]), f"ACC over the best other method, points: {text}"


def moderate_is_best(setting: str) -> Callable[[Sequence[Record]], Judgment]:
    """Neither the smallest nor the largest value of a setting has the best mean, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Judgment:
        means = {metric: means_at(records, [setting], metric) for metric in ("acc", "nmi")}
        best = {metric: max(found, key=found.get) for metric, found in means.items()}
        inner = [min(means[metric]) < value < max(means[metric]) for metric, value in best.items()]
        text = "; ".join(
            f"{metric.upper()} " + ", ".join(f"{value:g}: {mean:.1f}" for (value,), mean in found.items())
            for metric, found in means.items()
        )
        return counted(sum(inner), 2), f"% at each {setting}: {text}"

    return judge


def wrong_k_costs(records: Sequence[Record]) -> Judgment:
    """DCSS at the number of classes against its smallest and its largest K."""
    ours = [record for record in records if record.run["method"] == "DCSS"]
    numbers = sorted(by_value(ours, "n_clusters"))
    told = {k: beats("n_clusters", CLASSES, k)(ours) for k in (numbers[0], numbers[-1])}
    text = "; ".join(f"{CLASSES} over {k}: {evidence}" for k, (_, evidence) in told.items())
    return combined([verdict for verdict, _ in told.values()]), text


def filters_resemble(records: Sequence[Record]) -> Judgment:
    """The filters of DCSS are more like supervised ones of another start than untrained ones are, and so their outputs.

    A measure by which two supervised networks are no more alike than that cannot tell, and is left out.
    """
    shown = [(r.run["dataset"], resemblances(r.portrait)) for r in records]
    verdicts, texts = [], []
    for measure in ("filters", "outputs"):
        ours, most = (_over_untrained(shown, measure, network) for network in ("DCSS", "supervised"))
        verdicts += [ours.verdict] if most.verdict == HOLDS else []
        texts.append(f"resemblance of {measure}, over untrained ones: {ours}; of two supervised networks: {most}")
    return combined(verdicts) if verdicts else NOT_YET, "; ".join(texts)


def _over_untrained(shown: Sequence[tuple[str, dict]], measure: str, network: str) -> Contrast:
    gains: dict[str, tuple[float, ...]] = {}
    for dataset, found in shown:
        gain = 100 * (found[measure][network] - found[measure]["untrained"])
        gains[dataset] = (*gains.get(dataset, ()), gain)
    return Contrast(gains)
