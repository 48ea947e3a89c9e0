"""One indicator of two versions: its change, with an interval that holds at every look. All pure.

A change is positive where the candidate is worse.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from monitor.profiles.layout import bucket_edge, bucket_place
from monitor.records import Floats
from monitor.sli.canary.arms import Latencies, Mix, Rates
from monitor.sli.canary.sequential import distance, half_width, mixing, more_needed
from monitor.sli.quality_intervals import Z

__all__ = ["REQUESTS", "Change", "Measure", "Unit", "quality_change", "quantile_change", "rate_change"]

# The number of the candidate's records for which intervals are narrowest. Fewer are enough for a big change.
REQUESTS, _LABELS = 5_000, 1_000
_FEWEST_LABELS = 30


@dataclass(frozen=True, slots=True)
class Measure:
    """What a metric of quality came to: its value, the limits of its 95 % interval, of how many labels."""

    value: float
    low: float
    high: float
    n: int


class Unit(StrEnum):
    """In what a change is told."""

    POINTS = "points"  # of a share: the difference
    RELATIVE = "relative"  # as a share of the champion's value


@dataclass(frozen=True, slots=True)
class Change:
    """`champion` and `candidate` are values, of `n_champion` and `n_candidate` records; the `change` with its
    interval, and the `needed` further records of the candidate to tell it from `margin`. NaN for what isn't
    known, with `why`. `high` may be infinite. `left_out` of the candidate's records are in strata that the
    champion has nothing of."""

    sli: str
    unit: Unit
    champion: float
    candidate: float
    n_champion: int
    n_candidate: int
    change: float
    low: float
    high: float
    margin: float
    needed: int | None = None
    why: str = ""
    left_out: int = 0


def _unknown(sli: str, unit: Unit, margin: float, n: tuple[int, int], why: str) -> Change:
    nan = math.nan
    return Change(sli, unit, nan, nan, *n, nan, -math.inf, math.inf, margin, None, why)


def _distance(change: float, margin: float, least: float) -> float:
    """How narrow an interval tells a change from a margin: of a change at the margin nothing does, so that
    it is `least` then."""
    return max(abs(change - margin), least)


def rate_change(sli: str, champion: Rates, candidate: Rates, margin: float, alpha: float) -> Change:
    """The difference of two shares of which less is better."""
    mix = Mix.of(candidate.n, champion.n)
    n = (int(champion.n[mix.comparable].sum()), int(candidate.n[mix.comparable].sum()))
    if not mix.comparable.any():
        return _unknown(sli, Unit.POINTS, margin, n, _nothing(champion.n.sum(), candidate.n.sum()))
    used = mix.comparable
    said = np.where(used, candidate.n, 0) / n[1]
    one = float((said[used] * candidate.share[used]).sum())
    other = float((mix.weight[used] * champion.share[used]).sum())
    # A success and a failure more, so that no rate is certain (Agresti and Caffo 2000).
    smoothed = (champion.share * champion.n + 1) / (champion.n + 2)
    theirs = float((mix.weight**2 * smoothed * (1 - smoothed) / np.maximum(champion.n, 1))[used].sum())
    usual = float((mix.weight * smoothed)[used].sum())

    def possible_rate(difference: float) -> float:
        return min(max(other + difference, 1 / (n[1] + 2)), 1 - 1 / (n[1] + 2))

    def variance(difference: float) -> float:
        """If the candidate's rate is by so much above: of that rate, as in a score test, which a version that
        fails at once doesn't blur."""
        rate = possible_rate(difference)
        return rate * (1 - rate) / n[1] + theirs

    mixture = mixing(max(usual, margin) * (1 - usual) / REQUESTS, alpha)

    def possible(difference: float) -> bool:
        rate = possible_rate(difference)
        far = distance(one, rate) + abs(other + difference - rate)
        return far <= half_width(variance(difference), mixture, alpha)

    change = one - other
    low, high = _farthest(change, -1.0, possible), _farthest(change, 1.0, possible)
    width = _distance(change, margin, max(margin / 2, 1e-6))
    needed = more_needed(n[1], variance(margin), mixture, alpha, width)
    figures = other, one, *n, change, low, high, margin, needed
    return Change(sli, Unit.POINTS, *figures, left_out=mix.left_out)


def _farthest(begin: float, end: float, possible: Callable[[float], bool]) -> float:
    """The farthest from `begin`, which is possible, to `end` that still is."""
    if possible(end):
        return end
    for _ in range(40):
        middle = (begin + end) / 2
        begin, end = (middle, end) if possible(middle) else (begin, middle)
    return begin


