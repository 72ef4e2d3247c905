"""One side of the sweep as a program: `python -m tests.bench._sides ours|clustpy FOLDER EPOCHS EPOCHS SEEDS CORES`.

Writes FOLDER/acc.json: the mean accuracy of each method. Each side imports only what it needs.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.bench._usps import load_usps

LR = 1e-4
UPDATE_INTERVAL = 30  # of IDEC's own code on USPS; ClustPy takes the target from each batch


def ours(folder: Path, pretraining: int, clustering: int, seeds: int, cores: int) -> dict[str, float]:
    from dcbook.experiments import Method, Scale, read_all, runs, sweep
    from dcbook.methods import DEC, IDEC, AEKMeans, Pretraining

    schedule = {
        "max_updates": clustering * -(-len(load_usps("usps")) // 256),
        "update_interval": UPDATE_INTERVAL,
        "tol": 0,
        "optimizer": "adam",
        "lr": LR,
    }
    scale = Scale(
        datasets={"usps": {}},
        seeds=tuple(range(seeds)),
        starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(epochs=pretraining)})},
        methods={
            "AE+k-means": Method(AEKMeans, start="autoencoder"),
            "DEC": Method(DEC, schedule, start="autoencoder"),
            "IDEC": Method(IDEC, schedule, start="autoencoder"),
        },
        monitor_every=0,
    )
    records, starts = folder / "records", folder / "starts"
    result = sweep(
        runs(scale), records, starts_folder=starts, n_jobs=cores, device="cpu", progress=False, load=load_usps
    )
    if len(result.done) != 3 * seeds:
        raise RuntimeError(f"not all runs were made: {result}")
    found = [(record.run["method"], record.scores["acc"]) for record in read_all(records)]
    return {name: float(np.mean([acc for method, acc in found if method == name])) for name in scale.methods}


def clustpy(folder: Path, pretraining: int, clustering: int, seeds: int, cores: int) -> dict[str, float]:
    import torch
    from clustpy.deep import DEC, IDEC, encode_batchwise, get_dataloader
    from clustpy.deep.neural_networks import FeedforwardAutoencoder
    from sklearn.cluster import KMeans

    from dcbook.evaluation import accuracy

    data = load_usps("usps")
    x = data.images.reshape(len(data), -1).astype(np.float32) / 255
    relu = {"activation_fn": torch.nn.ReLU}
    schedule = {"pretrain_epochs": pretraining, "clustering_epochs": clustering, "device": "cpu"}
    found = {"AE+k-means": [], "DEC": [], "IDEC": []}
    for seed in range(seeds):
        torch.manual_seed(seed)
        network = FeedforwardAutoencoder([x.shape[1], 500, 500, 2000, 10], random_state=seed, **relu)
        network.fit(n_epochs=pretraining, batch_size=256, data=x)
        u = encode_batchwise(get_dataloader(x, 256, shuffle=False), network)
        found["AE+k-means"].append(KMeans(data.n_classes, random_state=seed).fit(u).labels_)
        for method in (DEC, IDEC):
            model = method(data.n_classes, random_state=seed, neural_network=(FeedforwardAutoencoder, relu), **schedule)
            found[method.__name__].append(model.fit(x).labels_)
    return {
        name: float(np.mean([accuracy(data.labels, labels) for labels in several])) for name, several in found.items()
    }


if __name__ == "__main__":
    side, folder, *numbers = sys.argv[1:]
    acc = {"ours": ours, "clustpy": clustpy}[side](Path(folder), *map(int, numbers))
    (Path(folder) / "acc.json").write_text(json.dumps(acc))
