"""Trained models on disk: weights as safetensors, the rest as JSON. No code is ever unpickled."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import dcbook
from dcbook import methods
from dcbook.files import written_folder
from dcbook.methods.shallow import ShallowClusterer
from dcbook.methods.start import Recipe, describe_module, module_tensors, restore_module

NETWORKS = ("autoencoder_", "mnet_", "prior_")
ARRAYS = ("landmarks_", "projection_", "components_", "coefficients_", "prototypes_")
ARRAYS += ("whitening_mean_", "whitening_projection_")
FACTS = ("history_", "seed_", "interrupted_", "n_updates_", "n_features_in_", "inertia_", "n_iter_", "bandwidth_")


def save(model: BaseEstimator, folder: str | Path) -> None:
    """Write a fitted method to `folder`: model.safetensors and model.json, whole or not at all.

    A start that was given as a network is not kept with the parameters (its trained successor is); a recipe is.
    """
    check_is_fitted(model)
    networks = {name: getattr(model, name) for name in NETWORKS if hasattr(model, name)}
    described = {
        "dcbook": dcbook.__version__,
        "class": type(model).__name__,
        "parameters": {name: _plain(value) for name, value in model.get_params(deep=False).items()},
        "networks": {name: describe_module(network) for name, network in networks.items()},
        "input_shape": list(model.input_shape_),
        "facts": {name: getattr(model, name) for name in FACTS if hasattr(model, name)},
    }
    tensors = {"labels": torch.as_tensor(model.labels_), "centers": torch.as_tensor(model.cluster_centers_)}
    tensors |= {name: torch.as_tensor(getattr(model, name)).contiguous() for name in ARRAYS if hasattr(model, name)}
    for name, network in networks.items():
        tensors |= module_tensors(network, f"{name}.")
    with written_folder(folder) as new:
        save_file(tensors, new / "model.safetensors")
        (new / "model.json").write_text(json.dumps(described, indent=1))


def load_model(folder: str | Path) -> BaseEstimator:
    """The fitted method that `save` wrote to `folder`; ValueError naming the folder if it's incomplete or foreign."""
    try:
        described = json.loads((Path(folder) / "model.json").read_text())
        tensors = load_file(Path(folder) / "model.safetensors")
        model = _build(described)
        for name, network in described["networks"].items():
            setattr(model, name, restore_module(network, tensors, f"{name}.").eval())
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{folder} holds no complete dcbook model: {error}") from error
    model.input_shape_ = tuple(described["input_shape"])
    for name, value in described["facts"].items():
        setattr(model, name, value)
    for name in ARRAYS:
        if name in tensors:
            setattr(model, name, tensors[name].numpy())
    return _with_result(model, tensors["labels"], tensors["centers"])


def _build(described: dict) -> BaseEstimator:
    cls = getattr(methods, described["class"], None) if described["class"] in methods.__all__ else None
    if not (isinstance(cls, type) and issubclass(cls, BaseEstimator)):
        raise ValueError(f"dcbook.methods has no estimator {described['class']!r}")
    parameters = dict(described["parameters"])
    if isinstance(parameters.get("start"), dict):
        parameters["start"] = _recipe(**parameters["start"])
    return cls(**parameters)


def _recipe(recipe: str = "Pretraining", **fields) -> Recipe:
    cls = getattr(methods, recipe, None)
    if not (isinstance(cls, type) and issubclass(cls, Recipe)):
        raise ValueError(f"dcbook.methods has no recipe {recipe!r}")
    return cls(**fields)


def _with_result(model: BaseEstimator, labels: torch.Tensor, centers: torch.Tensor) -> BaseEstimator:
    if isinstance(model, ShallowClusterer):
        model.labels_, model.cluster_centers_ = labels.numpy(), centers.numpy()
    else:
        model._labels, model._centers = labels.numpy(), centers
    return model


def _plain(value):
    """A parameter as JSON knows it; what cannot be said in JSON (a network, a random stream) becomes None."""
    if isinstance(value, Recipe):
        return {"recipe": type(value).__name__} | asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else None