def quantile_change(
    sli: str, q: float, champion: Latencies, candidate: Latencies, margin: float, alpha: float
) -> Change:
    """By how much the candidate's q-quantile is above the champion's.

    Of the candidate's times a share of 1 - q lies above the champion's quantile if nothing differs. The
    limits are the candidate's quantiles at the levels that this share's interval allows.
    """
    mix = Mix.of(candidate.n, champion.n)
    used = mix.comparable
    n = (int(champion.n[used].sum()), int(candidate.n[used].sum()))
    if not used.any():
        return _unknown(sli, Unit.RELATIVE, margin, n, _nothing(champion.n.sum(), candidate.n.sum()))
    reference = champion.summed(mix.weight / np.maximum(champion.held(), 1e-300))
    mine = candidate.summed(used.astype(np.float64))
    above = 1 - q
    variance = above * q * (1 / n[1] + 1 / mix.effective(champion.n))
    mixture = mixing(above * q / REQUESTS, alpha)
    half = half_width(variance, mixture, alpha)
    upto = np.cumsum(mine)
    before, now = _quantile(np.cumsum(reference), q), _quantile(upto, q)
    if before <= 0:
        return _unknown(sli, Unit.RELATIVE, margin, n, "the champion's is 0")
    most, least = (_farthest(above, end, lambda share: distance(share, above) <= half) for end in (1.0, 0.0))
    low = _quantile(upto, 1 - most) / before - 1 if most < 1 else -1.0
    high = _quantile(upto, 1 - least) / before - 1 if least > 0 else math.inf
    # The share above the champion's quantile plus the margin, for how far that is from chance.
    beyond = _share_above(upto, before * (1 + margin))
    needed = more_needed(n[1], variance, mixture, alpha, _distance(beyond, above, above / 20))
    figures = before, now, *n, now / before - 1, low, high, margin, needed
    return Change(sli, Unit.RELATIVE, *figures, left_out=mix.left_out)


def _quantile(upto: Floats, q: float) -> float:
    """Of the weight up to and with each bucket; within one it is spread evenly on the buckets' scale."""
    wanted = float(q * upto[-1])
    bucket = min(int(np.searchsorted(upto, wanted * (1 - 1e-12))), len(upto) - 1)
    if bucket == 0:
        return 0.0
    before, whole = float(upto[bucket - 1]), float(upto[bucket])
    within = (wanted - before) / (whole - before) if whole > before else 0.5
    return bucket_edge(bucket + min(max(within, 0.0), 1.0))


def _share_above(upto: Floats, value: float) -> float:
    place = bucket_place(value)
    bucket = min(max(int(place), 1), len(upto) - 1)
    before, whole = float(upto[bucket - 1]), float(upto[bucket])
    return 1 - (before + (whole - before) * min(max(place - bucket, 0.0), 1.0)) / float(upto[-1])


def quality_change(
    sli: str, champion: Measure, candidate: Measure, higher_is_better: bool, margin: float, alpha: float
) -> Change:
    """By how much worse a metric of quality is, as a share of the champion's."""
    n = (champion.n, candidate.n)
    if min(n) < _FEWEST_LABELS or not (math.isfinite(champion.value) and math.isfinite(candidate.value)):
        return _unknown(sli, Unit.RELATIVE, margin, n, f"fewer than {_FEWEST_LABELS} labels")
    if champion.value == 0:
        return _unknown(sli, Unit.RELATIVE, margin, n, "the champion's is 0")
    scale, down = abs(champion.value), -1.0 if higher_is_better else 1.0
    errors = [(m.high - m.low) / (2 * Z) for m in (champion, candidate)]
    variance = sum(e**2 for e in errors) / scale**2
    if not (math.isfinite(variance) and variance > 0):
        return _unknown(sli, Unit.RELATIVE, margin, n, "has no interval")
    mixture = mixing(variance * min(n) / _LABELS, alpha)
    change = down * (candidate.value - champion.value) / scale
    half = half_width(variance, mixture, alpha)
    needed = more_needed(n[1], variance, mixture, alpha, _distance(change, margin, max(margin / 2, 1e-6)))
    values = champion.value, candidate.value
    return Change(sli, Unit.RELATIVE, *values, *n, change, change - half, change + half, margin, needed)


def _nothing(champion: int, candidate: int) -> str:
    if not candidate:
        return "the candidate has no requests"
    return "the champion has no requests" if not champion else "the versions have no stratum in common"
