"""Bins of features: fitted from a sample, defined for every kind of column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profiles.bins import Bins, bin_column, fit, from_json, to_json
from monitor.profiles.layout import FeatureBin
from monitor.records import Coded, Mixed

NULL, NONFINITE, INVALID, OTHER, UNBINNED = (
    int(b)
    for b in (
        FeatureBin.NULL,
        FeatureBin.NONFINITE,
        FeatureBin.INVALID,
        FeatureBin.OTHER,
        FeatureBin.UNBINNED,
    )
)


def coded(*values: str | None) -> Coded:
    names = [None, *sorted({v for v in values if v is not None})]
    return Coded(np.array([names.index(v) for v in values], np.int32), names)


def test_numeric_bins_hold_equal_mass_and_nest_in_deciles() -> None:
    values = np.random.default_rng(1).lognormal(size=50_000)
    bins = fit([values], 200)
    assert bins.edges is not None
    assert len(bins.edges) == 199
    mass = np.bincount(bin_column(bins, values), minlength=200)
    assert mass.max() - mass.min() <= 2
    np.testing.assert_array_equal(bins.edges[19::20], np.quantile(values, np.arange(1, 10) / 10))


def test_a_value_on_an_edge_belongs_to_the_bin_above() -> None:
    assert bin_column(Bins(edges=np.array([1.0, 2.0])), np.array([0.9, 1.0, 1.5, 2.0, 9.0])).tolist() == [
        0,
        1,
        1,
        2,
        2,
    ]


def test_few_distinct_values_have_a_bin_each_and_so_have_those_beyond() -> None:
    values = np.repeat([3.0, 5.0, 8.0], 1000)
    assert bin_column(fit([values], 200), np.array([2.9, 3.0, 5.0, 8.0, 8.1])).tolist() == [0, 1, 2, 3, 4]


def test_a_constant_that_wakes_up_leaves_its_bin() -> None:
    bins = fit([np.zeros(10)], 200)
    assert bin_column(bins, np.array([-1e-300, 0.0, 1e-300])).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("bins", "column", "expected"),
    [
        (Bins(edges=np.array([0.0])), np.array([np.nan, np.inf, 1.0]), [NULL, NONFINITE, 1]),
        (Bins(edges=np.array([0.0])), coded("a", None), [INVALID, NULL]),
        (Bins(categories=("a", "b")), coded("b", "c", None), [1, OTHER, NULL]),
        (Bins(categories=("a",)), np.array([1.0, np.nan]), [INVALID, NULL]),
        (None, np.array([1.0, np.nan, np.inf]), [UNBINNED, NULL, NONFINITE]),
        (None, coded("a", None), [UNBINNED, NULL]),
        (
            Bins(edges=np.array([0.0])),
            Mixed(
                np.array([1.0, np.nan, np.nan, np.nan]),
                coded(None, "x", None, None),
                np.array([0, 0, 1, 0], bool),
            ),
            [1, INVALID, INVALID, NULL],
        ),
    ],
)
def test_every_value_has_a_bin(bins: Bins | None, column: object, expected: list[int]) -> None:
    assert bin_column(bins, column).tolist() == expected  # type: ignore[arg-type]  # any column


def test_the_most_frequent_categories_are_kept() -> None:
    column = coded(*["a"] * 5, *["b"] * 3, "c")
    assert fit([column], 2).categories == ("a", "b")


@pytest.mark.parametrize("column", [np.full(10, np.nan), coded(None, None), np.zeros(0)])
def test_a_column_without_values_still_fits(column: object) -> None:
    bins = fit([column], 200)  # type: ignore[list-item]  # any column
    assert bin_column(bins, column).tolist() == [NULL] * len(bin_column(bins, column))  # type: ignore[arg-type]  # any


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=300))
def test_bins_survive_json(values: list[float]) -> None:
    bins = fit([np.array(values)], 200)
    again = from_json(to_json(bins))
    assert bins.edges is not None
    assert again.edges is not None
    np.testing.assert_array_equal(bins.edges, again.edges)
