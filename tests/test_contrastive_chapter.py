"""The contrastive chapter: its grids, what is kept of runs, how its claims are judged, what is printed elsewhere."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from dcbook.book.verdicts import NOT_YET, NotTested, recorded
from dcbook.chapters.contrastive import grids, tables
from dcbook.chapters.contrastive.claims import CLAIMS, before_self_labeling, judges, protocol
from dcbook.chapters.contrastive.grids import ALONE
from dcbook.chapters.contrastive.watches import ClusterSizes, HeadScores, NeighborPurity
from dcbook.clustering import kmeans
from dcbook.data import load
from dcbook.evaluation import scores
from dcbook.experiments import Contrast, Record
from dcbook.experiments.records import key, path_of
from dcbook.experiments.verdict import SUPPORTED, UNDECIDED
from dcbook.experiments.worker import estimator
from dcbook.methods import CC, SPICE, SimCLRPretext

ROOT = Path(__file__).parents[1]
EVERY = [(name, scale) for name in grids.GRIDS for scale in ("quick", "laptop", "paper")]


# --- grids ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_runs_differ_and_their_settings_are_valid(name, scale):
    found = grids.GRIDS[name](scale)
    assert found and len({path_of(run.identity, ".") for run in found}) == len(found)
    assert scale == "quick" or len({run.seed for run in found}) >= 3
    for run in found:
        model = estimator(run, "cpu", 10)
        getattr(model, "_check_hyperparameters", lambda: None)()


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_all_that_start_from_a_pretext_share_it(scale):
    starts = {(run.dataset, run.seed): set() for run in grids.table1(scale)}
    for run in grids.table1(scale):
        if run.method == grids.PRETEXT:
            starts[run.dataset, run.seed].add(key(run.identity))
        elif run.start:
            starts[run.dataset, run.seed].add(key(run.start.identity))
    assert all(len(each) == 1 for each in starts.values())
    of_table = {key(run.identity) for run in grids.table1(scale)}
    longest = [run for run in grids.premise(scale) if run.method == grids.PRETEXT]
    assert longest and {key(run.identity) for run in longest} <= of_table, "made once for both"


@pytest.mark.parametrize("scale", ["quick", "laptop"])
def test_small_runs_share_trunk_and_digits_are_not_mirrored(scale):
    for run in grids.table1(scale):
        params = run.cls(**run.params).get_params()
        if "architecture" in params:
            assert (params["architecture"], params["width"]) == ("resnet-9", 8)
        view = params.get("view") or params.get("fixed_view")
        if view is not None and run.method != "IDFD":  # whose view is never mirrored
            assert view.flip == (run.dataset in ("fashion-mnist-test", "cifar10")), run
    assert {run.method for run in grids.table1(scale)} == set(grids.TABLE1[scale].methods)


def test_a_variant_changes_what_it_is_named_after_and_nothing_else():
    for scale in ("quick", "laptop", "paper"):
        whole = {run.method: run for run in grids.of_kinds(scale, datasets=grids.FIRST[scale])}
        for variants, runs in ((grids.PARTS, grids.parts(scale)), (grids.COLLAPSE, grids.collapse(scale))):
            for run in runs:
                of, changes = variants[run.method]
                assert dict(run.params) == {**whole[of].params, **changes} != dict(whole[of].params)
                assert run.cls(**run.params).get_params() != run.cls(**whole[of].params).get_params()


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_a_warm_start_changes_the_start_alone(scale):
    whole = {(run.method, run.seed): run for run in grids.of_kinds(scale, datasets=grids.FIRST[scale])}
    found = grids.warm(scale)
    assert {run.method for run in found} == set(grids.WARM)
    for run in found:
        scratch = whole[grids.WARM[run.method], run.seed]
        assert (run.params, scratch.start) == (scratch.params, None)
        assert run.start.identity == whole[grids.PRETEXT, run.seed].identity


def test_the_list_of_evidence_has_all_sets_and_five_seeds():
    ranks = [rank for rank, _, _ in grids.EVIDENCE]
    assert min(ranks) == 60 and len(set(ranks)) == len(ranks)
    runs = [run for _, _, give in grids.EVIDENCE for run in give()]
    assert {run.scale for run in runs} == {"laptop"} and {run.seed for run in runs} == set(range(5))
    assert {run.dataset for run in runs} == set(grids.TABLE1["laptop"].datasets)
    first = [give()[0] for rank, _, give in sorted(grids.EVIDENCE, key=lambda item: item[0])][:12]
    assert {run.seed for run in first} == {0, 1, 2}, "three seeds of all before the fourth"


@pytest.mark.parametrize(("dataset", "thresholds"), [("stl10", (0.99, 0.5)), ("imagenet10", (0.99, 0.75))])
def test_photographs_have_the_settings_of_their_released_files(dataset, thresholds):
    found = {run.method: run.cls(**run.params) for run in grids.of_kinds("paper", [0], datasets=[dataset])}
    star = found["DAC*"]
    assert (star.upper, star.meet, star.architecture, star.rectified) == (*thresholds, "dac-96", True)
    assert (star.anchor, star.anchor_scaled) == (10.0, "both")
    assert (found["DAC"].view.shift, found["DAC"].architecture) == (0.1, "dac-96")
    assert (found["PICA"].batch_size, found["CC"].view.jitter) == (128, 1.0)
    assert (found["SCAN"].view.hole, found["SCAN"].selflabel_epochs) == (pytest.approx(32 / 96), 100)
    assert found["MiCE"].epochs == (3001 if dataset == "stl10" else 1001)
    assert grids.KIND_SCALES["paper"][0].methods["PICA"].params.get("batch_size") is None, "other kinds keep theirs"


@pytest.mark.parametrize("method", ["CC", "PICA", "DAC", "DAC*", "DCCM", "IDFD", "MiCE"])
def test_released_networks_train_on_photographs(method):
    (run,) = grids.of_kinds("paper", [0], [method], ["stl10"])
    few = {"architecture": "resnet-18"} if run.cls(**run.params).architecture == "resnet-34" else {}
    few |= {"width": 2, "epochs": 1, "batch_size": 8} | ({"passes": 1} if method in ("DAC", "DAC*", "DCCM") else {})
    few |= {"discriminator": 4} if method == "DCCM" else {}
    x = torch.rand(16, 3, 96, 96, generator=torch.Generator().manual_seed(0)).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # noise has no clusters
        model = run.cls(2, **{**run.params, **few}, random_state=0, device="cpu", progress=False).fit(x)
    assert len(model.history_) == 1 and np.isfinite(model.history_[0]["loss"])


def test_a_scale_or_a_data_set_that_is_none_is_refused():
    with pytest.raises(ValueError, match="unknown scale 'tiny': choose from 'quick', 'laptop', 'paper'"):
        grids.table1("tiny")
    with pytest.raises(ValueError, match="unknown data set at scale 'laptop' 'cifar-10': choose from"):
        grids.of_kinds("laptop", datasets=["usps", "cifar-10"])


def test_the_clusters_of_the_instance_head_alone_are_those_of_k_means():
    (run,) = [run for run in grids.parts("quick") if run.method == ALONE]
    data = load("digits", subset=100)
    how = {**run.params, "architecture": "resnet-9", "width": 2, "projection_dim": 4, "epochs": 1, "batch_size": 50}
    model = CC(10, **how, random_state=0).fit(data.images)
    portrait = run.watch.portrait(model, data)
    labels = kmeans(model.transform(data.images), 10, n_init=20, random_state=0, device="cpu").labels.numpy()
    assert portrait == scores(data.labels, labels) != scores(data.labels, model.labels_)
    records = [record(ALONE, acc=0.1, portrait=portrait), record("CC", acc=0.6)]
    assert [each.scores["acc"] for each in tables.on_codes(records)] == [portrait["acc"], 0.6]
    assert {run.method for run in CLAIMS[0].runs("laptop")} == {"CC", grids.PRETEXT, ALONE}


# --- what is kept --------------------------------------------------------------------------------------------------


def test_purity_of_neighborhoods():
    data = load("digits", subset=100)
    how = {"architecture": "resnet-9", "width": 2, "projection_dim": 4, "epochs": 1, "batch_size": 50, "flip": False}
    model = SimCLRPretext(10, **how, random_state=0).fit(data.images)
    found = NeighborPurity().portrait(model, data)
    assert set(found) == {"z", "h", "pixels"} and all(0.1 < value <= 1 for value in found.values())
    unit = torch.nn.functional.normalize(torch.tensor(data.images).flatten(1), dim=1)
    nearest = (unit @ unit.T).fill_diagonal_(-1).topk(20).indices.numpy()
    same = (data.labels[nearest] == data.labels[:, None]).mean()
    assert found["pixels"] == pytest.approx(same, abs=1e-3)


def record(method, seed=0, acc=0.5, nmi=0.5, dataset="digits", history=(), portrait=None, **settings):
    params, estimator = settings.pop("params", {}), settings.pop("estimator", "SCAN")
    run = {"method": method, "estimator": estimator, "dataset": dataset, "seed": seed, "sampling": {"subset": 600}}
    run |= {"params": params, "start": None}
    return Record(run, {"acc": acc, "nmi": nmi}, list(history), {"parameters": settings}, portrait or {})


def scan(seed, chosen, end, pretext=0.5):
    """A record of SCAN, whose selection takes its second epoch, and of its pretext."""
    history = [
        {"phase": "frozen", "epoch": 1, "selection": -1.2, "acc": 0.55, "nmi": 0.55},
        {"phase": "frozen", "epoch": 2, "selection": -1.0, "acc": 0.9, "nmi": 0.9},
        {"phase": "neighbors", "epoch": 1, "selection": -2.0, "acc": chosen, "nmi": chosen},
        {"phase": "neighbors", "epoch": 2, "selection": -1.5, "acc": 0.1, "nmi": 0.1},
        {"phase": "self-labeling", "epoch": 1, "acc": end, "nmi": end},
    ]
    return [
        record("SCAN", seed, end, end, history=history),
        record(grids.PRETEXT, seed, pretext, pretext, epochs=12),
    ]


def test_scan_from_step_to_step():
    records = [each for seed in range(3) for each in scan(seed, 0.6 + seed / 100, 0.7 + seed / 50)]
    frame = tables.scan_steps(records)
    assert len(frame) == 6 and frame["step 2"].tolist()[:2] == pytest.approx([60, 60])
    assert frame["frozen"].tolist() == pytest.approx([55] * 6), "the epoch of the phase with the lowest selection value"
    answer = judges.step_2_gains(records)
    assert answer.verdict == SUPPORTED and answer.questions[0].estimate.mean == pytest.approx(11)
    assert [question.about.split(" over ")[1] for question in answer.questions[1:]] == [
        "k-means on the codes",
        "the heads trained on frozen codes",
        "the heads trained on frozen codes",
    ]
    assert answer.questions[2].estimate.mean == pytest.approx(6)
    assert judges.self_labels_help(records).questions[1].estimate.mean == pytest.approx(11)
    with pytest.raises(NotTested, match="no record of SCAN beside its pretext"):
        judges.step_2_gains(records[:1])


def test_scan_s_step_2_counts_only_beyond_the_phase_on_frozen_codes_where_that_was_run():
    records = [each for seed in range(3) for each in scan(seed, 0.55 + (seed - 1) / 500, 0.7)]
    answer = judges.step_2_gains(records)
    assert answer.questions[0].verdict(answer.level) == SUPPORTED and answer.verdict == UNDECIDED
    released = [replace(each, history=[e for e in each.history if e["phase"] != "frozen"]) for each in records]
    assert len(judges.step_2_gains(released).questions) == 2 and judges.step_2_gains(released).verdict == SUPPORTED
    unselected = [{"phase": "frozen", "acc": value, "nmi": value} for value in (0.4, 0.3)]
    last = [replace(each, history=[*unselected, *each.history]) for each in released]
    assert tables.scan_steps(last)["frozen"].tolist() == pytest.approx([30] * 6), "the last epoch, if none is selected"


@pytest.mark.parametrize(("sign", "verdict"), [(1, SUPPORTED), (-1, "contradicted")])
def test_confusion_and_nmi_in_training(sign, verdict):
    random = np.random.default_rng(0)
    records = [
        record(
            "PICA",
            seed,
            history=[
                {"phase": "clustering", "confusion": 1.9 - e / 20, "nmi": 0.5 + sign * e / 20 + 0.1 * random.random()}
                for e in range(6)
            ],
        )
        for seed in range(3)
    ]
    answer = judges.confusion_falls_as_nmi_rises(records)
    assert answer.verdict == verdict
    low, high = answer.questions[0].estimate.interval()
    assert -1 <= low < high <= 1
    assert f"the number of the epoch and NMI is {-answer.questions[0].estimate.mean:.2f}" in answer.note
    with pytest.raises(NotTested, match="no record of PICA"):
        judges.confusion_falls_as_nmi_rises([record("PICA")])


def test_intervals_end_at_the_bounds_of_the_quantity():
    correlations = {"x": (0.8, 0.9, 1.0), "y": (0.7, 1.0, 1.0), "z": (1.0, 1.0, 0.9)}
    free, bounded = Contrast(correlations, ""), Contrast(correlations, "", bounds=(-1, 1))
    for of in (Contrast.interval, Contrast.between, lambda each: each.interval_on("y")):
        assert of(free)[1] > 1 and of(bounded) == (of(free)[0], 1)
    assert Contrast({"x": (0.5,)}, "", bounds=(-1, 1)).interval() == (-np.inf, np.inf), "one seed is no interval"


def pretexts(dataset, purities, gains, seeds=3):
    """Records of pretexts of several lengths and of SCAN's heads on each."""
    found = []
    for seed in range(seeds):
        for epochs, purity, gain in zip((1, 4, 12), purities, gains, strict=True):
            name = grids.PRETEXT if epochs == 12 else f"{grids.PRETEXT}, {epochs} epochs"
            portrait = {"z": purity + seed / 500, "h": 0.5, "pixels": 0.6}
            found.append(record(name, seed, 0.5, 0.5, dataset, portrait=portrait, epochs=epochs))
            found.append(record(f"{grids.HEADS}, {epochs} epochs", seed, 0.5 + gain, 0.5 + gain, dataset))
    return found


