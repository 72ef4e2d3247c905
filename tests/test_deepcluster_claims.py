"""How records judge DeepCluster's claims: cases with a known verdict."""

import pytest

from dcbook.book.verdicts import NotTested
from dcbook.chapters.deepcluster import claims
from dcbook.chapters.deepcluster.claims import clusters, shares, transfer
from dcbook.experiments import Record
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED

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


def history(*values, seed=0, warm=True, k=10, name="stability"):
    """The first epoch of all has no value."""
    return record(seed, history=[{"loss": 1.0}, *({name: v} for v in values)], n_clusters=k, warm_start=warm)


@pytest.mark.parametrize(
    ("anew", "warm", "verdict"),
    [
        ((0.70, 0.71, 0.72), (0.80, 0.81, 0.82), SUPPORTED),
        ((0.40, 0.41, 0.42), (0.30, 0.31, 0.32), CONTRADICTED),
        ((0.70, 0.71, 0.72), (0.30, 0.31, 0.32), MIXED),
        ((0.40, 0.50, 0.60), (0.80, 0.81, 0.82), UNDECIDED),
    ],
)
def test_rises_with_both_starts_of_k_means(anew, warm, verdict):
    """From 0.5 in the first epoch."""
    records = [history(0.5, 0.9, end, seed=s, warm=False) for s, end in enumerate(anew)]
    records += [history(0.5, 0.1, end, seed=s) for s, end in enumerate(warm)]
    found = clusters.rises("stability")(records)
    assert found.verdict == verdict
    assert f"k-means started anew: 50.0 to {100 * sum(anew) / 3:.1f} %" in found.evidence


def test_the_numbers_of_clusters_of_a_seed_are_one_observation():
    """Images and first networks of a seed are the same for each k, so three seeds are three pairs."""
    records = [history(0.5, end + s / 1000, seed=s, k=k) for k, end in ((10, 0.9), (30, 0.6)) for s in range(3)]
    found = clusters.rises("stability")(records)
    (question,) = found.questions
    assert question.estimate.gains == {"digits": pytest.approx((25.0, 25.1, 25.2))} and "over 3 pairs" in found.evidence
    assert "(k = 10 +40.1, k = 30 +10.1 points)" in found.evidence
    falls = [history(0.5, 0.3 + s / 1000, seed=s, k=100) for s in range(2)]
    (question,) = clusters.rises("stability")(records + falls).questions
    assert question.estimate.gains == {"digits": pytest.approx((10.0, 10.1))}, "seed 2 lacks k = 100"


def test_seeds_that_disagree_are_not_made_up_for_by_more_numbers_of_clusters():
    ends = {seed: 0.5 + rise for seed, rise in enumerate((0.01, 0.02, 0.09))}
    records = [history(0.5, end, seed=seed, k=k) for seed, end in ends.items() for k in range(10, 50)]
    assert clusters.rises("stability")(records).verdict == UNDECIDED


@pytest.mark.parametrize(("top", "verdict"), [(0.7, SUPPORTED), (0.9, CONTRADICTED), (0.80, UNDECIDED)])
def test_consecutive_epochs_stay_below_in_every_epoch_and_with_cold_starts_alone(top, verdict):
    """The largest NMI is in the middle; warm runs are far above and play no part."""
    cold = [history(0.5, top + s / 100 - 0.01, 0.6, seed=s, warm=False) for s in range(3)]
    warm = [history(0.5, 0.99, seed=s) for s in range(3)]
    found = clusters.consecutive_stay_below(cold + warm)
    assert found.verdict == verdict and "from the clusters before 99.0 to 99.0 %" in found.evidence
    others = [history(0.5, 0.9 + s / 1000, seed=s, warm=False, k=30) for s in range(3)]
    assert clusters.consecutive_stay_below(cold + others).verdict == CONTRADICTED, "every number of clusters counts"
    with pytest.raises(NotTested, match="started anew"):
        clusters.consecutive_stay_below(warm)


def probes_of(untrained, trained, supervised=None, **layers):
    """The same accuracy at each layer, but for those of DeepCluster that are named."""
    found = {"untrained": flat(untrained), "trained": flat(trained) | layers}
    return found | ({"supervised": flat(supervised)} if supervised is not None else {})


