"""Observations on printed tables and released code, and two of our own runs, with their sources and certainty.

Printed numbers come from ``reported/printed.csv`` and from DCSS's own table, ours from the committed records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from dcbook.book import paths
from dcbook.chapters.contrastive.printed_rows import MORE, OF_DCSS, TITLES, both, sources, value
from dcbook.experiments import read_all

SURE, LIKELY = "sure", "likely"
READ, UNPLACED = "code read at these lines, not run", "code read, not run"
OURS = {
    "raw pixels": "k-means",
    "pixels of unit length": "k-means, unit length",
    "codes of SimCLR": "SimCLR+k-means",
}  # what k-means clusters, and the name of these runs


@dataclass(frozen=True)
class Finding:
    """An observation, its evidence, where it was seen, and its certainty."""

    finding: str
    evidence: str
    seen: str
    sure: str


def on_tables() -> list[Finding]:
    """Observations on printed tables and on logs."""
    ours = "CC (as printed by DCSS)"
    lists = {
        name: ", ".join(f"{_brief(each)} {value(each, name):.1f}" for each in MORE)
        for name in ("cifar10", "cifar100-20")
    }
    below = [value(name, "stl10") for name in MORE if name != "SPICE"]
    logs = ("DAC* (repo log v1)", "DAC (repo log v2 two thresholds)")
    return [
        Finding(
            "DCSS's row of CC is below CC's own values on three of four sets",
            f"ACC / NMI by DCSS and by ProPos' table: {_pairs(ours, 'CC', OF_DCSS)}. CC's abstract has the same NMI on "
            f"CIFAR-10 and CIFAR-100 as ProPos' table. A log of C3, by the lab of DCSS, starts at "
            f"{both('CC (re-run, start of C3)', 'cifar10')} on CIFAR-10. DCSS's text says that released code was run "
            "if a paper does not report ACC and NMI on a set. A re-run, another version of a paper, or a slip can "
            "explain a difference",
            "DCSS Table 1 and section 4.3; abstract of CC (AAAI 2021); "
            + _seen(["CC", "CC (re-run, start of C3)"], "cifar10"),
            f"the numbers: {SURE}; that the row on CIFAR-10 is the run of that log: {LIKELY}; why others differ: "
            "not known",
        ),
        Finding(
            "DCSS's row of PICA is the best of several trials, not their mean",
            "; ".join(
                f"{TITLES[name]}: DCSS {value('PICA (as printed by DCSS)', name):.1f}, best "
                f"{value('PICA (best of trials)', name):.1f}, mean {value('PICA (mean)', name):.1f}"
                for name in OF_DCSS
            )
            + " (ACC). The NMI are those of the best trial, too",
            f"DCSS Table 1; {_seen(['PICA (mean)'], 'cifar10')}",
            SURE,
        ),
        Finding(
            "DCSS's row of MiCE probably has the best trials as well",
            "ACC / NMI are those that ProPos' table prints for MiCE: "
            + ", ".join(f"{TITLES[name]} {both('MiCE', name)}" for name in OF_DCSS[:3])
            + ". As we recall, MiCE's paper has these as its best trials, beside lower means",
            f"DCSS Table 1; {_seen(['MiCE'], 'cifar10')}",
            f"that the numbers agree: {SURE}; that they are the best trials: recalled, not checked (MiCE's text was "
            "not at hand)",
        ),
        Finding(
            "Methods without a row in DCSS's table print more than DCSS: five on CIFAR-10 and CIFAR-100-20, one on "
            "STL-10",
            f"ACC on CIFAR-10: {lists['cifar10']}; DCSS {value('DCSS', 'cifar10'):.1f}. On CIFAR-100-20: "
            f"{lists['cifar100-20']}; DCSS {value('DCSS', 'cifar100-20'):.1f}. On STL-10 SPICE "
            f"{value('SPICE', 'stl10'):.1f}; DCSS {value('DCSS', 'stl10'):.1f}; the other four {min(below):.1f} to "
            f"{max(below):.1f}, less than DCSS. DCSS cites all five. Its sentence that it outperforms all comparison "
            "methods is about the methods in its table. Networks and schedules differ; SCAN is scored on test images "
            "alone, RUC's released code for CIFAR-10 scores the 50,000 images that it trains on",
            f"DCSS Table 1, sections 2 and 4.3; {_seen(MORE, 'cifar10')}; deu30303/RUC main_ruc_cifar10.py, "
            "datasets/rucloader.py",
            f"numbers of READMEs and DCSS: {SURE}; of pictures: read by eye; what RUC scores: {UNPLACED}",
        ),
        Finding(
            "ProPos' table prints an ACC of PCL on STL-10 below its NMI and ARI",
            f"ACC {value('PCL', 'stl10'):.1f}, NMI {value('PCL', 'stl10', 'nmi'):.1f}, ARI "
            f"{value('PCL', 'stl10', 'ari'):.1f}",
            _seen(["ProPos"], "stl10"),
            f"a misprint: {LIKELY}",
        ),
        Finding(
            "DAC's repository holds a version with one threshold for most sets, and one with two for CIFAR-10",
            f"last lines of the logs on CIFAR-10: {both(logs[0], 'cifar10')} with one, {both(logs[1], 'cifar10')} with "
            f"two (ACC / NMI); for the paper {both('DAC', 'cifar10')} is printed. The log on STL-10 stops at epoch 36 "
            "of 75",
            f"{_seen([*logs, 'DAC'], 'cifar10')}; {_seen(['DAC* (repo log)'], 'stl10')}",
            SURE,
        ),
        Finding(
            "C3's cluster head gets no gradient while the trunk is trained, and ACC rises",
            f"log on CIFAR-10: {both('CC (re-run, start of C3)', 'cifar10')} before, {both('C3', 'cifar10')} after",
            _seen(["CC (re-run, start of C3)", "C3"], "cifar10"),
            f"the log: {SURE}; that the head gets no gradient: {UNPLACED}",
        ),
    ]


def on_code() -> list[Finding]:
    """Observations on released code."""
    return [
        Finding(
            "Labels choose checkpoints in DCCM, PICA and SPICE",
            "DCCM keeps the epoch with the best NMI, PICA that with the best ACC, SPICE epoch and head with the best "
            "ACC, from which its last stage starts",
            "Cory-M/DCCM main.py:113-121; Raymond-sci/PICA main.py:131-137; niuchuangnn/SPICE "
            "train_self_v2.py:344-360, configs/cifar10/eval.py:3",
            READ,
        ),
        Finding(
            "SCAN's selection uses no labels, but uses the test images",
            "the epoch with the lowest loss on them is kept",
            "wvangansbeke/Unsupervised-Classification scan.py:107, evaluate_utils.py:85-121",
            READ,
        ),
        Finding(
            "One in 21 of SCAN's neighbors is the image itself, and its random crop does nothing at 32 pixels",
            "an image is in its own list; a crop of 32×32 without padding leaves the image whole",
            "wvangansbeke/Unsupervised-Classification memory.py:44-54, custom_dataset.py:60-72, "
            "common_config.py:229-243",
            READ,
        ),
        Finding(
            "DCCM pairs many images with the wrong partner",
            "an index is not shifted back (line 28); negatives are the first two unlinked images of the batch for "
            "every image (lines 9-19). On six images with three linked pairs, 3 of 6 partners were wrong. Our version "
            "of these lines runs below",
            "Cory-M/DCCM utils/sampling.py",
            f"{SURE}: these functions were run",
        ),
        Finding(
            "DAC's labels depend on the other images of a batch",
            "batch normalization uses the statistics of the batch at prediction, too: targets and final labels depend "
            "on which images share a batch (of 32; of 128 for the labels on MNIST). DCCM keeps no running statistics "
            "either. The effect was not measured; our DAC and DCCM use running statistics for labels",
            "vector-1127/DAC, BatchNormalization(mode=2) of Keras 1 in mnist.py, cifar10_1.py, cifar10_2.py and "
            "stl.py; Cory-M/DCCM models/cifar_C4_L2.py",
            UNPLACED,
        ),
        Finding(
            "MiCE's loss is a marginal log-likelihood",
            "the released loss is the negative of a lower bound of the log-likelihood by a posterior r. As r is the "
            "exact posterior, the bound is tight: the loss is the mean of `-ln sum_k π_k φ_k`, one logsumexp",
            "TsungWeiTsai/MiCE ELBO.py:47-83",
            f"{SURE}: derived; values and gradients agree in a test",
        ),
        Finding(
            "The fixed directions of MiCE's gate take six lines of Python for any K",
            "the repository has them as files for K = 10, 15 and 20, and the MATLAB script that makes them. The same "
            "recursion is `simplex` in `dcbook.models.experts`; for K = 10 it gave the released file's numbers to "
            "1e-16",
            "TsungWeiTsai/MiCE kernel_paras/craft_MMcenters.m and .mat files",
            f"{SURE}: computed",
        ),
    ]


def on_runs() -> list[Finding]:
    """Observations on the committed runs, at a small share of the papers' schedules."""
    portraits: dict[str, list] = {}
    for record in read_all(paths.figures("contrastive/", "laptop", paths.root()) / "records"):
        if record.run["method"] == OURS["codes of SimCLR"]:
            portraits.setdefault(record.run["dataset"], []).append(record.portrait)

    def pure(dataset: str) -> list[str]:
        return [_range(100 * portrait[space] for portrait in portraits[dataset]) for space in ("h", "z", "pixels")]

    h, z, pixels = pure("fashion-mnist-test")
    photographs = pure("cifar10")
    table = pd.read_csv(paths.table("contrastive/table1_images", "laptop", paths.root()))
    mean = table.query("dataset == 'fashion-mnist-test'").set_index(["method", "metric"])["mean"]
    k_means = "; ".join(f"{name} {mean[ours, 'acc']:.1f} / {mean[ours, 'nmi']:.1f}" for name, ours in OURS.items())
    source = f"our records in figures/laptop/contrastive, {len(portraits['fashion-mnist-test'])} seeds"
    return [
        Finding(
            "SCAN's premise, that most neighbors share a class, holds on Fashion-MNIST's test images and not on "
            "CIFAR-10",
            f"20 nearest neighbors of the same class after 25 epochs of SimCLR with a ResNet-9 of width 8: {h} in the "
            f"codes, {z} in the pretext's outputs, which SCAN uses. On 10,000 images of CIFAR-10 {photographs[0]} in "
            f"the codes, {photographs[1]} in the outputs, {photographs[2]} by pixels of unit length. SCAN's tutorial "
            "has 72.8 % on STL-10",
            f"{source}; wvangansbeke/Unsupervised-Classification TUTORIAL.md",
            f"{SURE} for these sets, network and schedule; about the paper's pretext of 500 epochs it says nothing",
        ),
        Finding(
            "Pixels scaled to unit length are a stronger baseline than raw pixels on Fashion-MNIST's test images",
            f"ACC / NMI of k-means: {k_means}. 20 nearest neighbors of the same class: {pixels} by pixels of unit "
            f"length, {h} in the codes after 25 epochs of SimCLR. SimCLR has a higher ACC than this baseline, but "
            "neither a higher NMI nor purer neighborhoods. Learned features should be compared with this baseline, too",
            source,
            f"{SURE} for this set, network and schedule",
        ),
    ]


