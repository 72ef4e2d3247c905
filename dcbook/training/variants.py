"""Methods with a name of their own that are other methods with some parameters fixed."""

from typing import Any

from dcbook.training.deep_clusterer import DeepClusterer


def with_fixed(method: type[DeepClusterer], name: str, fixed: dict[str, Any], **given: Any) -> DeepClusterer:
    """The method that a paper calls `name`: `method` with some parameters fixed; TypeError if one of these is given."""
    if taken := sorted(fixed.keys() & given.keys()):
        said = ", ".join(f"{parameter}={value}" for parameter, value in fixed.items())
        raise TypeError(f"{name} is {method.__name__} with {said}: for another {taken[0]} use {method.__name__} itself")
    return method(**fixed, **given)
