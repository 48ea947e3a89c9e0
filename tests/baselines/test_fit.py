"""Baselines fitted from files: exact counts on their bins, whatever the format, the batches and the size."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from monitor.baselines import tables
from monitor.errors import ConfigError, SourceError
from monitor.profiles.bins import bin_column, edges_of
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.layout import SCORE, SCORE_EDGES, FeatureBin, Quality
from monitor.store import Store
from tests.baselines.files import FORMATS, fitted, kept, write
from tests.builders import T0_MS, encode, record

NULL, OTHER, INVALID, NONFINITE = (
    int(b) for b in (FeatureBin.NULL, FeatureBin.OTHER, FeatureBin.INVALID, FeatureBin.NONFINITE)
)


def some_rows(n: int = 5000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 1, n)
    amount[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "amount": amount,
            "age": rng.integers(18, 90, n),
            "plan": rng.choice(["a", "b", None], n, p=[0.6, 0.3, 0.1]),
            "new": rng.random(n) < 0.3,
        }
    )


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_same_counts(tmp_path: Path, store: Store, format: str) -> None:
    rows = some_rows()
    found = kept(store, fitted(write(tmp_path / f"rows.{format}", rows)))
    assert (found.rows, found.names) == (5000, ("amount", "age", "plan", "new"))
    assert found.counts[:, : NONFINITE + 4].sum(axis=1).tolist() == [5000] * 4
    for i, name in enumerate(("amount", "age")):
        bins = found.features[name].bins
        assert bins is not None
        assert bins.edges is not None
        values = rows[name].dropna().to_numpy(np.float64)
        np.testing.assert_allclose(bins.edges, edges_of(values), rtol=1e-12)
        inside = np.histogram(values, np.concatenate(([-np.inf], bins.edges, [np.inf])))[0]
        np.testing.assert_array_equal(found.counts[i, : len(inside)], inside)
    assert found.counts[0, NULL] == rows["amount"].isna().sum()
    plans = [int((rows["plan"] == c).sum()) for c in "ab"]
    assert found.counts[2, [0, 1, NULL]].tolist() == [*plans, int(rows["plan"].isna().sum())]
    assert found.counts[3, [0, 1]].tolist() == [int((~rows["new"]).sum()), int(rows["new"].sum())]
    kinds = [found.features[n].contract.type for n in found.names]  # type: ignore[union-attr]  # fitted
    assert kinds == [ValueType.NUMBER, ValueType.INTEGER, ValueType.TEXT, ValueType.BOOLEAN]


columns = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-5, 5)),
        st.one_of(st.none(), st.sampled_from(["x", "y", "zä", 'w,"q'])),
    ),
    min_size=1,
    max_size=200,
)


@given(columns, st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_the_cut_into_batches_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any]], at_once: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "rows.parquet"
    write(path, pd.DataFrame(rows, columns=["n", "t"]).astype({"n": float, "t": object}))
    whole = fitted(path).new
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_AT_ONCE", at_once)
        cut = fitted(path).new
    assert whole.slots[-1].counts == cut.slots[-1].counts
    assert {n: f.contract for n, f in whole.features.items()} == {
        n: f.contract for n, f in cut.features.items()
    }


def test_a_large_file_is_sampled_alike_however_it_is_cut(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than the sample holds; the equal-mass bins stay within their stated width."""
    values = np.random.default_rng(5).lognormal(size=450_000)
    path = write(tmp_path / "rows.parquet", pd.DataFrame({"x": values}))
    found = kept(store, fitted(path))
    share = found.counts[0, :200] / found.rows
    assert share.sum() == 1
    assert share.max() < 0.005 + 5 * np.sqrt(0.005 / 100_000)
    other = np.random.default_rng(6).lognormal(0.1, 1, 20_000)
    bins = found.features["x"].bins
    assert bins is not None
    now = np.bincount(bin_column(bins, other), minlength=256)
    apart = np.abs(np.cumsum(share) - np.cumsum(now[:200] / len(other))).max()
    assert apart == pytest.approx(ks_2samp(values, other).statistic, abs=0.005)
    monkeypatch.setattr(tables, "_AT_ONCE", 7_777)
    assert fitted(path).new.slots[-1].counts == fitted(path).new.slots[-1].counts


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """A sample holds so many numbers at most, whatever came."""
    from monitor.baselines.sample import Sample, row_hashes

    sample = Sample(1000)
    for first in range(0, 200_000, 10_000):
        sample.add(np.arange(first, first + 10_000.0), row_hashes(first, 10_000))
    assert sample.numbers == 200_000
    assert 400 <= len(sample.sampled()) <= 1000
    assert sum(map(len, sample._numbers._values)) <= 1000