def test_the_premise_and_what_hangs_on_it():
    clothes = pretexts("fashion-mnist-test", (0.6, 0.7, 0.73), (-0.02, 0.01, 0.02))
    photographs = pretexts("cifar10", (0.28, 0.32, 0.36), (0.0, -0.01, 0.01))
    frame = tables.premise(clothes + photographs)
    assert len(frame) == 18 and frame.groupby("dataset")["purity"].max().round(1).tolist() == [36.4, 73.4]
    assert frame["acc"].max() == pytest.approx(2)
    waiting = judges.mostly_of_one_class(clothes + pretexts("cifar10", (0.28, 0.32, 0.36), (0, 0, 0), seeds=1))
    assert [q.about for q in waiting.questions] == ["neighbors with the image's class on fashion-mnist-test"]
    both = judges.mostly_of_one_class(clothes + photographs)
    assert [q.verdict(both.level) for q in both.questions] == [SUPPORTED, "contradicted"]
    assert judges.purer_gains_more(clothes + photographs).verdict == SUPPORTED
    against = pretexts("cifar10", (0.28, 0.32, 0.36), (0.01, 0.02, 0.0))
    assert judges.purer_gains_more(against).verdict == "contradicted"
    with pytest.raises(NotTested, match="three lengths"):
        judges.purer_gains_more(clothes[:4])


