"""Trained models on disk: weights as safetensors, everything else as JSON in the header. Nothing is unpickled."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

import dcbook
from dcbook.files import folder_to_write
from dcbook.training.network_files import describe_module, module_tensors, restore_module
from dcbook.training.pretraining import Recipe
from dcbook.training.start import Start
from dcbook.training.tensor_files import read_tensors, write_tensors
from dcbook.training.views import VIEWS

FILE = "model.safetensors"
NETWORKS = ("autoencoder_", "mnet_", "prior_", "head_")
ARRAYS = ("landmarks_", "projection_", "components_", "coefficients_", "prototypes_")
ARRAYS += ("whitening_mean_", "whitening_projection_")
FACTS = ("history_", "seed_", "interrupted_", "n_updates_", "n_features_in_", "inertia_", "n_iter_", "bandwidth_")
FACTS += ("feature_names_in_", "core_seconds_", "seconds_before_", "target_seconds_", "cluster_seconds_")


def save(model: BaseEstimator, folder: str | Path) -> None:
    """Write a fitted method to `folder`/model.safetensors atomically; other files in the folder are not changed.

    Parameters are saved if they are numbers, texts, recipes or views of dcbook; others are None in the model that is
    read. Of a network given as `start`, and of a random state, the file holds what training made of them; of other
    objects, such as an array or a function, a UserWarning says that they are lost. Raises FileExistsError if `folder`
    is a file.
    """
    check_is_fitted(model)
    for name, value in model.get_params(deep=False).items():
        lost = value is not None and plain(value) is None
        if lost and name != "random_state" and not isinstance(value, nn.Module | Start | Path):
            message = f"a file cannot hold the {name} of {type(model).__name__}, of type {type(value).__name__}: set it"
            warnings.warn(f"{message} again before the loaded model is fitted again", stacklevel=3)
    facts = (*FACTS, *(f"{size}_" for size in getattr(model, "SIZES", ())))
    networks = {name: getattr(model, name) for name in NETWORKS if hasattr(model, name)}
    described = {
        "dcbook": dcbook.__version__,
        "class": type(model).__name__,
        "parameters": {name: plain(value) for name, value in model.get_params(deep=False).items()},
        "networks": {name: describe_module(network) for name, network in networks.items()},
        "input_shape": list(model.input_shape_),
        "facts": {name: _fact(getattr(model, name)) for name in facts if hasattr(model, name)},
    }
    tensors = {"labels": torch.as_tensor(model.labels_), "centers": torch.as_tensor(model.cluster_centers_)}
    tensors |= {name: torch.as_tensor(getattr(model, name)).contiguous() for name in ARRAYS if hasattr(model, name)}
    for name, network in networks.items():
        tensors |= module_tensors(network, f"{name}.")
    write_tensors(folder_to_write(folder) / FILE, tensors, described)


def load(folder: str | Path, known: Mapping[str, type]) -> BaseEstimator:
    """The fitted method that `save` wrote to `folder`; the file in it may be given as well.

    `known` maps names to the classes of estimators and recipes that may occur. Raises ValueError, naming the file, if
    it is missing, damaged or of another kind.
    """
    path = Path(folder)
    path = path if path.is_file() else path / FILE
    tensors, described = read_tensors(path, "dcbook model", "save it again")
    try:
        return _restored(tensors, described, known)
    except Exception as error:
        raise ValueError(f"{path} holds no dcbook model that this version can read: {error}") from error


def _restored(tensors: dict[str, torch.Tensor], described: dict, known: Mapping[str, type]) -> BaseEstimator:
    model = _build(described, known)
    for name, network in described["networks"].items():
        setattr(model, name, restore_module(network, tensors, f"{name}.").eval())
    model.input_shape_ = tuple(described["input_shape"])
    for name, value in described["facts"].items():
        setattr(model, name, np.asarray(value, dtype=object) if name == "feature_names_in_" else value)
    for name in ARRAYS:
        if name in tensors:
            setattr(model, name, tensors[name].numpy())
    model._restore(tensors["labels"], tensors["centers"])
    return model


def _build(described: dict, known: Mapping[str, type]) -> BaseEstimator:
    parameters = dict(described["parameters"])
    if isinstance(parameters.get("start"), dict):
        fields = dict(parameters["start"])
        parameters["start"] = _known(fields.pop("recipe"), known, Recipe)(**fields)
    for name, value in parameters.items():
        if isinstance(value, dict) and "view" in value:
            fields = dict(value)
            parameters[name] = VIEWS[fields.pop("view")](**fields)
    return _known(described["class"], known, BaseEstimator)(**parameters)


def _known(name: str, known: Mapping[str, type], base: type) -> type:
    cls = known.get(name)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise ValueError(f"dcbook.methods has no {'recipe' if base is Recipe else 'estimator'} {name!r}")
    return cls


def plain(value: Any, foreign: Callable[[Any], Any] = lambda value: None) -> Any:
    """A parameter in JSON types; `foreign` converts values without a JSON type (a network, a random generator)."""
    if isinstance(value, Recipe):
        return {"recipe": type(value).__name__} | asdict(value)
    if VIEWS.get(type(value).__name__) is type(value):
        return {"view": type(value).__name__} | asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, torch.device):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else foreign(value)


def _fact(value: Any) -> Any:
    """A fitted attribute in JSON types."""
    return value.tolist() if isinstance(value, np.ndarray) else value