CASES: Mapping[str, tuple[list[Any], ValueType, Mapping[int, int]]] = {
    "constant": ([7.0] * 50, ValueType.INTEGER, {1: 50}),
    "all null": ([None] * 50, ValueType.ANY, {NULL: 50}),
    "heavy ties": ([0.0] * 49 + [0.5], ValueType.NUMBER, {1: 49, 2: 1}),
    "one category": (["a"] * 50, ValueType.TEXT, {0: 50}),
    "booleans": ([True] * 20 + [False] * 30, ValueType.BOOLEAN, {0: 30, 1: 20}),
    "dates as text": ([f"2026-01-{i:02}" for i in range(1, 26)] * 2, ValueType.TEXT, {0: 2, 24: 2}),
    "a few texts among numbers": ([1.5] * 49 + ["oops"], ValueType.NUMBER, {1: 49, INVALID: 1}),
    "a few numbers among texts": (["a"] * 49 + [3.5], ValueType.TEXT, {0: 49, INVALID: 1}),
    "an object among numbers": ([1.5] * 49 + [{"a": 1}], ValueType.NUMBER, {1: 49, INVALID: 1}),
    "an infinity": ([1.5] * 49 + [float("inf")], ValueType.NUMBER, {1: 49, NONFINITE: 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_column_is_defined(tmp_path: Path, store: Store, case: str) -> None:
    values, kind, expected = CASES[case]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"x": v}) + "\n" for v in values))
    fit = fitted(path)
    found = kept(store, fit)
    contract = found.features["x"].contract
    assert contract is not None
    assert contract.type == kind
    assert {c: int(found.counts[0, c]) for c in expected} == dict(expected)
    assert np.isfinite(found.counts).all()
    told = [w for w in fit.warnings if w.startswith("x: ")]
    assert bool(told) == any(word in case for word in ("null", "among", "infinity"))


def test_rare_categories_are_counted_as_other(tmp_path: Path, store: Store) -> None:
    values = [f"c{i}" for i in range(300) for _ in range(300 - i)]
    found = kept(store, fitted(write(tmp_path / "rows.csv", pd.DataFrame({"x": values})), categories=240))
    bins, contract = found.features["x"].bins, found.features["x"].contract
    assert bins is not None
    assert contract is not None
    assert set(bins.categories or ()) == {f"c{i}" for i in range(240)}
    assert found.counts[0, OTHER] == sum(300 - i for i in range(240, 300))
    assert contract.categories is None


def test_ten_thousand_categories_and_more(tmp_path: Path, store: Store) -> None:
    values = [f"common{i % 5}" for i in range(20_000)] + [f"id{i}" for i in range(20_000)]
    fit = fitted(write(tmp_path / "rows.csv", pd.DataFrame({"x": values})))
    bins = kept(store, fit).features["x"].bins
    assert bins is not None
    assert {f"common{i}" for i in range(5)} <= set(bins.categories or ())
    assert any("nearly every value differs" in w for w in fit.warnings)


def test_texts_that_look_like_numbers_are_texts_among_texts(tmp_path: Path, store: Store) -> None:
    values = ["12"] * 3 + ["A3"] * 97
    found = kept(store, fitted(write(tmp_path / "rows.csv", pd.DataFrame({"x": values}))))
    bins = found.features["x"].bins
    assert bins is not None
    assert bins.categories == ("12", "A3")
    assert found.counts[0, [0, 1]].tolist() == [3, 97]


