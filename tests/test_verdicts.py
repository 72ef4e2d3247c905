"""Claims, the share of the protocol that they rest on, their pages, and each judge of the DCSS chapter."""

import json
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from dcbook.book import badge, judging, pages
from dcbook.book.chapters import chapters, part
from dcbook.book.comparisons import beats, beats_all, gains, matters_little
from dcbook.book.protocol import Protocol, updates_of
from dcbook.book.verdicts import NOT_YET, Answer, Claim, NotTested, recorded
from dcbook.chapters.dcss import claims
from dcbook.chapters.dcss.claims import judges
from dcbook.experiments import Contrast, Question, Record, contrast
from dcbook.experiments.contrast import NoPairs
from dcbook.experiments.records import path_of, read
from dcbook.experiments.verdict import CONTRADICTED, MIXED, NO_EFFECT, SUPPORTED, UNDECIDED


def run(method, seed=0, acc=0.5, dataset="x", history=(), portrait=None):
    identity = {"method": method, "dataset": dataset, "seed": seed, "params": {}, "sampling": {}, "start": None}
    return Record(identity | {"estimator": method}, {"acc": acc, "nmi": acc}, list(history), {}, portrait or {})


def three(method, acc, noise=0.001, **more):
    return [run(method, seed, acc + noise * seed, **more) for seed in range(3)]


def several():
    return [
        Claim("1", "a beats b", "first", gains("a", "b")),
        Claim("2", "c beats b", "first", gains("c", "b")),
        Claim("3", "d beats b", "", f"{NOT_YET}: to come"),
        Claim("4", "e beats b", "", "not testable here: no data"),
    ]


RECORDS = three("a", 0.6) + three("b", 0.5) + three("c", 0.4)


def test_the_page_counts_and_says_why():
    found = [claim.verdict(RECORDS) for claim in several()]
    text = pages.page("Title", "Hello.", several(), found)
    assert "Of 4 claims: 1 supported, 1 contradicted, 1 not testable here, 1 not tested yet." in text
    row = "| 1 | 1 | a beats b | [first](first.ipynb) | **supported** | `laptop`<br>power 1.00 for a true"
    assert row in text and "ACC +10.0 [+10.0, +10.0] points over 3 pairs<br>NMI" in text
    assert "| 4 | 4 | e beats b |  | **not testable here** |  | not testable here: no data |" in text


def test_a_bar_in_a_claim_stays_in_its_cell():
    claim = Claim("1", "|x| grows", "", "not testable here: no data")
    assert r"| \|x\| grows |" in pages.page("Title", "Hello.", [claim], [claim.verdict([])])


def test_the_readme_takes_a_finding_as_it_is_and_needs_its_block(monkeypatch, tmp_path):
    about = SimpleNamespace(PAPER=("A", None), FINDING=r"the loss $\lambda |x|$ \1 falls")
    monkeypatch.setattr(judging, "part", lambda *_: about)
    text = "# T\n<!-- claims: made -->\nold\n<!-- /claims -->\nend\n"
    found = judging.readme(text, {"one": []}, tmp_path)
    assert r"the loss $\lambda \|x\|$ \1 falls |" in found and "old" not in found and found.endswith("-->\nend\n")
    with pytest.raises(ValueError, match="no block of claims"):
        judging.readme("# T\n", {"one": []}, tmp_path)


def test_a_page_shows_the_intervals_over_all_data_sets_and_the_other_page_shows_each():
    records = three("a", 0.6) + three("a", 0.7, dataset="y") + three("b", 0.5) + three("b", 0.5, dataset="y")
    claims = [Claim("1", "a beats b", "first", gains("a", "b")), Claim("2", "c", "", "not testable here: no data")]
    found = [claim.verdict(records) for claim in claims]
    short, full = pages.page("T", "Hello.", claims, found), pages.intervals("T", claims, found, ["a/b"])
    assert "The records are in [a/b](../../a/b)." in full
    assert "ACC +15.0 [+15.0, +15.0] points over 6 pairs<br>" in short and "x: +10.0" not in short
    assert "[all intervals](INTERVALS.md#claim-1)" in short and "## Claim 1\n" in full and "Claim 2" not in full
    assert "| ACC | above 0 points | supported | +15.0 [+15.0, +15.0] points over 6 pairs | x: +10.0 [+10.0," in full


