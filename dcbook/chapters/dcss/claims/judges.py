"""How records judge the claims of DCSS's sections 3.4 and 4."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from dcbook.book.comparisons import METRICS, beats
from dcbook.book.verdicts import Answer, Judge, NotTested
from dcbook.chapters.dcss.grids.rivals import BEFORE, QUESTIONED
from dcbook.chapters.dcss.tables import in_time, resemblances, timed
from dcbook.experiments import Contrast, Question, Record, by_value, counted, grouped, paired
from dcbook.experiments.records import place, value_of
from dcbook.experiments.verdict import MOST, SUPPORTED, simultaneous
from dcbook.methods import DCSS

OTHERS = ("k-means", "LSSC", "LPMF", "AE+k-means", "DEC", "IDEC", "DCN", "DKM", "VaDE", "GANMM", "EDESC")
BY_IMAGES = "DAC, DCCM and CC here (see their own chapter)"  # Table 1 has them on our sets, too
CLASSES = 10  # of the set of Fig. 12
LOSSES = ("reconstruction", "centering", "total")
NEARLY = 2.0  # per cent that count as almost none
SETTLED = 1.0  # per cent by which a loss that has converged changes in an epoch, at most
TURN, ONE, SUM = "K updates", "one update", "one update, K times the epochs"  # forms of phase 1, see `KUpdates`
NAMES = {"n_clusters": "K"}  # of settings, as the paper writes them
HOT = 0.1  # residual of a vector close to one-hot


def measured(records: Sequence[Record], measure: Callable[[Record], float], unit: str = "%") -> Contrast:
    """One number of each run."""
    return Contrast(grouped((record.run["dataset"], measure(record)) for record in records), unit)


def course(record: Record, name: str) -> list[float]:
    """A number of each epoch that has it."""
    return [entry[name] for entry in record.history if name in entry]


def of(method: str, records: Sequence[Record]) -> list[Record]:
    """The records of a method; NotTested if there is none."""
    found = [record for record in records if record.run["method"] == method]
    if not found:
        raise NotTested(f"no record of {method}")
    return found


def losses_converge(records: Sequence[Record]) -> Answer:
    """In the last epoch of phase 1 each loss changes by less than `SETTLED` per cent."""

    def change(name: str) -> Callable[[Record], float]:
        return lambda record: 100 * abs(course(record, name)[-1] / course(record, name)[-2] - 1)

    def fall(name: str) -> Callable[[Record], float]:
        return lambda record: 100 * (1 - course(record, name)[-1] / course(record, name)[0])

    runs = of("DCSS_u", records)
    questions = [
        Question(f"change of the {name} loss in the last epoch", measured(runs, change(name)), below=SETTLED)
        for name in LOSSES
    ]
    return Answer(questions, ", ".join(f"fall of the {name} loss {measured(runs, fall(name))}" for name in LOSSES))


def reconstruction_is_traded(records: Sequence[Record]) -> Answer:
    """From the first epoch of phase 1 to the second reconstruction rises and centering falls."""

    def change(name: str, sign: int) -> Callable[[Record], float]:
        return lambda record: sign * 100 * (course(record, name)[1] / course(record, name)[0] - 1)

    runs = of("DCSS_u", records)
    rises, falls = (measured(runs, change(name, sign)) for name, sign in (("reconstruction", 1), ("centering", -1)))
    titles = "rise of the reconstruction loss to the second epoch", "fall of the centering loss to the second epoch"
    return Answer([Question(title, part, band=None) for title, part in zip(titles, (rises, falls), strict=True)])


def loss_drops_at_the_handover(records: Sequence[Record]) -> Answer:
    """Little is left of the loss at the end; the step from p to q is the steepest of the five epochs around it.

    NotTested where phase 2 has fewer than three epochs before q judges the pairs, or two after the first with q.
    """

    def sharp(record: Record) -> bool:
        loss, first = course(record, "pairwise"), course(record, "judged_by_q").index(1)
        if not 3 <= first <= len(loss) - 3:
            raise NotTested(f"phase 2 of {len(loss)} epochs with q from epoch {first + 1} has not five steps around it")
        steps = [loss[at] / loss[at - 1] for at in range(first - 2, first + 3)]
        return steps[2] == min(steps)

    runs = of("DCSS", records)
    left = measured(runs, lambda record: 100 * course(record, "pairwise")[-1] / course(record, "pairwise")[0])
    steepest = counted((record.run["dataset"], sharp(record)) for record in runs)
    return Answer(
        [
            Question("pairwise loss left at the end of phase 2", left, below=NEARLY),
            Question(
                "loss falls most steeply at the step to q, among the five steps around it, in", steepest, above=MOST
            ),
        ]
    )


def vanishes(what: str, share: Callable[[dict], float], limit: float, many_at_first: bool = True) -> Judge:
    """A share, of an entry of phase 2, is below `limit` per cent at the end and, if asked, over a half at first."""

    def judge(records: Sequence[Record]) -> Answer:
        def at(place: int) -> Contrast:
            found = measured(runs, lambda r: 100 * share([e for e in r.history if "lonely" in e][place]))
            return replace(found, bounds=(0, 100))

        runs = of("DCSS", records)
        first = [Question(f"{what} at the first measurement", at(0), above=MOST)] if many_at_first else []
        return Answer([*first, Question(f"{what} at the end of phase 2", at(-1), below=limit)])

    return judge


def left_out(entry: dict) -> float:
    """The share of the pairs that the loss of an epoch of phase 2 leaves out."""
    if "chosen_similar" not in entry:
        raise NotTested("the records hold which pairs q would select, not which pairs the loss used")
    return 1 - entry["chosen_similar"] - entry["chosen_dissimilar"]


def come_apart(after: str, before: str) -> Judge:
    """In space `after` the classes lie farther apart and are less mixed than in `before`.

    Measured are the silhouette of the classes and the share of the nearest neighbors that have a sample's class, in
    the spaces themselves, not on maps of them.
    """

    def judge(records: Sequence[Record]) -> Answer:
        runs = [record for record in of("DCSS", records) if "silhouette" in record.portrait]
        if not runs:
            raise NotTested("no record says how far the classes lie apart in the spaces themselves")

        def gain(name: str) -> Contrast:
            return measured(runs, lambda r: 100 * (r.portrait[name][after] - r.portrait[name][before]), "points")

        return Answer(
            [
                Question("silhouette of the classes, times 100", gain("silhouette")),
                Question("share of the 10 nearest neighbors that have the class of the sample", gain("purity")),
            ]
        )

    return judge


def one_hot(records: Sequence[Record]) -> Answer:
    """The share of samples with a residual under `HOT` is above 95 %."""

    def near(record: Record) -> float:
        counts = record.portrait["residuals"]
        return 100 * sum(counts[: round(len(counts) * HOT)]) / sum(counts)

    share = replace(measured(of("DCSS", records), near), bounds=(0, 100))
    return Answer([Question(f"samples with a residual below {HOT}", share, above=95)])


def in_turn_beats_the_sum(records: Sequence[Record]) -> Answer:
    """K updates in turn over one on their sum for K times the epochs, at the paper's step, convolutional network.

    Both are in the portrait of one record (`KUpdates`), from the same start.
    """
    runs = [r for r in records if r.run["method"].endswith("convolutional") and r.run["params"]["phase1_lr"] == 1e-6]
    if not runs:
        raise NotTested("no record of both forms from the convolutional autoencoder")

    def gain(metric: str) -> Contrast:
        return measured(
            runs, lambda r: 100 * (r.portrait["forms"][TURN][metric] - r.portrait["forms"][SUM][metric]), "points"
        )

    alike = measured(
        runs, lambda r: 100 * (r.portrait["forms"][TURN]["nmi"] - r.portrait["forms"][ONE]["nmi"]), "points"
    )
    note = f"at equal numbers of epochs, NMI of K updates over one update of the sum {alike}"
    return Answer([Question(title, gain(metric)) for metric, title in METRICS.items()], note)


def retention(record: Record) -> str:
    """The retention rate of the smallest class, in words: the rates of Fig. 7 share seeds and images."""
    return f"r = {value_of(record, 'retention'):g}"


def features(record: Record) -> str:
    """The features of a run: H and Z space of Table 3 come from one network, and share seeds and images."""
    return place(record.run)


def balance_helps(records: Sequence[Record]) -> Answer:
    """Every method has a higher ACC at the highest retention rate than at the lowest."""
    rates = by_value(records, "retention")
    if len(rates) < 2:
        raise NotTested("no records of two retention rates")
    low, high = min(rates), max(rates)
    methods = dict.fromkeys(record.run["method"] for record in records)
    return Answer(
        [
            Question(
                f"ACC of {name} at r = {high:g} over {low:g}",
                paired(*([r for r in rates[rate] if r.run["method"] == name] for rate in (high, low))),
            )
            for name in methods
        ],
        every=True,
    )


def better_than(setting: str, value: float, *others: float) -> Judge:
    """At one value of a setting the scores are above those at each of the others, in ACC and in NMI."""

    def judge(records: Sequence[Record]) -> Answer:
        answers = {other: beats(setting, value, other)(records) for other in others}
        return Answer(
            [
                Question(f"{metric} at {NAMES.get(setting, setting)} = {value:g} over {other:g}", question.estimate)
                for other, answer in answers.items()
                for metric, question in zip(METRICS.values(), answer.questions, strict=True)
            ],
            every=True,
        )

    return judge


def moderate_t2_is_best(records: Sequence[Record]) -> Answer:
    """The paper's T2, a quarter of phase 2, over pairs from q alone (0) and from p alone (all of phase 2)."""
    epochs = records[0].run["params"].get("phase2_epochs", DCSS.phase2_epochs)
    return better_than("T2", round(epochs / 4), 0, epochs)(records)


