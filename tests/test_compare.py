import math

import pandas as pd
import pytest

from dcbook.book import reported
from dcbook.experiments import Counterpart, compare, gaps, read_reported, render, write_csv
from dcbook.experiments.records import Record
from dcbook.experiments.reported import counterpart


def record(method, dataset, seed, acc, nmi=0.5, params=None, data="d"):
    run = {"method": method, "estimator": method, "params": params or {}, "dataset": dataset, "sampling": {}}
    run |= {"seed": seed, "scale": "laptop", "start": None}
    return Record(run, {"acc": acc, "nmi": nmi}, [], {"data": {"digest": dataset + data}})


TABLE1 = reported("dcss/table1")
RECORDS = [
    record("k-means", "usps", 0, 0.6767, nmi=0.6),  # 65.67 and 62.0: both differ by 2.00 points, which agrees
    # DEC on USPS: the paper says 75.81; by hand, mean 74 and std 1 (ddof 1) of 73, 74, 75
    *(record("DEC", "usps", seed, acc, nmi=0.769) for seed, acc in enumerate((0.73, 0.75, 0.74))),
    record("AE+k-means", "usps", 0, 0.7712, nmi=0.7),  # 75.11: 2.01 above
    record("DCSS_agg", "usps", 0, 0.70),  # 76.38, in Table 2 alone
    record("DCSS", "mnist-test", 0, 0.9, nmi=0.95),  # 98.00 and 94.71, on all of MNIST
    record("DCSS", "digits", 0, 0.9),
    record("New", "usps", 0, 0.9),
]


def by_name(frame):
    return {(row.method, row.dataset, row.metric): row for row in frame.itertuples(index=False)}


def test_a_comparison_worked_by_hand():
    frame = compare(RECORDS, [TABLE1, reported("dcss/table2")])
    assert list(frame.columns) == [
        *("method", "dataset", "metric", "mean", "std", "n", "reported", "reported_on", "difference", "verdict")
    ]
    rows = by_name(frame)
    dec = rows["DEC", "usps", "acc"]
    assert (dec.mean, dec.std, dec.n, dec.reported) == pytest.approx((74.0, 1.0, 3, 75.81))
    assert (dec.difference, dec.verdict, dec.reported_on) == (-1.81, "agrees", "usps")
    assert rows["DEC", "usps", "nmi"].difference == -0.01
    assert rows["DEC", "usps", "nmi"].std == pytest.approx(0)
    assert (rows["k-means", "usps", "acc"].difference, rows["k-means", "usps", "acc"].verdict) == (2.0, "agrees")
    assert (rows["k-means", "usps", "nmi"].difference, rows["k-means", "usps", "nmi"].verdict) == (-2.0, "agrees")
    assert math.isnan(rows["k-means", "usps", "acc"].std)
    assert (rows["AE+k-means", "usps", "acc"].difference, rows["AE+k-means", "usps", "acc"].verdict) == (2.01, "above")
    assert (rows["DCSS_agg", "usps", "acc"].difference, rows["DCSS_agg", "usps", "acc"].verdict) == (-6.38, "below")
    part = rows["DCSS", "mnist-test", "acc"]
    assert (part.difference, part.verdict) == (-8.0, "below, on a part of its data")
    assert part.reported_on == "mnist (ours: 10,000 of its 70,000 images)"
    other = rows["DCSS", "digits", "acc"]
    assert (other.reported, other.verdict) == (98.0, "not comparable: other data")
    assert math.isnan(other.difference)
    new = rows["New", "usps", "acc"]
    assert (new.verdict, new.reported_on) == ("not in the paper", "")
    assert math.isnan(new.reported)


def test_rows_come_in_the_order_of_the_data_sets_and_of_the_records():
    frame = compare([*RECORDS[4:], *RECORDS[:4]], [TABLE1, reported("dcss/table2")], metrics=["acc"])
    assert list(zip(frame["dataset"], frame["method"], strict=True)) == [
        *(("usps", method) for method in ("AE+k-means", "DCSS_agg", "New", "k-means", "DEC")),
        ("mnist-test", "DCSS"),
        ("digits", "DCSS"),
    ]


def test_gaps_are_the_differences_of_more_than_two_points():
    frame = compare(RECORDS, [TABLE1, reported("dcss/table2")], metrics=["acc"])
    assert list(gaps(frame)["method"]) == ["AE+k-means", "DCSS_agg", "DCSS"]
    assert list(gaps(frame, points=7)["method"]) == ["DCSS"]
    assert gaps(frame, points=1.8)["method"].tolist() == ["k-means", "DEC", "AE+k-means", "DCSS_agg", "DCSS"]


def test_the_table_in_words():
    text = render(compare(RECORDS[:4], TABLE1, metrics=["acc"]))
    assert text == (
        "| method  | data set | metric | paper | ours: mean ± std (n) | difference | verdict |\n"
        "|---------|----------|--------|-------|----------------------|------------|---------|\n"
        "| k-means | usps     | ACC    | 65.67 | 67.67 (1)            | +2.00      | agrees  |\n"
        "| DEC     | usps     | ACC    | 75.81 | 74.00 ± 1.00 (3)     | -1.81      | agrees  |\n"
    )
    assert render(compare([], TABLE1)).count("\n") == 2


