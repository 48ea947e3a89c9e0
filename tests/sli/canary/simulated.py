"""Two versions that serve a simulated day: buckets of latency and errors, minute by minute.

The buckets' counts are drawn, not the requests: where a Poisson number of requests fall into buckets
independently of one another, the counts are independent and Poisson themselves, each with its bucket's share
of the mean (Kingman, Poisson Processes, 1993, section 5.1).
"""

import numpy as np

from monitor.profiles.layout import BUCKETS, bucket_of
from monitor.records import Bools, Floats, Ints
from monitor.sli.canary.arms import Latencies, Rates
from monitor.sli.canary.contrast import REQUESTS, Change, quantile_change, rate_change
from monitor.sli.canary.sequential import mixing

__all__ = ["Served", "looks", "suspects"]

_PROBED = 20_000
_PERCENTILES = (50, 95, 99)
# So that rounding can't hide a look.
_SLACK = 1e-9


class Served:
    """`minutes` of requests at `per_minute` on average; latencies are lognormal with this `sigma`, `slower`
    times the usual, and `errors` of them fail."""

    def __init__(
        self,
        rng: np.random.Generator,
        minutes: int,
        per_minute: float,
        *,
        sigma: float = 0.5,
        slower: float = 1.0,
        errors: float = 0.001,
    ) -> None:
        normal = np.sort(np.random.default_rng(0).normal(size=_PROBED))
        bucket = bucket_of(50 * slower * np.exp(sigma * normal))
        share = np.bincount(bucket, minlength=BUCKETS) / _PROBED
        used = np.flatnonzero(share)
        table = rng.poisson(share[used] * per_minute, (minutes, len(used)))
        self.used, self.upto = used, np.cumsum(table, axis=0)
        self.n = self.upto.sum(axis=1)
        self.failed = np.cumsum(rng.poisson(errors * per_minute, minutes))

    def latencies(self, minute: int) -> Latencies:
        weight = self.upto[minute].astype(np.float64)
        return Latencies(np.array([self.n[minute]]), np.zeros(len(weight), np.int64), self.used, weight)

    def rates(self, minute: int) -> Rates:
        n = np.array([self.n[minute]])
        return Rates(n, np.minimum(self.failed[minute] / np.maximum(n, 1), 1.0))


def looks(
    champion: Served, candidate: Served, minute: int, alpha: float, margins: tuple[float, float]
) -> list[Change]:
    """The changes as they are after so many minutes; `margins` are of latency and of errors."""
    times = champion.latencies(minute), candidate.latencies(minute)
    return [
        *(quantile_change(f"latency_p{p}", p / 100, *times, margins[0], alpha) for p in _PERCENTILES),
        rate_change("error_rate", champion.rates(minute), candidate.rates(minute), margins[1], alpha),
    ]


def suspects(champion: Served, candidate: Served, alpha: float) -> Ints:
    """The minutes, ascending, at which the `looks` without a margin might call the candidate worse: all of
    those, and hardly another. All minutes at once are quick where look by look is not."""
    used = np.union1d(champion.used, candidate.used)
    theirs, mine = (_cumulated(side, used) for side in (champion, candidate))
    n_theirs, n_mine = np.maximum(champion.n, 1), np.maximum(candidate.n, 1)
    found = _more_fail(champion.failed / n_theirs, n_theirs, candidate.failed / n_mine, n_mine, alpha)
    rows = np.arange(len(theirs))
    for q in (p / 100 for p in _PERCENTILES):
        wanted = q * theirs[:, -1]
        column = np.maximum((theirs < (wanted * (1 - 1e-12))[:, None]).sum(axis=1), 1)
        before, whole = theirs[rows, column - 1], theirs[rows, column]
        within = (wanted - before) / np.maximum(whole - before, 1)
        below = mine[rows, column - 1] + within * (mine[rows, column] - mine[rows, column - 1])
        variance = q * (1 - q) * (1 / n_mine + 1 / n_theirs)
        half = _half_widths(variance, mixing(q * (1 - q) / REQUESTS, alpha), alpha)
        more = 1 - below / n_mine
        found |= (more > 1 - q) & (_distances(more, np.full(len(more), 1 - q)) > half - _SLACK)
    return np.flatnonzero(found & (champion.n > 0) & (candidate.n > 0))


def _cumulated(side: Served, used: Ints) -> Floats:
    """How many are below each of the `used` buckets' ends, by minute; first 0."""
    table = np.zeros((len(side.upto), 1 + len(used)))
    table[:, 1 + np.searchsorted(used, side.used)] = side.upto
    return np.cumsum(table, axis=1)


def _more_fail(theirs: Floats, n_theirs: Ints, mine: Floats, n_mine: Ints, alpha: float) -> Bools:
    usual = (theirs * n_theirs + 1) / (n_theirs + 2)
    rate = np.clip(theirs, 1 / (n_mine + 2), 1 - 1 / (n_mine + 2))
    variance = rate * (1 - rate) / n_mine + usual * (1 - usual) / n_theirs
    mixture = usual * (1 - usual) / REQUESTS * mixing(1.0, alpha)
    far = _distances(mine, rate) + np.abs(theirs - rate)
    return (mine > theirs) & (far > _half_widths(variance, mixture, alpha) - _SLACK)


def _distances(seen: Floats, rate: Floats) -> Floats:
    """`sequential.distance` of arrays."""
    deviance = np.zeros(len(seen))
    for some, share in ((seen, rate), (1 - seen, 1 - rate)):
        given = some > 0
        deviance[given] += some[given] * np.log(some[given] / share[given])
    return np.sqrt(2 * np.maximum(deviance, 0.0) * rate * (1 - rate))


def _half_widths(variance: Floats, mixture: Floats | float, alpha: float) -> Floats:
    """`sequential.half_width` of arrays."""
    whole = variance + mixture
    spread = 2 * np.log(1 / alpha) + np.log(whole / variance)
    return np.sqrt(variance * whole / mixture * spread)
