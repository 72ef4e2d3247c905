"""What a notebook expects of its small run: a band for each number, silent while the number lies in it."""

import math


def check(claim: str, value: float, low: float = -math.inf, high: float = math.inf, unit: str = "%") -> None:
    """Raise an error unless `value` lies in [low, high]: a page says by it what its numbers are expected to be.

    Parameters
    ----------
    claim : str
        What was measured, such as "k-means on digits, ACC".
    value, low, high : float
        In `unit`; a bound that is left out doesn't bind. NaN never passes.
    unit : str
        "%" by default; "" for a bare number.

    Raises
    ------
    AssertionError
        If the value lies outside.
    ValueError
        If neither bound is given, or low > high: a check that can't fail, or can't pass.
    """
    if (math.isinf(low) and math.isinf(high)) or not low <= high:
        raise ValueError(f"{claim}: the band from {low:g} to {high:g} can't be checked; give low, high, or both")
    if not low <= value <= high:
        raise AssertionError(f"{claim}: {value:.4g}, expected {_band(low, high)} {unit}".rstrip())


def _band(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"
