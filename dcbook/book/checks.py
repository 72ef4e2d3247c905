"""Claims of a notebook, checked against bands; what is printed is the same everywhere while they hold."""

import math


def check(claim: str, value: float, low: float = -math.inf, high: float = math.inf, unit: str = "%") -> None:
    """Print whether `value` lies in [low, high].

    What is printed holds the band, not the value, as long as it passes: nbval compares it with what is
    stored, so a value that left its band fails `make test`, and a last digit that differs between machines
    doesn't.

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
    ValueError
        If neither bound is given, or low > high: a check that can't fail, or can't pass.
    """
    if (math.isinf(low) and math.isinf(high)) or not low <= high:
        raise ValueError(f"{claim}: the band from {low:g} to {high:g} can't be checked; give low, high, or both")
    space = f" {unit}" if unit else ""
    if math.isinf(high):
        band = f"at least {low:g}{space}"
    elif math.isinf(low):
        band = f"at most {high:g}{space}"
    else:
        band = f"{low:g} to {high:g}{space}"
    passed = bool(low <= value <= high)
    print(f"{claim}: {band}: " + ("PASS" if passed else f"FAIL, it is {value:.4g}{space}"))