def test_a_page_says_how_many_intervals_it_leaves_out():
    records = three("a", 0.6) + [r for i in range(6) for r in three(f"rival {i}", 0.5 + i / 50, noise=0.002)]
    claims = [Claim("1", "a beats all", "first", beats_all("a", [f"rival {i}" for i in range(6)]))]
    found = [claims[0].verdict(records)]
    short, full = pages.page("T", "Hello.", claims, found), pages.intervals("T", claims, found)
    assert "[8 more, all intervals](INTERVALS.md#claim-1)" in short and "rival 0" not in short
    assert full.count("points over 3 pairs |") == 12 and "ACC over rival 0" in full


@pytest.mark.parametrize(("how", "needed"), [({"within": 2}, "at most ± 2 points"), ({"below": 1}, "below 1 points")])
def test_what_a_question_needs_is_told(how, needed):
    questions = [Question("gain", Contrast({"x": (1.0, 1.1)}), **how)]
    claims = [Claim("1", "a claim", "first", lambda records: Answer(questions))]
    text = pages.intervals("T", claims, [claims[0].verdict(RECORDS)])
    assert f"| gain | {needed} |" in text


def test_a_claim_without_records_is_not_tested_yet():
    for records in ([], three("a", 0.5)):
        found = Claim("1", "a beats b", "", gains("a", "b")).verdict(records)
        assert found.verdict == NOT_YET and found.answer is None
    assert "no data set and seed has records of both a and b" in found.evidence


def test_one_seed_is_no_test():
    found = Claim("1", "a beats b", "", gains("a", "b")).verdict([run("a", 0, 0.6), run("b", 0, 0.5)])
    assert (found.verdict, found.answer) == (NOT_YET, None)
    assert found.evidence == "only one seed has run so far, and an interval takes at least two"
    more = [run(method, seed, acc) for method, acc in (("a", 0.6), ("b", 0.5)) for seed in range(5)]
    more += [run("a", 0, 0.6, "y"), run("b", 0, 0.5, "y")]
    found = Claim("1", "a beats b", "", beats_unpruned).verdict(more)
    assert found.verdict == NOT_YET
    assert found.evidence == "a data set has one seed so far, and an interval takes at least two"


def test_a_value_that_is_not_finite_is_named():
    questions = [Question("loss", Contrast({"x": (1.0, 2.0, np.nan)})), Question("ACC", Contrast({"x": (1.0, 2.0)}))]
    found = Claim("1", "it falls", "", lambda _: Answer(questions)).verdict(three("a", 0.5))
    assert (found.verdict, found.evidence) == (NOT_YET, "a run has no finite value of: loss")


def beats_unpruned(records):
    return Answer([Question("ACC", contrast(records, "a", "b"))])


def test_two_records_of_one_run_are_an_error_and_not_a_claim_that_waits():
    settings = sweep_of("m", {1.3: 0.5, 1.5: 0.5})
    for judge in (matters_little({"m": 1.5}, {"m": 1.3}), beats("m", 1.3, 1.5)):
        assert Claim("1", "", "", judge).verdict(settings).answer
        with pytest.raises(ValueError, match="two records on x with seed 0"):
            Claim("1", "", "", judge).verdict([*settings, settings[0]])