def wrong_k_costs(records: Sequence[Record]) -> Answer:
    """DCSS at the number of classes against its smallest and its largest K."""
    ours = of("DCSS", records)
    numbers = sorted(by_value(ours, "n_clusters"))
    if not numbers[0] < CLASSES < numbers[-1]:
        raise NotTested("no records of fewer and of more clusters than classes")
    return better_than("n_clusters", CLASSES, numbers[0], numbers[-1])(ours)


def leads_in_time(records: Sequence[Record]) -> Answer:
    """DCSS beats N2D and BRB in ACC and in NMI, all from one start, in the core-seconds that DCSS takes."""
    frame = timed(records, BEFORE)
    early = in_time(frame, "DCSS") if "DCSS" in set(frame["method"]) else frame.head(0)
    rivals = [name for name in QUESTIONED if name in set(early["method"])]
    if not rivals:
        raise NotTested("no timed records of DCSS beside N2D or BRB")
    places = ["method", "dataset", "seed"]
    ends, starts = (rows.set_index(places).sort_index() for rows in (early, frame.query("seconds == 0")))

    def gain(below: pd.DataFrame, metric: str) -> Contrast:
        gains = (ends.loc["DCSS"][metric] - below[metric]).dropna()
        return Contrast(grouped((dataset, value) for (dataset, _), value in gains.items()))

    questions = [
        Question(f"{title} over {rival}", gain(ends.loc[rival], metric))
        for metric, title in METRICS.items()
        for rival in rivals
    ]
    over_start = ", ".join(f"{title} {gain(starts.loc['DCSS'], metric)}" for metric, title in METRICS.items())
    seconds = ends.loc["DCSS"]["budget"].mean()
    absent = [name for name in QUESTIONED if name not in rivals]
    told = f"DCSS over the start, in {seconds:.0f} core-seconds: {over_start}"
    return Answer(questions, told, every=True, absent=absent)