def test_heads_gain_only_where_most_neighbors_share_a_class():
    clothes = pretexts("fashion-mnist-test", (0.6, 0.7, 0.73), (0.05, 0.04, 0.06))
    photographs = pretexts("cifar10", (0.28, 0.32, 0.36), (0.01, -0.02, 0.01))
    found = judges.gains_only_where_most_agree(clothes + photographs)
    assert found.verdict == SUPPORTED
    assert [(q.estimate.n, round(q.estimate.mean, 1)) for q in found.questions] == [(3, 5)] * 2 + [(3, 0)] * 2
    gaining = pretexts("cifar10", (0.28, 0.32, 0.36), (0.03, 0.04, 0.05))
    assert judges.gains_only_where_most_agree(clothes + gaining).verdict == "contradicted"
    with pytest.raises(NotTested, match="with less than half of the neighbors"):
        judges.gains_only_where_most_agree(clothes)


def test_the_premise_needs_no_heads_and_is_judged_by_the_committed_records():
    (claim,) = [claim for claim in CLAIMS if claim.place == "SCAN, step 1"]
    assert {run.method for run in claim.runs("laptop")} == {grids.PRETEXT}
    records = recorded(claim.runs("laptop"), ROOT / "figures" / "laptop" / "contrastive" / "records")
    clothes = [100 * each.portrait["z"] for each in records if each.run["dataset"] == "fashion-mnist-test"]
    found = claim.verdict(records, protocol)
    assert len(clothes) >= 3 and found.answer.questions[0].verdict() == SUPPORTED
    assert found.answer.questions[0].estimate.mean == pytest.approx(np.mean(clothes))
    assert "by unit-length pixels instead of z: fashion-mnist-test 73.9 %" in found.evidence
    shorter = record(f"{grids.PRETEXT}, 10 epochs", portrait={"z": 0.9, "h": 0.9, "pixels": 0.7}, epochs=10)
    with pytest.raises(NotTested, match="no record of the pretext"):
        judges.mostly_of_one_class([shorter])


