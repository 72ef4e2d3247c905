"""Variants of a method: those that follow the released code in some points, and those with a name of their own."""

from typing import Any

from dcbook.training.deep_clusterer import DeepClusterer


def released_rows(variant: str, rows: tuple[str, ...], without: str) -> tuple[str, ...]:
    """The `rows` in which a variant follows the released code.

    These are all rows for "released", none for the variant called `without`, and otherwise the rows that `variant`
    joins by +. Raises ValueError for any other variant.
    """
    known = {without: (), "released": rows}
    found = known[variant] if variant in known else tuple(str(variant).split("+"))
    if not set(found) <= set(rows):
        raise ValueError(
            f'variant must be "{without}", "released" or rows of {", ".join(rows)} joined by +, not {variant!r}'
        )
    return found


def with_fixed(method: type[DeepClusterer], name: str, fixed: dict[str, Any], **given: Any) -> DeepClusterer:
    """The method that a paper calls `name`: `method` with some parameters fixed; TypeError if one of these is given."""
    if taken := sorted(fixed.keys() & given.keys()):
        said = ", ".join(f"{parameter}={value}" for parameter, value in fixed.items())
        raise TypeError(f"{name} is {method.__name__} with {said}: for another {taken[0]} use {method.__name__} itself")
    return method(**fixed, **given)