def test_an_answer_without_a_question_is_none():
    found = Claim("1", "", "", lambda records: Answer([])).verdict(RECORDS)
    assert (found.verdict, found.evidence) == (NOT_YET, "its records answer no question")


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (Protocol(images=1.0, network=True, updates=1.0), CONTRADICTED),
        (Protocol(images=1.0, network=True, updates=0.05), UNDECIDED),
        (Protocol(images=0.1, network=True, updates=1.0), UNDECIDED),
        (Protocol(images=1.0, network=False, updates=1.0), UNDECIDED),
        (Protocol(images=1.0, network=None, updates=1.0), UNDECIDED),
        (Protocol(images=1.0, network=True, updates=None), UNDECIDED),
        (None, CONTRADICTED),
    ],
)
def test_a_small_share_of_the_protocol_contradicts_nothing(share, verdict):
    found = Claim("1", "c beats b", "", gains("c", "b")).verdict(RECORDS, lambda records: share)
    assert found.verdict == verdict
    assert found.evidence.startswith("contradicted at this share") == (verdict == UNDECIDED)
    assert Claim("1", "a beats b", "", gains("a", "b")).verdict(RECORDS, lambda records: share).verdict == SUPPORTED


def test_nor_does_it_count_a_part_of_a_claim_against_a_paper():
    def judge(records):
        return Answer([*gains("a", "b")(records).questions, *gains("c", "b")(records).questions])

    claim = Claim("1", "a and c beat b", "", judge)
    assert claim.verdict(RECORDS).verdict == MIXED
    small = claim.verdict(RECORDS, lambda records: Protocol(images=0.1, network=True, updates=1.0))
    assert small.verdict == UNDECIDED and small.evidence.startswith("mixed at this share")


def test_a_share_is_told():
    assert str(Protocol(0.143, True, 0.025)) == "14 % of the images, the paper's network, 2 % of the updates"
    assert str(Protocol(0, False, 0.0005, "a note")) == "other data, another network, 0.05 % of the updates; a note"
    unknown = "an unknown share of the images, a network of our choice, an unknown share of the updates"
    assert str(Protocol(None, None, None)) == unknown


def test_a_verdict_notes_what_the_paper_s_own_schedule_says():
    claim = several()[0]
    found = claim.verdict(RECORDS).noting(judging.told_at("paper", claim.verdict(three("a", 0.5) + three("b", 0.6))))
    assert found.verdict == SUPPORTED and found.evidence.endswith(f"{found.answer.note}")
    assert (
        found.answer.note.startswith("at the `paper` scale, x: ACC -10.0 [") and ": contradicted" in found.answer.note
    )
    assert claim.verdict(RECORDS).noting(judging.told_at("paper", claim.verdict([]))) == claim.verdict(RECORDS)


def test_updates_are_counted_in_the_paper_s():
    start = {"estimator": "AEKMeans", "params": {"start": {"Pretraining": {"epochs": 1}}}, "start": None}
    phase1 = {"estimator": "DCSS_u", "params": {"phase1_epochs": 10, "schedule_size": 70_000}, "start": start}
    phase2 = {"estimator": "DCSS", "params": {"phase1_epochs": 0, "phase2_epochs": 10}, "start": phase1}
    assert updates_of(phase1, images=0.1) == pytest.approx(0.05)  # the schedule makes up for the smaller set
    assert updates_of({**phase2, "start": start}, images=0.1) == pytest.approx(0.05)  # 10 of 20 epochs of a tenth
    assert updates_of({**phase2, "start": None}, images=1.0) == 0  # no phase 1 at all
    with pytest.raises(ValueError, match="Stranger is not known"):
        updates_of({"estimator": "Stranger", "params": {}, "start": None}, 1.0)
    assert updates_of(phase2, images=1.0) == pytest.approx(0.05)  # the least of the chain
    assert updates_of({"estimator": "DEC", "params": {"max_updates": 2000}, "start": None}, 0.1) == pytest.approx(0.1)
    assert updates_of({"estimator": "KMeans", "params": {}, "start": None}, 0.1) == 1


