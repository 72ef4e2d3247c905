"""Make ``import torchvision`` work where torch is a CPU build and torchvision's wheel is linked to CUDA.

There, torchvision's compiled extension can't be loaded, so its operators are never declared, and importing
it fails with "operator torchvision::nms does not exist". dcbook calls none of these operators (data sets,
models and transforms are pure Python), so declaring their schemas is enough; calling one still raises
torchvision's own error.
"""

import importlib.machinery
import importlib.util
import os
from functools import cache
from pathlib import Path

import torch

# The operators whose fake kernels torchvision/_meta_registrations.py registers even without the extension.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def declare_missing_operators() -> torch.library.Library | None:
    """Declare torchvision's operators if its extension can't, once in a process.

    Returns
    -------
    Library or None
        The declarations, which live as long as they are referenced (here: in the cache). None where
        torchvision is missing or whole, and where torch is a GPU build (a torchvision that doesn't fit that
        one should be replaced).
    """
    if torch.version.cuda or torch.version.hip or os.name == "nt" or _extension_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)
    return library


def _extension_loads() -> bool:
    """Load torchvision's extension as its ``extension.py`` does; True where there's no torchvision."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = Path(spec.origin).parent / f"_C{suffix}"
        if path.exists():
            try:
                torch.ops.load_library(str(path))
            except OSError:
                return False
            return True
    return False
