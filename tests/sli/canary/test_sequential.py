"""Intervals that hold at every look."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sli.canary.sequential import distance, half_width, mixing, more_needed

ALPHA = 0.05


def test_the_truth_leaves_the_interval_at_any_of_many_looks_in_few_runs() -> None:
    """1,000 runs of 3,000 looks: at 5 % a fixed interval would be left in more than half of them."""
    rng = np.random.default_rng(7)
    runs, looks = 1_000, 3_000
    n = np.arange(1, looks + 1) * 10
    means = np.cumsum(rng.normal(0, math.sqrt(10), (runs, looks)), axis=1) / n
    mixture = mixing(1 / 5_000, ALPHA)
    half = np.array([half_width(1 / int(k), mixture, ALPHA) for k in n])
    assert (np.abs(means) > half).any(axis=1).mean() <= ALPHA
    assert (np.abs(means) > 1.96 / np.sqrt(n)).any(axis=1).mean() > 0.5


def test_it_is_narrowest_near_what_it_is_tuned_for() -> None:
    def width(tuned: float) -> float:
        return half_width(1e-3, mixing(tuned, ALPHA), ALPHA)

    assert width(1e-3) == pytest.approx(min(width(1e-3 * 2.0**i) for i in range(-8, 9)), rel=0.02)


@given(
    variance=st.floats(1e-9, 1.0),
    tuned=st.floats(1e-9, 1.0),
    n=st.integers(1, 10**6),
    alpha=st.floats(1e-6, 0.5),
    width=st.floats(1e-6, 2.0),
)
def test_as_many_more_as_are_said_are_needed(
    variance: float, tuned: float, n: int, alpha: float, width: float
) -> None:
    mixture = mixing(tuned, alpha)
    needed = more_needed(n, variance, mixture, alpha, width)
    if needed is None:
        return
    assert half_width(variance * n / (n + needed), mixture, alpha) <= width * (1 + 1e-6)
    if needed > 1:
        fewer = n + needed * 0.99 - 1
        assert half_width(variance * n / fewer, mixture, alpha) > width * (1 - 1e-6)


@given(seen=st.floats(0, 1), rate=st.floats(1e-6, 1 - 1e-6))
def test_a_distance_is_nothing_for_the_rate_itself_and_grows_with_the_difference(
    seen: float, rate: float
) -> None:
    assert distance(rate, rate) == pytest.approx(0, abs=1e-7)
    between = (seen + rate) / 2
    assert distance(seen, rate) >= distance(between, rate) - 1e-7


def test_few_events_more_than_foreseen_are_less_of_a_surprise_than_as_many_fewer() -> None:
    assert distance(0.002, 0.001) < 0.001 < distance(0.0, 0.001)
    assert distance(0.5001, 0.5) == pytest.approx(1e-4, rel=1e-3)