MISTAKES: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    "no rows": ("rows.csv", "a,b\n", {}, "no rows; a baseline needs rows"),
    "nothing at all": ("rows.csv", "", {}, "is empty; a baseline needs rows"),
    "nothing at all, as JSON": ("rows.jsonl", "\n\n", {}, "no rows"),
    "mixed types": (
        "rows.jsonl",
        '{"x": 1}\n{"x": "a"}\n{"x": 2}\n',
        {},
        "columns of mixed types: x: 2 numbers and 1 texts",
    ),
    "a short line": ("rows.csv", "a,b\n1,2\n3\n", {}, "rows.csv: line 3: Expected 2 columns, got 1"),
    "a line that is not JSON": ("rows.jsonl", '{"x": 1}\n{"x": \n', {}, "rows.jsonl: line 2: "),
    "a line that is no object": ("rows.jsonl", '{"x": 1}\n[1]\n', {}, "line 2: is not a JSON object"),
    "a column twice": ("rows.csv", "a,a\n1,2\n", {}, "line 1: names the column 'a' twice"),
    "an unknown format": ("rows.xlsx", "?", {}, "is of no known format: give Parquet"),
    "no Parquet": ("rows.parquet", "?", {}, "is no readable Parquet file"),
    "an unknown column": (
        "rows.csv",
        "amount,age\n1,2\n",
        {"label": "amont", "features": ("aeg",)},
        "--label: there is no column 'amont'; did you mean 'amount'?\n--features: there is no column 'aeg'",
    ),
    "an unknown column of JSON": (
        "rows.jsonl",
        '{"x": 1}\n',
        {"label": "y"},
        "--label: there is no column 'y'",
    ),
    "a time that is none": ("rows.csv", "x,t\n1,soon\n", {"time": "t"}, "--time t: 'soon' is no time"),
    "seasons without times": ("rows.csv", "x\n1\n", {"seasonal": True}, "--seasonal: the rows have no times"),
    "records of other models": ("rows.jsonl", encode(record()).decode(), {}, "no rows of model 'm', only 1"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_says_what_is_wrong(tmp_path: Path, case: str) -> None:
    name, text, options, said = MISTAKES[case]
    (tmp_path / name).write_text(text)
    with pytest.raises((SourceError, ConfigError)) as raised:
        fitted(tmp_path / name, **options)
    assert said in str(raised.value)


def test_bytes_that_are_not_utf8_have_a_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"x\na\n\xff\n")
    with pytest.raises(SourceError, match=r"rows.csv: line 3: is not UTF-8"):
        fitted(tmp_path / "rows.csv")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        fitted(tmp_path / "rows.csv")


def test_inference_records(tmp_path: Path, store: Store) -> None:
    rows = [
        record(id=str(i), model="m" if i < 90 else "x", ts=T0_MS + i, attributions={"amount": -0.5})
        for i in range(100)
    ]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(map(encode, rows)))
    fit = fitted(tmp_path / "log.jsonl", version="3")
    found = kept(store, fit)
    assert found.rows == 90
    assert set(found.names) == {"amount", "plan", "new", "@prediction", "@score"}
    assert found.attribution[found.names.index("amount")] == 0.5
    assert any("10 records are of other models" in w for w in fit.warnings)


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_vectors_are_reduced_as_in_the_stream(tmp_path: Path, store: Store, format: str) -> None:
    rows = pd.DataFrame({"e": [[3.0, 4.0], [0.0, 1.0], None], "x": [1.0, 2.0, 3.0]})
    found = kept(store, fitted(write(tmp_path / f"rows.{format}", rows), features=("e",)))
    assert set(found.names) == {"e.norm", "e.length", "e.mean", "e.p0", "e.p1", "e.p2", "e.p3"}
    contract = found.features["e.norm"].contract
    assert contract is not None
    assert (contract.minimum, contract.maximum) == (1.0, 5.0)
    assert found.counts[found.names.index("e.norm"), NULL] == 1


def test_a_contract_that_was_edited_is_kept_to(tmp_path: Path, store: Store) -> None:
    contract = {
        "amount": FeatureContract(ValueType.NUMBER, minimum=10.0, maximum=30.0),
        "age": FeatureContract(ValueType.TEXT),
    }
    rows = some_rows()
    found = kept(store, fitted(write(tmp_path / "rows.csv", rows), contract=contract))
    assert found.counts[0, int(FeatureBin.BELOW)] == (rows["amount"] < 10).sum()
    assert found.counts[0, int(FeatureBin.ABOVE)] == (rows["amount"] > 30).sum()
    bins = found.features["age"].bins
    assert bins is not None
    assert bins.categories == tuple(map(str, range(18, 90)))


def test_hours_of_the_week_in_local_time(tmp_path: Path, store: Store) -> None:
    times = pd.date_range("2026-03-23", "2026-04-06", freq="10min", tz="UTC")  # the clocks change on the 29th
    rows = pd.DataFrame({"t": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "x": np.arange(len(times)) % 7})
    fit = fitted(write(tmp_path / "rows.csv", rows), time="t", seasonal=True, time_zone="Europe/Berlin")
    local = times.tz_convert("Europe/Berlin")
    expected = pd.Series(local.dayofweek * 24 + local.hour).value_counts()
    assert {slot: c.rows for slot, c in fit.new.slots.items() if slot >= 0} == expected.to_dict()


