"""How long a training took, in a unit that other work on the same machine does not change."""

from typing import Any

from dcbook.data import Dataset
from dcbook.experiments.watch import Watch


class CoreSeconds(Watch):
    """CPU seconds of one core that the training took from its start on; what looks took does not count.

    In the history as `core_seconds`, beside the scores; the portrait has `core_seconds` of the whole run.
    """

    name = "core seconds"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Up to the end of this epoch."""
        return {"core_seconds": model.core_seconds_}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """To the end of the run."""
        return {"core_seconds": model.core_seconds_}
