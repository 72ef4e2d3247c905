"""How records judge DeepCluster's claims: cases with a known verdict."""

import pytest

from dcbook.chapters.deepcluster.claims import clusters, transfer
from dcbook.experiments import Record
from dcbook.experiments.contrast import HOLDS, IN_PART, NOT

LAYERS = (*clusters.LAYERS, "fc7")


def record(seed=0, dataset="digits", history=(), scores=None, probes=None, elsewhere=None, **params):
    run = {"method": "DeepCluster", "dataset": dataset, "seed": seed, "sampling": {}, "params": params}
    portrait = {"probes": probes or {}} | ({"elsewhere": elsewhere} if elsewhere else {})
    return Record(run, scores or {"nmi": 0.5, "acc": 0.5}, list(history), {}, portrait)


def moved(seed=0, trained=0.6, untrained=0.5, supervised=0.8, pixels=0.2, architecture="alexnet-small", **sampling):
    """A record of a `Transfer`: all measures of a network are one number, or (frozen, fine-tuned, retrieval)."""
    networks = {"untrained": untrained, "trained": trained, "supervised": supervised}
    three = {name: value if isinstance(value, tuple) else (value,) * 3 for name, value in networks.items()}
    run = {"method": "DeepCluster", "dataset": "digits", "seed": seed, "sampling": sampling}
    portrait = {
        "transfer": {name: {"frozen": each[0], "fine-tuned": each[1]} for name, each in three.items()},
        "retrieval": {name: each[2] for name, each in three.items()} | {"pixels": pixels},
    }
    return Record(run | {"params": {"architecture": architecture}}, {}, [], {}, portrait)


def flat(value):
    return dict.fromkeys(LAYERS, value)


@pytest.mark.parametrize(("ends", "verdict"), [([0.7, 0.75], HOLDS), ([0.7, 0.85], IN_PART), ([0.4, 0.45], NOT)])
def test_rises(ends, verdict):
    """From 0.5 in the first epoch; 0.8 is the most; the first epoch of all has no value."""
    records = [
        record(seed, history=[{"loss": 1.0}, {"stability": 0.5}, {"stability": end}]) for seed, end in enumerate(ends)
    ]
    found, evidence = clusters.rises("stability", 0.8)(records)
    assert found == verdict and evidence.startswith(f"50.0 to {50 * sum(ends):.1f} %")


def test_training_beats_chance_layer_by_layer():
    better = [record(s, probes={"untrained": flat(0.5), "trained": flat(0.6 + s / 100)}) for s in range(3)]
    assert clusters.training_beats_chance(better)[0] == HOLDS
    mixed = [
        record(s, probes={"untrained": flat(0.5), "trained": flat(0.6 + s / 100) | {"conv1": 0.4 + s / 100}})
        for s in range(3)
    ]
    verdict, evidence = clusters.training_beats_chance(mixed)
    assert verdict == IN_PART and "conv1 -9.0" in evidence and "conv2 +11.0" in evidence


@pytest.mark.parametrize(
    ("conv3", "conv5", "verdict"), [(0.76, 0.6, HOLDS), (0.7, 0.6, NOT), (0.78, 0.79, NOT)], ids=str
)
def test_close_in_the_middle(conv3, conv5, verdict):
    ours = flat(0.5) | {"conv3": conv3, "conv5": conv5}
    beside = {"untrained": flat(0.4), "trained": ours, "supervised": flat(0.8)}
    found, evidence = clusters.close_in_the_middle([record(s, probes=beside) for s in range(2)])
    assert found == verdict and evidence.endswith(
        f"conv3 40.0, {100 * conv3:.1f}, 80.0; conv5 40.0, {100 * conv5:.1f}, 80.0"
    )


@pytest.mark.parametrize(("ours", "verdict"), [(0.9, HOLDS), (0.795, HOLDS), (0.78, NOT)])
def test_as_good_elsewhere(ours, verdict):
    records = [record(elsewhere={"untrained": flat(0.7), "trained": flat(ours), "supervised": flat(0.8)})]
    assert clusters.as_good_elsewhere(records)[0] == verdict