def test_validation_labels_by_bin_of_the_score(tmp_path: Path, store: Store) -> None:
    rng = np.random.default_rng(2)
    score = rng.random(3000).round(3)
    label = (rng.random(3000) < score).astype(int)
    rows = pd.DataFrame({"x": score, "s": score, "y": label, "p": (score > 0.4).astype(int)})
    found = kept(store, fitted(write(tmp_path / "r.csv", rows), prediction="p", score="s", label="y"))
    assert found.quality is not None
    counts, sums = found.quality["counts"], found.quality["sums"]
    assert (counts[Quality.SCORED], counts[Quality.CORRECT]) == (3000, (rows["p"] == rows["y"]).sum())
    assert sums[Quality.SUM_BRIER] == pytest.approx(((score - label) ** 2).sum())
    cells = (np.searchsorted(SCORE_EDGES, score, side="right") * 2 + rows["p"]) * 3 + label
    expected = {SCORE + int(c): int(n) for c, n in zip(*np.unique(cells, return_counts=True), strict=True)}
    assert {c: n for c, n in counts.items() if c >= SCORE} == expected
    assert set(found.classes) == {"0", "1"}


def test_validation_labels_that_are_numbers(tmp_path: Path, store: Store) -> None:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"x": rng.normal(size=500), "y": rng.normal(5, 2, 500)})
    rows["p"] = rows["y"] + rng.normal(size=500)
    found = kept(store, fitted(write(tmp_path / "r.parquet", rows), prediction="p", label="y"))
    assert found.quality is not None
    assert found.quality["counts"][Quality.MEASURED] == 500
    expected = np.abs(rows["p"] - rows["y"]).sum()
    assert found.quality["sums"][Quality.SUM_ABSOLUTE] == pytest.approx(expected)


LOAN = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")


@pytest.mark.parametrize("format", ["csv.gz", "parquet"])
def test_real_loans(shared: Path, tmp_path: Path, store: Store, format: str) -> None:
    folder = shared / "data" / "nannyml"
    before = pd.read_csv(folder / "synthetic_car_loan_reference.csv.gz", float_precision="round_trip")
    after = pd.read_csv(folder / "synthetic_car_loan_analysis.csv.gz", float_precision="round_trip")
    path = folder / "synthetic_car_loan_reference.csv.gz"
    if format == "parquet":
        path = write(tmp_path / "loans.parquet", before)
    found = kept(store, fitted(path, time="timestamp", label="repaid", score="y_pred_proba"))
    for name in LOAN:
        bins, counts = found.features[name].bins, found.counts[found.names.index(name)]
        assert bins is not None
        assert bins.edges is not None
        size = len(bins.edges) + 1
        exact = np.histogram(before[name], np.concatenate(([-np.inf], bins.edges, [np.inf])))[0]
        np.testing.assert_array_equal(counts[:size], exact)
        now = np.bincount(bin_column(bins, after[name].to_numpy(np.float64)), minlength=256)[:size]
        apart = np.abs(np.cumsum(exact) / len(before) - np.cumsum(now) / len(after)).max()
        assert apart == pytest.approx(ks_2samp(before[name], after[name]).statistic, abs=0.005)
    salaries = before["salary_range"].value_counts()
    categories = found.features["salary_range"].bins.categories  # type: ignore[union-attr]  # fitted
    assert dict(zip(categories or (), found.counts[found.names.index("salary_range")], strict=False)) == {
        name: salaries[name] for name in sorted(salaries.index)
    }


def test_real_prices_with_features_that_sleep(shared: Path, store: Store) -> None:
    path = shared / "data" / "elec2" / "elec.csv.gz"
    rows = pd.read_csv(path, float_precision="round_trip")
    found = kept(store, fitted(path, label="target"))
    assert found.rows == len(rows)
    for i, name in enumerate(found.names):
        bins = found.features[name].bins
        assert bins is not None
        assert bins.edges is not None
        exact = np.histogram(rows[name], np.concatenate(([-np.inf], bins.edges, [np.inf])))[0]
        np.testing.assert_array_equal(found.counts[i, : len(exact)], exact)
