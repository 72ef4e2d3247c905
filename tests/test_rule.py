"""The rule of verdict: every verdict has a case, and each of the old rule's wrong answers is gone."""

import numpy as np
import pytest

from dcbook.book.comparisons import beats_all, gains
from dcbook.book.verdicts import Answer
from dcbook.experiments import Contrast, Question, Record, contrast, counted, over_settings, power, seeds_needed
from dcbook.experiments.contrast import POINTS, NoPairs, number
from dcbook.experiments.power import supported
from dcbook.experiments.verdict import (
    CONTRADICTED,
    MIXED,
    NO_EFFECT,
    SUPPORTED,
    UNDECIDED,
    combined,
    discoveries,
    simultaneous,
)


def asked(gains, **how):
    return Question("", Contrast({name: tuple(map(float, each)) for name, each in gains.items()}), **how).verdict()


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ({"x": [3, 4, 5], "y": [2, 3, 4]}, SUPPORTED),
        ({"x": [-3, -4, -5], "y": [-2, -3, -4]}, CONTRADICTED),
        ({"x": [-2.4 - 3.8, -2.4, -2.4 + 3.8]}, UNDECIDED),  # -2.4 [-11.8, +7.0]: "does not hold", once
        ({"x": [0.1, -0.1, 0.0], "y": [0.2, 0.1, 0.0]}, NO_EFFECT),
        ({"x": [3, 4, 5], "y": [-9, 9, 1]}, UNDECIDED),
        ({"x": [6, 6.1, 5.9], "y": [-3, -3.1, -2.9]}, MIXED),
        ({"x": [6, 6.1, 5.9], "y": [0.1, -0.1, 0]}, MIXED),
        ({"x": [5]}, UNDECIDED),  # one pair decides nothing
    ],
)
def test_a_gain(gains, verdict):
    assert asked(gains) == verdict


@pytest.mark.parametrize(
    ("values", "how", "verdict"),
    [
        ([3, 3.2, 2.8], {"above": 2.0}, SUPPORTED),
        ([3, 3.2, 2.8], {"above": 4.0}, CONTRADICTED),  # a gain, below the claimed size
        ([0.1, 0.0, -0.1], {"above": 2.0}, CONTRADICTED),
        ([3, 3.2, 2.8], {"below": 4.0}, SUPPORTED),
        ([3, 3.2, 2.8], {"below": 2.0}, CONTRADICTED),
        ([3, 9, -3], {"below": 4.0}, UNDECIDED),
        ([0.5, 0.6, 0.4], {"within": 2.0}, SUPPORTED),
        ([3, 3.2, 2.8], {"within": 2.0}, CONTRADICTED),
        ([-4, 4, 0.5], {"within": 2.0}, UNDECIDED),  # a scatter of 4: the mean alone would pass
        ([0.5, 0.6, 0.4], {"band": None}, SUPPORTED),
    ],
)
def test_limits(values, how, verdict):
    assert asked({"x": values}, **how) == verdict


def test_more_questions_do_not_hide_that_data_sets_disagree():
    """On y the interval lies within the band at 97.5 %, and not at the level of two questions."""
    question = Question("", Contrast({"x": (3.0, 3.1, 2.9, 3.05), "y": (0.5, -0.5, 0.2, -0.2)}))
    for n in (1, 2, 20):
        answer = Answer([question] * n)
        assert answer.verdict == MIXED and answer.p() == 1
        draws = [np.array([gains]) for gains in question.estimate.gains.values()]
        assert not supported(draws, answer.level).any()


def test_occurrences_are_rates():
    def in_most(hits, runs, questions=1):
        event = Question("", counted([("x", i < hits) for i in range(runs)]), above=50)
        return event.verdict(simultaneous(questions))

    assert in_most(6, 6) == SUPPORTED and in_most(0, 6) == CONTRADICTED
    assert in_most(3, 3) == in_most(8, 15) == UNDECIDED
    assert in_most(5, 5) == in_most(6, 6, 2) == UNDECIDED and in_most(7, 7, 2) == SUPPORTED, "the page says so"


