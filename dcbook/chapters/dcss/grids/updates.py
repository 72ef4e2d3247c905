"""The grid of "K updates or one": phase 1 in both forms, over its step, on both networks."""

from dataclasses import replace

from dcbook.chapters.dcss.grids.benchmark import AS_MNIST, LAPTOP, PAPER, QUICK
from dcbook.chapters.dcss.watches import KUpdates
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs, vary
from dcbook.methods import AEKMeans, DCSS_u, Pretraining


def both_networks(scale: Scale, connected: Pretraining, convolutional: Pretraining, **settings) -> Scale:
    """Phase 1 with one update a batch, from either autoencoder, with the K updates beside it."""
    recipes = {"fully connected": connected, "convolutional": convolutional}
    starts = {f"{name} autoencoder": Method(AEKMeans, {"start": recipe}) for name, recipe in recipes.items()}
    how = {"one_update": True, **settings}
    methods = {f"DCSS_u, {name}": Method(DCSS_u, how, f"{name} autoencoder", KUpdates()) for name in recipes}
    return replace(scale, starts=starts, methods=methods, monitor_every=0)


# The paper's step is 1e-6 for batches of 500; here for 10 of 120 digits, 5e-5.
UPDATES = {
    "quick": both_networks(
        replace(QUICK, datasets={"digits": {"subset": 120, "padding": 4}}, seeds=(0,)),
        Pretraining(widths=(64, 128), epochs=20, batch_size=32, lr=3e-3),
        Pretraining("convolutional", epochs=12, batch_size=16),
        phase1_epochs=2,
        batch_size=10,
    ),
    "laptop": both_networks(
        replace(LAPTOP, datasets={"usps": {"subset": 2000}}),
        Pretraining(epochs=50),
        Pretraining("convolutional", epochs=30, batch_size=128),
        phase1_epochs=2,
        **AS_MNIST,
    ),
    "paper": both_networks(
        replace(PAPER, datasets={"usps": {}}, seeds=(0, 1, 2)),
        Pretraining(epochs=300),
        Pretraining("convolutional", epochs=60, batch_size=128),
        phase1_epochs=2,
        **AS_MNIST,
    ),
}
STEPS = {"quick": (5e-6, 5e-5), "laptop": (1e-7, 1e-6, 1e-5), "paper": (1e-7, 1e-6, 1e-5)}


def k_updates(scale: str, seeds: Seeds = None) -> list[Run]:
    """Each network at each step; the convolutional one not at ten times the paper's, where K updates diverge."""
    found = vary(runs(UPDATES[scale], seeds=seeds), phase1_lr=STEPS[scale])
    return [run for run in found if scale == "quick" or run.params["phase1_lr"] <= 1e-6 or "fully" in run.method]
