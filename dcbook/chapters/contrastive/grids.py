"""The runs of the contrastive chapter, at each scale.

A name in capitals holds settings, scale by scale; a function takes a scale's name and, if not all are wanted, seeds.

Views depend on the images: clothes and photographs are mirrored, digits are not; gray images have no color to lose. So
each scale has a `Scale` for each kind of images. Methods of one kind share trunk, batch size and, where they take it,
the view. The pretext is one run for each data set and seed, `PRETEXT`: SCAN and DCSS go on from its weights.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

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
from dcbook.training.views import Distortion, Strong

PRETEXT = "SimCLR+k-means"
PIXELS, UNIT = "k-means", "k-means, unit length"
HEADS = "SCAN on frozen codes"
OURS = ("CC", "PICA", "DAC", "DAC*", "DCCM", "IDFD", "MiCE", "SCAN")  # of the comparison methods, those that are run


@dataclass(frozen=True)
class Kind:
    """Images of one kind, and what their views may do: `crop` is the least share of the area that is kept."""

    datasets: Mapping[str, Mapping[str, Any]]
    crop: float
    flip: bool
    grayscale: float = 0.0

    @property
    def view(self) -> Augmentation:
        return Augmentation(crop=self.crop, flip=self.flip, jitter=0.5, grayscale=self.grayscale)

    @property
    def strong(self) -> Strong:
        return Strong(flip=self.flip)

    @property
    def jittered(self) -> Augmentation:
        """The view of PICA and MiCE: jitter of all images, with more hue."""
        return replace(self.view, hue=0.4, jittered=1.0)

    @property
    def unmirrored(self) -> Augmentation:
        """The view of IDFD: jitter of all images without hue, and no flips."""
        return replace(self.view, flip=False, hue=0.0, jittered=1.0)


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
DIGITS = Kind({"digits": {"subset": 600}}, 0.5, flip=False)
KINDS = {
    "quick": (DIGITS,),
    "laptop": (
        Kind({"fashion-mnist-test": {}}, 0.3, flip=True),
        Kind({"cifar10": {"subset": 10_000}}, 0.2, flip=True, grayscale=0.2),
        Kind({"mnist-test": {}, "usps": {}}, 0.5, flip=False),
    ),
    "paper": (
        Kind({"cifar10": {}, "cifar100-20": {}}, 0.2, flip=True, grayscale=0.2),
        Kind({"fashion-mnist": {}}, 0.3, flip=True),
        Kind({"mnist": {}, "usps": {}}, 0.5, flip=False),
    ),
}


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
    """The released networks, schedules and steps, for a GPU."""
    pretext = {"crop": kind.crop, "flip": kind.flip, "grayscale": kind.grayscale, "fixed_view": kind.strong}
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
    """The runs of each data set with the settings of its kind; methods, data sets and seeds not given are all."""
    if scale not in KIND_SCALES:
        raise ValueError(f"unknown scale {scale!r}: choose from {', '.join(map(repr, KIND_SCALES))}")
    found = []
    for each in KIND_SCALES[scale]:
        chosen = [name for name in each.datasets if datasets is None or name in datasets]
        found += runs(each, methods, chosen, seeds) if chosen else []
    return found


def table1(scale: str, seeds: Seeds = None) -> list[Run]:
    """Every method of the table."""
    return of_kinds(scale, seeds)


def _changed(kinds: tuple[Scale, ...], variants: Mapping[str, tuple[str, Mapping[str, Any]]]) -> tuple[Scale, ...]:
    """Scales with variants of their methods: name to the method and its changed parameters."""
    found = []
    for each in kinds:
        methods = {
            name: replace(each.methods[of], params={**each.methods[of].params, **changes})
            for name, (of, changes) in variants.items()
        }
        found.append(replace(each, methods=methods, starts={PRETEXT: each.methods[PRETEXT]}))
    return tuple(found)


PARTS = {
    "CC, cluster head alone": ("CC", {"instance": 0.0}),
    "DAC, thresholds at rest": ("DAC", {"growing": False}),
    "DCCM, graph alone": ("DCCM", {"label": 0.0, "local": 0.0}),
    "DCCM, pairs as released": ("DCCM", {"pairs": "released"}),
    "IDFD, instances alone": ("IDFD", {"decorrelation": 0.0}),
}
COLLAPSE = {
    "CC, no balance": ("CC", {"balance": 0.0}),
    "PICA, no balance": ("PICA", {"balance": 0.0}),
    "SCAN, no entropy": ("SCAN", {"entropy": 0.0}),
    "DAC, no pairs apart": ("DAC", {"lower": 0.0, "growing": False}),
    "MiCE, prototypes never reset": ("MiCE", {"reset": False}),
    "TEMI, marginals taken for equal": ("TEMI", {"marginal_momentum": 1.0}),
    "IMSAT, no entropy of sizes": ("IMSAT", {"mu": 0.0}),
}
QUICKLY = ("CC", "TEMI", "IMSAT")  # methods of `collapse` at `quick`: those that train in seconds
FIRST = {"quick": ["digits"], "laptop": ["fashion-mnist-test"], "paper": ["cifar10"]}  # for `parts` and `collapse`


def _variants(variants: Mapping, scale: str, seeds: Seeds = None) -> list[Run]:
    found = []
    for each in _changed(KIND_SCALES[scale], variants):
        chosen = [name for name in each.datasets if name in FIRST[scale]]
        found += runs(each, datasets=chosen, seeds=seeds) if chosen else []
    return found


def parts(scale: str, seeds: Seeds = None) -> list[Run]:
    """Methods without the component that their papers introduce, on the first data set."""
    return _variants(PARTS, scale, seeds)


def collapse(scale: str, seeds: Seeds = None) -> list[Run]:
    """Methods without their term or step against collapse, on the first data set; at `quick` only some methods."""
    return _variants(_taken_away(scale), scale, seeds)


def _taken_away(scale: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The variants of `COLLAPSE` that are run at a scale."""
    return {name: how for name, how in COLLAPSE.items() if scale != "quick" or how[0] in QUICKLY}


