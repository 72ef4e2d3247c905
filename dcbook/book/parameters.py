"""The parameters of a notebook: refused by name, type and value before any work starts."""

import ast
import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from dcbook.experiments.runs import Scale

PAPERMILL = "# Parameters\n"  # what the cell that papermill puts into a notebook begins with


def literals(source: str) -> dict[str, Any] | None:
    """Names and values of a cell that holds only ``name = literal`` lines; None if it holds anything else."""
    try:
        statements = ast.parse(source).body
        return {_target(statement): ast.literal_eval(statement.value) for statement in statements}
    except (SyntaxError, ValueError, AttributeError):
        return None


def _target(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign):
        raise ValueError("no plain assignment")
    (target,) = statement.targets
    return target.id


def given_names() -> list[str]:
    """Names that the notebook's cell of parameters and papermill's cell after it set; none outside of IPython.

    The first is the last cell of literals that ran and sets `scale`, as every notebook's does; the second begins with
    papermill's comment, and may hold names that the notebook doesn't have: papermill only warns of them. Other cells
    are a reader's own.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    names: dict[str, None] = {}
    for source in reversed(shell.user_ns.get("In", [])[:-1] if shell else []):
        found, by_papermill = literals(source) or {}, source.startswith(PAPERMILL)
        if by_papermill or "scale" in found:
            names.update(dict.fromkeys(found))
        if "scale" in found and not by_papermill:
            break
    return list(names)


def validated(given: Mapping[str, Any], scales: Mapping[str, Scale], names: Iterable[str] = ()) -> dict:
    """Parameters in their final form: tuples of names and seeds, the scale's own where None was given.

    Parameters
    ----------
    given : mapping
        ``scale`` and any of ``datasets``, ``methods``, ``seeds``, ``budget`` (seconds).
    scales : mapping
        The scales that there are.
    names : iterable of str
        Names that were set as parameters; each must be in `given`.

    Raises
    ------
    ValueError
        One message that names every parameter that is wrong, and what would be right.
    """
    faults = [
        f"{name!r} is no parameter of this notebook: it has {', '.join(given)}" for name in names if name not in given
    ]
    scale = given["scale"]
    if not isinstance(scale, str) or scale not in scales:
        raise ValueError(_joined([*faults, f"scale = {scale!r} is not one of {_listed(scales)}"]))
    has = scales[scale]
    result = {"scale": scale}
    for name, choices in (("datasets", has.datasets), ("methods", has.methods)):
        result[name] = _names(name, given.get(name), choices, scale, faults)
    result["seeds"] = _seeds(given.get("seeds"), has.seeds, faults)
    result["budget"] = budget = given.get("budget")
    if budget is not None and not (_is_number(budget) and 0 <= budget < math.inf):
        faults.append(f"budget = {budget!r} is not a number of seconds, 0 (make no run) or more, or None for no limit")
    if faults:
        raise ValueError(_joined(faults))
    return result


def _names(name: str, value: Any, choices: Iterable[str], scale: str, faults: list[str]) -> tuple[str, ...]:
    choices = tuple(choices)
    if value is None:
        return choices
    right = f"a list of names out of {_listed(choices)}, or None for all of them"
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        faults.append(f"{name} = {value!r} is not {right}{_as_text(name, value)}")
    elif not value or len(set(value)) < len(value):
        faults.append(f"{name} = {value!r} is empty or names something twice; give {right}")
    elif unknown := [entry for entry in value if entry not in choices]:
        faults.append(f"{name} has {_listed(unknown)}, but scale {scale!r} has {_listed(choices)}")
    else:
        return tuple(value)
    return ()


def _seeds(value: Any, default: tuple[int, ...], faults: list[str]) -> tuple[int, ...]:
    if value is None:
        return default
    whole = isinstance(value, (list, tuple)) and all(type(seed) is int and seed >= 0 for seed in value)
    if whole and 0 < len(value) == len(set(value)):
        return tuple(value)
    right = f"a list of different integers >= 0, or None for {list(default)}"
    faults.append(f"seeds = {value!r} is not {right}{_as_text('seeds', value)}")
    return ()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    inside = value.strip("[]()").replace("'", "").replace('"', "")
    return f' (papermill passes lists by -y, not -p: -y "{name}: [{inside}]")'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _joined(faults: list[str]) -> str:
    return faults[0] if len(faults) == 1 else "".join(f"\n  - {fault}" for fault in faults)
