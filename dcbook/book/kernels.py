"""Kernels for the book's notebooks that start at once: forks of a process that has imported PyTorch and the rest.

A new Python takes seconds to import what every notebook imports, as long as many notebooks take to run. On Linux a
kernel is therefore a fork of a server, one for each process that runs notebooks. Elsewhere, where a fork of a process
that uses the system's own libraries is not safe, and for anyone who opens a notebook, kernels are as always.
"""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

FORKED = "dcbook-forked"  # its entry point in pyproject.toml
IMPORTED = ("ipykernel.kernelapp", "dcbook.book", "dcbook.plots", "seaborn", "sklearn.linear_model", "sklearn.datasets")
INLINE = "module://matplotlib_inline.backend_inline"  # as ipykernel sets it: figures go into the notebook


class ThisPython(AsyncKernelManager):
    """Kernels of the interpreter that is running now, whatever kernels the user has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A kernel specification that no search path can change."""
        quiet = ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "--IPKernelApp.log_level=50"]
        command = [sys.executable, *quiet, "-f", "{connection_file}"]
        forked = {"kernel_provisioner": {"provisioner_name": FORKED}}
        return KernelSpec(argv=command, display_name="Python 3", language="python", metadata=forked)


class ForkedProvisioner(LocalProvisioner):
    """Starts an ipykernel as a fork of a server that has imported `IMPORTED`; another command as always."""

    async def launch_kernel(self, cmd: Sequence[str], **settings: Any) -> dict[str, Any]:
        """Start the kernel of this command line: a fork has its arguments, environment and working folder.

        A fork's stderr is that of this process; if one is given, as by nbval, what goes there is dropped.
        """
        if sys.platform != "linux" or cmd[0] != sys.executable or "ipykernel_launcher" not in cmd:
            return await super().launch_kernel(cmd, **settings)
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        quiet = settings.get("stderr") is not None
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(IMPORTED))
        self.process = Fork(
            context.Process(target=_serve, args=(arguments, settings["env"], settings.get("cwd"), quiet))
        )
        self.pid = self.pgid = self.process.pid
        self.cwd = settings.get("cwd") or os.getcwd()
        return self.connection_info


class Fork:
    """A process of `multiprocessing`, started, with the methods of `subprocess.Popen` that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, process: multiprocessing.Process):
        self._process = process
        process.start()
        self.pid = process.pid

    def poll(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.exitcode

    def wait(self) -> int | None:
        """Exit code, once it has ended."""
        self._process.join()
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()


def _serve(arguments: list[str], environment: dict[str, str], folder: str | None, quiet: bool) -> None:
    """Be a kernel."""
    import matplotlib
    from ipykernel import kernelapp

    os.setsid()
    os.environ.clear()
    os.environ.update({"MPLBACKEND": INLINE}, **environment, JPY_PARENT_PID=str(os.getppid()))
    matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]  # matplotlib reads the variable when it is imported
    if folder:
        os.chdir(folder)
    if quiet:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.argv = ["ipykernel_launcher", *arguments]
    kernelapp.launch_new_instance()
