"""Distances equal scipy's and numpy's on the raw values, of real data and of the odd features."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitor.profiles.bins import Bins
from monitor.profiles.layout import FeatureBin
from monitor.records import Column, Floats, Ints
from monitor.sli.drift import distances
from monitor.sli.drift_shape import Shape, cells_of, describe
from tests.sli.drifting import car_loan, coded, compare, elec2, tokens

FEATURES = ["car_value", "debt_to_income_ratio", "driver_tenure", "y_pred_proba"]
CATEGORIES = ["salary_range", "repaid_loan_on_prev_car", "size_of_downpayment", "y_pred"]


def facts(shared: Path, folder: str) -> Any:
    return json.loads((shared / "data" / folder / "facts.json").read_text())


def psi_on_deciles(reference: Floats, current: Floats) -> float:
    edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
    p, q = (
        np.maximum(
            np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) / len(x), 1e-4
        )
        for x in (reference, current)
    )
    return float(((q - p) * np.log(q / p)).sum())


def columns(frame: pd.DataFrame, names: list[str]) -> dict[str, Column]:
    return {name: frame[name].to_numpy(np.float64) for name in names}


def check_numbers(reference: pd.DataFrame, current: pd.DataFrame, names: list[str]) -> None:
    found = distances(*compare(columns(reference, names), columns(current, names)))
    for i, name in enumerate(names):
        r, c = reference[name].to_numpy(np.float64), current[name].to_numpy(np.float64)
        if len(np.unique(r)) > 1:
            assert found.psi[i] == pytest.approx(psi_on_deciles(r, c), abs=1e-12), name
        assert abs(found.ks[i] - stats.ks_2samp(r, c).statistic) <= 0.005, name
        normed = stats.wasserstein_distance(r, c) / max(float(r.std()), 0.001)
        # What moves within the open ends is not seen.
        inner = np.mean((c > np.quantile(r, 0.005)) & (c < np.quantile(r, 0.995)))
        assert found.wasserstein[i] <= normed * 1.02 + 0.01, name
        if inner > 0.97 or len(np.unique(r)) <= 200:
            assert found.wasserstein[i] == pytest.approx(normed, rel=0.05, abs=0.01), name


def test_numbers_of_the_electricity_market(shared: Path) -> None:
    frame = elec2(shared)
    names = [f"feat_{i}" for i in range(1, 4)]
    for begin in range(8_640, 44_641, 6_000):
        check_numbers(frame[:8_640], frame[begin : begin + 2_000], names)


def test_constants_that_wake_up(shared: Path) -> None:
    """Here the bins are below, at and above the constant; numpy's deciles have no more than below and not."""
    frame = elec2(shared)
    names = ["feat_4", "feat_5", "feat_6"]
    r = frame[:8_640]
    for line in facts(shared, "elec2")["drift_vs_rows_0_8639_per_2000_rows"]:
        c = frame[line["rows"][0] : line["rows"][1] + 1]
        found = distances(*compare(columns(r, names), columns(c, names)))
        for i, name in enumerate(names):
            constant, values = r[name].iloc[0], c[name].to_numpy()
            p = np.array([1e-4, 1, 1e-4])
            q = np.maximum(
                [(values < constant).mean(), (values == constant).mean(), (values > constant).mean()], 1e-4
            )
            assert found.psi[i] == pytest.approx(((q - p) * np.log(q / p)).sum(), abs=1e-12)
            assert found.ks[i] == pytest.approx(line[name]["ks"], abs=1e-12)


def test_numbers_of_the_car_loan_and_the_facts_beside_them(shared: Path) -> None:
    reference, analysis = car_loan(shared, "reference"), car_loan(shared, "analysis")
    known = facts(shared, "nannyml")["car_loan.drift_per_5000_rows"]
    for begin in (0, 20_000, 25_000, 45_000):
        part = analysis[begin : begin + 5_000]
        check_numbers(reference, part, FEATURES)
        found = distances(*compare(columns(reference, FEATURES), columns(part, FEATURES)))
        for i, name in enumerate(FEATURES):
            fact = known[f"{begin}:{begin + 4_999}"][name]
            assert found.psi[i] == pytest.approx(fact["psi_q10"], abs=1e-12)
            assert abs(found.ks[i] - fact["ks"]) <= 0.005


