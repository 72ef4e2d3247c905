"""Several MNets on each start: phase 2 again with other random weights, at both readings of the paper's schedule.

On fewer images than the paper's 70,000, its 20 epochs with T2 = 5 can be read literally, or as the same number of
updates. The two readings differ in how many updates MNet makes before q selects the pairs.
"""

from dataclasses import replace

from dcbook.chapters.dcss.grids.benchmark import TABLE1
from dcbook.chapters.dcss.grids.sensitivity import SENSITIVITY
from dcbook.chapters.dcss.watches import Outputs
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DCSS

READINGS = {"quick": ("updates",), "laptop": ("epochs", "updates"), "paper": ("epochs", "updates")}
MNETS = {"quick": range(2), "laptop": range(5), "paper": range(5)}
SET = {"quick": "digits"}


def two_readings(scale: Scale) -> Scale:
    """DCSS with the updates of the scale, and with 20 epochs and T2 = 5 of the images at hand."""
    updates = scale.methods["DCSS"]
    literal = Method(DCSS, {"phase1_epochs": 0, "phase2_epochs": 20, "T2": 5}, updates.start)
    both = {"DCSS, updates": replace(updates, watch=Outputs()), "DCSS, epochs": replace(literal, watch=Outputs())}
    return replace(scale, methods=scale.methods | both)


SEVERAL = {
    "quick": two_readings(SENSITIVITY["quick"]),
    "laptop": replace(two_readings(SENSITIVITY["laptop"]), seeds=(0, 1)),
    "paper": two_readings(TABLE1["paper"]),
}


def several_mnets(scale: str, seeds: Seeds = None) -> list[Run]:
    """Each start of USPS (`quick`: digits), each reading, and each seed of MNet, which also orders its batches."""
    names = [f"DCSS, {reading}" for reading in READINGS[scale]]
    found = runs(SEVERAL[scale], names, [SET.get(scale, "usps")], seeds)
    return [
        replace(run, params={**run.params, "random_state": mnet}, monitor_every=10 if "updates" in run.method else 2)
        for run in found
        for mnet in MNETS[scale]
    ]
