"""The strip of pictures that fills while a network trains."""

from matplotlib.figure import Figure

from dcbook.book import Strip, strip


class Screen:
    """Stands for what IPython shows: keeps how many frames were filled at each update."""

    def __init__(self):
        self.filled = []

    def update(self, figure):
        self.filled.append(sum(bool(axis.lines) for axis in figure.axes))


def test_frames_fill_one_after_another(monkeypatch):
    screen, shown = Screen(), []
    monkeypatch.setattr(strip, "display", lambda figure, display_id: shown.append(figure) or screen)
    frames = Strip([0, 2, 5])
    for epoch in range(6):
        frames.show(epoch, lambda axis: axis.plot([0, 1]))
    assert shown == [frames.figure] and isinstance(frames.figure, Figure)
    assert screen.filled == [1, 2, 3]
    assert [axis.get_title() for axis in frames.figure.axes] == ["before", "epoch 2", "epoch 5"]


def test_several_pictures_a_frame_without_a_notebook(monkeypatch):
    monkeypatch.setattr(strip, "display", lambda figure, display_id: None)
    frames, seen = Strip([1, 3], heights=(2, 1)), []
    frames.show(3, lambda above, below: seen.append((above, below)))
    frames.show(4, lambda above, below: seen.append(None))
    (above, below) = seen[0]
    assert len(seen) == 1 and above.get_title() == "epoch 3" and below.get_title() == ""
    figure = frames.figure
    figure.canvas.draw()
    assert above.get_position().height > 1.5 * below.get_position().height
    assert above.get_position().x0 > 0.4
