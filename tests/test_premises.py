"""What a claim may have beside its questions: premises, and a protocol of its own."""

import pytest

from dcbook.book.protocol import Protocol
from dcbook.book.verdicts import Answer, Claim
from dcbook.experiments import Contrast, Question, Record
from dcbook.experiments.verdict import CONTRADICTED, SUPPORTED, UNDECIDED

RECORD = Record({"method": "A"}, {}, [], {})


def asked(mean, spread=0.2, **limits):
    return Question("gain", Contrast({"digits": (mean - spread, mean, mean + spread)}), **limits)


@pytest.mark.parametrize(
    ("premise", "gain", "verdict"),
    [(5, 5, SUPPORTED), (5, -5, CONTRADICTED), (-5, 5, UNDECIDED), (0, 5, UNDECIDED), (0, -5, UNDECIDED)],
)
def test_a_claim_is_undecided_unless_its_premise_is_supported(premise, gain, verdict):
    found = Answer([asked(gain)], premises=[asked(premise)])
    assert found.verdict == verdict
    assert (found.p() == 1) == (verdict == UNDECIDED)
    assert ("the premise is not supported" in found.evidence) == (premise <= 0)
    assert found.evidence.startswith("premise: gain")


def test_every_premise_counts_and_takes_its_share_of_the_level():
    assert Answer([asked(5)], premises=[asked(5), asked(0)]).verdict == UNDECIDED
    assert Answer([asked(5)], premises=[asked(5), asked(5)]).level == pytest.approx(1 - 0.05 / 3)
    # 1.5 ± 0.5 lies above 0 at 95 %, and not at 97.5 %
    alone, beside = Answer([asked(1.5, 0.5)]), Answer([asked(1.5, 0.5)], premises=[asked(50)])
    assert (alone.verdict, beside.verdict) == (SUPPORTED, UNDECIDED)


def test_a_claim_is_no_surer_than_its_premises():
    premise = asked(5, 1)
    for gain in (50, -50):
        assert Answer([asked(gain)], premises=[premise]).p() == premise.p() > 10 * Answer([asked(gain)]).p()


def test_a_question_that_allows_a_loss_has_no_power_for_a_gain():
    small = asked(0, 5, above=-1, band=None)
    assert Answer([small]).power(2) is None
    assert Answer([asked(0), small]).power(2) == Answer([asked(0), asked(0)]).power(2)


def test_a_question_that_asks_for_more_than_a_limit_has_no_power_for_a_gain_of_that_size():
    assert Answer([asked(5, above=2, band=None)]).power(2) is None


def test_a_claim_that_a_difference_is_small_has_the_power_to_support_none():
    found = Answer([asked(0.2, 0.5, within=2)]).power(2)
    assert found.gain == 0 and found.truth == "a true difference of 0"
    assert found.probability > Answer([asked(0.2, 3, within=2)]).power(2).probability
    assert Answer([asked(5), asked(0, within=2)]).power(2) == Answer([asked(5), asked(5)]).power(2), (
        "a gain comes first"
    )


def test_premises_lower_the_power():
    alone, beside = (Answer([asked(0, 0.5)], premises=[asked(5)] * n).power(2).probability for n in (0, 5))
    assert alone > beside


def test_a_claim_may_have_its_own_protocol():
    def little(records):
        return Protocol(0.0, False, 0.01)

    def none(records):
        return None

    def judge(records):
        return Answer([asked(-5)])

    assert Claim("1", "a claim", "", judge).verdict([RECORD], little).verdict == UNDECIDED
    assert Claim("1", "a claim", "", judge, protocol=none).verdict([RECORD], little).verdict == CONTRADICTED
    assert Claim("1", "a claim", "", judge, protocol=little).verdict([RECORD]).protocol == little([])