def test_over_segmentation_helps_by_data_set():
    def at(k, value, dataset="digits"):
        return record(dataset=dataset, probes={"trained": flat(value)}, n_clusters=k)

    assert clusters.over_segmentation_helps([at(10, 0.5), at(100, 0.6)])[0] == HOLDS
    verdict, evidence = clusters.over_segmentation_helps(
        [at(10, 0.5), at(100, 0.6), at(10, 0.7, "usps"), at(100, 0.6, "usps")]
    )
    assert verdict == IN_PART and "digits: k = 10 50.0, k = 100 60.0; usps: k = 10 70.0" in evidence


def test_repair_keeps_clusters():
    def ends(repair, live):
        return record(history=[{"clusters": live}], repair=repair, n_clusters=50)

    assert clusters.repair_keeps_clusters([ends(True, 50), ends(False, 40)])[0] == HOLDS
    verdict, evidence = clusters.repair_keeps_clusters([ends(True, 50), ends(False, 50)])
    assert verdict == IN_PART and "100.0 % with repair, 100.0 % without" in evidence


def test_better_sampling_looks_at_repaired_runs_alone():
    def run(seed, sampling, nmi, repair=True):
        return record(seed, scores={"nmi": nmi}, sampling=sampling, repair=repair)

    records = [run(s, "clusters", 0.6 + s / 100) for s in range(3)] + [run(s, "images", 0.5) for s in range(3)]
    unrepaired = [run(s, sampling, 0.1, repair=False) for s in range(3) for sampling in ("clusters", "images")]
    assert clusters.better_sampling("clusters", "images")(records + unrepaired)[0] == HOLDS
    assert clusters.better_sampling("images", "clusters")(records + unrepaired)[0] == NOT


def seen(seed, sobel, trained, untrained, others=()):
    """Class shares of four filters at conv1 and conv5; half of those of conv1 are pure."""
    purity = {
        name: {"conv1": [0.5] * 4, "conv5": [end, end + seed / 50, *(others or [end, end])]}
        for name, end in (("trained", trained), ("untrained", untrained))
    }
    run = {"method": "DeepCluster", "dataset": "digits", "seed": seed, "sampling": {}, "params": {"sobel": sobel}}
    return Record(run, {"nmi": 0.5}, [], {}, {"purity": purity})


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [((0.8, 0.6), HOLDS), ((0.45, 0.6), NOT), ((0.8, 0.9), IN_PART), ((0.45, 0.4), IN_PART)],
    ids=["purer", "less pure", "but not learned", "but not deeper"],
)
def test_purer_with_depth(ends, verdict):
    records = [seen(seed, sobel, *ends) for seed in range(3) for sobel in (False, True)]
    found, evidence = clusters.purer_with_depth(records)
    assert found == verdict
    rise = 100 * (ends[0] - 0.5) + 0.5  # the mean over the seeds of a quarter of seed / 50
    assert f"from conv1 to conv5 {rise:+.1f} [" in evidence and "over 6 pairs (digits raw" in evidence
    assert "digits Sobel" in evidence


def test_purer_with_depth_needs_every_input():
    records = [seen(seed, sobel, 0.45 if sobel else 0.8, 0.4) for seed in range(3) for sobel in (False, True)]
    assert clusters.purer_with_depth(records)[0] == IN_PART


def test_filters_of_one_class():
    learned = [seen(seed, False, 0.5, 0.4, others=(1, 1)) for seed in range(3)]
    for record in learned:
        record.portrait["purity"]["untrained"]["conv5"] = [0.4, 0.9, 0.4, 1]
    verdict, evidence = clusters.filters_of_one_class(learned)
    assert verdict == HOLDS and evidence.startswith("50.0 % of conv5's filters, untrained 25.0 %: +25.0 [")
    assert clusters.filters_of_one_class([seen(s, False, 0.9, 0.9) for s in range(3)])[0] == NOT