def filters_resemble(records: Sequence[Record]) -> Answer:
    """The filters of DCSS are more like supervised ones of another start than untrained ones are, and so their outputs.

    A measure by which two supervised networks are no more alike than that cannot tell, and is left out. The note has
    the interval of the other at the level that counts both measures.
    """
    questions, told, level = [], [], simultaneous(2)
    for measure in ("filters", "outputs"):
        ours, most = (_over_untrained(records, measure, network) for network in ("DCSS", "supervised"))
        tells = Question("", most, band=None).verdict() == SUPPORTED
        questions += [
            Question(f"resemblance of {measure} to supervised ones, DCSS over untrained", ours, band=None)
        ] * tells
        low, high = ours.interval(level)
        told.append(f"resemblance of {measure} of two supervised networks over untrained {most}")
        told += [f"with both measures counted, DCSS over untrained lies from {low:+.1f} to {high:+.1f}"] * tells
    if not questions:
        raise NotTested(f"two supervised networks are no more alike than untrained ones: {'; '.join(told)}")
    return Answer(questions, "; ".join(told))


def _over_untrained(records: Sequence[Record], measure: str, network: str) -> Contrast:
    def gain(record: Record) -> float:
        found = resemblances(record.portrait)[measure]
        return 100 * (found[network] - found["untrained"])

    return measured(records, gain, "points")
