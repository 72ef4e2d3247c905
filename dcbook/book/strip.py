"""A picture that fills while a network trains."""

from collections.abc import Callable, Sequence

from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from dcbook.plots import STYLE


class Strip:
    """A row of frames, one for each of some epochs, which is shown at once and fills as the training reaches them.

    What stays on the page is the whole strip, so it reads the same live and as a stored output.

    Parameters
    ----------
    epochs : the epochs that have a frame; 0 is the state before the training.
    heights : of the pictures of a frame, one below the other, in inches.
    width : of a frame, in inches.

    Attributes
    ----------
    figure : the matplotlib figure, to be saved.
    """

    def __init__(self, epochs: Sequence[int], heights: Sequence[float] = (1.7,), width: float = 1.7):
        shape = {"figsize": (width * len(epochs), 0.3 + sum(heights)), "height_ratios": heights, "squeeze": False}
        with plt.rc_context(STYLE):
            self.figure, axes = plt.subplots(len(heights), len(epochs), layout="constrained", **shape)
        self._frames = dict(zip(epochs, axes.T, strict=True))
        for epoch, frame in self._frames.items():
            frame[0].set_title(f"epoch {epoch}" if epoch else "before", fontsize=9)
            for axis in frame:
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set(visible=True, color="lightgray")
        self._live = display(self.figure, display_id=True)
        plt.close(self.figure)  # or Jupyter would show it again at the end of the cell

    def show(self, epoch: int, draw: Callable[..., object]) -> None:
        """Let `draw(axis, …)` fill the epoch's frame, if it has one; it gets matplotlib's axes of each picture."""
        if epoch in self._frames:
            axes: Sequence[Axes] = self._frames[epoch]
            draw(*axes)
            if self._live is not None:  # None outside of IPython
                self._live.update(self.figure)
