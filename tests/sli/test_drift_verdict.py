"""Verdicts: levels that hold, states as defined, confirmation over windows, words with figures."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import ndcg_score

from monitor.profiles.bins import Bins
from monitor.records import Column, Floats, Ints
from monitor.sli.drift import Verdict, judge
from monitor.sli.drift_attribution import attribution_ndcg, model_drift
from monitor.sli.drift_contrast import indicators, linear, tail_p
from monitor.sli.drift_dispersion import dispersion
from monitor.sli.drift_shape import Shape, describe
from monitor.sli.drift_verdict import (
    Assessment,
    DriftSettings,
    State,
    assess,
    benjamini_hochberg,
    confirmed,
)
from tests.sli.drifting import coded, compare
from tests.sli.test_drift_distance import ODD

RNG = np.random.default_rng


def verdict(reference: Column, current: Column, **rest: float) -> Verdict:
    settings = DriftSettings(**rest)  # type: ignore[arg-type]  # numbers of either kind
    (found,) = judge(*compare({"amount": reference}, {"amount": current}), settings=settings)
    return found


def drawn(shares: Sequence[float], reference: int, current: int, windows: int) -> tuple[Ints, Ints]:
    """Counts of windows without a change, of a feature with these bins."""
    rng = RNG(5)
    table = np.zeros((2, windows, 256), np.int64)
    for side, n in enumerate((reference, current)):
        table[side, :, : len(shares)] = rng.multinomial(n, shares, windows)
    return table[0], table[1]


def windows_of(bins: Bins, windows: int) -> Shape:
    return describe({"x": bins}).take(np.zeros(windows, np.int64))


def assessed(bins: Bins, shares: Sequence[float], n: int, m: int, windows: int = 10_000) -> Assessment:
    reference, current = drawn(shares, n, m, windows)
    return assess(windows_of(bins, windows), reference, current, None, DriftSettings())


ZIPF = 1 / np.arange(1, 101) / np.sum(1 / np.arange(1, 101))


@pytest.mark.parametrize(("n", "m"), [(100, 100), (5_000, 100), (100_000, 100), (10_000, 1_000)])
@pytest.mark.parametrize(
    "shares", [np.full(200, 1 / 200), np.array([0.9, *[0.02] * 5]), np.array([0.998, 0.002])]
)
def test_the_p_of_numbers_keeps_its_level_far_into_the_tail(shares: Floats, n: int, m: int) -> None:
    p = assessed(Bins(edges=np.arange(1.0, len(shares))), shares, n, m).evidence.p
    for level in (0.05, 0.01, 0.001):
        assert np.mean(p < level) <= level * 1.2 + 3 * np.sqrt(level / len(p))


@pytest.mark.parametrize(("n", "m"), [(100, 100), (5_000, 100), (100_000, 100), (10_000, 1_000)])
@pytest.mark.parametrize("shares", [ZIPF, np.array([0.5, 0.3, 0.2])])
def test_the_p_of_categories_keeps_its_level_far_into_the_tail(shares: Floats, n: int, m: int) -> None:
    names = tuple(f"c{i}" for i in range(len(shares)))
    p = assessed(Bins(categories=names), shares, n, m).evidence.p
    for level in (0.05, 0.01, 0.001):
        assert np.mean(p < level) <= level * 1.2 + 3 * np.sqrt(level / len(p))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 2_000), st.integers(1, 60))
def test_the_p_of_a_cell_is_near_fisher_s_in_its_tail(a: int, b: int, n: int, m: int) -> None:
    """The gamma tail is within a factor of three of the exact one, or on the safe side, down to 1e-6."""
    table = np.array([[a, n], [b, m]])
    found = indicators(np.array([table.sum(axis=0)]), np.array([[b, m]]))
    p = float(tail_p(found.z[0, 0], found.skew[0, 0]))
    law = stats.hypergeom(table.sum(), a + b, b + m)
    exact = min(1.0, 2 * min(law.cdf(b), law.sf(b - 1)))
    middle = min(1.0, 2 * min(law.cdf(b) - law.pmf(b) / 2, law.sf(b) + law.pmf(b) / 2))
    if exact < 1e-6:
        assert p < 1e-4
    else:
        assert p >= min(middle, exact) / 5


def test_the_location_contrast_is_the_rank_sum() -> None:
    rng = RNG(2)
    r, c = rng.integers(0, 20, 400), rng.integers(3, 20, 90)
    reference, current = (np.bincount(x, minlength=20)[None, :] for x in (r, c))
    pooled = reference + current
    rank = np.cumsum(pooled, axis=1) - pooled / 2
    z = linear(rank / pooled.sum(), pooled, current).z[0]
    _, p = stats.mannwhitneyu(c, r, use_continuity=False, method="asymptotic")
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(p, rel=1e-9)


def test_moments_of_a_contrast_are_those_of_all_ways_to_deal() -> None:
    rng = RNG(3)
    values = rng.exponential(size=40)
    pooled, current = np.ones((1, 40), np.int64), np.zeros((1, 40), np.int64)
    current[0, :7] = 1
    found = linear(values[None, :], pooled, current)
    sums = np.array([rng.permutation(values)[:7].sum() for _ in range(40_000)])
    assert found.z[0] == pytest.approx((values[:7].sum() - sums.mean()) / sums.std(), abs=0.03)
    assert found.skew[0] == pytest.approx(stats.skew(sums), abs=0.05)


def test_q_is_that_of_scipy() -> None:
    p = RNG(1).random(50) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))
    known = benjamini_hochberg(np.array([0.01, np.nan, 0.02]))
    assert known[[0, 2]].tolist() == [0.02, 0.02]
    assert np.isnan(known[1])


def test_effect_and_evidence_are_both_needed() -> None:
    rng = RNG(4)
    reference = rng.normal(size=50_000)
    large = rng.normal(size=100_000)
    assert verdict(reference, large + 0.8).state is State.DRIFTED
    slight = verdict(reference, large + 0.1)
    assert slight.state is State.NONE
    assert slight.q is not None
    assert slight.q < 1e-9
    assert verdict(reference, large + 0.37).state is State.WATCH
    unsure = verdict(
        reference, np.repeat(np.quantile(reference, [0.3, 0.6, 0.8, 0.9, 0.95]), [9, 9, 12, 12, 13])
    )
    assert unsure.effect is not None
    assert unsure.effect > 0.2
    assert unsure.state in (State.WATCH, State.DRIFTED)


def test_too_few_rows_give_no_verdict() -> None:
    found = verdict(np.arange(1_000.0), np.full(49, 1e9))
    assert found.state is State.TOO_FEW
    assert (found.psi, found.effect, found.p, found.q) == (None, None, None, None)
    assert found.sentence == "amount: 49 rows in the window, a verdict needs 50"
    assert State.TOO_FEW.label == "too few rows"
    assert "in the baseline" in verdict(np.arange(10.0), np.full(49, 1e9)).sentence


@pytest.mark.parametrize("name", ODD)
def test_odd_features_have_a_verdict_and_a_sentence(name: str) -> None:
    found = verdict(*ODD[name])
    assert found.sentence
    for value in (found.psi, found.effect, found.p, found.q):
        assert (value is None) == (found.state is State.TOO_FEW)
        assert value is None or np.isfinite(value)


def test_unrest_of_the_baseline_widens() -> None:
    rng = RNG(6)
    windows = np.zeros((60, 3, 256), np.int64)
    edges = stats.norm.ppf(np.arange(1, 200) / 200)
    restless = 0.2 * rng.normal(size=60)
    for i in range(60):
        for j, shift in enumerate((0.0, restless[i])):
            x = rng.normal(size=1_000) + shift
            windows[i, j, :200] = np.bincount(np.searchsorted(edges, x, side="right"), minlength=200)
    wide = dispersion(windows)
    assert wide.shape == (3,)
    assert 1 <= wide[0] < 1.6
    assert 20 < wide[1] < 70
    assert wide[2] == 1
    shape = describe({name: Bins(edges=edges) for name in "abc"})
    still = assess(shape, windows.sum(axis=0), windows[0], None, DriftSettings())
    calm = assess(shape, windows.sum(axis=0), windows[0], wide, DriftSettings())
    assert (calm.p[:2] >= still.p[:2]).all()
    assert dispersion(windows[:4]).tolist() == [1, 1, 1]


def test_one_odd_window_of_the_baseline_is_no_unrest() -> None:
    rng = RNG(7)
    windows = np.zeros((40, 1, 256), np.int64)
    windows[:, 0, :50] = rng.multinomial(2_000, np.full(50, 1 / 50), 40)
    calm = dispersion(windows)
    windows[7, 0, :50] = rng.multinomial(2_000, np.arange(50) / 1225)
    assert dispersion(windows)[0] < calm[0] + 0.5


N, W, D, T = (int(s) for s in State)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([D], [False]),
        ([D, D], [False, True]),
        ([D, N, D], [False, False, True]),
        ([D, N, N, D], [False, False, False, False]),
        ([D, D, N, N], [False, True, True, False]),
        ([W, W, W], [False, False, False]),
        ([D, T, T, D], [False, False, False, True]),
        ([D, D, T, T], [False, True, True, True]),
        ([T, T], [False, False]),
    ],
)
def test_two_of_three_windows_confirm(states: list[int], expected: list[bool]) -> None:
    assert confirmed(np.array([states]).T)[:, 0].tolist() == expected


def test_confirmation_is_by_feature_and_of_any_number() -> None:
    table = np.array([[D, N], [N, D], [D, D]])
    assert confirmed(table).tolist() == [[False, False], [False, False], [True, True]]
    once = DriftSettings(confirm_windows=1, confirm_of=1)
    assert confirmed(table, once).tolist() == (table == D).tolist()
    assert confirmed(np.zeros((0, 2), np.int64)).shape == (0, 2)


def shifted(values: Floats) -> str:
    return verdict(RNG(8).normal(size=50_000), values).sentence


def test_sentences_say_what_moved_and_by_how_much() -> None:
    x = RNG(9).normal(size=20_000)
    assert shifted(x + 0.79).startswith(
        "amount moved up: 31 % of rows above the baseline's top decile, was 10 %"
    )
    assert shifted(x - 0.79).startswith(
        "amount moved down: 32 % of rows below the baseline's bottom decile, was 10 %"
    )
    assert shifted(x * 2).startswith(
        "amount spread out: 53 % of rows in the baseline's outer deciles, was 20 %"
    )
    assert shifted(x / 2).startswith(
        "amount drew together: 1 % of rows in the baseline's outer deciles, was 20 %"
    )
    nulls = np.where(np.arange(len(x)) % 5 == 0, np.nan, x)
    assert shifted(nulls).startswith("amount: nulls are 20 % of rows, were 0 %; PSI")
    both = shifted(np.where(np.arange(len(x)) % 5 == 0, np.inf, x + 2))
    assert both.startswith("amount moved up: ")
    assert "; NaN and infinite values are 20 % of rows, were 0 %; PSI" in both
    assert shifted(x) == f"amount held: PSI {verdict(RNG(8).normal(size=50_000), x).psi:.3f}"


def test_sentences_name_categories() -> None:
    before, now = (
        coded(["a"] * 500 + ["b"] * 500 + ["c"] * 20),
        coded(["a"] * 600 + ["b"] * 100 + ["c"] * 300),
    )
    assert verdict(before, now).sentence == (
        "amount: 'c' gained, 30 % of rows, was 2 %; 'b' lost, 10 % of rows, was 49 %; PSI 1.41"
    )
    unseen = verdict(coded(["a", "b"] * 500), coded(["a", "b", "x"] * 100)).sentence
    assert unseen.startswith(
        "amount: categories that the baseline does not have are 33 % of rows, were 0 %; "
    )


def test_sentences_of_whole_numbers_name_the_value() -> None:
    before, now = (
        np.repeat([0.0, 1, 2, 3], [500, 300, 150, 50]),
        np.repeat([0.0, 1, 2, 3], [200, 100, 450, 250]),
    )
    assert verdict(before, now).sentence.startswith("amount moved up: 70 % of values at or above 2, was 20 %")
    assert verdict(now, before).sentence.startswith("amount moved down: 80 % of values below 2, was 30 %")


@given(
    arrays(np.float64, 6, elements=st.floats(0, 10)),
    arrays(np.float64, 6, elements=st.sampled_from([0.0, 0.5, 1.0, 2.0])),
)
def test_ndcg_is_that_of_scikit_learn(reference: Floats, current: Floats) -> None:
    found = attribution_ndcg(reference, current)
    assert found is not None
    assert 0 <= found <= 1
    if reference.max() > 1e-6:
        assert found == pytest.approx(ndcg_score([reference], [current]))


def test_ndcg_of_nothing() -> None:
    nothing = np.full(3, np.nan)
    assert attribution_ndcg(np.zeros(0), np.zeros(0)) is None
    assert attribution_ndcg(np.ones(3), nothing) is None
    assert attribution_ndcg(np.zeros(3), np.ones(3)) == 1.0
    assert attribution_ndcg(np.array([3.0, 2.0, 1.0]), np.array([9.0, 5.0, 2.0])) == pytest.approx(1.0)


def test_a_model_s_drift_is_weighted_by_importance() -> None:
    effect = np.array([0.4, 0.0, np.nan])
    assert model_drift(effect) == pytest.approx(0.2)
    assert model_drift(effect, np.array([3.0, 1.0, 9.0])) == pytest.approx(0.3)
    assert model_drift(effect, np.array([3.0, np.nan, np.nan])) == pytest.approx(0.2)
    assert model_drift(effect, np.zeros(3)) == pytest.approx(0.2)
    assert model_drift(np.full(2, np.nan)) is None
