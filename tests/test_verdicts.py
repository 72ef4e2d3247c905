"""The verdict page: what it counts, and each judgment of the DCSS chapter on records made by hand."""

import numpy as np
import pytest

from dcbook.book.verdicts import NOT_YET, Claim, beats, combined, counted, gains, matters_little, page, recorded
from dcbook.chapters.dcss import claims
from dcbook.chapters.dcss.claims import judges
from dcbook.experiments import Record


def run(method, seed=0, acc=0.5, dataset="x", history=(), portrait=None):
    identity = {"method": method, "dataset": dataset, "seed": seed}
    return Record(identity, {"acc": acc, "nmi": acc}, list(history), {}, portrait or {})


def test_the_page_counts_and_says_why():
    claims = [
        Claim("1", "a beats b", "first", gains("a", "b")),
        Claim("2", "c beats b", "first", gains("c", "b")),
        Claim("3", "d beats b", "", f"{NOT_YET}: to come"),
        Claim("4", "e beats b", "", "not testable here: no data"),
    ]
    records = [run(m, s, a + s / 1000) for m, a in (("a", 0.6), ("b", 0.5), ("c", 0.4)) for s in range(3)]
    text = page("Title", "Hello.", claims, lambda claim: records)
    assert "Of 4 claims: 1 holds, 1 does not hold, 1 not testable here, 1 not tested yet." in text
    assert (
        "| 1 | 1 | a beats b | [first](first.ipynb) | **holds** | ACC +10.0 [+10.0, +10.0] points over 3 pairs" in text
    )
    assert "| 4 | 4 | e beats b |  | **not testable here** | not testable here: no data |" in text


def test_a_claim_without_records_is_not_tested_yet():
    verdict, evidence = Claim("1", "a beats b", "", gains("a", "b")).verdict([run("a")])
    assert verdict == NOT_YET and "no data set and seed has records of both a and b" in evidence


def test_verdicts_of_several():
    assert combined(["holds", "holds"]) == "holds"
    assert combined(["holds", "does not hold"]) == "holds in part"
    assert [counted(n, 3) for n in (3, 1, 0)] == ["holds", "holds in part", "does not hold"]


def phase1(*values, seed=0):
    return run("DCSS_u", seed, history=[dict(zip(judges.LOSSES, each, strict=True)) for each in values])


def test_losses_of_phase_1():
    falls, rises = (
        phase1((9, 5, 9.5), (10, 4, 10.4), (8, 3, 8.3)),
        phase1((9, 5, 9.5), (8, 6, 8.6), (7, 6, 7.6), seed=1),
    )
    assert judges.losses_fall([falls])[0] == "holds"
    assert judges.losses_fall([falls, rises])[0] == "holds in part"
    assert judges.reconstruction_is_traded([falls])[0] == "holds"
    assert judges.reconstruction_is_traded([rises])[0] == "does not hold"


def phase2(*losses, by_q=4, **shares):
    watched = {"lonely": 0.0, "similar": 0.1, "dissimilar": 0.9} | shares
    entries = [{"pairwise": loss, "judged_by_q": float(at >= by_q), **watched} for at, loss in enumerate(losses)]
    return run("DCSS", history=entries)


def test_the_drop_at_the_handover():
    sharp, smooth = phase2(100, 90, 80, 70, 30, 25, 20), phase2(100, 80, 64, 30, 28, 26, 24)
    assert judges.loss_drops_at_the_handover([sharp])[0] == "holds"
    assert "falls by 57 %" in judges.loss_drops_at_the_handover([sharp])[1]
    assert judges.loss_drops_at_the_handover([smooth])[0] == "does not hold"


def test_shares_that_vanish():
    def falls(*shares):
        return run("DCSS", history=[{"lonely": share} for share in shares])

    judge = judges.vanishes("lonely samples", lambda entry: entry["lonely"], 0.01)
    told = "lonely samples: 60.0 % at the first look, 0.5 to 0.5 % at the end"
    assert judge([falls(0.6, 0.1, 0.005)]) == ("holds", told)
    assert judge([falls(0.6, 0.005), falls(0.6, 0.02)])[0] == "holds in part"
    assert judge([falls(0.1, 0.005)])[0] == "holds in part"
    assert judge([falls(0.1, 0.05)])[0] == "does not hold"


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
    assert beats("alpha", 0.1, 0.0)(records)[0] == "holds"
    assert beats("alpha", 0.0, 0.1)(records)[0] == "does not hold"
    assert beats("alpha", 0.1, 7)(records)[0] == NOT_YET


