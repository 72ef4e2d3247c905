"""Provenance of a result: commit, versions, device, memory."""

import platform
import subprocess
import sys
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

import torch

import dcbook

LIBRARIES = {"torch": "torch", "numpy": "numpy", "sklearn": "scikit-learn", "torchvision": "torchvision"}


@cache
def environment() -> dict:
    """The package's commit, whether its files differ from it, and the versions in use.

    `commit` is None if the package is not in its own git repository; the version then identifies the code.
    """
    package = Path(dcbook.__file__).parent
    tracked = _git(package, "ls-files", "__init__.py")
    changes = _git(package, "status", "--porcelain", "--", ".") if tracked else None
    return {
        "commit": _git(package, "rev-parse", "HEAD") if tracked else None,
        "dirty": None if changes is None else bool(changes),
        "versions": {
            "python": platform.python_version(),
            "dcbook": dcbook.__version__,
            **{name: metadata.version(project) for name, project in LIBRARIES.items()},
        },
    }


def device_name(device: torch.device) -> str:
    """Name of the GPU, or model of the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def reset_peak_memory(device: torch.device) -> None:
    """Reset `peak_memory`; if the kernel does not allow it, the old peak remains."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> float:
    """Largest memory use since the reset, in MiB: allocated on the GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
