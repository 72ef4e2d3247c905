"""The claims on fields where labels are expensive, never judged by ACC, which a majority vote wins."""

from collections.abc import Sequence

from dcbook.book.verdicts import Answer, Claim, Judge, NotTested
from dcbook.chapters.ssl.grids.without_labels import AE, DEEP, K_MEANS, medical, sound
from dcbook.experiments import Contrast, Question, Record, grouped
from dcbook.experiments.records import place

PAGE = "without_labels"
HALF = 50.0  # per cent of what a probe finds above chance: set when k-means on these sets, but no other run, was known
LEAD = 10.0  # points above chance from which a probe is said to find the classes


def of(records: Sequence[Record], method: str) -> dict[tuple[str, int], Record]:
    """The records of a method by place and seed; NotTested where there is none."""
    found = {(place(r.run), r.run["seed"]): r for r in records if r.run["method"] == method}
    if not found:
        raise NotTested(f"no record of {method}")
    return found


def lead(found: float, record: Record) -> float:
    """A balanced accuracy above chance, in points."""
    return 100 * (found - record.portrait["chance"])


def follow(*methods: str, do: bool = True) -> Judge:
    """Clusters of each method find more than half of what a probe on the samples finds above chance (`do`), or less.

    The probe is that on the samples of k-means, and must itself be far above chance.
    """

    def judge(records: Sequence[Record]) -> Answer:
        samples = of(records, K_MEANS)
        probe = {at: lead(r.portrait["probe"]["balanced"], r) for at, r in samples.items()}
        limit = {"above": HALF} if do else {"below": HALF}
        questions = []
        for method in methods:
            pairs = [
                (at[0], 100 * lead(r.portrait["balanced"], r) / probe[at])
                for at, r in of(records, method).items()
                if at in probe
            ]
            questions.append(Question(f"share of the probe's lead, {method},", Contrast(grouped(pairs), "%"), **limit))
        found = Contrast(grouped((at[0], value) for at, value in probe.items()))
        premise = Question("balanced accuracy of a probe on the samples, over chance", found, above=LEAD)
        return Answer(questions, premises=[premise])

    return judge


def adds(better: str, worse: str) -> Judge:
    """Clusters of `better` have a higher balanced accuracy and a higher NMI than those of `worse`, pair by pair."""

    def judge(records: Sequence[Record]) -> Answer:
        ours, theirs = of(records, better), of(records, worse)
        pairs = [(at[0], ours[at], theirs[at]) for at in ours if at in theirs]
        scores = {
            "balanced accuracy": lambda r: 100 * r.portrait["balanced"],
            "NMI": lambda r: 100 * r.scores["nmi"],
        }
        return Answer(
            [
                Question(name, Contrast(grouped((where, score(a) - score(b)) for where, a, b in pairs)))
                for name, score in scores.items()
            ]
        )

    return judge


def few_labels_beat_clusters(records: Sequence[Record]) -> Answer:
    """Probes with ten labels a class, on the samples and on DEC's codes, are both better than the clusters of DEC."""
    deep = of(records, DEEP)
    questions = []
    for where, seen in {"the samples": of(records, K_MEANS), "the codes of DEC": deep}.items():
        pairs = [
            (at[0], 100 * (seen[at].portrait["few"]["balanced"] - r.portrait["balanced"]))
            for at, r in deep.items()
            if at in seen
        ]
        questions.append(Question(f"balanced accuracy over the clusters, probe on {where},", Contrast(grouped(pairs))))
    return Answer(questions)


MEDICAL = "medical images", "the diagnosis", medical
SOUND = "spoken vowels", "the speaker", sound

CLAIMS = [
    *(
        Claim(
            "C8",
            f"it is practical where labels are expensive, {what}: the clusters follow {target}, that is, they find "
            "more than half of what a linear probe with all labels finds above chance",
            PAGE,
            follow(AE, DEEP),
            runs,
        )
        for what, (_, target, runs) in {"medical images": MEDICAL, "audio": SOUND}.items()
    ),
    Claim(
        "C8, this book",
        "on medical images, the clusters of k-means on principal components do not follow the diagnosis, although a "
        "probe on the same components finds it",
        PAGE,
        follow(K_MEANS, do=False),
        medical,
    ),
    Claim(
        "C8, this book",
        "on spoken vowels, the clusters of k-means on the frames follow the speaker",
        PAGE,
        follow(K_MEANS),
        sound,
    ),
    *(
        Claim(
            "C8, this book",
            f"on {where}, the clusters of DEC tell more of {target} than those of k-means",
            PAGE,
            adds(DEEP, K_MEANS),
            runs,
        )
        for where, target, runs in (MEDICAL, SOUND)
    ),
    *(
        Claim(
            "C8, this book",
            f"on {where}, linear probes with ten labels a class, on the samples and on the codes of DEC, both tell "
            f"more of {target} than the clusters of DEC",
            PAGE,
            few_labels_beat_clusters,
            runs,
        )
        for where, target, runs in (MEDICAL, SOUND)
    ),
]