def test_every_rival_has_an_interval():
    records = three("a", 0.6) + three("b", 0.5) + three("c", 0.55)
    answer = beats_all("a", ["b", "c"])(records)
    assert [question.about for question in answer.questions] == [
        "ACC over b",
        "ACC over c",
        "NMI over b",
        "NMI over c",
    ]
    assert answer.verdict == SUPPORTED and answer.level == pytest.approx(1 - 0.05 / 4)
    assert beats_all("c", ["a", "b"])(records).verdict == CONTRADICTED
    with pytest.raises(NotTested, match="no records of a beside"):
        beats_all("a", ["absent"])(records)


def test_a_claim_about_every_rival_waits_for_those_that_did_not_run():
    records = three("a", 0.6) + three("b", 0.5) + three("c", 0.55)
    answer = beats_all("a", ["b", "absent", "gone"])(records)
    assert (answer.verdict, answer.p()) == (UNDECIDED, 1)
    assert answer.evidence.startswith("undecided, since not run: absent, gone; ACC over b")
    answer = beats_all("c", ["a", "absent"])(records)
    assert answer.verdict == CONTRADICTED and answer.p() < 0.05, "one that is better is enough"
    assert answer.evidence.startswith("not run: absent; ACC over a")
    assert beats_all("a", ["b", "c"])(records).missed == ""


@pytest.mark.parametrize("chapter", chapters())
def test_any_part_of_the_records_has_a_verdict_or_is_too_little(chapter, request):
    """Some of the committed records of each claim: one seed, one method, one of three, and so on."""
    found, root = part(chapter, "claims"), request.config.rootpath / "figures"
    draw = np.random.default_rng(0).random

    @cache
    def some(grid, scale):
        folder = root / scale / chapter / "records"
        paths = dict.fromkeys(path_of(each.identity, folder) for each in grid(scale))
        return [read(path) for path in paths if path.exists() and draw() < 30 / len(paths)]

    for claim in found.CLAIMS:
        records = some(claim.runs, claim.scale) if claim.runs else []
        parts = [records, [each for each in records if each.run["seed"] == 0]]
        parts += [[each for each in records if draw() < share] for share in (0.1, 0.3, 0.6)]
        parts += [[each for each in records if each.run["method"] == records[0].run["method"]]]
        for each in parts:
            judged = claim.verdict(each, getattr(found, "protocol", lambda _: None))
            assert judged.answer or judged.evidence


def test_the_power_of_a_claim_falls_with_its_questions_and_its_scatter():
    def answer(scatter, rivals=1):
        return Answer([Question("", Contrast({"x": (2 - scatter, 2.0, 2 + scatter)}))] * rivals)

    powers = [answer(*how).power(2.0) for how in ((0.2,), (1.0,), (1.0, 9))]
    chances = [each.probability for each in powers]
    assert chances == sorted(chances, reverse=True) and chances[0] > 0.9 > 0.5 > chances[1] > chances[2]
    assert "seeds" not in str(powers[0]) and f"(0.8 needs {powers[1].seeds} seeds)" in str(powers[1])
    assert 3 < powers[1].seeds < powers[2].seeds


@pytest.fixture(scope="module")
def judged():
    claims = several()
    return [judging.Judged("made", i, claim, claim.verdict(RECORDS)) for i, claim in enumerate(claims, 1)]


def test_the_data_of_the_claims(judged):
    data = json.loads(json.dumps(judging.as_data(judged), allow_nan=False))
    first, second, third, _ = data["claims"]
    assert (first["id"], first["verdict"], third["verdict"]) == ("made-1", SUPPORTED, NOT_YET)
    question = first["questions"][0]
    assert question["about"] == "ACC" and question["above"] == 0 and question["n"] == 3
    assert question["mean"] == pytest.approx(10) and question["data sets"]["x"]["low"] == pytest.approx(10)
    assert first["stands among all claims"] and second["stands among all claims"] and "questions" not in third


