"""The long runs in their order: what is left is made, what is done stays, and a budget ends it."""

import os
from dataclasses import replace
from functools import partial
from itertools import product
from types import SimpleNamespace

import pytest

from dcbook.book import evidence, pages
from dcbook.book.agenda import Item, agenda, not_run, told_seeds
from dcbook.book.chapters import chapters, part
from dcbook.data import DataError
from dcbook.experiments import Method, Record, Scale, records, runs
from dcbook.experiments.result import Result
from dcbook.methods import AEKMeans, KMeans, Pretraining

METHODS = {
    "k-means": Method(KMeans, {"n_init": 1}),
    "AE": Method(AEKMeans, {"start": Pretraining(widths=(8,), epochs=400, batch_size=50)}),
}


def give(method, dataset="digits"):
    scale = Scale({dataset: {"subset": 100} if dataset == "digits" else {}}, (0, 1), METHODS, name="paper")
    return lambda: runs(scale, [method])


@pytest.fixture
def book(monkeypatch, tmp_path):
    """A book of two chapters, with its output in a folder of its own."""
    one = SimpleNamespace(EVIDENCE=[(3, "third", give("AE")), (1, "first", give("k-means"))])
    two = SimpleNamespace(EVIDENCE=[(2, "second, of data that is not here", give("k-means", "usps"))])
    rooms = {"one": one, "two": two, "three": SimpleNamespace()}
    monkeypatch.setattr("dcbook.book.agenda.chapters", lambda: list(rooms))
    monkeypatch.setattr("dcbook.book.agenda.part", lambda chapter, _: rooms[chapter])
    monkeypatch.setattr(evidence.os, "nice", lambda _: None)
    monkeypatch.setenv("DCBOOK_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("DCBOOK_DATA", str(tmp_path / "no data"))
    return tmp_path / "output" / "figures" / "paper"


def test_all_is_made_in_the_order_of_the_ranks_and_once(book, capsys):
    assert [item.title[:5] for item in agenda()] == ["first", "secon", "third"]
    assert evidence.main(["--jobs", "1", "--list"]) == 0
    assert "0     2               ?  first, seeds 0, 1" in capsys.readouterr().out and not book.exists()
    assert evidence.main(["--jobs", "1"]) == 1, "one was left out"
    told = capsys.readouterr().out
    assert told.index("one: first") < told.index("two: second") < told.index("one: third")
    assert "left out, its data is not here" in told and "usps" in told
    assert "2     0             0 s  first" in told and "0     2" in told and "2     0             0 s  third" in told
    made = {path: path.read_bytes() for path in book.rglob("*.json")}
    assert len(made) == 4
    assert evidence.main(["--jobs", "1"]) == 1
    assert {path: path.read_bytes() for path in book.rglob("*.json")} == made
    assert "one: " not in capsys.readouterr().out


def test_a_spent_budget_leaves_the_rest_for_the_next_time(book, capsys):
    code = evidence.main(["--jobs", "1", "--hours", "0.00002"])  # less than a tenth of a second
    left, told = 4 - len(list(book.rglob("*.json"))), capsys.readouterr().out
    assert left and "the time budget is spent" in told
    assert code == ("left out" in told), "a fast machine comes to the data that are not here"
    assert evidence.main(["--jobs", "1"]) == 1, "one was left out"
    assert len(list(book.rglob("*.json"))) == 4


def test_a_budget_that_ends_between_two_items_is_told(book, capsys):
    assert evidence.main(["--jobs", "1", "--hours", "1e-12"]) == 0
    assert "Stopped: the time budget is spent" in capsys.readouterr().out and not book.exists()


@pytest.mark.parametrize("wrong", [["--hours", "0"], ["--jobs", "0"], ["--hours", "nan"]])
def test_wrong_arguments_are_refused(book, wrong, capsys):
    assert evidence.main(wrong) == 2
    assert "hours must be above 0 and jobs at least 1" in capsys.readouterr().err


def test_a_failure_is_the_exit_code(book, monkeypatch, capsys):
    broken = Scale({"digits": {"subset": 100}}, (0,), {"k-means": Method(KMeans, {"n_clusters": 101})}, name="paper")
    room = SimpleNamespace(EVIDENCE=[(1, "fails", lambda: runs(broken)), (2, "works", give("k-means"))])
    monkeypatch.setattr("dcbook.book.agenda.chapters", lambda: ["one"])
    monkeypatch.setattr("dcbook.book.agenda.part", lambda *_: room)
    assert evidence.main(["--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "1 failed" in told and len(list(book.rglob("*.json"))) == 2, "the other runs are made"


def test_what_cannot_be_run_is_told_and_the_list_goes_on(book, monkeypatch, capsys):
    def swept(runs_, *_, **__):
        if runs_[0].method == "k-means":
            raise DataError("usps is cut off")
        return Result()

    monkeypatch.setattr(evidence, "sweep", swept)
    assert evidence.main(["--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert told.count("left out: usps is cut off") == 2 and "not here:" not in told and "one: third" in told


def test_a_record_that_todays_code_did_not_make_is_told(book, capsys):
    runs_, folder = give("k-means")(), book / "one" / "records"
    old = {"parameters": {"n_init": 1, "max_iter": 7}, "data": {"digest": ""}}
    records.write(Record(runs_[0].identity, {"acc": 0.5}, [], old), folder)
    assert evidence.main(["--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "one: first, seeds 0, 1\n  left out: k-means on digits, seed 0: its record was made with other data" in told
    assert not records.path_of(runs_[1].identity, folder).exists() and "one: third" in told


def test_ctrl_c_ends_it_with_130(book, monkeypatch, capsys):
    monkeypatch.setattr(evidence, "sweep", lambda *_, **__: Result(interrupted=True))
    assert evidence.main(["--jobs", "1"]) == 130
    said = capsys.readouterr()
    assert "the same command goes on" in said.err and "two: second" not in said.out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no priorities of this kind")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(("option", "lowest"), [("--jobs=1", True), ("--list", False)])
def test_runs_have_the_lowest_priority_and_the_list_does_not(monkeypatch, option, lowest):
    priority = partial(os.getpriority, os.PRIO_PROCESS, 0)
    wanted = 19 if lowest else priority()
    monkeypatch.setattr(evidence, "agenda", list)
    monkeypatch.setattr(evidence, "work", lambda *_: os._exit(priority() != wanted))
    child = os.fork()
    if not child:
        try:
            evidence.main([option])
        finally:
            os._exit(priority() != wanted)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def estimate(folder, jobs, left):
    """What the list says of these runs, where seeds 0 and 1 of `KIND` took 100 s and 140 s."""
    done = Item("contrastive", "done", KIND[:2], folder)
    for run, seconds in zip(done.runs, (100, 140), strict=True):
        records.write(Record(run.identity, {"acc": 0.5}, [], {"seconds": seconds}), done.folder)
    items = [done, Item("contrastive", "to do", left, folder)]
    for item in items:
        item.look()
    line = evidence.table(items, jobs).splitlines()[-1]
    assert line.split()[0] == "contrastive"
    return line.split(None, 3)[-1].partition("  to do")[0]


AE = Method(AEKMeans, {"start": Pretraining(widths=(8,), epochs=2)})
OF_FIVE = Scale({"digits": {"subset": 100}}, (0, 1, 2, 3, 4), {"AE": AE, "on top": Method(AEKMeans, {}, "AE")})
KIND = runs(OF_FIVE, ["on top"])


@pytest.mark.parametrize(
    ("jobs", "left", "told"), [(1, KIND[2:3], "2:00 min"), (1, KIND[2:], "6:00 min"), (2, KIND[2:4], "2:00 min")]
)
def test_other_seeds_of_a_run_tell_how_long_it_takes(tmp_path, jobs, left, told):
    assert estimate(tmp_path, jobs, left) == told


def test_one_run_is_no_faster_on_two_cores(tmp_path):
    assert estimate(tmp_path, 2, KIND[2:3]) == "2:00 min"
    assert estimate(tmp_path, 8, KIND[2:]) == "2:00 min"


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"n_init": 3}},
        {"sampling": {"subset": 200}},
        {"dataset": "usps"},
        {"scale": "laptop"},
        {"start": replace(KIND[2].start, params={"start": Pretraining(widths=(8,), epochs=3)})},
    ],
)
def test_runs_of_another_kind_tell_nothing(tmp_path, change):
    other = replace(KIND[2], **change)
    assert estimate(tmp_path, 1, [other]) == "?"
    assert estimate(tmp_path, 1, [KIND[3], other]) == "2:00 min + ?"


def test_what_was_not_run_is_listed_by_title(book, monkeypatch):
    scale = Scale({"digits": {"subset": 100}}, (0, 1), {"k-means": METHODS["k-means"]}, name="paper")
    of = [(10 * s, "k-means", lambda s=s: runs(scale, seeds=[s])) for s in range(3)] + [(5, "AE", give("AE"))]
    monkeypatch.setattr("dcbook.book.agenda.part", lambda *_: SimpleNamespace(EVIDENCE=of))
    base = book.parents[1]
    records.write(Record(runs(scale)[0].identity, {"acc": 0.5}, [], {}), base / "figures/paper/one/records")
    told = ["- k-means (`paper`): 1 of 3 runs, seeds 0 to 2", "- AE (`paper`): 0 of 2 runs, seeds 0, 1"]
    monkeypatch.setenv("DCBOOK_OUTPUT", str(base / "elsewhere"))
    assert not_run("one", base) == "\n".join(told)
    for run in (*runs(scale, seeds=[1, 2]), *give("AE")()):
        records.write(Record(run.identity, {"acc": 0.5}, [], {}), base / "figures/paper/one/records")
    assert not_run("one", base) == "" and not_run("one", base / "elsewhere").count("0 of") == 2


def test_a_page_ends_with_what_was_not_run():
    assert pages.page("T", "I", [], [], "- all").endswith("\n\n## Not run yet\n\n" + pages.TO_COME + "\n\n- all\n")
    assert "Not run" not in pages.page("T", "I", [], [])


@pytest.mark.parametrize(("seeds", "told"), [([3], "seed 3"), ([1, 0, 1], "seeds 0, 1"), ([4, 2, 3], "seeds 2 to 4")])
def test_seeds_in_words(seeds, told):
    assert told_seeds(seeds) == told and told_seeds([0, 2, 4]) == "seeds 0, 2, 4"


def test_the_books_own_list_holds_runs_of_its_grids():
    items = agenda()
    assert items and {item.chapter for item in items} <= set(chapters())
    of_grids = {
        chapter: {
            records.key(run.identity)
            for grid in part(chapter, "grids").GRIDS.values()
            for scale in ("laptop", "paper")
            for run in grid(scale)
        }
        for chapter in chapters()
    }
    for item in items:
        assert item.runs and {records.key(run.identity) for run in item.runs} <= of_grids[item.chapter]


# Issue 17, line 3: what there is to run. One test for each of its sentences.
FIVE = range(5)
WHOLE = ("usps", "mnist", "fashion-mnist")
DEEP = ("DEC", "IDEC", "DCN", "DKM")


def first(run):
    """The name of the pretraining that a run goes back to."""
    return first(run.start) if run.start else run.method


def missing(chapter, methods, datasets, seeds=FIVE, wanted=lambda run: True):
    """Those of these runs that the list lacks."""
    listed = [run for item in agenda([chapter]) for run in item.runs if run.scale == "paper"]
    there = {(run.method, run.dataset, run.seed) for run in listed if wanted(run)}
    return sorted(set(product(methods, datasets, seeds)) - there)


def convolutional(run):
    return first(run) == "convolutional autoencoder" and run.watch is None


def test_evidence_has_the_convolutional_runs():
    methods = ["AE+k-means", "DCSS_u", "DCSS", "DCSS_u, alpha 0", "DCSS, alpha 0", *DEEP, *(f"{m}+MNet" for m in DEEP)]
    assert not missing("dcss", methods, [*WHOLE, "mnist-test", "fashion-mnist-test"], wanted=convolutional)
    assert not missing("dcss", ["DCSS, 20 epochs"], ["usps"], wanted=convolutional)
    summed = [run for item in agenda(["dcss"]) for run in item.runs if run.method == "DCSS_u"]
    assert all(run.params["one_update"] for run in summed)


def test_evidence_has_the_exact_k_updates_of_one_seed():
    in_turn = lambda run: convolutional(run) and not run.params.get("one_update")  # noqa: E731
    assert not missing("dcss", ["DCSS_u, K updates"], ["usps", "mnist"], [0], in_turn)
    alone = [item for item in agenda(["dcss"]) if {run.method for run in item.runs} == {"DCSS_u, K updates"}]
    assert [item.runs[0].dataset for item in alone] == ["usps", "mnist"], "they don't wait for Table 2"


def test_evidence_has_table_1_with_2mnist_after_all_others():
    connected = lambda run: first(run) == "autoencoder"  # noqa: E731
    assert not missing("dcss", [*DEEP, "VaDE"], [*WHOLE, "2mnist"], wanted=connected)
    assert not missing("dcss", ["k-means", "LSSC", "LPMF"], [*WHOLE, "2mnist"])
    last = [{run.dataset for run in item.runs} == {"2mnist"} for item in agenda(["dcss"])]
    assert last == sorted(last) and any(last)


@pytest.mark.parametrize(
    "figure", ["imbalance", "alpha", "fuzziness", "updates_of_centers", "handover", "thresholds", "wrong_k"]
)
def test_evidence_has_each_setting_with_five_seeds(figure):
    listed = {records.key(run.identity) for item in agenda(["dcss"]) for run in item.runs}
    grid = part("dcss", "grids").GRIDS[figure]("paper", FIVE)
    assert grid and {records.key(run.identity) for run in grid} <= listed
    assert all(convolutional(run) for run in grid if run.method in ("AE+k-means", "DCSS_u", "DCSS"))


def test_evidence_has_table_2_on_usps_and_on_the_test_images_of_mnist():
    assert not missing("dcss", ["DCSS_u, K updates", "DCSS_agg"], ["usps", "mnist-test"], wanted=convolutional)


def test_evidence_has_ten_thousand_images_with_both_starts_of_k_means_and_probes():
    assert all("probes" in run.watch.name for item in agenda(["deepcluster"]) for run in item.runs)
    for k, warm in product((10, 30, 100, 300), (True, False)):
        how = {"n_clusters": k} | ({} if warm else {"warm_start": False, "tol": 0.0})
        for dataset, sampling in {"cifar10": {"subset": 10_000}, "fashion-mnist-test": {}}.items():

            def wanted(run, how=how, sampling=sampling, warm=warm):
                same = {name: run.params.get(name) for name in how} == how and run.sampling == sampling
                return same and run.params["epochs"] == 32 and run.params.get("warm_start", True) == warm

            assert not missing("deepcluster", ["DeepCluster"], [dataset], wanted=wanted)


def test_evidence_has_figs_1_and_3_of_rdc():
    methods = ["DEC after reconstruction", "DEC after contrastive", "DynAE (frozen critic)", "DynAE", "IDEC", "DEC"]
    assert not missing("rdc", methods, ["fashion-mnist", "mnist-test"])


def test_three_seeds_come_before_the_fourth_and_fifth():
    of_usps = [item.runs[0].seed for item in agenda(["dcss"]) if item.title == "usps, convolutional start: DCSS"]
    assert of_usps == [0, 1, 2, 3, 4]
    seeds = {}
    for place, item in enumerate(agenda(["dcss"])):
        seeds.setdefault((item.title, item.runs[0].seed > 2), []).append(place)
    assert seeds["mnist, convolutional start: DCSS", False][-1] < seeds["usps, convolutional start: DCSS", True][0]


def test_titles_say_which_data_set():
    for item in agenda(["dcss"]):
        assert {run.dataset for run in item.runs} == {item.title.partition(",")[0]}
        assert len({run.seed for run in item.runs}) == 1 and "seed" not in item.title
