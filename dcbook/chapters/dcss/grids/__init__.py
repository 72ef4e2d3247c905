"""The runs of DCSS's tables and figures, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

from collections.abc import Callable, Sequence
from functools import partial

from dcbook.chapters.dcss.grids.benchmark import PHASE2, TABLE1, TABLE2, TABLE4, table1
from dcbook.chapters.dcss.grids.convolutional import AGGREGATED, CONVOLUTIONAL, convolutional
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
from dcbook.experiments.runs import Run, grid, runs

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


def _deciding(dataset: str, seed: int) -> list[Run]:
    """What decides whether DCSS gains: its phases beside the same without centering, from the convolutional start."""
    methods = ["AE+k-means", "DCSS_u", "DCSS_u, alpha 0", "DCSS", "DCSS, alpha 0"]
    methods += ["DCSS, 20 epochs"] * (dataset == "usps")  # on 70,000 images both readings of phase 2 are the same
    return _convolutional(methods, dataset, seed)


def _beside(dataset: str, seed: int) -> list[Run]:
    """The other methods from the same start, and MNet on top of them (Table 4)."""
    methods = [f"{name}{more}" for name in ("DEC", "IDEC", "DCN", "DKM") for more in ("", "+MNet")]
    return _convolutional(methods, dataset, seed)


def _convolutional(methods: Sequence[str], dataset: str, seed: int) -> list[Run]:
    return runs(CONVOLUTIONAL["paper"], methods, [dataset], [seed])


def _table1(dataset: str, seed: int) -> list[Run]:
    """Table 1's rows on pixels and from the fully connected autoencoder; VaDE's 3,000 epochs come nearly last."""
    methods = ("k-means", "LSSC", "LPMF", "DEC", "IDEC", "DCN", "DKM")
    return runs(TABLE1["paper"], methods, [dataset], [seed])


def _vade(dataset: str, seed: int) -> list[Run]:
    return runs(TABLE1["paper"], ["VaDE"], [dataset], [seed])


def _rest_of_table1(dataset: str, seed: int) -> list[Run]:
    """EDESC; and GANMM, whose 200,000 rounds take an hour and more on USPS and many on larger sets."""
    return [run for run in table1("paper", [seed]) if run.dataset == dataset and run.method in ("EDESC", "GANMM")]


def _rivals(dataset: str, seed: int) -> list[Run]:
    """DCSS and the rivals that Table 1 leaves out, timed."""
    return runs(COMPARED["paper"], None, [dataset], [seed])


def _settings(dataset: str, seed: int) -> list[Run]:
    """The settings of Figs. 7, 10, 11(b) and 12 on the set that stands for the figure's, and Table 2 on both sets.

    DCSS and AE + k-means start from the convolutional autoencoder; the other methods of Fig. 7 do as in Table 1.
    """
    figures = (alpha, fuzziness, updates_of_centers, handover, thresholds, wrong_k, imbalance)
    found = [run for figure in figures for run in figure("paper", [seed]) if run.dataset == dataset]
    return [*_convolutional(AGGREGATED, dataset, seed), *found]


def _items(rank: int, what: str, give: Callable, datasets: Sequence[str], seeds: Sequence[int]) -> list[tuple]:
    """Entries of the list: the data sets of a seed before the next seed, whose rank is one higher."""
    return [
        (rank + i, f"{dataset}, {what}", partial(give, dataset, s)) for i, s in enumerate(seeds) for dataset in datasets
    ]


DCSS_ALONE, OTHERS = "convolutional start: DCSS", "convolutional start: DEC, IDEC, DCN, DKM, and MNet on top of them"
RIVALS_TOO, IN_TURN = "DCSS beside rivals", "convolutional start: K updates in turn"
ON_USPS = "settings of Figs. 10(b) to (d), 11(b) and 12, Table 2"
ON_MNIST_TEST = "settings of Figs. 7 and 10(a), Table 2"
TESTS, WHOLE = ("fashion-mnist-test", "mnist-test"), ("mnist", "fashion-mnist")
FIRST, LAST, ALL = (0, 1, 2), (3, 4), (0, 1, 2, 3, 4)

# What decides most comes first: the small set before the large ones, three seeds before the fourth and fifth. Settings,
# VaDE and 2MNIST come last, in this order.
EVIDENCE = [
    *_items(10, DCSS_ALONE, _deciding, ["usps"], FIRST),
    *_items(13, DCSS_ALONE, _deciding, TESTS, FIRST),
    *_items(20, OTHERS, _beside, ["usps"], FIRST),
    *_items(23, OTHERS, _beside, TESTS, FIRST),
    *_items(30, "Table 1", _table1, ["usps"], FIRST),
    *_items(40, IN_TURN, partial(_convolutional, AGGREGATED[:1]), ["usps"], [0]),
    *_items(41, RIVALS_TOO, _rivals, ["usps"], FIRST),
    *_items(44, "GANMM and EDESC", _rest_of_table1, ["usps"], FIRST),
    *_items(50, DCSS_ALONE, _deciding, WHOLE, FIRST),
    *_items(50, "Table 1", _table1, WHOLE, FIRST),
    *_items(53, OTHERS, _beside, WHOLE, FIRST),
    *_items(56, IN_TURN, partial(_convolutional, AGGREGATED[:1]), ["mnist"], [0]),
    *_items(70, RIVALS_TOO, _rivals, ["mnist-test", "fashion-mnist-test"], FIRST),
    *_items(80, DCSS_ALONE, _deciding, ["usps", *TESTS], LAST),
    *_items(80, OTHERS, _beside, ["usps", *TESTS], LAST),
    *_items(80, "Table 1", _table1, ["usps"], LAST),
    *_items(83, RIVALS_TOO, _rivals, ["usps", "mnist-test", "fashion-mnist-test"], LAST),
    *_items(90, ON_USPS, _settings, ["usps"], ALL),
    *_items(90, ON_MNIST_TEST, _settings, ["mnist-test"], ALL),
    *_items(100, DCSS_ALONE, _deciding, WHOLE, LAST),
    *_items(100, OTHERS, _beside, WHOLE, LAST),
    *_items(100, "Table 1", _table1, WHOLE, LAST),
    *_items(110, "VaDE of Table 1", _vade, ["usps", *WHOLE], ALL),
    *_items(120, "Table 1", _table1, ["2mnist"], ALL),
    *_items(120, DCSS_ALONE, _deciding, ["2mnist"], ALL),
    *_items(120, "VaDE of Table 1", _vade, ["2mnist"], ALL),
]
