"""Changes of indicators between two versions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profiles.layout import bucket_of
from monitor.sli.canary.arms import Latencies, Mix, Rates
from monitor.sli.canary.contrast import Change, Measure, Unit, quality_change, quantile_change, rate_change
from monitor.sli.canary.verdict import Verdict, judge, of_change, sentence
from tests.sli.canary.simulated import Served, looks

ALPHA = 0.01 / 4


def latencies(*strata: np.ndarray) -> Latencies:
    n = np.array([len(ms) for ms in strata])
    bucket = bucket_of(np.concatenate(strata))
    return Latencies(n, np.repeat(np.arange(len(n)), n), bucket, np.ones(len(bucket)))


def rates(*strata: tuple[int, int]) -> Rates:
    n = np.array([n for n, _ in strata])
    return Rates(n, np.array([k / m if m else 0.0 for m, k in strata]))


def test_two_that_are_alike_are_hardly_ever_called_worse() -> None:
    """A day looked at every minute, 60 runs: at a hundredth for all of them together, none is to be expected.
    The 2,000 runs are in the bench."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        champion, candidate = Served(rng, 1_440, 11_400), Served(rng, 1_440, 600)
        for minute in range(0, 1_440, 20):
            found = judge(looks(champion, candidate, minute, ALPHA, (0.0, 0.0)))
            assert found.verdict is not Verdict.WORSE, found.reasons


def test_a_fifth_slower_is_found_within_ten_minutes() -> None:
    rng = np.random.default_rng(4)
    champion, candidate = Served(rng, 10, 11_400), Served(rng, 10, 600, slower=1.2)
    found = judge(looks(champion, candidate, 9, ALPHA, (0.05, 0.005)))
    assert found.verdict is Verdict.WORSE
    assert any(reason.startswith("latency_p99 is ") for reason in found.reasons)


def test_a_version_that_fails_half_of_the_time_is_found_among_the_first_hundreds() -> None:
    found = rate_change("error_rate", rates((20_000, 20)), rates((200, 100)), 0.005, ALPHA)
    assert of_change(found) is Verdict.WORSE


def test_the_change_of_a_quantile_is_that_of_the_quantiles() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.lognormal(4, 0.7, 40_000), rng.lognormal(4.2, 0.7, 20_000)
    for q in (0.5, 0.95, 0.99):
        found = quantile_change("latency", q, latencies(one), latencies(other), 0.05, ALPHA)
        assert found.champion == pytest.approx(np.quantile(one, q), rel=0.012)
        assert found.candidate == pytest.approx(np.quantile(other, q), rel=0.012)
        assert found.low < math.exp(0.2) - 1 < found.high
        assert (found.n_champion, found.n_candidate) == (40_000, 20_000)


def test_a_mix_that_differs_is_no_difference() -> None:
    """Simpson's paradox: in each country the candidate is better, and over all it looks worse."""
    champion, candidate = rates((9_000, 90), (1_000, 60)), rates((1_000, 5), (9_000, 450))
    alone = rate_change("e", rates((10_000, 150)), rates((10_000, 455)), 0.005, ALPHA)
    assert of_change(alone) is Verdict.WORSE
    found = rate_change("e", champion, candidate, 0.005, ALPHA)
    assert found.change == pytest.approx(0.1 * (0.005 - 0.01) + 0.9 * (0.05 - 0.06))
    assert of_change(found) is not Verdict.WORSE
    rng = np.random.default_rng(2)
    fast, slow = (lambda n: rng.lognormal(3, 0.3, n)), (lambda n: rng.lognormal(5, 0.3, n))
    before, now = latencies(fast(9_000), slow(1_000)), latencies(fast(1_000), slow(9_000))
    assert abs(quantile_change("l", 0.5, before, now, 0.05, ALPHA).change) < 0.03


def test_what_only_one_of_them_serves_is_left_out() -> None:
    mix = Mix.of(np.array([100, 50, 0]), np.array([10, 0, 70]))
    assert mix.comparable.tolist() == [True, False, False]
    assert mix.left_out == 50
    some = rate_change("e", rates((1_000, 1), (0, 0)), rates((1_000, 1), (300, 1)), 0.01, ALPHA)
    assert some.left_out == 300
    assert sentence(some).endswith("; 300 have nothing of the champion's to compare with, and are left out")
    found = rate_change("e", rates((0, 0), (10, 1)), rates((10, 1), (0, 0)), 0.0, ALPHA)
    assert (found.why, of_change(found)) == ("the versions have no stratum in common", Verdict.NOT_ENOUGH)


@given(
    n=st.tuples(*[st.integers(0, 10**7)] * 2),
    failed=st.tuples(*[st.floats(0, 1)] * 2),
    margin=st.floats(0, 0.5),
    alpha=st.floats(1e-6, 0.2),
)
def test_any_rates_give_a_verdict(
    n: tuple[int, int], failed: tuple[float, float], margin: float, alpha: float
) -> None:
    one, other = (Rates(np.array([m]), np.array([f])) for m, f in zip(n, failed, strict=True))
    found = rate_change("e", one, other, margin, alpha)
    assert of_change(found) in Verdict
    if found.why:
        assert 0 in n
    else:
        assert found.low <= found.change <= found.high
        assert of_change(rate_change("e", other, one, margin, alpha)) is not Verdict.WORSE or (
            of_change(found) is not Verdict.WORSE
        )


def test_quality_is_worse_in_its_own_direction() -> None:
    good, bad = Measure(0.9, 0.894, 0.906, 10_000), Measure(0.8, 0.792, 0.808, 10_000)
    assert of_change(quality_change("accuracy", good, bad, True, 0.05, ALPHA)) is Verdict.WORSE
    assert of_change(quality_change("accuracy", bad, good, True, 0.05, ALPHA)) is Verdict.BETTER
    assert of_change(quality_change("mae", good, bad, False, 0.05, ALPHA)) is Verdict.BETTER
    few = Measure(0.5, 0.3, 0.7, 20)
    assert quality_change("accuracy", good, few, True, 0.05, ALPHA).why == "fewer than 30 labels"


def change(low: float, high: float, margin: float = 0.1) -> Change:
    return Change("s", Unit.RELATIVE, 1.0, 1.0, 9, 9, (low + high) / 2, low, high, margin, 7)


def test_the_worst_decides() -> None:
    worse, unsure, fine, better = change(0.2, 0.3), change(-0.1, 0.3), change(-0.1, 0.1), change(-0.3, -0.1)
    assert judge([fine, unsure, worse, better]).verdict is Verdict.WORSE
    found = judge([fine, unsure, better])
    assert (found.verdict, found.needed) == (Verdict.NOT_ENOUGH, 7)
    assert judge([fine, better]).verdict is Verdict.BETTER
    assert judge([fine, fine]).verdict is Verdict.NO_WORSE
    assert judge([]).verdict is Verdict.NOT_ENOUGH
