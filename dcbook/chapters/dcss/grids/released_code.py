"""The grid of "paper against code": checkpoints picked by labels, and each row in which the released DCSS differs."""

from dataclasses import replace

from dcbook.chapters.dcss.grids.benchmark import PAPER
from dcbook.chapters.dcss.grids.sensitivity import SENSITIVITY
from dcbook.chapters.dcss.watches import LabelPickedProtocol
from dcbook.experiments.runs import Method, Scale
from dcbook.methods import DCSS
from dcbook.methods.dcss import RELEASED_ROWS


def paper_against_code(scale: Scale, **settings) -> Scale:
    """DCSS by both protocols; and as the paper has it, with each row of the released code, and with all of them.

    `settings` change those of the scale. All variants go on from one of two phases 1, the paper's or that of the row
    "centers", the only row that changes its training.
    """
    start = scale.methods["DCSS_u"].start
    both = {**scale.methods["DCSS"].params, **scale.methods["DCSS_u"].params, **settings}
    phase1, phase2 = {**both, "phase2_epochs": 0}, {**both, "phase1_epochs": 0}
    starts = {
        start: scale.starts[start],
        "phase 1": Method(DCSS, phase1, start=start),
        "phase 1, centers": Method(DCSS, {**phase1, "variant": "centers"}, start=start),
    }
    whole = Method(DCSS, {**both, **scale.starts[start].params}, watch=LabelPickedProtocol())
    methods = {"DCSS, both protocols": whole}
    for variant in ("paper", *RELEASED_ROWS, "released"):
        after = "phase 1, centers" if variant in ("centers", "released") else "phase 1"
        methods[f"DCSS, {variant}"] = Method(DCSS, {**phase2, "variant": variant}, start=after)
    return replace(scale, starts=starts, methods=methods, monitor_every=1)


# Schedules shorter than the sweeps', since each data set and seed asks for eleven phases.
PAPER_AGAINST_CODE = {
    "quick": paper_against_code(
        SENSITIVITY["quick"], phase1_epochs=3, phase1_lr=1e-4, phase2_epochs=12, T2=6, batch_size=100
    ),
    "laptop": paper_against_code(
        replace(SENSITIVITY["laptop"], datasets={name: {"subset": 2000} for name in ("usps", "mnist-test")}),
        phase1_epochs=3,
        phase2_epochs=3,
        T2=1,
    ),
    "paper": paper_against_code(PAPER, phase1_epochs=200),
}
