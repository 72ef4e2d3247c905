"""The runs of DCSS's tables and figures, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

from functools import partial

from dcbook.chapters.dcss.grids.benchmark import PHASE2, TABLE1, TABLE2, TABLE4, table1
from dcbook.chapters.dcss.grids.convolutional import CONVOLUTIONAL, convolutional
from dcbook.chapters.dcss.grids.features import ON_FEATURES, TABLE3, TABLE5, steps
from dcbook.chapters.dcss.grids.first_layer import FIG13
from dcbook.chapters.dcss.grids.mnets import SEVERAL, several_mnets
from dcbook.chapters.dcss.grids.released_code import PAPER_AGAINST_CODE
from dcbook.chapters.dcss.grids.rivals import BEFORE, COMPARED, RIVALS
from dcbook.chapters.dcss.grids.sensitivity import (
    CONTESTANTS,
    SENSITIVITY,
    alpha,
    fuzziness,
    handover,
    imbalance,
    thresholds,
    updates_of_centers,
    wrong_k,
)
from dcbook.chapters.dcss.grids.updates import STEPS, UPDATES, k_updates
from dcbook.experiments.runs import grid, runs

GRIDS = {
    "table1": table1,
    "table2": grid(TABLE2),
    "table3": grid(TABLE3),
    "table4": grid(TABLE4),
    "table5": grid(TABLE5),
    "steps_on_features": steps,
    "phase2": grid(PHASE2),
    "several_mnets": several_mnets,
    "alpha": alpha,
    "fuzziness": fuzziness,
    "updates_of_centers": updates_of_centers,
    "handover": handover,
    "thresholds": thresholds,
    "imbalance": imbalance,
    "wrong_k": wrong_k,
    "first_layer": grid(FIG13),
    "paper_against_code": grid(PAPER_AGAINST_CODE),
    "convolutional": convolutional,
    "k_updates": k_updates,
    "rivals": grid(COMPARED),
}


def _deciding(dataset: str, seed: int) -> list:
    """What decides whether DCSS gains: its phases beside the same without centering, from the convolutional start."""
    methods = ["AE+k-means", "DCSS_u", "DCSS_u, alpha 0", "DCSS", "DCSS, alpha 0"]
    methods += ["DCSS, 20 epochs"] * (dataset == "usps")  # on 70,000 images both readings of phase 2 are the same
    return runs(CONVOLUTIONAL["paper"], methods, [dataset], [seed])


def _beside(dataset: str, seed: int) -> list:
    """The other methods from the same start, and MNet on top of them."""
    methods = [f"{name}{more}" for name in ("DEC", "IDEC", "DCN", "DKM") for more in ("", "+MNet")]
    return runs(CONVOLUTIONAL["paper"], methods, [dataset], [seed])


def _table1(dataset: str, seed: int) -> list:
    """Table 1's rows on pixels and from the fully connected autoencoder; VaDE's 3,000 epochs come last of all."""
    methods = ("k-means", "LSSC", "LPMF", "DEC", "IDEC", "DCN", "DKM")
    return runs(TABLE1["paper"], methods, [dataset], [seed])


def _rest_of_table1(dataset: str, seed: int) -> list:
    """EDESC; and GANMM, whose 200,000 rounds take an hour and more on USPS and many on larger sets."""
    return [run for run in table1("paper", [seed]) if run.dataset == dataset and run.method in ("EDESC", "GANMM")]


def _rivals(dataset: str, seed: int) -> list:
    """DCSS and the rivals that Table 1 leaves out, timed."""
    return runs(COMPARED["paper"], None, [dataset], [seed])


def _settings(seed: int) -> list:
    """Figs. 10 and 11(b) from the convolutional start."""
    figures = (alpha, fuzziness, updates_of_centers, handover, thresholds)
    return [run for figure in figures for run in figure("paper", [seed])]


# What decides most comes first: the small set before the large ones, three seeds of all before the fourth and fifth.
EVIDENCE = [
    *[(10 + s, f"USPS, convolutional start, seed {s}: DCSS", partial(_deciding, "usps", s)) for s in range(3)],
    *[
        (13 + s, f"{dataset}, convolutional start, seed {s}: DCSS", partial(_deciding, dataset, s))
        for s in range(3)
        for dataset in ("fashion-mnist-test", "mnist-test")
    ],
    *[(20 + s, f"USPS, convolutional start, seed {s}: others", partial(_beside, "usps", s)) for s in range(3)],
    *[(30 + s, f"USPS, Table 1, seed {s}", partial(_table1, "usps", s)) for s in range(3)],
    (
        40,
        "USPS, K updates in turn, seed 0",
        partial(runs, CONVOLUTIONAL["paper"], ["DCSS_u, K updates"], ["usps"], [0]),
    ),
    *[(41 + s, f"USPS, DCSS beside rivals, seed {s}", partial(_rivals, "usps", s)) for s in range(3)],
    *[(44 + s, f"USPS, GANMM and EDESC, seed {s}", partial(_rest_of_table1, "usps", s)) for s in range(3)],
    *[
        (50 + 10 * k + s, f"{dataset}, {what}, seed {s}", partial(give, dataset, s))
        for k, dataset in enumerate(("mnist", "fashion-mnist"))
        for s in range(3)
        for what, give in (("convolutional start: DCSS", _deciding), ("Table 1", _table1))
    ],
    *[
        (70 + 10 * (s > 2) + s, f"{dataset}, DCSS beside rivals, seed {s}", partial(_rivals, dataset, s))
        for s in range(5)
        for dataset in ("usps", "mnist-test", "fashion-mnist-test")
        if s > 2 or dataset != "usps"
    ],
    *[
        (90 + s, f"USPS and MNIST-test, settings of Figs. 10 and 11(b), seed {s}", partial(_settings, s))
        for s in range(5)
    ],
]