def test_training_beats_chance_at_every_layer():
    def judged(**layers):
        return clusters.training_beats_chance(
            [record(s, probes=probes_of(0.5, 0.6 + s / 1000, **layers)) for s in range(3)]
        )

    assert judged().verdict == SUPPORTED and "probe of conv2, trained over untrained +10.1 [" in judged().evidence
    assert judged(conv1=0.4).verdict == CONTRADICTED
    assert judged(conv1=0.5).verdict == MIXED


@pytest.mark.parametrize(
    ("untrained", "conv3", "conv5", "verdict"),
    [
        (0.4, 0.76, 0.60, SUPPORTED),
        (0.4, 0.70, 0.60, MIXED),
        (0.4, 0.78, 0.79, MIXED),
        (0.4, 0.70, 0.75, CONTRADICTED),
        (0.6, 0.76, 0.60, UNDECIDED),
        (0.79, 0.76, 0.60, UNDECIDED),
    ],
    ids=["close and far", "not close", "no further", "neither", "conv5 as untrained", "below untrained"],
)
def test_close_in_the_middle(untrained, conv3, conv5, verdict):
    """Labels have 80 % at both layers."""
    records = [
        record(s, probes=probes_of(untrained, 0.5, 0.8, conv3=conv3 + s / 1000, conv5=conv5 + s / 500))
        for s in range(3)
    ]
    found = clusters.close_in_the_middle(records)
    assert found.verdict == verdict
    assert found.evidence.endswith(
        f"conv3 {100 * untrained:.1f}, {100 * conv3 + 0.1:.1f}, 80.0; "
        f"conv5 {100 * untrained:.1f}, {100 * conv5 + 0.2:.1f}, 80.0"
    )


@pytest.mark.parametrize(
    ("untrained", "ours", "verdict"),
    [(0.7, 0.9, SUPPORTED), (0.7, 0.795, SUPPORTED), (0.7, 0.78, CONTRADICTED), (0.795, 0.795, UNDECIDED)],
)
def test_as_good_elsewhere_needs_more_than_random_weights(untrained, ours, verdict):
    """Labels have 80 %: random weights that are half a point behind pass the probe, and decide nothing."""
    records = [record(s, elsewhere=probes_of(untrained, ours + s / 5000 - 0.0002, 0.8)) for s in range(3)]
    assert clusters.as_good_elsewhere(records).verdict == verdict


def test_as_good_elsewhere_is_not_tested_without_probes_on_another_set():
    with pytest.raises(NotTested, match="another data set"):
        clusters.as_good_elsewhere([record(s, probes=probes_of(0.1, 0.5, 0.8)) for s in range(3)])


def over_k(untrained=0.3, dataset="digits", **values):
    """`values`: "k10" to the accuracy of all probes."""
    return [
        record(s, dataset, probes=probes_of(untrained, value + s / 1000), n_clusters=int(k[1:]))
        for k, value in values.items()
        for s in range(3)
    ]


def test_over_segmentation_helps_at_each_k_and_by_pairs():
    judge = clusters.over_segmentation_helps
    assert judge(over_k(k10=0.5, k30=0.6, k100=0.7)).verdict == SUPPORTED
    assert judge(over_k(k10=0.5, k30=0.45, k100=0.4)).verdict == CONTRADICTED
    assert judge(over_k(k10=0.5, k30=0.5, k100=0.5)).verdict == NO_EFFECT
    found = judge(over_k(k10=0.5, k30=0.6, k100=0.45))
    assert found.verdict == MIXED and "k = 100 over k = 10 -5.0 [" in found.evidence
    assert "k = 10 50.1, k = 30 60.1, k = 100 45.1" in found.evidence
    usps = over_k(dataset="usps", k10=0.7, k30=0.6, k100=0.6)
    assert judge(over_k(k10=0.5, k30=0.6, k100=0.7) + usps).verdict == MIXED


def test_over_segmentation_is_undecided_where_training_changed_nothing():
    found = clusters.over_segmentation_helps(over_k(untrained=0.7, k10=0.5, k30=0.6, k100=0.7))
    assert found.verdict == UNDECIDED and "the premise is not supported" in found.evidence
    (premise,) = found.premises
    assert premise.estimate.gains == {"digits": pytest.approx((-10.0, -9.9, -9.8))}, "means over k"


