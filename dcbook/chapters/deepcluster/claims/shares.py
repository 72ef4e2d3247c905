"""The share of a paper's protocol that the runs of this chapter have; none of them trains on ImageNet."""

from collections.abc import Callable, Sequence

import dcbook.methods
from dcbook.book.protocol import Protocol, images_of
from dcbook.experiments import Record

IMAGENET, CIFAR10 = 1_281_167, 50_000  # numbers of training images
NETWORKS = ("alexnet", "vgg-16")


def updates(record: Record) -> int:
    """Number of updates of the network in a run."""
    run = record.run
    params = {**getattr(dcbook.methods, run["estimator"])().get_params(deep=False), **run["params"]}
    batch = params["batch_size"] or getattr(dcbook.methods, run["estimator"]).SIZES["batch_size"]
    images = params.get("reassign", 1) * images_of(record)
    return params["epochs"] * -(-images // batch)


def share_of(
    epochs: int, batch: int, networks: Sequence[str] = (), images: int = IMAGENET, dataset: str = "", note: str = ""
) -> Callable[[Sequence[Record]], Protocol]:
    """A function from records to their share of a protocol, the smallest share among the runs.

    Parameters
    ----------
    epochs, batch, images : number of epochs, batch size and number of training images in the paper.
    networks : the paper's architectures.
    dataset : name of the paper's data set; empty for one that the book does not run.
    note : further information for readers.
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
    """Number of images of the paper's data set that a run trained on."""
    return images_of(record) if record.run["dataset"] == dataset else 0


# 500 epochs: a maintainer in issue 32 of the released code; batches of 256: its default
protocol = share_of(500, 256, NETWORKS)
# Two views without small crops, 400 epochs in batches of 4,096 of a ResNet-50: Caron et al., NeurIPS 2020, from memory
swav = share_of(400, 4096)
# Issue 22 does not state the network and the length: 200 epochs in batches of 256 are the released code's defaults
cifar10 = share_of(200, 256, images=CIFAR10, dataset="cifar10", note="the user's network and length are not known")


def none(records: Sequence[Record]) -> None:
    """No protocol: for claims of this book rather than of a paper."""
