"""How records judge DeepCluster's claims about features put to use elsewhere, its Tables 2 to 5."""

from collections.abc import Sequence
from dataclasses import replace

from dcbook.book.verdicts import Judgment, combined
from dcbook.chapters.deepcluster.grids import NETWORKS
from dcbook.chapters.deepcluster.tables import images_of
from dcbook.chapters.deepcluster.watches import PROTOCOLS
from dcbook.experiments import Contrast, Record, by_value, paired

# Points that other images may cost: the paper's own cost of YFCC in place of ImageNet, VOC classification, is 4.7
# (frozen) and 4.4 (fine-tuned), transcribed and unverified
LITTLE = 5.0
AS_MUCH = 1.0  # points by which one gain may fall behind another


def measures(records: Sequence[Record], network: str) -> list[Record]:
    """The records with what `Transfer` found of one network in place of their scores, for `paired`."""
    return [
        replace(record, scores={**record.portrait["transfer"].get(network, {}), "retrieval": found})
        for record in records
        if (found := record.portrait["retrieval"].get(network)) is not None
    ]


def gain(records: Sequence[Record], measure: str, better: str, worse: str) -> Contrast:
    """Of one network over another in the same runs."""
    return paired(measures(records, better), measures(records, worse), measure)


def features_transfer(records: Sequence[Record]) -> Judgment:
    """The shallow network, DeepCluster over untrained, frozen and fine-tuned."""
    ours = by_value(records, "architecture")[NETWORKS[0]]
    gains = {how: gain(ours, how, "trained", "untrained") for how in PROTOCOLS}
    text = [
        f"{how}: {found} over the untrained network, labels {gain(ours, how, 'supervised', 'trained').mean:+.1f} on top"
        for how, found in gains.items()
    ]
    return combined([found.verdict for found in gains.values()]), "; ".join(text)


def other_images_cost_little(records: Sequence[Record]) -> Judgment:
    """Imbalanced and mixed images, each under both protocols, lose less than `LITTLE` points to the images as they are.

    And what was learned from them is still worth more than nothing: frozen, it beats the untrained network.
    """
    sets = {name: [r for r in records if images_of(r) == name] for name in ("as they are", "imbalanced", "mixed")}
    curated, verdicts, texts = measures(sets.pop("as they are"), "trained"), [], []
    for name, some in sets.items():
        costs = {how: paired(measures(some, "trained"), curated, how) for how in PROTOCOLS}
        left = gain(some, "frozen", "trained", "untrained")
        verdicts += [*(cost.within(LITTLE).verdict for cost in costs.values()), left.verdict]
        each = ", ".join(f"{how} {_shown(cost)}" for how, cost in costs.items())
        texts.append(f"{name}: {each}; frozen, over the untrained network {_shown(left)}")
    return combined(verdicts), "points over images as they are, " + "; ".join(texts)


def deeper_gains_as_much(records: Sequence[Record]) -> Judgment:
    """Fine-tuned, the deeper network over the other: a gain, at most `AS_MUCH` points behind the one with labels."""
    shallow, deep = (by_value(records, "architecture")[name] for name in NETWORKS)
    ours, labels = (
        paired(measures(deep, network), measures(shallow, network), "fine-tuned")
        for network in ("trained", "supervised")
    )
    ahead = Contrast(
        {
            dataset: tuple(a - b for a, b in zip(gains, labels.gains[dataset], strict=True))
            for dataset, gains in ours.gains.items()
        }
    )
    return combined([ours.verdict, ahead.within(AS_MUCH).verdict]), f"DeepCluster {ours}; labels {_shown(labels)}"


def copies_are_found(records: Sequence[Record]) -> Judgment:
    """The deeper network: DeepCluster finds copies better than untrained, and labels do better still.

    DeepCluster was trained on random crops, as copies are; the twin with labels was not.
    """
    ours = by_value(records, "architecture")[NETWORKS[1]]
    over, below = (gain(ours, "retrieval", *pair) for pair in (("trained", "untrained"), ("supervised", "trained")))
    pixels = gain(ours, "retrieval", "trained", "pixels")
    text = f"mAP: {over} over the untrained network, labels {_shown(below)} on top; {_shown(pixels)} over pixels"
    return combined([over.verdict, below.verdict]), text


def _shown(found: Contrast) -> str:
    low, high = found.interval
    return f"{found.mean:+.1f} [{low:+.1f}, {high:+.1f}]"
