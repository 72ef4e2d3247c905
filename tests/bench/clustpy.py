"""Training beside ClustPy: seconds per epoch of the autoencoder, of DEC and of IDEC, large and small."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dcbook  # noqa: F401  (first: with it torchvision, which clustpy needs, loads beside CPU torch)

# isort: split
import numpy as np
import torch
from clustpy import deep
from clustpy.deep.neural_networks import FeedforwardAutoencoder
from sklearn.datasets import load_digits

from dcbook.methods import DEC, IDEC, Pretraining, Start
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, flop_per_sample, interleave, matmul, medians
from tests.bench._usps import usps

LR = 1e-4  # ClustPy's, with Adam, for DEC and IDEC; 1e-3 for the autoencoder


@dataclass(frozen=True)
class Setting:
    """Data and network that both sides train. `epochs` are timed; `repeats` times."""

    name: str
    x: np.ndarray  # (N, d) float32 in [0, 1]
    widths: tuple[int, ...]
    batch_size: int
    epochs: int
    repeats: int
    target: float
    n_clusters: int = 10
    latent_dim: int = 10

    @property
    def sizes(self) -> list[int]:
        return [self.x.shape[1], *self.widths, self.latent_dim]

    @property
    def updates(self) -> int:
        return self.epochs * -(-len(self.x) // self.batch_size)


def run(quick: bool) -> list[Row]:
    """Return the rows of all training benchmarks."""
    torch.set_num_threads(1)
    data, name = usps()
    x = data.images.reshape(len(data), -1).astype(np.float32) / 255
    digits = (load_digits().data / 16).astype(np.float32)
    if quick:
        x, name = x[:1024], f"a ninth of {name}"
    large = Setting(name, x, (500, 500, 2000), 256, *((1, 1) if quick else (2, 3)), target=1.1)
    small = Setting("digits", digits, (64, 32), 64, *((2, 1) if quick else (10, 5)), target=2.0)
    return [row for setting in (large, small) for row in _rows(setting)]


def _rows(setting: Setting) -> list[Row]:
    peak = matmul()
    methods = {"pretraining": _pretraining, "DEC": partial(_deep, DEC), "IDEC": partial(_deep, IDEC)}
    notes = {
        "pretraining": "",
        "DEC": "; target: ours from all data each 140 updates, theirs from each batch alone",
        "IDEC": "; target as in DEC",
    }
    rows = []
    for method, sides in methods.items():
        ours, theirs = sides(setting)
        seconds = medians(interleave({"ours": ours, "theirs": theirs, "peak": peak}, setting.repeats))
        flop = len(setting.x) * setting.epochs * flop_per_sample(setting.sizes, decoder=method != "DEC")
        speed = flop / seconds["ours"] / 1e9
        best = PEAK_FLOP / seconds["peak"] / 1e9
        rows.append(
            Row(
                f"{method}, {setting.epochs} epochs, {setting.name}, {'-'.join(map(str, setting.sizes))}, "
                f"batch {setting.batch_size}, ClustPy",
                seconds["ours"],
                seconds["theirs"],
                seconds["theirs"] / seconds["ours"],
                setting.target,
                f"ours {speed:.0f} of {best:.0f} GFLOP/s, {speed / best:.0%} of peak{notes[method]}",
            )
        )
    return rows


def _pretraining(setting: Setting) -> tuple[Callable, Callable]:
    """Train a new autoencoder: Adam with 1e-3 on the squared error, on both sides."""
    recipe = Pretraining(
        widths=setting.widths, latent_dim=setting.latent_dim, epochs=setting.epochs, batch_size=setting.batch_size
    )

    def ours() -> None:
        recipe.train(recipe.build(setting.x.shape[1:], seed=0), torch.from_numpy(setting.x), seed=0)

    def theirs() -> None:
        with _quiet():
            _network(setting).fit(n_epochs=setting.epochs, batch_size=setting.batch_size, data=setting.x)

    return ours, theirs


def _deep(method: type, setting: Setting) -> tuple[Callable, Callable]:
    """The epochs of DEC or IDEC alone: a fit less a fit of no epochs, from an untrained network and rough centers."""
    start = Start(
        Pretraining(widths=setting.widths, latent_dim=setting.latent_dim).build(setting.x.shape[1:], seed=0),
        torch.randn(setting.n_clusters, setting.latent_dim),
    )
    network = _network(setting)
    network.fitted = True

    def ours(epochs: int) -> None:
        method(
            setting.n_clusters,
            start=start,
            max_updates=setting.updates if epochs else 0,
            tol=0,
            optimizer="adam",
            lr=LR,
            batch_size=setting.batch_size,
            random_state=0,
            device="cpu",
            progress=False,
        ).fit(setting.x)

    def theirs(epochs: int) -> None:
        with _quiet():
            getattr(deep, method.__name__)(
                setting.n_clusters,
                batch_size=setting.batch_size,
                clustering_epochs=epochs,
                clustering_optimizer_params={"lr": LR},
                neural_network=network,
                initial_clustering_params={"n_init": 1, "max_iter": 1},
                device="cpu",
                random_state=0,
            ).fit(setting.x)

    return tuple(partial(extra_seconds, fit, 0, setting.epochs) for fit in (ours, theirs))


def _network(setting: Setting) -> FeedforwardAutoencoder:
    """ClustPy's autoencoder, with ReLU as ours has, not its LeakyReLU."""
    return FeedforwardAutoencoder(setting.sizes, activation_fn=torch.nn.ReLU, random_state=0)


@contextlib.contextmanager
def _quiet():
    """ClustPy prints and has progress bars."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