def findings() -> list[Finding]:
    """All of them: on printed tables, on released code, on our own runs."""
    return [*on_tables(), *on_code(), *on_runs()]


def as_table(some: Iterable[Finding]) -> pd.DataFrame:
    """Findings, a row each."""
    return pd.DataFrame(
        [{"what": f.finding, "rests on": f.evidence, "seen in": f.seen, "how sure": f.sure} for f in some]
    )


def _brief(method: str) -> str:
    """The name of a printed row without what follows it: "SCAN after self-labelling (best)" is "SCAN"."""
    return method.split(" after")[0].split(" (")[0]


def _seen(methods: Sequence[str], dataset: str) -> str:
    return "; ".join(sources(methods, [dataset]))


def _pairs(first: str, second: str, datasets: Iterable[str]) -> str:
    """ACC and NMI of two printed rows on some data sets: "CIFAR-10 77.0 / 67.8 and 79.0 / 70.5; …"."""
    return "; ".join(f"{TITLES[name]} {both(first, name)} and {both(second, name)}" for name in datasets)


def _range(values: Iterable[float]) -> str:
    """The smallest and the largest of some percentages: "72.0 to 72.9 %"; one number if they are equal."""
    low, *_, high = sorted(values)
    return f"{low:.1f} to {high:.1f} %" if f"{low:.1f}" != f"{high:.1f}" else f"{high:.1f} %"