def test_repair_keeps_clusters():
    def ends(repair, *live):
        return [
            record(s, history=[{"clusters": 50}, {"clusters": n}], repair=repair, n_clusters=50, sampling="clusters")
            for s, n in enumerate(live)
        ]

    judge = clusters.repair_keeps_clusters
    eight, lost = [50] * 8, [40, 41, 42, 43, 40, 41, 42, 43]
    found = judge(ends(True, *eight) + ends(False, *lost))
    assert found.verdict == SUPPORTED and "empty clusters without repair 17.0 [" in found.evidence
    assert judge(ends(True, *eight[:3]) + ends(False, *lost[:3])).verdict == UNDECIDED, "three of three"
    assert judge(ends(True, *eight) + ends(False, *eight)).verdict == UNDECIDED, "nothing to repair"
    assert judge(ends(True, *[45] * 8) + ends(False, *lost)).verdict == MIXED, "repair left empty clusters"


def test_better_sampling_looks_at_repaired_runs_alone():
    def run(seed, sampling, nmi, repair=True):
        return record(seed, scores={"nmi": nmi}, sampling=sampling, repair=repair)

    records = [run(s, "clusters", 0.6 + s / 100) for s in range(3)] + [run(s, "images", 0.5) for s in range(3)]
    unrepaired = [run(s, sampling, 0.1, repair=False) for s in range(3) for sampling in ("clusters", "images")]
    assert clusters.better_sampling("clusters", "images")(records + unrepaired).verdict == SUPPORTED
    assert clusters.better_sampling("images", "clusters")(records + unrepaired).verdict == CONTRADICTED


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
    [((0.8, 0.6), SUPPORTED), ((0.4, 0.6), CONTRADICTED), ((0.8, 0.95), MIXED), ((0.3, 0.1), MIXED)],
    ids=["purer", "less pure", "but not learned", "but not deeper"],
)
def test_purer_with_depth(ends, verdict):
    records = [seen(seed, sobel, *ends) for seed in range(3) for sobel in (False, True)]
    found = clusters.purer_with_depth(records)
    assert found.verdict == verdict
    rise = 100 * (ends[0] - 0.5) + 0.5  # the mean over the seeds of a quarter of seed / 50
    assert f"conv5 over conv1 {rise:+.1f} [" in found.evidence and "over 3 pairs (digits raw" in found.evidence


def test_purer_with_depth_needs_every_input_and_takes_those_of_a_seed_for_one_observation():
    records = [seen(seed, sobel, 0.4 if sobel else 0.8, 0.3) for seed in range(3) for sobel in (False, True)]
    found = clusters.purer_with_depth(records)
    assert found.verdict == MIXED
    assert "conv5 over conv1 +10.5 [" in found.evidence and "over 3 pairs" in found.evidence
    assert "over 2 pairs" in clusters.purer_with_depth(records[1:]).evidence


def test_filters_of_one_class():
    learned = [seen(seed, False, 0.5, 0.4, others=(1, 1)) for seed in range(3)]
    for each in learned:
        each.portrait["purity"]["untrained"]["conv5"] = [0.4, 0.9, 0.4, 1]
    found = clusters.filters_of_one_class(learned)
    assert found.verdict == SUPPORTED and "trained 50.0 % of the filters of conv5, untrained 25.0 %" in found.evidence
    assert clusters.filters_of_one_class([seen(s, False, 0.9, 0.9) for s in range(3)]).verdict == NO_EFFECT


def test_features_transfer_by_both_protocols_and_the_shallow_network_alone():
    deep = [moved(s, trained=0.1, architecture="vgg-small") for s in range(3)]
    better = [moved(s, trained=0.6 + s / 1000) for s in range(3)]
    found = transfer.features_transfer(better + deep)
    assert found.verdict == SUPPORTED and "accuracy, frozen, DeepCluster over untrained +10.1 [" in found.evidence
    assert "supervised over DeepCluster: frozen +19.9" in found.evidence
    mixed = [moved(s, trained=(0.6 + s / 1000, 0.4 - s / 1000, 0.9)) for s in range(3)]
    assert transfer.features_transfer(mixed).verdict == MIXED
    assert transfer.features_transfer([moved(s, trained=0.4 - s / 1000) for s in range(3)]).verdict == CONTRADICTED


