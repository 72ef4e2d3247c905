"""The paradigms of Figs. 4 and 5: the signals that each phase of a method minimizes, and what goes wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """A phase of training: its name, and the signals that it minimizes together.

    `signals`: "self" (reconstruction, views, neighbors: the samples themselves) or "pseudo" (the clusters found so
    far), each with what it is taken from.
    """

    name: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Paradigm:
    """A way to train a deep clustering method: its phases in turn, what goes wrong in it, and who follows it."""

    name: str
    phases: tuple[Phase, ...]
    failures: tuple[str, ...]
    methods: str


INSTANCES, CLUSTERS = ("self", "each instance"), ("pseudo", "clusters found so far")
# The first two from the captions of Figs. 4 and 5, the others from the abstract
FIG4_FIG5 = (
    Paradigm(
        "pseudo-supervision alone",
        (Phase("one phase", (CLUSTERS,)),),
        ("Feature Randomness",),
        "DeepCluster",
    ),
    Paradigm(
        "self-, then pseudo-supervision",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (CLUSTERS,))),
        ("Feature Randomness", "Feature Twist"),
        "DEC",
    ),
    Paradigm(
        "self-, then both jointly",
        (Phase("pretraining", (INSTANCES,)), Phase("fine-tuning", (INSTANCES, CLUSTERS))),
        ("Feature Randomness", "Feature Drift"),
        "IDEC, DCN, DynAE",
    ),
    Paradigm(
        "self-supervision twice",
        (Phase("phase 1", (INSTANCES,)), Phase("phase 2", (("self", "filtered neighborhoods"),))),
        (),
        "R-DC",
    ),
)