def test_methods_with_a_single_seed_are_named():
    several = [record(name, seed) for name in ("CC", "PICA") for seed in range(3)]
    one = [record(name) for name in ("DCCM", "MiCE")]
    (judge,) = [claim.judge for claim in CLAIMS if claim.place.startswith("DCSS")]
    with pytest.raises(NotTested, match="only one seed of DCCM and MiCE has run so far, and an"):
        judge([*several, *one, *(record("DCSS on SimCLR", seed) for seed in range(3))])
    several += [record(name, seed) for name in ("DCSS on SimCLR", "DAC*", "SCAN") for seed in range(3)]
    answer = judge(several)
    assert [question.about for question in answer.questions] == [
        f"{metric} over {name}" for metric in ("ACC", "NMI") for name in ("CC", "PICA")
    ], "of the methods in DCSS's table alone"
    assert judges.listed(["CC"]) == "CC" and judges.listed(["CC", "PICA", "SCAN"]) == "CC, PICA and SCAN"


def test_what_labels_choose():
    course = [{"acc": acc, "nmi": nmi} for acc, nmi in ((0.5, 0.6), (0.7, 0.5), (0.6, 0.4))]
    heads = [
        {"best_head_acc": acc, "best_head_nmi": nmi, "acc": 0.1, "nmi": 0.1} for acc, nmi in ((0.5, 0.6), (0.8, 0.3))
    ]
    records = [record(name, seed, 0.6, 0.4, history=course) for name in ("DCCM", "PICA") for seed in range(3)]
    records += [record("SPICE-Self", seed, 0.6, 0.4, history=heads) for seed in range(3)]
    frame = tables.choices([*records, record("k-means")]).set_index(["method", "metric"])
    assert set(frame["last"]) == {60, 40}
    found = frame["chosen"].groupby(level=[0, 1]).mean()
    assert (found["DCCM", "acc"], found["DCCM", "nmi"]) == (50, 60), "by NMI"
    assert (found["PICA", "acc"], found["PICA", "nmi"]) == (70, 50), "by ACC"
    assert (found["SPICE-Self", "acc"], found["SPICE-Self", "nmi"]) == (80, 30), "epoch and head by ACC"
    answer = judges.labels_choose_better(records)
    assert [q.about for q in answer.questions][:2] == [
        "ACC of DCCM, chosen epoch over last epoch",
        "NMI of DCCM, chosen epoch over last epoch",
    ]
    assert answer.questions[0].estimate.mean == pytest.approx(-10)
    with pytest.raises(NotTested, match="no record of DCCM, PICA or SPICE"):
        judges.labels_choose_better([])