def test_several_parts():
    assert combined([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert combined([SUPPORTED, CONTRADICTED]) == combined([SUPPORTED, NO_EFFECT]) == MIXED
    assert combined([SUPPORTED, NO_EFFECT, UNDECIDED]) == combined([SUPPORTED, CONTRADICTED, UNDECIDED]) == MIXED
    assert combined([SUPPORTED, UNDECIDED]) == combined([NO_EFFECT, UNDECIDED]) == UNDECIDED
    assert combined([CONTRADICTED, UNDECIDED]) == combined([CONTRADICTED, NO_EFFECT]) == CONTRADICTED
    assert combined([CONTRADICTED, MIXED]) == combined([CONTRADICTED, MIXED, UNDECIDED]) == MIXED
    assert combined([CONTRADICTED, MIXED], every=True) == CONTRADICTED
    assert combined([NO_EFFECT, NO_EFFECT]) == NO_EFFECT
    assert combined([SUPPORTED, CONTRADICTED], every=True) == CONTRADICTED
    assert combined([SUPPORTED, SUPPORTED, UNDECIDED], every=True) == UNDECIDED


def test_a_mean_is_told_as_one_number_however_it_was_summed():
    means = [sum(values) / 2 for values in ((-4.4, -7.1), (-4.4 - 1e-12, -7.1), (-4.4 + 1e-12, -7.1))]
    assert {number(mean, POINTS, True) for mean in means} == {"-5.8"}
    assert number(np.inf, POINTS, True) == "+inf" and number(-0.123, "", False) == "-0.12"


def test_intervals_of_many_rivals_hold_together():
    """Of nine rivals that are all equal to a method, the best of the run looks better: rarely by these intervals."""
    rng, wrong = np.random.default_rng(0), {"together": 0, "one by one": 0}
    for _ in range(300):
        ours = rng.normal(0, 1, 5)
        rivals = [Question("", Contrast({"x": tuple(ours - rng.normal(0, 1, 5))}), band=None) for _ in range(9)]
        for name, level in (("together", simultaneous(9)), ("one by one", 0.95)):
            wrong[name] += any(rival.verdict(level) == CONTRADICTED for rival in rivals)
    assert wrong["together"] <= 0.06 * 300 < wrong["one by one"]


def test_settings_of_a_seed_are_one_observation():
    """Two settings of three seeds: the interval is that of three means, not of six values."""
    gains = {"h": (1.0, 2.0, 6.0), "z": (3.0, 2.0, 4.0)}
    found = over_settings(("a", at, seed, gain) for at, each in gains.items() for seed, gain in enumerate(each))
    alone = Contrast({"a": (2.0, 2.0, 5.0)})
    assert found.n == 3 and found.samples == alone.gains and found.means == {"h": 3.0, "z": 3.0}
    assert found.interval() == pytest.approx(alone.interval()) and found.scatter == pytest.approx(alone.scatter)
    assert found.interval_on("h") == Contrast({"h": gains["h"]}).interval()
    incomplete = over_settings([("a", "h", 0, 1.0), ("a", "z", 0, 3.0), ("a", "h", 1, 9.0), ("b", "b", 0, 4.0)])
    assert incomplete.samples == {"a": (2.0,), "b": (4.0,)} and incomplete.mean == 3.0
    with pytest.raises(ValueError, match="at every place"):
        over_settings([("a", "h", 0, 1.0), ("a", "z", 1, 3.0)])
    with pytest.raises(ValueError, match="two values for d at p with seed 0; choose one") as refused:
        over_settings([("d", "p", 0, 1.0), ("d", "p", 0, 99.0), ("d", "p", 1, 2.0)])
    assert not isinstance(refused.value, NoPairs)
    with pytest.raises(ValueError, match="a and b share the place 'r = 1'; name the data set in it"):
        over_settings(("ab"[i % 2], "r = 1", i // 2, float(i)) for i in range(4))


def test_a_first_seed_on_another_data_set_has_to_wait():
    def records(seeds, dataset, **acc):
        runs = [{"method": m, "dataset": dataset, "seed": s, "sampling": {}} for s in range(seeds) for m in acc]
        return [Record(run, dict.fromkeys(("acc", "nmi"), acc[run["method"]]), [], {}) for run in runs]

    usps, mnist = records(3, "usps", a=0.5, b=0.4), records(2, "mnist", a=0.1, b=0.4)
    more, last = mnist[:2], mnist[2:]
    for judge in (gains("a", "b"), beats_all("a", ["b"])):
        for found, sets in ((usps + more, {"usps"}), (more, {"mnist"}), (usps + more + last, {"usps", "mnist"})):
            assert judge(found).questions[0].estimate.gains.keys() == sets
    assert contrast(usps + more, "a", "b").gains.keys() == {"usps", "mnist"}


def test_a_setting_that_disagrees_is_not_averaged_away():
    values = [("a", at, seed, sign * (5 + seed / 10)) for at, sign in (("h", 1), ("z", -1)) for seed in range(4)]
    assert Question("", over_settings(values)).verdict() == MIXED


def test_the_error_of_a_verdict_is_that_of_the_test():
    from scipy import stats

    values = [3.0, 4.0, 5.0, 3.5]
    found = Question("", Contrast({"x": tuple(values)}), band=None).p()
    assert found == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=1e-3)
    assert Question("", Contrast({"x": (1.0, -1.0, 0.5)})).p() == 1


def test_discoveries_by_hand():
    assert discoveries([0.001, 0.03, 0.02, 1.0]) == [True, True, True, False]  # 0.03 <= 0.05 * 3 / 4
    assert discoveries([0.04, 1.0, 1.0, 1.0]) == [False] * 4
    assert discoveries([]) == []


@pytest.mark.parametrize("within", [None, 3.0])
@pytest.mark.parametrize("sizes", [(3,), (3, 3, 3), (2, 4)])
def test_many_draws_are_judged_by_the_same_rule(sizes, within):
    rng = np.random.default_rng(0)
    draws = [rng.normal(1 + i, 1.5 if within is None else 0.6, (200, n)) for i, n in enumerate(sizes)]
    found = supported(draws, 0.9, within)
    for i in range(200):
        estimate = Contrast({str(d): tuple(each[i]) for d, each in enumerate(draws)})
        assert (Question("", estimate, within=within).verdict(0.9) == SUPPORTED) == found[i]
    assert 0 < found.sum() < 200


def test_power_against_the_t_test():
    """One data set, one question: the power of a t test, but for gains that lie within the band."""
    from scipy import stats

    n, gain, scatter = 5, 3.0, 1.5
    shift, edge = gain / scatter * n**0.5, stats.t.ppf(0.975, n - 1)
    assert power(gain, scatter, (n,)) == pytest.approx(stats.nct.sf(edge, n - 1, shift), abs=0.03)
    assert power(gain, scatter, (n,), questions=9) < power(gain, scatter, (n,))
    assert power(0.0, scatter, (n,)) < 0.06 and np.isnan(power(gain, float("nan"), (n,)))


def test_power_of_a_claim_that_a_difference_is_small():
    """One data set: both ends of the t interval lie within the limit."""
    rng = np.random.default_rng(1)
    draws = rng.normal(0, 1.5, (20_000, 5))
    half = 2.776 * draws.std(1, ddof=1) / 5**0.5  # t at 0.975 with 4 degrees of freedom
    inside = (np.abs(draws.mean(1)) + half <= 2).mean()
    assert power(0.0, 1.5, (5,), within=2.0) == pytest.approx(inside, abs=0.03)
    assert power(0.0, 1.5, (5,), within=4.0) > 0.9 > power(3.0, 1.5, (5,), within=4.0)
    assert 3 < seeds_needed(0.0, 1.0, within=2.0) < seeds_needed(0.0, 2.0, within=2.0)


def test_seeds_that_are_needed():
    few, many = seeds_needed(5.0, 1.0), seeds_needed(2.0, 2.0)
    assert 2 < few < many
    assert power(2.0, 2.0, (many,)) >= 0.8 > power(2.0, 2.0, (many - 1,))
    assert seeds_needed(0.1, 5.0) is None
    few = seeds_needed(0.8, 0.5)  # with 31 seeds, the middle of the range, the gain counts as no effect
    assert power(0.8, 0.5, (few,)) >= 0.8 > max(power(0.8, 0.5, (few - 1,)), power(0.8, 0.5, (31,)))


def test_runs_that_all_end_at_one_end_of_the_range_are_told_as_a_rate():
    """By hand: of n of n runs, Clopper and Pearson's lower end is 0.025^(1 / n)."""
    for n in (3, 8):
        reach = 100 * (1 - 0.025 ** (1 / n))
        top, bottom = (Contrast({"x": (end,) * n}, "%", bounds=(0, 100)).interval() for end in (100.0, 0.0))
        assert top == pytest.approx((100 - reach, 100)) and bottom == pytest.approx((0, reach))
    low, high = Contrast({"x": (100.0, 100.0), "y": (100.0, 90.0)}, "%", bounds=(0, 100)).interval()
    assert low < 97.5 < high == 100, "one of them is not at the end, so Student's t holds"
    assert Contrast({"x": (3.0, 3.0)}).interval() == (3, 3)
