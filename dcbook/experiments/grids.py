"""The grids of DCSS's tables by name, as ``python -m dcbook.experiments`` takes them: name to scale to settings."""

from dataclasses import replace

from dcbook.experiments.color import TABLE3, TABLE5
from dcbook.experiments.settings import LAPTOP, PAPER, QUICK, SCALES, mnet_on_top, only

GRIDS = {
    "table1": SCALES,
    "table2": {name: only(scale, "AE+k-means", "DCSS_u", "DCSS_agg") for name, scale in SCALES.items()},
    "table3": TABLE3,
    "table4": {
        "quick": replace(mnet_on_top(QUICK), seeds=(0,)),
        "laptop": mnet_on_top(LAPTOP),
        "paper": mnet_on_top(PAPER),
    },
    "table5": TABLE5,
    "phase2": {name: only(scale, "DCSS") for name, scale in SCALES.items()},
}