def test_guards_against_collapse():
    def one(method, seed, clusters):
        return record(method, seed, portrait={"clusters": clusters + seed / 10, "largest": 1 / clusters})

    held = [one(name, seed, n) for name, n in (("CC", 9.0), ("CC, no balance", 2.0)) for seed in range(3)]
    frame = tables.guards([*held, one("SCAN", 0, 5.0)])
    assert len(frame) == 3 and set(frame["taken"]) == {"balance"} and set(frame["largest_without"]) == {50}
    assert judges.guards_hold(held).verdict == SUPPORTED
    against = [one(name, seed, n) for name, n in (("CC", 2.0), ("CC, no balance", 9.0)) for seed in range(3)]
    assert judges.guards_hold(against).verdict == "contradicted"
    rivals = [("DAC", 3.0), ("DAC, thresholds at rest", 8.0), ("DAC, no pairs apart", 4.0)]
    frame = tables.guards([one(name, 0, n) for name, n in rivals])
    assert (frame["clusters"].tolist(), frame["clusters_without"].tolist()) == ([8], [4]), "not DAC as it trains"
    with pytest.raises(NotTested, match="no record of a method beside its variant"):
        judges.guards_hold([])


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_a_guard_is_all_that_differs_between_a_variant_and_what_it_is_compared_with(scale):
    found = {run.method: run for run in grids.guarded(scale, [0])}
    assert set(found) == {*grids.COLLAPSE, *(grids.BESIDE.get(name, of) for name, (of, _) in grids.COLLAPSE.items())}
    for name, (of, changes) in grids.COLLAPSE.items():
        pair = found[grids.BESIDE.get(name, of)], found[name]
        whole, without = (run.cls(**run.params).get_params() for run in pair)
        assert [key for key in whole if whole[key] != without[key]] == [next(iter(changes))]


