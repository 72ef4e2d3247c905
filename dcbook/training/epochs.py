"""The epochs of a fit, one loop for all methods: resuming from a checkpoint, history, monitor, and clock."""

import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from tqdm import tqdm

from dcbook.training.divergence import check_finite
from dcbook.training.monitors import told_by
from dcbook.training.progress import progress_bar


class Epochs:
    """The loop `for epoch, log in self._epochs(…)` of an estimator, which `fit` has given its checkpoint and history.

    A fit that continues from a checkpoint passes over the epochs that are done; a method sees no difference.
    """

    _state: ClassVar[tuple[str, ...]] = ("autoencoder_", "_centers", "core_seconds_")  # what a checkpoint holds
    _writes: ClassVar[bool] = True  # whether this process writes the checkpoint

    def _epochs(self, phase: str, epochs: int, **loop: Any) -> Iterator[tuple[int, Callable[..., None]]]:
        """`for epoch, log in self._epochs(phase, n, …)`: epochs 0 to n - 1; call `log(loss=…)` at the end of each.

        `loop` : state that changes in this phase in addition to the attributes named in `_state`: optimizers, random
            generators, networks, tensors that change in place, and objects with such attributes. If the fit continues
            from a checkpoint, this state is restored and completed epochs are skipped.
        """
        begun = self._resume(phase, loop)
        if begun > epochs:
            raise ValueError(
                f"{self._checkpoint.path} holds {begun} epochs of {phase}, more than the {epochs} requested"
            )
        with self._bar(phase, epochs, begun) as bar:
            for epoch in range(begun, 0 if self._has_left(phase) else epochs):
                self._now, self._earlier = f"in epoch {epoch + 1} of {phase}", None
                yield epoch, lambda **losses: self._log(phase, bar, loop, **losses)

    def _resume(self, phase: str, loop: dict[str, Any]) -> int:
        """Restore this phase from the checkpoint, if it is there; return the number of completed epochs."""
        held = self._checkpoint.state(phase) if self._checkpoint else None
        if held is None:
            return 0
        self._prepare_for(held)
        attributes = {name: getattr(self, name, None) for name in held}
        found = self._checkpoint.restore(phase, attributes, loop, self._device)
        for name, value in found.items():
            setattr(self, name, value)
        return sum(entry["phase"] == phase for entry in self.history_)

    def _has_left(self, phase: str) -> bool:
        return self._checkpoint is not None and self._checkpoint.has_left(phase)

    def _prepare_for(self, held: dict[str, Any]) -> None:
        """Prepare networks for the shapes of a checkpoint's attributes. By default they have these shapes already."""

    def _log(self, phase: str, bar: tqdm, loop: dict[str, Any], **losses: float) -> None:
        """End an epoch: add an entry to the history, advance the bar, call the monitor, and write the checkpoint."""
        self._count_time()
        epoch = 1 + sum(entry["phase"] == phase for entry in self.history_)
        check_finite(self, losses)
        self.history_.append({"phase": phase, "epoch": epoch, **losses})
        self._labels = None
        bar.update()
        bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
        self.history_[-1] |= told_by(self._monitor, self)
        if self._checkpoint and self._writes:
            attributes = {name: getattr(self, name) for name in self._state if hasattr(self, name)}
            self._checkpoint.save(phase, attributes, loop, self.history_)
        self._since = time.process_time()

    def _count_time(self) -> None:
        now = time.process_time()
        self.core_seconds_, self._since = self.core_seconds_ + now - self._since, now

    def _bar(self, phase: str, epochs: int, begun: int) -> tqdm:
        return progress_bar(self.progress, epochs, f"{type(self).__name__} {phase}", begun)