def test_of_many_questions_a_page_shows_those_that_speak_most_against_the_claim():
    records = three("a", 0.6) + [r for i in range(6) for r in three(f"rival {i}", 0.5 + i / 50, noise=0.002)]
    claim = Claim("1", "a beats all", "first", beats_all("a", [f"rival {i}" for i in range(6)]))
    data = judging.as_data([judging.Judged("made", 1, claim, claim.verdict(records))])["claims"][0]
    shown = badge._told(data)
    assert "ACC over rival 5" in shown and "ACC over rival 4" in shown and "and 8 more" in shown
    assert "rival 0" not in shown


def test_the_page_on_verdicts_counts(judged):
    text = judging.overview(judged)
    assert "| [made](made/README.md) | 1 supported, 1 contradicted, 1 not testable here, 1 not tested yet |" in text
    assert "The book tests 2 claims" in text and "Of 2 claims" in text


def phase1(*values, seed=0):
    return run("DCSS_u", seed, history=[dict(zip(judges.LOSSES, each, strict=True)) for each in values])


def test_losses_of_phase_1():
    falls = [phase1((9, 5, 9.5), (10, 4, 10.4), (8, 3, 8.3 - seed / 10), seed=seed) for seed in range(3)]
    rises = [phase1((9, 5, 9.5), (8 + seed / 9, 6 + seed / 9, 8.6), (7, 6, 7.6), seed=seed) for seed in range(3)]
    settled = [phase1((9, 5, 9.5), (8, 3, 8.3), (7.99 - seed / 1000, 3.01, 8.29), seed=seed) for seed in range(3)]
    assert judges.losses_converge(settled).verdict == SUPPORTED
    found = judges.losses_converge(falls)
    assert found.verdict == CONTRADICTED and "fall of the centering loss 40.0" in found.evidence
    assert judges.reconstruction_is_traded(falls).verdict == SUPPORTED
    assert judges.reconstruction_is_traded(rises).verdict in (CONTRADICTED, UNDECIDED)
    with pytest.raises(NotTested, match="no record of DCSS_u"):
        judges.losses_converge(three("a", 0.5))


def phase2(*losses, by_q=4, seed=0, **shares):
    watched = {"lonely": 0.0, "chosen_similar": 0.1, "chosen_dissimilar": 0.9} | shares
    entries = [{"pairwise": loss, "judged_by_q": float(at >= by_q), **watched} for at, loss in enumerate(losses)]
    return run("DCSS", seed, history=entries)


def test_the_drop_at_the_handover():
    sharp, smooth = (100, 90, 80, 70, 30, 25, 20, 1), (100, 80, 64, 30, 28, 26, 24, 1)
    assert judges.loss_drops_at_the_handover([phase2(*sharp, seed=s) for s in range(7)]).verdict == SUPPORTED
    few = judges.loss_drops_at_the_handover([phase2(*sharp, seed=s) for s in range(3)])
    assert few.verdict == UNDECIDED  # 3 of 3 is no rate yet
    assert judges.loss_drops_at_the_handover([phase2(*smooth, seed=s) for s in range(7)]).verdict == MIXED


def test_shares_that_vanish():
    def judged(*runs):
        records = [run("DCSS", s, history=[{"lonely": share} for share in shares]) for s, shares in enumerate(runs)]
        return judges.vanishes("lonely samples", lambda entry: entry["lonely"], 2.0)(records)

    found = judged((0.6, 0.1, 0.005), (0.6, 0.005), (0.61, 0.006))
    assert found.verdict == SUPPORTED and "lonely samples at the end of phase 2 0.5 [" in found.evidence
    assert judged((0.1, 0.005), (0.1, 0.005)).verdict == MIXED
    assert judged((0.1, 0.05), (0.1, 0.05)).verdict == CONTRADICTED
    records = [run("DCSS", s, history=[{"lonely": 0.1}, {"lonely": 0.005}]) for s in range(2)]
    at_the_end = judges.vanishes("lonely samples", lambda entry: entry["lonely"], 2.0, many_at_first=False)
    assert at_the_end(records).verdict == SUPPORTED


