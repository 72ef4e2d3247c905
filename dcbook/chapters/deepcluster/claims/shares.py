"""How much of a paper's protocol the runs of this chapter had: none trains on ImageNet."""

from collections.abc import Callable, Sequence

import dcbook.methods
from dcbook.book.protocol import Protocol, images_of
from dcbook.experiments import Record

IMAGENET, CIFAR10 = 1_281_167, 50_000  # training images
NETWORKS = ("alexnet", "vgg-16")


def updates(record: Record) -> int:
    """Updates of the network in a run: passes over its images, in batches."""
    run = record.run
    params = {**getattr(dcbook.methods, run["estimator"])().get_params(deep=False), **run["params"]}
    batch = params["batch_size"] or getattr(dcbook.methods, run["estimator"]).SIZES["batch_size"]
    images = params.get("reassign", 1) * images_of(record)
    return params["epochs"] * -(-images // batch)


def share_of(
    epochs: int, batch: int, networks: Sequence[str] = (), images: int = IMAGENET, dataset: str = "", note: str = ""
) -> Callable[[Sequence[Record]], Protocol]:
    """From records to their share of a protocol: the least of the runs.

    Parameters
    ----------
    epochs, batch : length of the training, over so many `images`, and images in an update.
    networks : architectures that are the paper's.
    dataset : name of the paper's data set; empty for one that the book does not run.
    note : what else a reader must know.
    """
    whole = epochs * images / batch

    def protocol(records: Sequence[Record]) -> Protocol:
        return Protocol(
            images=min(_images(record, dataset) / images for record in records),
            network=all(record.run["params"].get("architecture") in networks for record in records),
            updates=min(1.0, min(map(updates, records)) / whole),
            note=note,
        )

    return protocol


def _images(record: Record, dataset: str) -> int:
    """Images of the paper's data set that a run trained on."""
    return images_of(record) if record.run["dataset"] == dataset else 0


# 500 epochs: a maintainer in issue 32 of the released code; batches of 256: its default
protocol = share_of(500, 256, NETWORKS)
# Two views without small crops, 400 epochs in batches of 4,096 of a ResNet-50: Caron et al., NeurIPS 2020, as recalled
swav = share_of(400, 4096)
# Issue 22 does not tell its network and its length: 200 epochs in batches of 256 are the released code's defaults
cifar10 = share_of(200, 256, images=CIFAR10, dataset="cifar10", note="the user's network and length are not known")


def none(records: Sequence[Record]) -> None:
    """For a claim of this book, which no paper's protocol stands behind."""
