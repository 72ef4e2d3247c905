"""The progress line of a sweep, redrawn on a terminal and in a notebook; elsewhere a few plain lines."""

import math
import shutil
import sys
import threading
import time
from typing import Any

LINES = 16


class Progress:
    """Shows ``done/total``, elapsed time, remaining time and running tasks.

    The line is redrawn every second on a terminal and after every task in a notebook; elsewhere at most `LINES` + 2
    lines are printed. Use it as a context manager, call `update` after every finished task, and `finish` at the end.
    """

    def __init__(self, total: int, shown: bool = True, stream=None):
        self.total, self.shown, self.stream = total, shown and total > 0, stream or sys.stdout
        self.cell = _cell() if self.shown and stream is None else None
        self.live = self.shown and self.cell is None and self.stream.isatty()
        self.began = time.monotonic()
        self.done, self.running, self.left, self.told = 0, [], None, -1
        self.closed = threading.Event()

    def __enter__(self) -> "Progress":
        if self.live:
            threading.Thread(target=self._redraw, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.closed.set()
        if self.live:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def update(self, done: int, running: list[str], left: float | None) -> None:
        """Set the number of finished tasks, the running tasks, and the seconds left (None if unknown)."""
        self.done, self.running, self.left = done, running, left
        if self.cell:
            self.cell.update({"text/plain": self.line()}, raw=True)
            return
        if self.live or not self.shown or done == self.told:
            return
        if self.told < 0 or done == self.total or done >= self.told + math.ceil(self.total / LINES):
            self.told = done
            print(self.line(), file=self.stream, flush=True)

    def finish(self, text: str) -> None:
        """Print a last line; in a notebook it replaces the earlier ones."""
        if self.cell:
            self.cell.update({"text/plain": text}, raw=True)
        elif self.shown:
            print(text, file=self.stream, flush=True)

    def line(self) -> str:
        """The text of the current line."""
        parts = [f"{self.done}/{self.total}", f"{clock(time.monotonic() - self.began)} gone"]
        if self.left is not None and self.done < self.total:
            parts.append(f"about {clock(self.left)} left")
        if self.running:
            parts.append("now " + "; ".join(self.running))
        return " | ".join(parts)

    def _redraw(self) -> None:
        while not self.closed.wait(1):
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r\033[K" + self.line()[:width])
            self.stream.flush()


def _cell() -> Any:
    """In a notebook, a replaceable line of output; otherwise None."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display({"text/plain": ""}, raw=True, display_id=True)


def clock(seconds: float) -> str:
    """A duration as text: "8 s", "3:05 min", "1:02 h"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02} min"
    return f"{seconds // 3600}:{seconds % 3600 // 60:02} h"