def test_sizes_of_clusters_and_scores_of_heads():
    data = load("digits", subset=100)
    how = {"architecture": "resnet-9", "width": 2, "projection_dim": 4, "epochs": 1, "batch_size": 50, "flip": False}
    start = SimCLRPretext(10, **how, random_state=0).fit(data.images).start_
    told = []

    def look(model):
        best = max(scores(data.labels, labels)["acc"] for labels in model.labels_of_heads())
        told.append((HeadScores().epoch(model, data)["best_head_acc"], best))

    model = SPICE(10, start=start, heads=3, epochs=2, batch_size=50, random_state=0).fit(data.images, monitor=look)
    assert len(told) == 2 and all(found == best for found, best in told)
    sizes = np.bincount(model.labels_)
    found = ClusterSizes().portrait(model, data)
    assert found["largest"] == pytest.approx(sizes.max() / 100)
    shares = sizes[sizes > 0] / 100
    assert found["clusters"] == pytest.approx(np.prod(shares**-shares))


def test_shares_of_the_protocol_count_passes_network_and_images():
    how = {"params": {"epochs": 25, "passes": 2}, "estimator": "DAC"}
    small = record("DAC", params={**how["params"], "architecture": "resnet-9", "width": 8}, estimator="DAC")
    found = protocol([small])
    assert found.images == 0 and not found.network and found.updates == 0 and not found.enough
    whole = record("DAC", dataset="mnist", params={"epochs": 25, "passes": 10}, estimator="DAC")
    whole.run["sampling"] = {}
    found = protocol([whole])
    assert (found.images, found.network, found.updates) == (1, True, pytest.approx(0.25))


