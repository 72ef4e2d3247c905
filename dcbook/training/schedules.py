"""How the step of an optimizer changes from epoch to epoch."""

import math

SCHEDULES = ("steps", "cosine", "constant")


def step_factor(schedule: str, epoch: int, epochs: int, drops: tuple[float, ...] = (), warm_up: float = 0.0) -> float:
    """What the step is multiplied by in an epoch, of 0 to epochs - 1.

    schedule : "steps", a tenth of it after each of the shares `drops` of all epochs; "cosine", down to nearly 0 along
        half a cosine; or "constant".
    warm_up : share of the epochs in which the factor rises evenly to 1 first.
    """
    done = epoch / epochs
    if epoch + 1 < warm_up * epochs:
        return (epoch + 1) / (warm_up * epochs)
    if schedule == "steps":
        return 0.1 ** sum(done >= share for share in drops)
    return (1 + math.cos(math.pi * done)) / 2 if schedule == "cosine" else 1.0


def check_schedule(schedule: str) -> None:
    """Raise ValueError for a name that `step_factor` doesn't know."""
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, not {schedule!r}")
