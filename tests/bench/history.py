"""Fills a store with the profiles of a steady stream, as the job would have left them.

Each series has a request rate, lognormal latencies with two parts, and some errors; each partition has
its share. Every tier is drawn from the same distribution by itself, for drawing a year by the minute
takes too long. Rows are committed through the same flush as the job's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from monitor.profiles.layout import SECONDS, THRESHOLDS, Kind, Service, bucket_of
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.profiles.series import SeriesKey
from monitor.profiles.watermark import Marks
from monitor.records import Floats, Ints, Partition
from monitor.store import ownership
from monitor.store.dead import Cap
from monitor.store.flush import Flush, Rows, commit
from monitor.store.names import series_ids
from monitor.store.store import Store

__all__ = ["MODEL", "SERIES", "History", "fill"]

MODEL = "fraud"
SERIES = [SeriesKey(MODEL, version, endpoint) for version in ("1", "2") for endpoint in ("/a", "/b")]
_ROWS_A_FLUSH = 2_000
_TIMES_MS = {Kind.LATENCY: 20.0, Kind.QUEUE: 2.0, Kind.COMPUTE: 8.0}
_THRESHOLDS = 12


@dataclass(frozen=True, slots=True)
class History:
    """Windows of `tier_s` seconds over `days`, the last of which ends at `until_s`."""

    tier_s: int
    days: float
    until_s: int
    per_s: float = 10.0
    partitions: int = 4

    def starts(self) -> range:
        return range(self.until_s - int(self.days * 86_400), self.until_s, self.tier_s)


def fill(store: Store, history: History, seed: int = 5) -> int:
    """Commits the windows of every series and partition; returns how many rows those are."""
    rng = np.random.default_rng(seed + history.tier_s)
    ids = series_ids(store, SERIES)
    rows = 0
    for part in range(history.partitions):
        claim = ownership.claim(store, Partition("bench", part), "bench", history.until_s * 1000)
        at = claim.start.position
        for group in _groups(history.starts(), _ROWS_A_FLUSH // len(ids)):
            profiles = _profiles(rng, history, group, ids)
            flush = _flush(claim, at, profiles, history.until_s * 1000)
            commit(store, flush, Cap())
            at = flush.to_offset
            rows += len(profiles)
    return rows


def _groups(starts: range, n: int) -> Iterator[range]:
    for at in range(0, len(starts), n):
        yield starts[at : at + n]


def _flush(claim: ownership.Claim, at: int | None, profiles: Profiles, now_ms: int) -> Flush:
    return Flush(
        partition=claim.partition,
        writer=claim.writer,
        epoch=claim.epoch,
        from_offset=at,
        to_offset=(at or 0) + 1,
        marks=Marks(now_ms, now_ms, now_ms),
        rows=[Rows.of(profiles)],
        now_ms=now_ms,
    )


def _profiles(
    rng: np.random.Generator, history: History, starts: Sequence[int], ids: Sequence[int]
) -> Profiles:
    profiles = Profiles()
    start_s, series = (grid.ravel() for grid in np.meshgrid(starts, ids, indexing="ij"))
    n = rng.poisson(history.per_s * history.tier_s / history.partitions, len(series))
    for kind in (Kind.SERVICE, *_TIMES_MS):
        numbers = profiles.rows_for(RowKeys.windows(kind, history.tier_s, series, start_s))
        if kind is Kind.SERVICE:
            _service(rng, profiles, numbers, n, history.tier_s)
        else:
            _times(rng, profiles, numbers, n, _TIMES_MS[kind])
    return profiles


def _times(rng: np.random.Generator, profiles: Profiles, row: Ints, n: Ints, middle_ms: float) -> None:
    cells, chance = _lognormal(middle_ms)
    table = rng.poisson(n[:, None] * chance)
    which, cell = np.nonzero(table)
    profiles.add_counts(row[which], cells[cell], table[which, cell])
    highest = middle_ms * np.exp(0.6 * rng.normal(4.0, 0.3, len(row)))
    profiles.add_maxima(row, np.zeros(len(row), np.int64), highest)


@cache
def _lognormal(middle_ms: float) -> tuple[Ints, Floats]:
    """The buckets of a lognormal distribution (sigma 0.6) and the chance of each."""
    sample = middle_ms * np.exp(0.6 * np.random.default_rng(1).standard_normal(1_000_000))
    cells, counts = np.unique(bucket_of(sample), return_counts=True)
    return cells, counts / counts.sum()


def _service(rng: np.random.Generator, profiles: Profiles, row: Ints, n: Ints, tier_s: int) -> None:
    failed = rng.binomial(n, 0.01)
    thresholds = np.linspace(0.1, 1.0, _THRESHOLDS)
    cells = {int(Service.OK): n - failed, int(Service.INFRASTRUCTURE): failed, int(Service.LATENCY_COUNT): n}
    cells |= {THRESHOLDS + i: (n * share).astype(np.int64) for i, share in enumerate(thresholds.tolist())}
    if tier_s == 60:
        cells |= {SECONDS + s: rng.poisson(n / 60) for s in range(60)}
    for cell, counts in cells.items():
        given = np.flatnonzero(counts)
        profiles.add_counts(row[given], np.full(len(given), cell, np.int64), counts[given].astype(np.int64))