def test_categories_of_the_car_loan(shared: Path) -> None:
    reference, analysis = car_loan(shared, "reference"), car_loan(shared, "analysis")
    known = facts(shared, "nannyml")["car_loan.drift_per_5000_rows"]
    for begin in (0, 25_000):
        part = analysis[begin : begin + 5_000]
        sides = [{n: coded([str(v) for v in side[n]]) for n in CATEGORIES} for side in (reference, part)]
        found = distances(*compare(*sides))
        for i, name in enumerate(CATEGORIES):
            fact = known[f"{begin}:{begin + 4_999}"][name]
            assert found.psi[i] == pytest.approx(fact["psi_cat"], abs=1e-12)
            table = pd.crosstab(
                np.repeat([0, 1], [len(reference), len(part)]),
                pd.concat([reference[name], part[name]]).to_numpy(),
            ).to_numpy()
            test = stats.chi2_contingency(table, correction=False)
            assert found.chi2[i] == pytest.approx(test.statistic, rel=1e-9)
            assert found.chi2_p[i] == pytest.approx(test.pvalue, rel=1e-6)
            p, q = table / table.sum(axis=1, keepdims=True)
            assert found.js[i] == pytest.approx(jensenshannon(p, q, base=2), abs=1e-9)
            assert np.isnan(found.ks[i])


def test_token_counts_of_two_services(shared: Path) -> None:
    conversation, code = tokens(shared, "conv"), tokens(shared, "code")
    names = ["ContextTokens", "GeneratedTokens"]
    check_numbers(conversation, code, names)
    check_numbers(conversation[:9_683], conversation[9_683:], names)
    known = facts(shared, "azure_llm_2023")["drift_conv(reference)_vs_code(current)"]
    found = distances(*compare(columns(conversation, names), columns(code, names)))
    for i, name in enumerate(names):
        assert found.psi[i] == pytest.approx(known[name]["psi_q10"], abs=1e-12)
        assert abs(found.ks[i] - known[name]["ks"]) <= 0.005


def test_nulls_and_unseen_values_of_the_car_loan(shared: Path) -> None:
    reference, analysis = car_loan(shared, "dq_reference"), car_loan(shared, "dq_analysis")
    names = ["salary_range", "size_of_downpayment"]
    sides = [
        {name: coded([None if pd.isna(v) else v for v in side[name]]) for name in names}
        for side in (reference, analysis[45_000:])
    ]
    found = distances(*compare(*sides))
    known = facts(shared, "nannyml")
    assert found.null_share[0] == pytest.approx(
        known["car_loan_dq.nulls_per_5000_rows"][names[0]][-1] / 5_000
    )
    assert found.unseen_share[1] == pytest.approx(
        known["car_loan_dq.unseen_per_5000_rows"][names[1]][-1] / 5_000
    )


NULL = int(FeatureBin.NULL)
SMALL = describe({"n": Bins(edges=np.array([0.0, 1.0, 5.0])), "c": Bins(categories=("a", "b", "d", "e"))})
KINDS = (0, 1, 2, 3, 250, 251, 252, 253, 254)


@st.composite
def counts(draw: st.DrawFn) -> Ints:
    table = np.zeros((2, 256), np.int64)
    table[:, KINDS] = draw(arrays(np.int64, (2, len(KINDS)), elements=st.integers(0, 10**12)))
    return table


@given(counts(), counts())
def test_distances_are_bounded_finite_and_symmetric_where_they_should_be(a: Ints, b: Ints) -> None:
    there, back = distances(SMALL, a, b), distances(SMALL, b, a)
    some = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    for name, top in (
        ("psi", 18.5),
        ("js", 1.0),
        ("chi2_p", 1.0),
        ("null_share", 1.0),
        ("unseen_share", 1.0),
    ):
        value = getattr(there, name)[some]
        assert ((value >= 0) & (value <= top)).all(), name
    assert np.isnan(there.psi[~some]).all()
    assert np.isfinite(there.chi2[some]).all()
    if some[0]:
        assert 0 <= there.ks[0] <= 1
        assert np.isfinite(there.wasserstein[0])
        assert there.ks[0] == back.ks[0]
    # Of numbers, those on deciles depend on whose deciles they are.
    np.testing.assert_allclose(there.psi[1], back.psi[1], atol=1e-12)
    np.testing.assert_allclose(there.js[1], back.js[1], atol=1e-7)
    np.testing.assert_allclose(there.chi2[1], back.chi2[1], rtol=1e-6, atol=1e-6)
    same = distances(SMALL, a, a)
    for name in ("psi", "js", "chi2", "wasserstein", "ks"):
        assert np.nan_to_num(getattr(same, name)).max() <= 1e-6


@given(counts(), counts(), st.permutations([0, 1, 2, 3]))
def test_categories_may_be_numbered_otherwise(a: Ints, b: Ints, order: list[int]) -> None:
    shape = describe({"c": Bins(categories=("a", "b", "d", "e"))})
    a, b = a[1:], b[1:]
    moved_a, moved_b = a.copy(), b.copy()
    moved_a[:, :4], moved_b[:, :4] = a[:, order], b[:, order]
    one, other = distances(shape, a, b), distances(shape, moved_a, moved_b)
    for name in ("psi", "js", "chi2", "chi2_p"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-7)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.lists(st.floats(-1e300, 1e300), min_size=2))
