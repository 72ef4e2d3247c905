"""The methods of the table, with the settings that suit each kind of images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcbook.chapters.contrastive.grids.kinds import KINDS, Kind
from dcbook.chapters.contrastive.watches import ClusterSizes, HeadScores, NeighborPurity
from dcbook.experiments import image_learners
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import (
    CC,
    DAC,
    DCCM,
    DCSS,
    IDFD,
    IMSAT,
    PAC,
    PICA,
    SCAN,
    SPICE,
    TEMI,
    AEKMeans,
    DAC_star,
    KMeans,
    MiCE,
    Pretraining,
    SimCLRPretext,
)
from dcbook.training.augment import Augmentation
from dcbook.training.views import Distortion

PRETEXT = "SimCLR+k-means"
PIXELS, UNIT = "k-means", "k-means, unit length"
OURS = ("CC", "PICA", "DAC", "DAC*", "DCCM", "IDFD", "MiCE", "SCAN")  # of the comparison methods, those that are run


@dataclass(frozen=True)
class Length:
    """Settings and numbers of epochs of a scale, and its seeds. `passes`: of DAC and DCCM in each epoch.

    Trunk and batch size are those of the pretext. PICA, too, has ten times the released step (see `image_learners`).
    """

    pretext: Mapping[str, Any]
    scan: Mapping[str, Any]
    autoencoder: Pretraining
    cc: int
    pica: int
    blocks: int
    passes: int
    discriminator: int
    idfd: int
    mice: Mapping[str, Any]
    spice: int
    temi: Mapping[str, Any]
    imsat: Mapping[str, Any]
    dcss: Mapping[str, Any]
    seeds: tuple[int, ...]


QUICK = Length(
    image_learners.PRETEXT["quick"],
    image_learners.SCAN["quick"],
    Pretraining(widths=(64, 128), epochs=12, batch_size=64, lr=3e-3),
    cc=12,
    pica=8,
    blocks=8,
    passes=2,
    discriminator=16,
    idfd=20,
    mice={"epochs": 10, "queue": 512},
    spice=10,
    temi={"heads": 4, "width": 64, "dim": 32, "epochs": 40, "batch_size": 128, "n_neighbors": 20},
    imsat={"width": 200, "epochs": 20, "batch_size": 64},
    dcss={"phase2_epochs": 6, "T2": 3, "batch_size": 64, "schedule_size": None},
    seeds=(0,),
)
LAPTOP = Length(
    image_learners.PRETEXT["laptop"],
    image_learners.SCAN["laptop"],
    Pretraining(epochs=30),
    cc=25,
    pica=15,
    blocks=20,
    passes=2,
    discriminator=64,
    idfd=50,
    mice={"epochs": 20, "queue": 2048},
    spice=30,
    temi={"heads": 16, "width": 128, "dim": 64, "epochs": 50, "batch_size": 256},
    imsat={"epochs": 50},
    dcss={"phase2_epochs": 20, "T2": 5, "batch_size": 200, "schedule_size": None},
    seeds=(0, 1, 2, 3, 4),
)


def _watched(method: Method) -> Method:
    """A method that keeps the sizes of its clusters, where it keeps nothing else."""
    return method if method.watch or method.cls is KMeans else replace(method, watch=ClusterSizes())


def short(scale: str, kind: Kind, length: Length) -> Scale:
    """All methods of the table on small trunks and short schedules."""
    trunk = {name: length.pretext[name] for name in ("architecture", "width")}
    batch, projection = {"batch_size": length.pretext["batch_size"]}, length.pretext["projection_dim"]
    distorted = {"view": Distortion.mild(flip=kind.flip)}
    blocks = {**trunk, **distorted, "epochs": length.blocks, "passes": length.passes, "batch_size": 64}
    of_pretext = {"crop": kind.crop, "flip": kind.flip, "grayscale": kind.grayscale, "fixed_view": kind.strong}
    memory = {"embedding_dim": projection, "lr": 0.1, "schedule": "cosine"}
    methods = {
        PIXELS: Method(KMeans),
        UNIT: Method(KMeans, {"unit_length": True}),
        "AE+k-means": Method(AEKMeans, {"start": length.autoencoder}),
        PRETEXT: Method(SimCLRPretext, {**length.pretext, **of_pretext}, watch=NeighborPurity()),
        "DCSS on SimCLR": Method(DCSS, {"phase1_epochs": 0, **length.dcss}, start=PRETEXT),
        "SCAN": Method(SCAN, {**length.scan, "view": kind.strong}, start=PRETEXT),
        "CC": Method(
            CC,
            {**trunk, **batch, "view": kind.view, "epochs": length.cc, "lr": 3e-3} | {"projection_dim": projection},
        ),
        "PICA": Method(
            PICA,
            {**trunk, **batch, "lr": 1e-3, "view": kind.jittered, "epochs": length.pica}
            | {"copies": 1, "overclusters": 30},
        ),
        "DAC": Method(DAC, blocks),
        "DAC*": Method(DAC_star, blocks),
        "DCCM": Method(DCCM, {**blocks, "lr": 1e-3, "discriminator": length.discriminator}),
        "IDFD": Method(IDFD, {**trunk, **batch, **memory, "view": kind.unmirrored, "epochs": length.idfd}),
        "MiCE": Method(
            MiCE, {**trunk, **batch, **memory, "view": kind.jittered, "teacher_momentum": 0.99, **length.mice}
        ),
        "SPICE-Self": Method(SPICE, {"view": kind.strong, "epochs": length.spice}, start=PRETEXT, watch=HeadScores()),
        "TEMI": Method(
            TEMI, {"lr": 2e-3, "teacher_momentum": 0.98, "standardized": True, **length.temi}, start=PRETEXT
        ),
        "PAC": Method(PAC, start=PRETEXT),
        "IMSAT": Method(IMSAT, length.imsat),
    }
    methods = {name: _watched(method) for name, method in methods.items()}
    return Scale(kind.datasets, length.seeds, methods, name=scale)


def released(kind: Kind) -> Scale:
    """The released networks, schedules and steps, for a GPU; the pretext is that of SCAN."""
    pretext = {"crop": kind.crop, "flip": kind.flip, "grayscale": kind.grayscale, "fixed_view": kind.strong}
    pretext |= {"anchors": "first"}
    deep = {"architecture": "resnet-34"}
    color = kind.grayscale > 0
    pairs = {"architecture": "dac", "view": Distortion.mild(flip=kind.flip)}
    methods = {
        PIXELS: Method(KMeans),
        UNIT: Method(KMeans, {"unit_length": True}),
        "AE+k-means": Method(AEKMeans),
        PRETEXT: Method(SimCLRPretext, pretext, watch=NeighborPurity()),
        "DCSS on SimCLR": Method(DCSS, {"phase1_epochs": 0}, start=PRETEXT),
        "SCAN": Method(SCAN, {"view": kind.strong}, start=PRETEXT),
        "CC": Method(CC, {**deep, "view": kind.view if not color else Augmentation(crop=0.08)}),
        "PICA": Method(PICA, {**deep, "view": kind.jittered}),
        "DAC": Method(DAC, pairs),
        "DAC*": Method(DAC_star, pairs),
        "DCCM": Method(DCCM, {"architecture": "dccm", "view": replace(Distortion(), flip=kind.flip)}),
        "IDFD": Method(IDFD, {"view": kind.unmirrored}),
        "MiCE": Method(MiCE, {"view": kind.jittered}),
        "SPICE-Self": Method(SPICE, {"view": kind.strong}, start=PRETEXT, watch=HeadScores()),
        "TEMI": Method(TEMI, start=PRETEXT),
        "PAC": Method(PAC, start=PRETEXT),
        "IMSAT": Method(IMSAT),
    }
    for name, settings in kind.released.items():
        methods[name] = replace(methods[name], params={**methods[name].params, **settings})
    methods = {name: _watched(method) for name, method in methods.items()}
    return Scale(kind.datasets, (0, 1, 2, 3, 4), methods, name="paper")


KIND_SCALES = {
    "quick": tuple(short("quick", kind, QUICK) for kind in KINDS["quick"]),
    "laptop": tuple(short("laptop", kind, LAPTOP) for kind in KINDS["laptop"]),
    "paper": tuple(released(kind) for kind in KINDS["paper"]),
}
TABLE1 = {
    name: replace(scales[0], datasets={key: how for each in scales for key, how in each.datasets.items()})
    for name, scales in KIND_SCALES.items()
}  # for the names of data sets, methods and seeds; `table1` gives each data set the settings of its kind


def of_kinds(
    scale: str, seeds: Seeds = None, methods: Iterable[str] | None = None, datasets: Iterable[str] | None = None
) -> list[Run]:
    """The runs of each data set with the settings of its kind; methods, data sets and seeds not given are all.

    Raises ValueError for a name that is unknown at that scale.
    """
    if scale not in KIND_SCALES:
        raise ValueError(f"unknown scale {scale!r}: choose from {', '.join(map(repr, KIND_SCALES))}")
    known, found = TABLE1[scale].datasets, []
    wanted = list(known if datasets is None else datasets)
    if odd := [name for name in wanted if name not in known]:
        raise ValueError(f"unknown data set at scale {scale!r} {odd[0]!r}: choose from {', '.join(map(repr, known))}")
    for each in KIND_SCALES[scale]:
        chosen = [name for name in each.datasets if name in wanted]
        found += runs(each, methods, chosen, seeds) if chosen else []
    return found


def table1(scale: str, seeds: Seeds = None) -> list[Run]:
    """Every method of the table."""
    return of_kinds(scale, seeds)