def test_pairs_are_those_that_the_loss_took():
    taken = phase2(1, 1, similar=0.9, dissimilar=0.1, chosen_similar=0.2, chosen_dissimilar=0.3).history[0]
    assert claims.left_out(taken) == pytest.approx(0.5)
    with pytest.raises(NotTested, match="not which pairs the loss used"):
        claims.left_out({"similar": 0.5, "dissimilar": 0.5})


def at(method="DCSS", seed=0, acc=0.5, **setting):
    """A run at one value of a setting: a parameter, or an option of the sampling."""
    record = run(method, seed, acc)
    record.run.update(params={k: v for k, v in setting.items() if k != "retention"}, sampling=setting)
    return record


def sweep_of(setting, values, method="DCSS", noise=0.001):
    """`values`: value of the setting to mean ACC; three seeds around it."""
    return [at(method, s, acc + noise * s, **{setting: value}) for value, acc in values.items() for s in range(3)]


def test_one_value_of_a_setting_beats_another():
    records = sweep_of("alpha", {0.0: 0.4, 0.1: 0.5})
    assert beats("alpha", 0.1, 0.0)(records).verdict == SUPPORTED
    assert beats("alpha", 0.0, 0.1)(records).verdict == CONTRADICTED
    with pytest.raises(NoPairs):
        beats("alpha", 0.1, 7)(records)


def test_a_setting_that_matters_little():
    judge = matters_little({"m": 1.5}, {"m": 1.3}, {"m": 2.0})
    near = sweep_of("m", {1.3: 0.5, 1.5: 0.505, 2.0: 0.495})
    assert judge(near).verdict == SUPPORTED and "ACC at m = 1.3 -0.5 [" in judge(near).evidence
    assert judge(sweep_of("m", {1.3: 0.5, 1.5: 0.53, 2.0: 0.53})).verdict == CONTRADICTED
    noisy = [at(seed=s, acc=acc, m=m) for m, each in {1.3: (0.46, 0.54, 0.5), 2.0: (0.5, 0.5, 0.5)}.items()
             for s, acc in enumerate(each)]  # fmt: skip
    noisy += [at(seed=s, acc=0.5, m=1.5) for s in range(3)]
    assert judge(noisy).verdict == UNDECIDED  # equal means, but seeds scatter by 4 points
    pairs = [at(seed=s, acc=0.5, zeta=zeta, gamma=0.2) for s in range(3) for zeta in (0.8, 0.95)]
    both = matters_little({"zeta": 0.8, "gamma": 0.2}, {"zeta": 0.95, "gamma": 0.2})(pairs)
    assert both.verdict == SUPPORTED and "at zeta = 0.95, gamma = 0.2" in both.evidence


def test_a_moderate_value_is_best():
    def judged(values, phase2_epochs=8):
        records = sweep_of("T2", values)
        for record in records:
            record.run["params"] |= {} if phase2_epochs is None else {"phase2_epochs": phase2_epochs}
        return judges.moderate_t2_is_best(records).verdict

    assert judged({0: 0.4, 2: 0.6, 8: 0.5}) == SUPPORTED
    assert judged({0: 0.4, 2: 0.6, 8: 0.7}) == CONTRADICTED
    assert judged({0: 0.4, 2: 0.6, 4: 0.7, 8: 0.5}) == SUPPORTED  # the best of all is another moderate one
    assert judged({0: 0.4, 5: 0.6, 20: 0.5}, phase2_epochs=None) == SUPPORTED, "the paper's 20, as at `paper`"


