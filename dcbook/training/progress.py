"""A progress bar that is shown only in interactive use: on a terminal, or in a notebook that a person runs."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(shown: bool | str, total: int, description: str, begun: int = 0) -> tqdm:
    """A bar of `total` epochs, `begun` of them done, on stderr, or in Jupyter below the cell.

    `shown` : True, False, or "auto".

    "auto" shows it on a terminal and in a notebook that a person runs, but not in a notebook run by a program, whose
    outputs are stored. In Jupyter it is a widget if ipywidgets is installed, otherwise text. Raises ValueError for any
    other value.
    """
    if shown not in (True, False, "auto"):
        raise ValueError(f'progress must be True, False or "auto", not {shown!r}')
    kernel = _kernel()
    if shown == "auto":
        shown = sys.stderr.isatty() if kernel is None else _can_answer(kernel)
    kind = _widget() if shown and kernel is not None else tqdm
    return kind(total=total, initial=begun, desc=description, unit="epoch", disable=not shown, leave=False)


def _kernel() -> Any | None:
    """The Jupyter kernel of this process, or None."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return None
    return getattr(sys.modules["IPython"].get_ipython(), "kernel", None)


def _can_answer(kernel: Any) -> bool:
    """Whether the cell is run interactively (a person in Jupyter), not by papermill, nbconvert or nbval."""
    return bool(getattr(kernel, "_allow_stdin", False))


def _widget() -> type[tqdm]:
    from tqdm import notebook  # imports ipywidgets if it is installed

    return tqdm if notebook.IProgress is None else notebook.tqdm
