"""Ratios of a positive quantity in paired runs, such as times, compared on a logarithmic scale."""

from dataclasses import dataclass

import numpy as np

from dcbook.experiments.contrast import LEVEL, Contrast, Interval


@dataclass(frozen=True)
class Ratio(Contrast):
    """A `Contrast` whose `gains` are ratios above 0: means are geometric, intervals are those of the logarithms.

    A ratio of 2 and one of 1/2 are equally far from 1, and no interval reaches below 0. Raises ValueError for a ratio
    that is not above 0.
    """

    unit: str = "times"

    def __post_init__(self):
        super().__post_init__()
        if not all(np.all(np.asarray(ratios) > 0) for ratios in self.gains.values()):
            raise ValueError("a ratio must be above 0")

    @property
    def samples(self) -> dict[str, tuple[float, ...]]:
        """Data set to its independent ratios, one for each seed: geometric means over its places."""
        return {name: tuple(map(float, np.exp(each))) for name, each in self._logarithms.samples.items()}

    @property
    def means(self) -> dict[str, float]:
        """Geometric mean on each data set."""
        return {dataset: float(np.exp(mean)) for dataset, mean in self._logarithms.means.items()}

    @property
    def mean(self) -> float:
        """Geometric mean over the data sets, each with the same weight."""
        return float(np.exp(self._logarithms.mean))

    @property
    def scatter(self) -> float:
        """That of the logarithms."""
        return self._logarithms.scatter

    def interval(self, level: float = LEVEL) -> Interval:
        """Of the geometric mean over these data sets; the low end is at least 0."""
        return self._clipped(_raised(self._logarithms.interval(level)))

    def between(self, level: float = LEVEL) -> Interval | None:
        """Of the geometric mean over a population of data sets; None for fewer than three."""
        found = self._logarithms.between(level)
        return found and self._clipped(_raised(found))

    @property
    def _logarithms(self) -> Contrast:
        logs = {dataset: tuple(map(float, np.log(ratios))) for dataset, ratios in self.gains.items()}
        return Contrast(logs, sets=self.sets)


def _raised(interval: Interval) -> Interval:
    with np.errstate(over="ignore"):
        low, high = np.exp(interval)
    return float(low), float(high)
