"""Cells of this chapter's tables."""

import math


def with_spread(mean: float, std: float) -> str:
    """Mean and standard deviation, "71.2 ± 0.3"; the mean alone where there is a single run (`std` is NaN)."""
    return f"{mean:.1f}" + ("" if math.isnan(std) else f" ± {std:.1f}")
