"""Networks in files: the name of a class, its configuration, and tensors by name."""

import torch
from torch import Tensor, nn

from dcbook import models


def module_tensors(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Weights and buffers of a module on the CPU; keys are `prefix` + name."""
    return {prefix + name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def describe_module(module: nn.Module) -> dict:
    """Class and configuration, from which `restore_module` rebuilds the network; TypeError for foreign classes."""
    if getattr(models, type(module).__name__, None) is not type(module):
        raise TypeError(f"only networks of dcbook.models can be saved, not {type(module).__name__}; save it yourself")
    return {"class": type(module).__name__, "config": module.config}


def restore_module(described: dict, tensors: dict[str, Tensor], prefix: str) -> nn.Module:
    """The network described by `describe_module` and `module_tensors`; ValueError for an unknown class."""
    if described["class"] not in models.__all__:
        raise ValueError(f"dcbook.models has no network {described['class']!r}")
    with torch.device("meta"):  # avoids random weights that would be overwritten
        module = getattr(models, described["class"])(**described["config"])
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    module.load_state_dict(weights, assign=True)
    return module.to(memory_format=torch.channels_last)  # the layout in which networks are built; files do not store it
