"""Quantiles of buckets are numpy's quantiles of the raw values, within 1 %."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.profiles.layout import bucket_of
from monitor.sli import quantile
from monitor.sli.quantile import quantiles

QS = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
latencies = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e7)), min_size=1, max_size=60)


def of(values: list[float], q: float, weight: float = 1.0) -> float:
    """The quantile of one window's values, each standing for `weight` records."""
    raw = np.array(values)
    n = len(raw)
    weights = np.full(n, weight)
    return float(quantiles(np.zeros(n, np.int64), bucket_of(raw), weights, np.array([raw.max()]), q)[0])


@given(latencies, st.sampled_from(QS))
@settings(max_examples=300, deadline=None)
def test_within_one_percent_of_numpy_whatever_the_values(values: list[float], q: float) -> None:
    wanted = np.quantile(values, q)
    assert of(values, q) == pytest.approx(wanted, rel=0.01, abs=1e-9)


@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 101, 20_000])
def test_within_one_percent_of_numpy_on_latencies(n: int, q: float) -> None:
    values = np.random.default_rng(n).lognormal(3, 1.2, n)
    assert of(values.tolist(), q) == pytest.approx(np.quantile(values, q), rel=0.01)


def test_the_maximum_is_exact_and_nothing_is_above_it() -> None:
    assert of([7.3, 123.456], 1.0) == 123.456
    assert of([123.456] * 3, 0.5) <= 123.456


@given(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=30), st.sampled_from(QS))
@settings(max_examples=100, deadline=None)
def test_a_record_that_stands_for_ten_counts_as_ten(values: list[float], q: float) -> None:
    assert of(values, q, 10.0) == pytest.approx(np.quantile(np.repeat(values, 10), q), rel=0.01)


def test_windows_in_blocks_give_what_they_give_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    slot, raw = rng.integers(0, 50, 2000), rng.lognormal(2, 1, 2000)
    slot[slot == 7] = 8
    highest = np.full(50, np.nan)
    np.fmax.at(highest, slot, raw)
    at_once = quantiles(slot, bucket_of(raw), np.ones(2000), highest, 0.95)
    monkeypatch.setattr(quantile, "_DENSE_CELLS", 3000)
    in_blocks = quantiles(slot, bucket_of(raw), np.ones(2000), highest, 0.95)
    np.testing.assert_array_equal(at_once, in_blocks)
    assert np.isnan(at_once[7])
    assert at_once[3] == pytest.approx(np.quantile(raw[slot == 3], 0.95), rel=0.01)
