"""The result of a sweep."""

from dataclasses import dataclass, field

from dcbook.experiments.runs import Run


@dataclass(frozen=True)
class Failure:
    """A run that failed: its error in one line, and the worker's traceback."""

    run: Run
    error: str
    trace: str = ""


@dataclass(frozen=True, repr=False)
class Result:
    """The result of a sweep: its runs by outcome, and a summary as text."""

    done: list[Run] = field(default_factory=list)
    skipped: list[Run] = field(default_factory=list)
    unfinished: list[Run] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every run has a record."""
        return not self.unfinished and not self.failed

    def __str__(self) -> str:
        lines = [
            f"{len(self.done)} done, {len(self.skipped)} had a record, {len(self.failed)} failed, "
            f"{len(self.unfinished)} unfinished"
        ]
        lines += [f"  failed: {failure.run}: {failure.error}" for failure in self.failed]
        if self.unfinished:
            why = "stopped by you" if self.interrupted else "the time budget is spent"
            names = "; ".join(map(str, self.unfinished[:6])) + ("; …" if len(self.unfinished) > 6 else "")
            lines.append(f"  unfinished ({why}; the same command goes on from here): {names}")
        return "\n".join(lines)

    __repr__ = __str__