def test_a_setting_that_matters_little():
    verdict, text = matters_little("m")(sweep_of("m", {1.1: 0.5, 1.5: 0.51, 3.0: 0.505}))
    assert verdict == "holds" and text.startswith("ACC 50.1 to 51.1 %, best at m = 1.5; NMI 50.1")
    assert matters_little("m")(sweep_of("m", {1.1: 0.5, 1.5: 0.53}))[0] == "does not hold"
    pairs = [at(seed=s, acc=0.5 + gamma / 100, zeta=0.8, gamma=gamma) for s in range(3) for gamma in (0.1, 0.2)]
    assert "zeta = 0.8, gamma = 0.2" in matters_little("zeta", "gamma")(pairs)[1]


def test_a_moderate_value_is_best():
    judge = judges.moderate_is_best("T2")
    assert judge(sweep_of("T2", {0: 0.4, 2: 0.6, 7: 0.5}))[0] == "holds"
    assert judge(sweep_of("T2", {0: 0.4, 2: 0.6, 7: 0.7}))[0] == "does not hold"


def test_who_leads_at_every_retention_rate():
    def contest(ours, theirs):
        return sweep_of("retention", ours) + sweep_of("retention", theirs, "DEC", noise=0.002)

    assert judges.leads_everywhere(contest({0.1: 0.6, 0.9: 0.7}, {0.1: 0.5, 0.9: 0.5}))[0] == "holds"
    assert judges.leads_everywhere(contest({0.1: 0.4, 0.9: 0.7}, {0.1: 0.5, 0.9: 0.5}))[0] == "holds in part"
    assert judges.leads_everywhere(contest({0.1: 0.4, 0.9: 0.4}, {0.1: 0.5, 0.9: 0.5}))[0] == "does not hold"


def test_a_wrong_number_of_clusters():
    judge = judges.wrong_k_costs
    assert judge(sweep_of("n_clusters", {4: 0.3, 10: 0.6, 16: 0.5}))[0] == "holds"
    assert judge(sweep_of("n_clusters", {4: 0.3, 10: 0.6, 16: 0.7}))[0] == "holds in part"


def test_only_records_of_the_runs_of_a_claim_are_read(tmp_path):
    assert recorded([], tmp_path) == []
    assert Claim("1", "a beats b", "", gains("a", "b")).verdict([])[0] == NOT_YET


def test_maps_and_residuals():
    near, mixed = [[0, 0], [0, 1], [9, 9], [9, 8]] * 6, [[0, 0], [0, 1]] * 12
    portrait = {"maps": {"a": near, "b": mixed}, "labels": [0, 0, 1, 1] * 6, "residuals": [97, 1, 1, 1] + [0] * 36}
    record = run("DCSS", portrait=portrait)
    assert judges.neighbors("a", "b")([record, record])[1].startswith("neighbors of one's own class on the map: +")
    assert judges.neighbors("b", "a")([record, record])[0] == "does not hold"
    assert judges.one_hot([record])[0] == "holds"
    assert judges.one_hot([run("DCSS", portrait=portrait | {"residuals": [50] * 40})])[0] == "does not hold"


def filters(dcss_learns, twin_learns, seed=0):
    """Untrained filters, and some that went a part of the way to those of the supervised network."""
    start, goal = np.random.default_rng(seed).normal(size=(2, 4, 1, 5, 5))
    ways = {"untrained": 0, "autoencoder": 0, "DCSS": dcss_learns, "supervised": twin_learns}
    networks = {name: ((1 - way) * start + way * goal).tolist() for name, way in ways.items()}
    networks["supervised, another start"] = goal.tolist()
    return run("DCSS, convolutional", seed, portrait={"filters": networks, "covariance": np.eye(25).tolist()})


def test_filters_beside_supervised_ones():
    def verdict(*learned):
        return judges.filters_resemble([filters(*learned, seed) for seed in range(3)])[0]

    assert verdict(0.5, 0.6) == "holds"
    assert verdict(-0.1, 0.6) == "does not hold"
    assert verdict(0.5, -0.1) == NOT_YET  # the labels themselves teach no common filters: nothing to resemble


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.text[:40])
def test_every_claim_names_a_notebook_that_is_there_or_says_why_not(claim, request):
    notebooks = request.config.rootpath / "notebooks" / "dcss"
    assert (notebooks / f"{claim.notebook}.ipynb").exists() if claim.notebook else isinstance(claim.judge, str)
