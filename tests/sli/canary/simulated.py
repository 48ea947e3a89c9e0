"""Two versions that serve a simulated day: buckets of latency and errors, minute by minute."""

import numpy as np

from monitor.profiles.layout import BUCKETS, bucket_of
from monitor.sli.canary.arms import Latencies, Rates
from monitor.sli.canary.contrast import Change, quantile_change, rate_change

__all__ = ["Served", "looks"]

_PROBED = 20_000


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
        weight = np.zeros((1, BUCKETS))
        weight[0, self.used] = self.upto[minute]
        return Latencies(np.array([self.n[minute]]), weight)

    def rates(self, minute: int) -> Rates:
        n = np.array([self.n[minute]])
        return Rates(n, np.minimum(self.failed[minute] / np.maximum(n, 1), 1.0))


def looks(
    champion: Served, candidate: Served, minute: int, alpha: float, margins: tuple[float, float]
) -> list[Change]:
    """The changes as they are after so many minutes; `margins` are of latency and of errors."""
    times = champion.latencies(minute), candidate.latencies(minute)
    return [
        *(quantile_change(f"latency_p{p}", p / 100, *times, margins[0], alpha) for p in (50, 95, 99)),
        rate_change("error_rate", champion.rates(minute), candidate.rates(minute), margins[1], alpha),
    ]