@pytest.mark.parametrize(
    ("imbalanced", "mixed", "verdict"),
    [
        (0.62, 0.61, SUPPORTED),
        (0.62, 0.57, MIXED),
        ((0.62, 0.5, 0), 0.62, MIXED),
        (0.55, 0.56, CONTRADICTED),
        (0.4, 0.41, UNDECIDED),
        (0.9, 0.9, SUPPORTED),
    ],
    ids=str,
)
def test_other_images_cost_little_under_both_protocols(imbalanced, mixed, verdict):
    """From 0.64, where 5 points are little; 0.5 is an untrained network."""

    def at(value, seed):
        return tuple(v + seed / 1000 for v in value) if isinstance(value, tuple) else value + seed / 1000

    records = [moved(s, trained=0.64) for s in range(3)]
    records += [moved(s, trained=at(imbalanced, s), retention=0.1) for s in range(3)]
    records += [moved(s, trained=at(mixed, s), mixed_with="patches") for s in range(3)]
    found = transfer.other_images_cost_little(records)
    assert found.verdict == verdict
    assert "imbalanced images, frozen" in found.evidence and "mixed images, fine-tuned" in found.evidence


def test_what_costs_little_must_be_worth_something():
    """No loss, but nothing was learned from any of these images."""
    options = ({}, {"retention": 0.1}, {"mixed_with": "patches"})
    records = [moved(s, trained=0.45 - s / 1000, **each) for s in range(3) for each in options]
    found = transfer.other_images_cost_little(records)
    assert found.verdict == UNDECIDED and "a premise is not supported" in found.evidence


@pytest.mark.parametrize(
    ("ours", "labels", "verdict"),
    [(0.7, 0.9, SUPPORTED), (0.7, 0.905, SUPPORTED), (0.65, 0.9, MIXED), (0.5, 0.9, CONTRADICTED)],
)
def test_a_deeper_network_gains_as_much(ours, labels, verdict):
    """DeepCluster from 0.6 and labels from 0.8, fine-tuned; what is measured frozen plays no part."""
    records = [moved(s) for s in range(3)]
    deep = {"architecture": "vgg-small", "supervised": labels}
    records += [moved(s, trained=(0, ours + s / 2000, 0), **deep) for s in range(3)]
    found = transfer.deeper_gains_as_much(records)
    assert (
        found.verdict == verdict and f"supervised, deep over shallow network {100 * labels - 80:+.1f}" in found.evidence
    )


@pytest.mark.parametrize(("ours", "verdict"), [(0.7, SUPPORTED), (0.9, MIXED), (0.4, MIXED)])
def test_copies_are_found_by_the_deeper_network(ours, verdict):
    """0.5 untrained and 0.8 with labels."""
    records = [moved(s, trained=0.1) for s in range(3)]
    records += [moved(s, trained=(0, 0, ours + s / 1000), architecture="vgg-small") for s in range(3)]
    found = transfer.copies_are_found(records)
    assert found.verdict == verdict and f"raw pixels {100 * ours + 0.1 - 20:+.1f}" in found.evidence


def test_a_network_that_was_not_measured_is_left_out():
    record = moved()
    del record.portrait["transfer"]["supervised"], record.portrait["retrieval"]["supervised"]
    assert transfer.measures([record], "supervised") == []


def ran(estimator="DeepCluster", dataset="fashion-mnist-test", sampling=None, **params):
    run = {"estimator": estimator, "dataset": dataset, "sampling": sampling or {}, "params": params}
    return Record(run, {}, [], {})


def test_updates_are_counted_in_batches():
    """2,000 images: 5 passes in batches of 64 are 157 updates; with the default of 256, a pass is 8."""
    few = {"subset": 2000}
    assert shares.updates(ran(sampling=few, epochs=8, reassign=5, batch_size=64)) == 8 * 157
    assert shares.updates(ran(sampling=few, epochs=3)) == 3 * 8
    assert shares.updates(ran("SwAV", sampling=few, epochs=15, batch_size=64)) == 15 * 32
    assert shares.updates(ran(dataset="cifar10", epochs=2)) == 2 * 235, "the whole set"


def test_the_share_of_the_protocol():
    whole = ran(dataset="stl10", architecture="alexnet", epochs=500, sampling={"subset": shares.IMAGENET})
    short = ran(architecture="alexnet", epochs=8, sampling={"subset": 2000}, batch_size=64, reassign=5)
    found = claims.protocol([whole])
    assert (found.images, found.network, found.updates) == (0, True, 1) and not found.enough, "other data"
    assert claims.protocol([whole, short]).updates == pytest.approx(1256 / 2_502_279, rel=1e-4)
    assert not claims.protocol([whole, ran(epochs=1, sampling={"subset": 10})]).network, "the default is small"
    cifar = shares.cifar10([ran(dataset="cifar10", sampling={"subset": 2000}, epochs=30)])
    assert cifar.images == pytest.approx(0.04) and not cifar.network
    assert shares.none([short]) is None
