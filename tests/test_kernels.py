"""Kernels of the book's notebooks: forks on Linux that do what a new Python would."""

import os
import sys
import time
from contextlib import contextmanager

import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import LocalProvisioner

from dcbook.book.kernels import ForkedProvisioner, ThisPython

forks = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forks on Linux only")


@contextmanager
def kernel(**settings):
    """A kernel as `make figures` starts it: its manager, and a function that runs code and gives all outputs."""
    manager = KernelManager()
    manager._kernel_spec = ThisPython().kernel_spec
    manager.start_kernel(**settings)
    client = manager.client()
    client.start_channels()

    def run(code):
        told = []
        client.execute_interactive(code, timeout=60, allow_stdin=False, output_hook=told.append)
        return [message["content"] for message in told if "data" in message["content"] or "text" in message["content"]]

    try:
        client.wait_for_ready(timeout=60)
        yield manager, run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(run, code):
    return eval(run(code)[-1]["data"]["text/plain"])


@forks
def test_a_kernel_is_a_fork_that_has_pytorch_at_once():
    with kernel() as (manager, run):
        assert isinstance(manager.provisioner, ForkedProvisioner)
        assert value(run, "import sys; 'torch' in sys.modules, 'pytest' in sys.modules") == (True, False)
        assert value(run, "import os; os.getpid(), os.getpgid(0)") == (manager.provisioner.pid,) * 2
        with kernel() as (_, other):
            other("x = 1; import torch; torch.set_num_threads(3)")
            assert value(run, "import torch; 'x' in globals(), torch.get_num_threads() == 3") == (False, False)


def test_it_has_the_environment_and_folder_that_it_is_given(tmp_path):
    with kernel(env={**os.environ, "DCBOOK_X": "given"}, cwd=str(tmp_path)) as (_, run):
        assert value(run, "import os; os.environ['DCBOOK_X'], os.getcwd()") == ("given", str(tmp_path))
        (tmp_path / "beside.py").write_text("y = 7")
        assert value(run, "from beside import y; y") == 7
    assert "DCBOOK_X" not in os.environ


def test_pictures_go_into_the_notebook_and_may_be_sent_elsewhere():
    code = "from matplotlib import pyplot as plt; plt.plot([1, 2]);"
    with kernel(env={k: v for k, v in os.environ.items() if k != "MPLBACKEND"}) as (_, run):
        assert "image/png" in run(code)[-1]["data"]
    with kernel(env={**os.environ, "MPLBACKEND": "agg"}) as (_, run):
        assert not run(code)


def test_workers_of_a_sweep_may_have_processes_of_their_own():
    code = "from joblib import Parallel, delayed; import os; {*Parallel(2)(delayed(os.getpid)() for _ in range(20))}"
    with kernel() as (_, run):
        assert 1 <= len(value(run, code)) <= 2
        code = "import torch\nlen(list(torch.utils.data.DataLoader(torch.arange(4), num_workers=1)))"
        assert value(run, code) == 4


def test_a_dead_kernel_is_noticed_and_an_interrupted_one_goes_on():
    with kernel() as (manager, run):
        manager.interrupt_kernel()
        assert value(run, "1 + 1") == 2
        assert manager.is_alive()
        os.kill(manager.provisioner.pid, 9)
        end = time.monotonic() + 20
        while manager.is_alive() and time.monotonic() < end:
            time.sleep(0.05)
        assert not manager.is_alive()


def test_other_commands_start_as_always(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with kernel() as (manager, run):
        assert isinstance(manager.provisioner, LocalProvisioner)
        assert value(run, "import sys; 'torch' in sys.modules") is False