def test_profiles_added_compare_as_their_rows_together(reference: list[float], current: list[float]) -> None:
    r, c = np.array(reference), np.array(current)
    half = len(c) // 2
    shape, a, b = compare({"x": r}, {"x": c})
    parts = [compare({"x": r}, {"x": part})[2] for part in (c[:half], c[half:])]
    assert distances(shape, a, parts[0] + parts[1]) == pytest.approx(distances(shape, a, b)) or all(
        np.array_equal(
            getattr(distances(shape, a, parts[0] + parts[1]), n), getattr(distances(shape, a, b), n)
        )
        for n in ("psi", "ks", "js", "chi2", "wasserstein")
    )


ODD: dict[str, tuple[Column, Column]] = {
    "constant": (np.full(500, 3.0), np.full(200, 3.0)),
    "constant that wakes up": (np.full(500, 3.0), np.linspace(0, 9, 200)),
    "empty": (np.zeros(0), np.zeros(0)),
    "all null": (np.full(500, np.nan), np.full(200, np.nan)),
    "all null now": (np.arange(500.0), np.full(200, np.nan)),
    "all null before": (np.full(500, np.nan), np.arange(200.0)),
    "all new": (coded(["a"] * 500), coded(["b"] * 200)),
    "single value": (np.array([1.0]), np.array([2.0])),
    "10,000 categories": (
        coded([f"{i % 10_000}" for i in range(20_000)]),
        coded([f"x{i}" for i in range(9_000)]),
    ),
    "boolean": (coded(["true", "false"] * 250), coded(["true"] * 200)),
    "integers": (np.arange(500.0) % 7, np.arange(200.0) % 5),
    "heavy ties": (np.repeat([0.0, 1.0, 1e9], [480, 19, 1]), np.repeat([0.0, 1.0], [150, 50])),
    "dates": (1.7e12 + 6e4 * np.arange(500.0), 1.8e12 + 6e4 * np.arange(200.0)),
    "infinite": (np.arange(500.0), np.full(200, np.inf)),
    "huge": (np.linspace(-1, 1, 500) * 1.7e308, np.linspace(0, 1.7e308, 200)),
    "tiny": (np.linspace(0, 5e-324 * 500, 500), np.linspace(0, 1e-320, 200)),
    "wrong type": (np.arange(500.0), coded(["x"] * 200)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_features_have_a_defined_answer(name: str) -> None:
    reference, current = ODD[name]
    shape, a, b = compare({"x": reference}, {"x": current})
    found = distances(shape, a, b)
    if a.sum() == 0 or b.sum() == 0:
        assert np.isnan(found.psi[0])
        return
    numeric = {"ks", "wasserstein"}
    for field in found.__slots__:
        if field not in numeric or shape.numeric[0]:
            assert np.isfinite(getattr(found, field)[0]), field


def test_a_surge_of_nulls_and_new_categories_count() -> None:
    shape, a, b = compare({"x": coded(["a", "b"] * 500)}, {"x": coded(["a", "b", None, "new"] * 250)})
    found = distances(shape, a, b)
    assert found.null_share[0] == 0.25
    assert found.unseen_share[0] == 0.25
    assert found.psi[0] > 2
    assert found.js[0] == pytest.approx(jensenshannon([0.5, 0.5, 0, 0], [0.25] * 4, base=2))


def test_counters_beside_the_partition_change_nothing() -> None:
    shape, a, b = compare({"x": np.arange(500.0)}, {"x": np.arange(200.0)})
    noisy = b.copy()
    noisy[0, [FeatureBin.BELOW, FeatureBin.ABOVE, FeatureBin.FRACTIONAL, FeatureBin.ATTRIBUTION]] = 10**9
    for name in ("psi", "ks", "js", "chi2", "wasserstein", "null_share"):
        assert getattr(distances(shape, a, b), name) == getattr(distances(shape, a, noisy), name)


def test_rows_of_a_shape_may_repeat() -> None:
    shape, a, b = compare(
        {"x": np.arange(500.0), "y": coded(["a"] * 500)}, {"x": np.arange(9.0), "y": coded(["a"])}
    )
    twice = shape.take(np.array([0, 1, 0]))
    assert twice.names == ("x", "y", "x")
    found = distances(twice, a[[0, 1, 0]], b[[0, 1, 0]])
    assert found.psi[0] == found.psi[2] == distances(shape, a, b).psi[0]


def test_deciles_of_a_reference_other_than_the_fitting_sample_lie_on_the_nearest_lower_edge() -> None:
    shape = describe({"x": Bins(edges=np.arange(1.0, 10.0))})
    reference = np.zeros((1, 256), np.int64)
    reference[0, :10] = 5, 15, 10, 10, 10, 10, 10, 10, 10, 10
    cells = cells_of(shape, reference, reference)
    assert cells.cut.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8]]
    assert cells.reference[0, :10].tolist() == reference[0, :10].tolist()


def test_a_shape_needs_no_feature() -> None:
    shape: Shape = describe({})
    assert distances(shape, np.zeros((0, 256), np.int64), np.zeros((0, 256), np.int64)).psi.shape == (0,)
