"""Judges of DeepCluster's claims about transfer of features, its Tables 2 to 5."""

from collections.abc import Sequence
from dataclasses import replace

from dcbook.book.verdicts import Answer
from dcbook.chapters.deepcluster.grids import NETWORKS
from dcbook.chapters.deepcluster.tables import images_of
from dcbook.chapters.deepcluster.watches import PROTOCOLS
from dcbook.experiments import Contrast, Question, Record, by_value, paired

# Largest loss, in points, with other images that counts as little: in the paper, VOC classification loses 4.7 (frozen)
# and 4.4 (fine-tuned) with YFCC instead of ImageNet, transcribed and unverified
LITTLE = 5.0
AS_MUCH = 1.0  # largest difference between two gains, in points, that counts as equal


def measures(records: Sequence[Record], network: str) -> list[Record]:
    """The records with the results of `Transfer` for one network instead of their scores, for `paired`."""
    return [
        replace(record, scores={**record.portrait["transfer"].get(network, {}), "retrieval": found})
        for record in records
        if (found := record.portrait["retrieval"].get(network)) is not None
    ]


def gain(records: Sequence[Record], measure: str, better: str, worse: str) -> Contrast:
    """The gain of the network `better` over the network `worse` of the same runs, in points."""
    return paired(measures(records, better), measures(records, worse), measure)


def features_transfer(records: Sequence[Record]) -> Answer:
    """The gain of DeepCluster over the untrained network, frozen and fine-tuned, for the shallow network."""
    ours = by_value(records, "architecture").get(NETWORKS[0], [])
    questions = [
        Question(f"accuracy, {how}, DeepCluster over untrained", gain(ours, how, "trained", "untrained"))
        for how in PROTOCOLS
    ]
    labels = ", ".join(f"{how} {gain(ours, how, 'supervised', 'trained').mean:+.1f}" for how in PROTOCOLS)
    return Answer(questions, f"supervised over DeepCluster: {labels} points")


def other_images_cost_little(records: Sequence[Record]) -> Answer:
    """With imbalanced and mixed images, both protocols lose less than `LITTLE` points against unchanged images.

    Premise: the network trained on them, frozen, is better than the untrained network.
    """
    sets = {name: [r for r in records if images_of(r) == name] for name in ("as they are", "imbalanced", "mixed")}
    curated, questions, premises = measures(sets.pop("as they are"), "trained"), [], []
    for name, some in sets.items():
        questions += [
            Question(
                f"accuracy with {name} images, {how}",
                paired(measures(some, "trained"), curated, how),
                above=-LITTLE,
                band=None,
            )
            for how in PROTOCOLS
        ]
        left = gain(some, "frozen", "trained", "untrained")
        premises.append(Question(f"accuracy with {name} images, frozen, over untrained", left, band=None))
    return Answer(questions, "differences from images as they are", premises=premises)


def deeper_gains_as_much(records: Sequence[Record]) -> Answer:
    """Fine-tuned, the deeper network has a gain, at most `AS_MUCH` points smaller than the gain with labels."""
    shallow, deep = (by_value(records, "architecture").get(name, []) for name in NETWORKS)
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
    questions = [
        Question("accuracy of DeepCluster, deep over shallow network", ours),
        Question("this gain of DeepCluster over that of supervised training", ahead, above=-AS_MUCH, band=None),
    ]
    return Answer(questions, f"supervised, deep over shallow network {labels.mean:+.1f} points")


def copies_are_found(records: Sequence[Record]) -> Answer:
    """With the deeper network, DeepCluster retrieves copies better than the untrained, worse than the supervised one.

    DeepCluster was trained on random crops, which resemble copies; the supervised network was not.
    """
    ours = by_value(records, "architecture")[NETWORKS[1]]
    over, below = (gain(ours, "retrieval", *pair) for pair in (("trained", "untrained"), ("supervised", "trained")))
    pixels = gain(ours, "retrieval", "trained", "pixels")
    questions = [Question("mAP, DeepCluster over untrained", over), Question("mAP, supervised over DeepCluster", below)]
    return Answer(questions, f"mAP, DeepCluster over raw pixels {pixels.mean:+.1f} points")