def test_who_leads_at_every_retention_rate():
    def contest(ours, theirs):
        records = sweep_of("retention", ours) + sweep_of("retention", theirs, "DEC", noise=0.002)
        return beats_all("DCSS", ["DEC"], ["acc"], setting=judges.retention)(records)

    assert contest({0.1: 0.6, 0.9: 0.7}, {0.1: 0.5, 0.9: 0.5}).verdict == SUPPORTED
    assert contest({0.1: 0.4, 0.9: 0.7}, {0.1: 0.5, 0.9: 0.5}).verdict == MIXED
    assert contest({0.1: 0.4, 0.9: 0.4}, {0.1: 0.5, 0.9: 0.5}).verdict == CONTRADICTED
    ahead = contest({0.1: 0.6, 0.9: 0.7}, {0.1: 0.5, 0.9: 0.5})
    assert [question.about for question in ahead.questions] == ["ACC over DEC"]
    assert "over 3 pairs (r = 0.1 +" in ahead.evidence, "the rates of a seed are one observation"


def test_k_updates_in_turn_and_their_sum():
    def judged(turn, together, network="convolutional", step=1e-6):
        found = [run(f"DCSS_u, {network}", seed) for seed in range(3)]
        for seed, record in enumerate(found):
            values = {judges.TURN: turn + seed / 1000, judges.ONE: turn, judges.SUM: together}
            record.portrait["forms"] = {form: {"acc": value, "nmi": value} for form, value in values.items()}
            record.run["params"]["phase1_lr"] = step
        return judges.in_turn_beats_the_sum(found)

    assert judged(0.7, 0.6).verdict == SUPPORTED and "at equal numbers of epochs" in judged(0.7, 0.6).evidence
    assert judged(0.6, 0.7).verdict == CONTRADICTED
    for odd in ({"network": "fully connected"}, {"step": 1e-7}):
        with pytest.raises(NotTested, match="no record of both forms"):
            judged(0.7, 0.6, **odd)


def test_a_wrong_number_of_clusters():
    assert judges.wrong_k_costs(sweep_of("n_clusters", {4: 0.3, 10: 0.6, 16: 0.5})).verdict == SUPPORTED
    assert judges.wrong_k_costs(sweep_of("n_clusters", {4: 0.3, 10: 0.6, 16: 0.7})).verdict == CONTRADICTED


def test_balance_helps_every_method():
    def at(rate, method, acc):
        found = three(method, acc)
        for record in found:
            record.run["sampling"] = {"retention": rate}
        return found

    found = judges.balance_helps(at(0.1, "a", 0.5) + at(0.5, "a", 0.2) + at(0.9, "a", 0.6))
    assert [question.about for question in found.questions] == ["ACC of a at r = 0.9 over 0.1"]
    assert found.verdict == SUPPORTED
    several = at(0.1, "a", 0.5) + at(0.9, "a", 0.6) + at(0.1, "b", 0.5) + at(0.9, "b", 0.4)
    assert judges.balance_helps(several).verdict == CONTRADICTED


def test_only_records_of_the_runs_of_a_claim_are_read(tmp_path):
    assert recorded([], tmp_path) == []


def test_spaces_are_measured_themselves_and_residuals_counted():
    def seen(seed, before, after, counts, purer=0.1):
        purity = {"a": 0.8, "b": 0.8 + purer + seed / 100}
        spaces = {"silhouette": {"a": before, "b": after + seed / 100}, "purity": purity}
        return run("DCSS", seed, portrait=spaces | {"residuals": counts})

    near, far = [96, 1, 1, 1, 1] + [0] * 35, [50] * 40
    records = [seen(seed, 0.1, 0.5, near) for seed in range(3)]
    assert judges.come_apart("b", "a")(records).verdict == SUPPORTED
    assert judges.come_apart("a", "b")(records).verdict == CONTRADICTED
    denser = [seen(seed, 0.1, 0.5, near, purer=-0.1) for seed in range(3)]
    assert judges.come_apart("b", "a")(denser).verdict == MIXED, "denser, and yet more mixed"
    assert judges.one_hot(records).verdict == SUPPORTED
    assert judges.one_hot([seen(seed, 0.1, 0.5, far) for seed in range(3)]).verdict == CONTRADICTED
    all_near = [seen(seed, 0.1, 0.5, [100] + [0] * 39) for seed in range(3)]
    assert judges.one_hot(all_near).verdict == UNDECIDED, "three of three runs at the end of the range"
    scattered = [seen(seed, 0.1, 0.5, [100 - 4 * seed] + [0] * 38 + [4 * seed]) for seed in range(3)]
    assert judges.one_hot(scattered).questions[0].estimate.interval(0.95)[1] == 100, "a share ends at 100 %"
    with pytest.raises(NotTested, match="in the spaces themselves"):
        judges.come_apart("b", "a")(three("DCSS", 0.5))