def guarded(scale: str, seeds: Seeds = None) -> list[Run]:
    """The variants of `collapse` and the unchanged methods, on the first data set."""
    whole = dict.fromkeys(of for of, _ in _taken_away(scale).values())
    return [*of_kinds(scale, seeds, whole, FIRST[scale]), *collapse(scale, seeds)]


LENGTHS = {"quick": (1, 4), "laptop": (1, 2, 5, 10), "paper": (5, 20, 100)}  # epochs; the longest is the table's
OF_PREMISE = {
    "quick": ["digits"],
    "laptop": ["fashion-mnist-test", "cifar10"],
    "paper": ["fashion-mnist", "cifar10"],
}


def longest(scale: str) -> int:
    """Epochs of the pretext of the table."""
    params = KIND_SCALES[scale][0].methods[PRETEXT].params
    return params.get("epochs", SimCLRPretext().epochs)


def premise(scale: str, seeds: Seeds = None) -> list[Run]:
    """Pretexts of several lengths, and SCAN's heads on the frozen codes of each."""
    found = []
    for each in KIND_SCALES[scale]:
        pretext, scan = each.methods[PRETEXT], each.methods["SCAN"]
        heads = {**scan.params, "frozen_epochs": 20, "epochs": 0, "selflabel_epochs": 0, "heads": 10}
        methods = {}
        for n in (*LENGTHS[scale], longest(scale)):
            start = PRETEXT if n == longest(scale) else f"{PRETEXT}, {n} epochs"
            methods[start] = pretext if start == PRETEXT else replace(pretext, params={**pretext.params, "epochs": n})
            methods[f"{HEADS}, {n} epochs"] = Method(SCAN, heads, start=start)
        chosen = [name for name in each.datasets if name in OF_PREMISE[scale]]
        found += runs(replace(each, methods=methods), datasets=chosen, seeds=seeds) if chosen else []
    return found


GRIDS = {"table1": table1, "parts": parts, "collapse": collapse, "premise": premise}


def _evidence(seed: int, dataset: str) -> list[Run]:
    """All runs on one data set with one seed, at `laptop`."""
    grids = (table1, premise, parts, collapse)
    found = [run for grid in grids for run in grid("laptop", [seed]) if run.dataset == dataset]
    return list({str(run.identity): run for run in found}.values())


# Order: the data set on which the premise is most likely to hold comes first; three seeds of each set before the rest.
EVIDENCE = [
    (60 + 20 * (seed // 3) + 3 * place + seed % 3, f"{dataset}, seed {seed}", partial(_evidence, seed, dataset))
    for place, dataset in enumerate(("fashion-mnist-test", "cifar10", "mnist-test", "usps"))
    for seed in range(5)
]