def test_the_table_as_csv(tmp_path):
    frame = compare(RECORDS, [TABLE1, reported("dcss/table2")], metrics=["acc"])
    write_csv(frame, tmp_path / "new" / "table.csv")
    lines = (tmp_path / "new" / "table.csv").read_bytes().decode().split("\n")
    assert lines[0] == "method,dataset,metric,mean,std,n,reported,reported_on,difference,verdict"
    assert lines[1] == "k-means,usps,acc,67.6700,,1,65.67,usps,2.00,agrees"
    assert lines[2] == "DEC,usps,acc,74.0000,1.0000,3,75.81,usps,-1.81,agrees"
    assert lines[5] == "New,usps,acc,90.0000,,1,,,,not in the paper"
    assert lines[-1] == ""
    back = pd.read_csv(tmp_path / "new" / "table.csv")
    assert back["difference"].tolist() == pytest.approx(frame["difference"].tolist(), nan_ok=True)


def test_runs_that_differ_in_more_than_the_seed_are_not_averaged():
    for other in (record("DEC", "usps", 1, 0.5, params={"lr": 1}), record("DEC", "usps", 1, 0.5, data="e")):
        with pytest.raises(
            ValueError, match=r"DEC on usps, seed 0 and DEC on usps, seed 1 differ in their (settings|data)"
        ):
            compare([RECORDS[1], other], TABLE1)
    with pytest.raises(ValueError, match="DEC has two records on usps with one seed; choose one"):
        compare([*RECORDS, RECORDS[1]], TABLE1)


def test_a_counterpart_of_ones_own():
    frame = compare([record("DEC", "mine", 0, 0.76)], TABLE1, counterparts={"mine": Counterpart("usps")})
    assert frame["verdict"].tolist() == ["agrees", "below"]
    assert compare([record("DEC", "mine", 0, 0.76)], TABLE1)["verdict"].tolist() == ["not in the paper"] * 2
    with pytest.raises(ValueError, match="kind must be"):
        Counterpart("usps", kind="half")


@pytest.mark.parametrize("sampling", [{"retention": 0.1}, {"noise": 0.5, "subset": 100}, {"mixed_with": "mnist"}])
def test_an_altered_sample_is_other_data(sampling):
    altered = record("DEC", "usps", 0, 0.76)
    altered.run["sampling"] = sampling
    found = compare([altered], TABLE1)
    assert set(found["verdict"]) == {"not comparable: other data"} and found["difference"].isna().all()


def test_a_sample_of_a_part_says_its_own_size():
    beside = counterpart({"dataset": "mnist-test", "sampling": {"subset": 500}})
    assert (beside.kind, str(beside)) == ("part", "mnist (ours: 500 of its images)")


@pytest.mark.parametrize("value", ["", "-"])
def test_a_reported_value_is_a_number(tmp_path, value):
    path = tmp_path / "table.csv"
    path.write_text(f"method,dataset,metric,value,status\nDEC,usps,acc,1.5,checked\nDEC,usps,nmi,{value},checked\n")
    with pytest.raises(ValueError, match=r"table.csv: the value in line 3 is not a number"):
        read_reported(path)


def test_reported_numbers_say_whether_they_were_checked():
    assert set(TABLE1["status"]) == {"checked"}
    assert set(reported("deepcluster/table3")["status"]) == {"transcribed, unverified"}
    table = TABLE1.set_index(["method", "dataset", "metric"])["value"]
    # arXiv 2405.03590, Table 1
    assert table["DCSS", "mnist", "acc"] == 98.00
    assert table["DCSS_u", "usps", "nmi"] == 81.84
    assert table["k-means", "2mnist", "acc"] == 32.31
    assert [len(reported(f"dcss/table{i}")) for i in range(1, 6)] == [248, 28, 84, 56, 8]
    with pytest.raises(FileNotFoundError, match=r"no reported table 'table9' in .*: there are table1, table2, "):
        reported("dcss/table9")
    with pytest.raises(
        ValueError, match="not a table of methods on data sets; its columns are method, dataset, layer, "
    ):
        compare([], reported("deepcluster/table1"))


def test_a_table_that_nobody_checked_is_marked():
    frame = compare([record("DeepCluster", "oxford5k", 0, 0.6)], reported("deepcluster/table5"),
                    counterparts={"oxford5k": Counterpart("oxford5k")}, metrics=["acc"])  # fmt: skip
    assert frame["verdict"].tolist() == ["not in the paper"]
    run = Record(record("DeepCluster", "oxford5k", 0, 0.6).run, {"mAP": 0.6}, [], {"data": {"digest": ""}})
    frame = compare(
        [run], reported("deepcluster/table5"), counterparts={"oxford5k": Counterpart("oxford5k")}, metrics=["mAP"]
    )
    assert frame["reported_on"].tolist() == ["oxford5k (unverified)"]
