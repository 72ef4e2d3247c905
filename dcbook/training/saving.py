"""Trained models on disk: weights as safetensors, the rest as JSON. No code is ever unpickled."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import dcbook
from dcbook.files import written_folder
from dcbook.training.network_files import describe_module, module_tensors, restore_module
from dcbook.training.pretraining import Recipe

FILES = ("model.safetensors", "model.json")
NETWORKS = ("autoencoder_", "mnet_", "prior_")
ARRAYS = ("landmarks_", "projection_", "components_", "coefficients_", "prototypes_")
ARRAYS += ("whitening_mean_", "whitening_projection_")
FACTS = ("history_", "seed_", "interrupted_", "n_updates_", "n_features_in_", "inertia_", "n_iter_", "bandwidth_")
FACTS += ("feature_names_in_", "batch_size_", "queue_")


def save(model: BaseEstimator, folder: str | Path) -> None:
    """Write a fitted method to `folder`: model.safetensors and model.json, whole or not at all.

    Only a folder that is new, empty, or an earlier model is written to; FileExistsError for any other.
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
        "facts": {name: _fact(getattr(model, name)) for name in FACTS if hasattr(model, name)},
    }
    tensors = {"labels": torch.as_tensor(model.labels_), "centers": torch.as_tensor(model.cluster_centers_)}
    tensors |= {name: torch.as_tensor(getattr(model, name)).contiguous() for name in ARRAYS if hasattr(model, name)}
    for name, network in networks.items():
        tensors |= module_tensors(network, f"{name}.")
    with written_folder(folder, FILES) as new:
        save_file(tensors, new / FILES[0])
        (new / FILES[1]).write_text(json.dumps(described, indent=1))


def load(folder: str | Path, known: Mapping[str, type]) -> BaseEstimator:
    """The fitted method that `save` wrote to `folder`; ValueError naming the folder if it's incomplete or foreign.

    `known`: name to class of the estimators and recipes that it may be made of.
    """
    try:
        described = json.loads((Path(folder) / "model.json").read_text())
        tensors = load_file(Path(folder) / "model.safetensors")
        model = _build(described, known)
        for name, network in described["networks"].items():
            setattr(model, name, restore_module(network, tensors, f"{name}.").eval())
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{folder} holds no complete dcbook model: {error}") from error
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
        fields = {"recipe": "Pretraining", **parameters["start"]}
        parameters["start"] = _known(fields.pop("recipe"), known, Recipe)(**fields)
    return _known(described["class"], known, BaseEstimator)(**parameters)


def _known(name: str, known: Mapping[str, type], base: type) -> type:
    cls = known.get(name)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise ValueError(f"dcbook.methods has no {'recipe' if base is Recipe else 'estimator'} {name!r}")
    return cls


def _plain(value):
    """A parameter as JSON knows it; what cannot be said in JSON (a network, a random stream) becomes None."""
    if isinstance(value, Recipe):
        return {"recipe": type(value).__name__} | asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, torch.device):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else None


def _fact(value):
    """A fact as JSON knows it."""
    return value.tolist() if isinstance(value, np.ndarray) else value