def test_features_transfer_by_both_protocols_and_the_shallow_network_alone():
    deep = [moved(s, trained=0.1, architecture="vgg-small") for s in range(3)]
    better = [moved(s, trained=0.6 + s / 100) for s in range(3)]
    verdict, evidence = transfer.features_transfer(better + deep)
    assert verdict == HOLDS and evidence.startswith("frozen: +11.0 [") and "labels +19.0 on top" in evidence
    mixed = [moved(s, trained=(0.6 + s / 100, 0.4 - s / 100, 0.9)) for s in range(3)]
    assert transfer.features_transfer(mixed)[0] == IN_PART
    assert transfer.features_transfer([moved(s, trained=0.4 - s / 100) for s in range(3)])[0] == NOT


@pytest.mark.parametrize(
    ("imbalanced", "mixed", "verdict"),
    [(0.62, 0.61, HOLDS), (0.62, 0.53, IN_PART), ((0.62, 0.5, 0), 0.62, IN_PART), (0.4, 0.41, NOT), (0.9, 0.9, HOLDS)],
    ids=str,
)
def test_other_images_cost_little_under_both_protocols(imbalanced, mixed, verdict):
    """From 0.64, where 5 points are little; 0.5 is an untrained network."""

    def at(value, seed):
        return tuple(v + seed / 1000 for v in value) if isinstance(value, tuple) else value + seed / 1000

    records = [moved(s, trained=0.64) for s in range(3)]
    records += [moved(s, trained=at(imbalanced, s), retention=0.1) for s in range(3)]
    records += [moved(s, trained=at(mixed, s), mixed_with="patches") for s in range(3)]
    found, evidence = transfer.other_images_cost_little(records)
    assert found == verdict and "imbalanced: frozen" in evidence and "mixed: frozen" in evidence


def test_what_costs_little_must_be_worth_something():
    """No loss, but nothing was learned from any of these images."""
    options = ({}, {"retention": 0.1}, {"mixed_with": "patches"})
    records = [moved(s, trained=0.45 - s / 1000, **each) for s in range(3) for each in options]
    assert transfer.other_images_cost_little(records)[0] == IN_PART


@pytest.mark.parametrize(
    ("ours", "labels", "verdict"), [(0.7, 0.9, HOLDS), (0.7, 0.905, HOLDS), (0.65, 0.9, IN_PART), (0.5, 0.9, NOT)]
)
def test_a_deeper_network_gains_as_much(ours, labels, verdict):
    """DeepCluster from 0.6 and labels from 0.8, fine-tuned; what is measured frozen plays no part."""
    records = [moved(s) for s in range(3)]
    deep = {"architecture": "vgg-small", "supervised": labels}
    records += [moved(s, trained=(0, ours + s / 1000, 0), **deep) for s in range(3)]
    found, evidence = transfer.deeper_gains_as_much(records)
    assert found == verdict and f"labels {100 * labels - 80:+.1f}" in evidence


@pytest.mark.parametrize(("ours", "verdict"), [(0.7, HOLDS), (0.9, IN_PART), (0.4, IN_PART)])
def test_copies_are_found_by_the_deeper_network(ours, verdict):
    """0.5 untrained and 0.8 with labels."""
    records = [moved(s, trained=0.1) for s in range(3)]
    records += [moved(s, trained=(0, 0, ours + s / 1000), architecture="vgg-small") for s in range(3)]
    found, evidence = transfer.copies_are_found(records)
    assert found == verdict and f"{100 * ours + 0.1 - 20:+.1f}" in evidence and "over pixels" in evidence


def test_a_network_that_was_not_measured_is_left_out():
    record = moved()
    del record.portrait["transfer"]["supervised"], record.portrait["retrieval"]["supervised"]
    assert transfer.measures([record], "supervised") == []