def filters(dcss_learns, twin_learns, seed=0):
    """Untrained filters, and some that went a part of the way to those of the supervised network."""
    start, goal = np.random.default_rng(seed).normal(size=(2, 4, 1, 5, 5))
    ways = {"untrained": 0, "autoencoder": 0, "DCSS": dcss_learns, "supervised": twin_learns}
    networks = {name: ((1 - way) * start + way * goal).tolist() for name, way in ways.items()}
    networks["supervised, another start"] = goal.tolist()
    return run("DCSS, convolutional", seed, portrait={"filters": networks, "covariance": np.eye(25).tolist()})


def test_filters_beside_supervised_ones():
    def judged(*learned):
        return judges.filters_resemble([filters(*learned, seed) for seed in range(4)])

    def gain(*learned):
        return judged(*learned).questions[0].estimate.mean

    assert judged(0.5, 0.6).verdict == SUPPORTED
    assert gain(0.0, 0.6) < 1e-6 < gain(0.3, 0.6) < gain(0.5, 0.6)
    with pytest.raises(NotTested, match="no more alike"):
        judged(0.5, -0.1)  # the labels themselves teach no common filters: nothing to resemble


def test_the_share_of_dcss_protocol():
    def conv(architecture, **params):
        recipe = {"Pretraining": {"architecture": architecture, "epochs": 30}}
        first = run("AEKMeans", dataset="mnist-test").run | {"params": {"start": recipe}}
        record = run("DCSS_u", dataset="mnist-test")
        record.run.update(start=first, params={"phase1_epochs": 50, "schedule_size": 70_000, **params})
        return record

    found = claims.protocol([conv("convolutional"), run("KMeans", dataset="usps")])
    assert (found.images, found.network, found.updates) == (pytest.approx(1 / 7), True, 0.25)
    assert "pretraining 30 of 200 epochs" in str(found)
    usps = conv("convolutional")
    usps.run["dataset"] = "usps"
    assert claims.protocol([usps]).network is None and "released for MNIST" in str(claims.protocol([usps]))
    assert not claims.protocol([conv("fully-connected"), conv("convolutional")]).network
    assert claims.protocol([conv("convolutional", schedule_size=None)]).updates == pytest.approx(0.25 / 7)
    assert claims.protocol([run("KMeans", dataset="usps"), run("DCSS", dataset="digits")]) is None
    assert str(claims.protocol([conv("convolutional")])).count(" of the updates") == 1
    assert str(claims.protocol([conv("convolutional", one_update=True)])).count(" of the batches") == 1


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.text[:40])
def test_every_claim_names_a_notebook_that_is_there_or_says_why_not(claim, request):
    notebooks = request.config.rootpath / "notebooks" / "dcss"
    assert (notebooks / f"{claim.notebook}.ipynb").exists() if claim.notebook else isinstance(claim.judge, str)


def test_no_effect_is_one_of_the_verdicts_on_a_page():
    equal = three("a", 0.5) + three("b", 0.5)
    assert Claim("1", "a beats b", "", gains("a", "b")).verdict(equal).verdict == NO_EFFECT
