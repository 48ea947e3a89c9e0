"""The fast search gives exactly what numpy's does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.profiles.layout import FeatureBin
from monitor.profiles.searching import grid_of
from monitor.records import Floats, Ints

NULL, NONFINITE = int(FeatureBin.NULL), int(FeatureBin.NONFINITE)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def bins_of(edges: Floats, values: Floats) -> Ints:
    """By the grid where there is one."""
    grid = grid_of(edges)
    return np.searchsorted(edges, values, side="right") if grid is None else grid.bins(values)


def searched(edges: Floats, values: Floats) -> Ints:
    found = np.searchsorted(edges, values, side="right")
    return found if grid_of(edges) is None else np.where(np.isfinite(values), found, NONFINITE)


@given(
    st.lists(FINITE, min_size=1, max_size=300),
    arrays(np.float64, 40, elements=st.floats()),
    st.integers(0, 9),
)
def test_it_is_numpy_s_searchsorted(edges: list[float], values: Floats, seed: int) -> None:
    ascending = np.unique(edges)
    below = np.nextafter(ascending[ascending > -1e308], -np.inf)
    near = np.concatenate((ascending, below, values[~np.isnan(values)]))
    many = np.random.default_rng(seed).choice(near, 40_000)
    np.testing.assert_array_equal(bins_of(ascending, many), searched(ascending, many))


RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=50_000),
        RNG.lognormal(sigma=3, size=50_000),
        RNG.standard_cauchy(50_000),
        RNG.poisson(3, 50_000).astype(np.float64),
        1.7e12 + RNG.integers(0, 10**9, 50_000).astype(np.float64),
        1e308 * RNG.uniform(-1, 1, 50_000),
        5e-324 * RNG.integers(0, 1_000, 50_000),
    ],
    ids=["normal", "lognormal", "cauchy", "poisson", "dates", "huge", "tiny"],
)
def test_every_value_and_edge_of_many_shapes(values: Floats) -> None:
    edges = np.unique(np.quantile(values, np.arange(1, 200) / 200))
    both = np.concatenate((values, edges, np.nextafter(edges, -np.inf), [np.inf, -np.inf]))
    np.testing.assert_array_equal(bins_of(edges, both), searched(edges, both))


def test_what_is_not_finite_has_a_cell_of_its_own() -> None:
    values = np.tile([np.nan, 3.5, np.inf, -np.inf, 1e300, -1e300], 9_000)
    assert bins_of(np.arange(10.0), values).reshape(-1, 6)[7].tolist() == [
        NULL,
        4,
        NONFINITE,
        NONFINITE,
        10,
        0,
    ]


def test_edges_that_span_nothing_have_no_grid() -> None:
    assert grid_of(np.zeros(0)) is None
    assert grid_of(np.array([3.0])) is None
    assert grid_of(np.array([-1.5e308, 1.5e308])) is None
    assert grid_of(np.array([0.0, 5e-324])) is None
