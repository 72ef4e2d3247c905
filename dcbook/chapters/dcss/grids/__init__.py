"""The runs of DCSS's tables and figures, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.
"""

from dcbook.chapters.dcss.grids.benchmark import PHASE2, TABLE1, TABLE2, TABLE4
from dcbook.chapters.dcss.grids.features import ON_FEATURES, TABLE3, TABLE5
from dcbook.chapters.dcss.grids.first_layer import FIG13
from dcbook.chapters.dcss.grids.released_code import PAPER_AGAINST_CODE
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
from dcbook.experiments.runs import grid

GRIDS = {
    "table1": grid(TABLE1),
    "table2": grid(TABLE2),
    "table3": grid(TABLE3),
    "table4": grid(TABLE4),
    "table5": grid(TABLE5),
    "phase2": grid(PHASE2),
    "alpha": alpha,
    "fuzziness": fuzziness,
    "updates_of_centers": updates_of_centers,
    "handover": handover,
    "thresholds": thresholds,
    "imbalance": imbalance,
    "wrong_k": wrong_k,
    "first_layer": grid(FIG13),
    "paper_against_code": grid(PAPER_AGAINST_CODE),
}
