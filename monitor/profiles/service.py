"""Counting requests: outcomes, seconds, latencies, thresholds, amounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from monitor.profiles.counting import compact, count_pairs, sum_pairs
from monitor.profiles.layout import MEASURES, SECONDS, THRESHOLDS, Kind, Service, bucket_of
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.records import Batch, Bools, Floats, Ints

__all__ = ["Marginal", "count_service"]

_ONLINE = 0


class _Settings(Protocol):
    @property
    def thresholds(self) -> Mapping[float, int]: ...
    @property
    def service_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Marginal:
    """Rows of profiles for some records: `index` (int64) gives each record's row, `series` and `start_s`
    (int64) describe the rows, `where` picks the records from the batch (None: all)."""

    index: Ints
    series: Ints
    start_s: Ints
    where: Ints | None

    def rows(self, kind: Kind, tier_s: int) -> RowKeys:
        return RowKeys.windows(kind, tier_s, self.series, self.start_s)


@dataclass(frozen=True, slots=True)
class _Counter:
    """Adds the counts of one marginal to the profiles of one kind, with excess weights as sums."""

    profiles: Profiles
    numbers: Ints
    weight: Floats | None

    def count(self, row: Ints, cell: Ints, weight: Floats | None) -> None:
        n_rows = len(self.numbers)
        rows, cells, counts = count_pairs(row, cell, n_rows)
        self.profiles.add_counts(self.numbers[rows], cells, counts)
        if weight is not None:
            excess = weight - 1
            mine = excess > 0
            self.profiles.add_sums(self.numbers[row[mine]], cell[mine], excess[mine])


def count_service(
    profiles: Profiles,
    batch: Batch,
    marginal: Marginal,
    at_ms: Ints,
    late: Bools,
    too_late: Bools,
    settings: _Settings,
) -> None:
    """Counts the records of the marginal into service and latency profiles of the base tier."""
    pick = slice(None) if marginal.where is None else marginal.where
    numbers = profiles.rows_for(marginal.rows(Kind.SERVICE, settings.service_s))
    row, weight = marginal.index, None if batch.weight is None else batch.weight[pick]
    counter = _Counter(profiles, numbers, weight)
    shadow, dropped = batch.shadow[pick], too_late[pick]
    if dropped.any():
        _flagged(counter, row, dropped, Service.TOO_LATE, weight)
    if shadow.any():
        _flagged(counter, row, shadow & ~dropped, Service.SHADOW, weight)
    served = ~(shadow | dropped)
    if not served.all():
        chosen = np.flatnonzero(served)
        pick = chosen if marginal.where is None else marginal.where[chosen]
        row, weight = row[chosen], None if weight is None else weight[chosen]
    if not len(row):
        return
    counter.count(row, batch.outcome[pick].astype(np.int64), weight)
    second = at_ms[pick] // 1000 % settings.service_s
    counter.count(row, SECONDS + second, weight)
    cold = batch.cold_start[pick]
    _flagged(counter, row, cold, Service.COLD_START, weight)
    _flagged(counter, row, late[pick], Service.LATE, weight)
    if weight is not None:
        _flagged(counter, row, weight != 1, Service.SAMPLED, None)
    _count_amounts(counter, batch, pick, row, weight)
    online = batch.mode[pick] == _ONLINE
    _count_times(profiles, batch, marginal, pick, row, online, cold, weight, settings.service_s)
    if "latency_ms" in batch.measures:
        _count_thresholds(counter, batch.measures["latency_ms"][pick], row, online, weight, settings)


def _flagged(counter: _Counter, row: Ints, flag: Bools, cell: Service, weight: Floats | None) -> None:
    if flag.any():
        mine = row[flag]
        counter.count(mine, np.full(len(mine), int(cell), np.int64), None if weight is None else weight[flag])


_AMOUNTS = {
    "tokens_in": (Service.WITH_TOKENS_IN, Service.SUM_TOKENS_IN),
    "tokens_out": (Service.WITH_TOKENS_OUT, Service.SUM_TOKENS_OUT),
    "cost": (Service.WITH_COST, Service.SUM_COST),
}


def _count_amounts(
    counter: _Counter, batch: Batch, pick: "slice | Ints", row: Ints, weight: Floats | None
) -> None:
    for name, values in batch.amounts.items():
        amount = values[pick]
        given = ~np.isnan(amount)
        with_cell, sum_cell = _AMOUNTS[name]
        _flagged(counter, row, given, with_cell, weight)
        weighted = amount if weight is None else amount * weight
        rows, cells, sums = sum_pairs(row, int(sum_cell), weighted, len(counter.numbers), given)
        counter.profiles.add_sums(counter.numbers[rows], cells, sums)


def _count_times(
    profiles: Profiles,
    batch: Batch,
    marginal: Marginal,
    pick: "slice | Ints",
    row: Ints,
    online: Bools,
    cold: Bools,
    weight: Floats | None,
    tier_s: int,
) -> None:
    for name, kind in MEASURES.items():
        source = batch.measures.get("latency_ms" if kind is Kind.COLD_START_LATENCY else name)
        if source is None:
            continue
        values = source[pick]
        counted = ~np.isnan(values)
        if kind is not Kind.FEATURE_AGE:
            counted &= online
        if kind is Kind.COLD_START_LATENCY:
            counted &= cold
        if not counted.any():
            continue
        used, mine = compact(row[counted], len(marginal.series))
        rows = Marginal(mine, marginal.series[used], marginal.start_s[used], None)
        counter = _Counter(profiles, profiles.rows_for(rows.rows(kind, tier_s)), weight)
        kept = values[counted]
        counter.count(mine, bucket_of(kept), None if weight is None else weight[counted])
        highest = np.zeros(len(used))
        np.maximum.at(highest, mine, kept)
        profiles.add_maxima(counter.numbers, np.zeros(len(used), np.int64), highest)


def _count_thresholds(
    counter: _Counter,
    latency_ms: Floats,
    row: Ints,
    online: Bools,
    weight: Floats | None,
    settings: _Settings,
) -> None:
    """For each threshold the requests at or under it, and how many requests had a latency at all."""
    counted = online & ~np.isnan(latency_ms)
    if not counted.any():
        return
    _flagged(counter, row, counted, Service.LATENCY_COUNT, weight)
    values = np.array(sorted(settings.thresholds), np.float64)
    cells = np.array([THRESHOLDS + settings.thresholds[v] for v in values.tolist()], np.int64)
    n_rows, width = len(counter.numbers), len(values) + 1
    packed = row[counted] * width + np.searchsorted(values, latency_ms[counted], side="left")

    def under(weights: Floats | None) -> "tuple[Ints, Ints, Ints | Floats]":
        table = np.bincount(packed, weights=weights, minlength=n_rows * width).reshape(n_rows, width)
        total = np.cumsum(table, axis=1)[:, :-1]
        rows, columns = np.nonzero(total)
        return counter.numbers[rows], cells[columns], total[rows, columns]

    rows, chosen, counts = under(None)
    counter.profiles.add_counts(rows, chosen, counts.astype(np.int64))
    if weight is not None and (weight[counted] > 1).any():
        rows, chosen, sums = under(weight[counted] - 1)
        counter.profiles.add_sums(rows, chosen, sums.astype(np.float64))
