"""How records judge whether a clustering loss makes features that serve later tasks."""

from collections.abc import Sequence
from dataclasses import replace

from dcbook.book.verdicts import Answer, Claim, Judge, NotTested
from dcbook.chapters.ssl.grids.probes import AE, UNTRAINED, probes
from dcbook.chapters.ssl.watches.probes import CODES, TRUNK
from dcbook.experiments import Question, Record, contrast

PAGE = "probes"


def serves_better(better: str, worse: str, space: str = TRUNK) -> Judge:
    """A probe of `better` beats one of `worse` at each number of labels: pairs of one data set and seed.

    A number of labels is a question about the data sets on which it was probed, and about no other.
    """

    def judge(records: Sequence[Record]) -> Answer:
        found = [r for r in records if r.run["method"] in (better, worse) and space in r.portrait["probes"]]
        if not found:
            raise NotTested(f"no probe of the {space} of {better} or {worse}")
        scored = [replace(r, scores=r.portrait["probes"][space]) for r in found]
        numbers = sorted({n for r in scored for n in r.scores}, key=int)
        return Answer(
            [
                Question(
                    f"accuracy with {int(n):,} labels a class",
                    contrast([r for r in scored if n in r.scores], better, worse, n),
                )
                for n in numbers
            ]
        )

    return judge


CLAIMS = [
    Claim(
        "C1",
        "a clustering loss alone makes features that serve later tasks: a linear probe tells the classes better from "
        "DeepCluster's features than from those of the untrained network",
        PAGE,
        serves_better("DeepCluster", UNTRAINED),
        probes,
    ),
    Claim(
        "C1, this book",
        "DeepCluster's features serve a linear probe better than those of an autoencoder on the same trunk",
        PAGE,
        serves_better("DeepCluster", AE),
        probes,
    ),
    *(
        Claim(
            "C1, this book",
            f"the clustering loss of {name} improves {what} of the autoencoder that it starts from, by a linear probe",
            PAGE,
            serves_better(name, AE, space),
            probes,
        )
        for name in ("DEC", "IDEC")
        for space, what in ((TRUNK, "the trunk"), (CODES, "the codes"))
    ),
    Claim(
        "C1, this book",
        "after 376 updates, SimCLR, which has no clusters, has learned features that serve a linear probe better than "
        "those of DeepCluster",
        PAGE,
        serves_better("SimCLR", "DeepCluster"),
        probes,
    ),
]