@pytest.mark.parametrize(("method", "is_released"), [("DAC", True), ("DAC*", True), ("CC", True), ("MiCE", False)])
def test_released_trunks_for_photographs_count_as_the_paper_s(method, is_released):
    (run,) = grids.of_kinds("paper", [0], [method], ["stl10"])
    found = replace(record(method, dataset="stl10"), run={**run.identity, "sampling": {}})
    assert protocol([found]).network is is_released, "MiCE's released trunk for STL-10 pools early, ours does not"


def test_self_labeling_counts_where_it_is_run_except_for_the_step_before_it():
    def share(of, **epochs):
        scan = record("SCAN", dataset="usps", params=epochs)
        scan.run["sampling"] = {}
        return of([scan]).updates

    assert share(protocol, epochs=25, selflabel_epochs=50) == pytest.approx(0.25)
    assert share(before_self_labeling, epochs=25, selflabel_epochs=50) == pytest.approx(0.5)
    assert share(protocol, epochs=25, selflabel_epochs=0) == pytest.approx(0.5)
    assert share(protocol, epochs=50, selflabel_epochs=400) == 1


SHARES = {
    "CC, abstract": 25 / 1000,
    "PICA, abstract": 15 / 200,
    "SCAN, step 2": 25 / 500,  # of the pretext
    "SCAN, step 3": 5 / 200,
    "TEMI, abstract": 25 / 500,
    "PAC, in DPAC's README": 25 / 500,
    "IMSAT, abstract": 1.0,
}


@pytest.mark.parametrize("place", SHARES)
def test_a_claim_rests_on_the_methods_that_it_compares(place):
    claim = next(claim for claim in CLAIMS if claim.place == place)
    records = recorded(claim.runs("laptop"), ROOT / "figures" / "laptop" / "contrastive" / "records")
    share = claim.verdict(records, protocol).protocol
    assert share.updates == pytest.approx(SHARES[place] / 7), "10,000 of 70,000 images"
    assert share.network == (place == "IMSAT, abstract")


def test_claims_name_pages_that_exist_and_are_not_judged_without_runs():
    pages = ROOT / "notebooks" / "contrastive"
    assert "(notebooks/contrastive/DEVIATIONS.md), and [how to correct us]" in (ROOT / "README.md").read_text()
    for claim in CLAIMS:
        assert (pages / f"{claim.notebook}.ipynb").exists() and claim.runs("laptop")
        assert claim.verdict([]).verdict == "not tested yet"
    one = [record("CC", estimator="CC"), record(grids.PRETEXT, estimator="SimCLRPretext")]
    assert CLAIMS[0].verdict(one, protocol).verdict == NOT_YET, "one seed decides nothing"
    (guards,) = [claim for claim in CLAIMS if claim.notebook == "collapse"]
    assert all(method in guards.text for method, _ in grids.COLLAPSE.values())


# --- what is printed elsewhere -------------------------------------------------------------------------------------


def test_printed_numbers_carry_their_source():
    frame = tables.reported("contrastive/printed")
    assert len(frame) == 563 and frame["source"].notna().all()
    checked = frame[frame["status"] == "checked"]
    assert len(checked) == 60 and set(checked["source"]) == {"DCSS Table 1"}
    ours = tables.printed()
    assert {"CC", "DAC", "DAC*", "DCCM", "PICA", "SCAN", grids.PRETEXT} <= set(ours["method"])
    assert not ours.duplicated(["method", "dataset", "metric"]).any()
