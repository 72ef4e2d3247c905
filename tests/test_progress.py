"""Where a progress bar is shown: on a terminal and to a person in Jupyter, not in stored notebooks."""

import json
import sys
import types
import warnings

import pytest
from jupyter_client.manager import KernelManager
from tqdm import notebook, tqdm

from dcbook.book.kernels import ThisPython
from dcbook.training.progress import progress_bar

FITS = """
import numpy as np
from dcbook.methods import AEKMeans, Pretraining
recipe = Pretraining(widths=(32,), latent_dim=2, epochs=1, batch_size=8, restarts=1)
AEKMeans(2, start=recipe, random_state=0).fit(np.random.default_rng(0).random((20, 6)))
"""


@pytest.fixture
def jupyter(monkeypatch):
    """`jupyter(person)` makes this process look like a kernel, run by a person or by a program."""

    def begin(person):
        shell = types.SimpleNamespace(kernel=types.SimpleNamespace(_allow_stdin=person))
        monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))

    return begin


@pytest.fixture
def terminal(monkeypatch):
    def begin(there):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: there, raising=False)

    return begin


@pytest.mark.parametrize("there", [True, False])
def test_auto_shows_it_on_a_terminal_alone(terminal, there):
    terminal(there)
    for shown, expected in [("auto", there), (True, True), (False, False)]:
        with progress_bar(shown, 3, "DEC clustering") as bar:
            assert type(bar) is tqdm and bar.disable is not expected
    with pytest.raises(ValueError, match="progress must be True, False or \"auto\", not 'off'"):
        progress_bar("off", 3, "DEC clustering")


@pytest.mark.parametrize("person", [True, False])
def test_auto_shows_it_to_a_person_in_jupyter(jupyter, terminal, monkeypatch, person):
    monkeypatch.setattr(notebook, "IProgress", None)
    terminal(not person)
    jupyter(person)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with progress_bar("auto", 3, "DEC clustering") as bar:
            assert type(bar) is tqdm and bar.disable is not person


def test_in_jupyter_with_widgets_it_is_one(jupyter, monkeypatch):
    made = []

    class Widget(tqdm):
        def __init__(self, **settings):
            made.append(settings)
            super().__init__(**settings | {"disable": True})

    monkeypatch.setattr(notebook, "IProgress", object)
    monkeypatch.setattr(notebook, "tqdm", Widget)
    jupyter(True)
    progress_bar("auto", 3, "DEC clustering").close()
    assert [settings["disable"] for settings in made] == [False]
    progress_bar(False, 3, "DEC clustering").close()
    assert len(made) == 1


def test_a_kernel_shows_it_to_whoever_can_answer():
    manager = KernelManager()
    manager._kernel_spec = ThisPython().kernel_spec
    manager.start_kernel()
    client = manager.client()
    client.start_channels()

    def shown(person):
        told = []
        settings = {"allow_stdin": person, "stdin_hook": lambda message: None, "output_hook": told.append}
        client.execute_interactive(FITS, timeout=60, **settings)
        return [message["content"] for message in told if message["msg_type"] in ("stream", "display_data", "error")]

    try:
        client.wait_for_ready(timeout=60)
        assert shown(person=False) == []
        assert "AEKMeans pretraining" in json.dumps(shown(person=True))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
