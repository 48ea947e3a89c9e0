"""Good and all events of stored profiles, row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from monitor.profiles.layout import SECONDS, THRESHOLDS, Kind, Quality, Service
from monitor.records import Bools, Floats, Ints
from monitor.sli.catalogue import OUTCOMES
from monitor.slo.objective import Correct, Outcomes, Under
from monitor.store.names import Threshold
from monitor.store.read import Cells

__all__ = ["Events", "Newest", "Thresholds", "events_of", "kinds_of"]


@dataclass(frozen=True, slots=True)
class Newest:
    """Requests served, and in the place of the good ones: how long after the begin of its window the newest
    came, s, and one more. It is known of base windows alone, else 0."""


Events: TypeAlias = Outcomes | Under | Correct | Newest


def kinds_of(source: Events) -> tuple[Kind, ...]:
    """The kinds of profile that hold the events: by the time of requests; or by that of the labels and by
    that of the predictions."""
    return (Kind.LEARNED, Kind.QUALITY) if isinstance(source, Correct) else (Kind.SERVICE,)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The latency thresholds that the store counts: the number of each, and from which second on.

    Those that were there before anything was counted are counted in everything.
    """

    number: Mapping[float, int]
    since_s: Mapping[float, int]

    @classmethod
    def of(cls, known: Sequence[Threshold]) -> "Thresholds":
        first_ms = min((t.since_ms for t in known), default=0)
        return cls(
            {t.value_ms: t.number for t in known},
            {t.value_ms: 0 if t.since_ms == first_ms else -(-t.since_ms // 1000) for t in known},
        )


def events_of(
    cells: Cells, sources: Iterable[Events], thresholds: Thresholds
) -> dict[Events, tuple[Floats, Floats]]:
    """(good, total) of each stored row, float64, by source. Sampled records and weighted labels count as
    often as their weight says."""
    table = _Table(cells, _wanted(sources, thresholds))
    return {source: _events(cells, table, source, thresholds) for source in sources}


def _wanted(sources: Iterable[Events], thresholds: Thresholds) -> set[int]:
    wanted: set[int] = set()
    for source in sources:
        match source:
            case Outcomes() | Newest():
                wanted |= {int(c) for c in OUTCOMES}
            case Under():
                wanted |= {
                    THRESHOLDS + n for value, n in thresholds.number.items() if value <= source.limit_ms
                }
                wanted.add(int(Service.LATENCY_COUNT))
            case Correct():
                wanted |= {int(Quality.CLASSIFIED), int(Quality.CORRECT)}
    return wanted


class _Table:
    """Counts and weighted counts of some cells, dense by row."""

    def __init__(self, cells: Cells, wanted: set[int]) -> None:
        self._column = {cell: i for i, cell in enumerate(sorted(wanted))}
        self._n, width = len(cells.series), len(wanted)
        place = np.full(max(wanted, default=0) + 2, -1, np.int64)
        place[sorted(wanted)] = np.arange(width)

        def table(row: Ints, cell: Ints, weights: Ints | Floats) -> Floats:
            column = place[np.minimum(cell, len(place) - 1)]
            mine = column >= 0
            key = row[mine] * width + column[mine]
            added = np.bincount(key, weights=weights[mine], minlength=self._n * width)
            return added.astype(np.float64, copy=False).reshape(self._n, width)

        self._counts = table(cells.row, cells.cell, cells.count)
        excess = table(cells.sum_row, cells.sum_cell, cells.sum_value) if len(cells.sum_row) else 0.0
        self._weighted = self._counts + excess

    def count(self, cell: int) -> Floats:
        return self._counts[:, self._column[cell]]

    def weighted(self, *cells: int) -> Floats:
        found: Floats = self._weighted[:, [self._column[int(c)] for c in cells]].sum(axis=1)
        return found


def _events(cells: Cells, table: _Table, source: Events, thresholds: Thresholds) -> tuple[Floats, Floats]:
    match source:
        case Outcomes():
            total = table.weighted(*OUTCOMES)
            return total - table.weighted(*source.bad), total
        case Correct():
            return table.weighted(Quality.CORRECT), table.weighted(Quality.CLASSIFIED)
        case Newest():
            newest = np.zeros(len(cells.series))
            second = (cells.cell >= SECONDS) & (cells.count > 0)
            np.maximum.at(newest, cells.row[second], cells.cell[second] - SECONDS + 1.0)
            return newest, table.weighted(*OUTCOMES)
        case Under():
            number = thresholds.number.get(source.limit_ms)
            if number is None:
                none = np.zeros(len(cells.series))
                return none, none
            known = _counted(table, cells.start_s, source.limit_ms, thresholds)
            good, total = table.weighted(THRESHOLDS + number), table.weighted(Service.LATENCY_COUNT)
            return np.where(known, good, 0.0), np.where(known, total, 0.0)


def _counted(table: _Table, start_s: Ints, limit_ms: float, thresholds: Thresholds) -> Bools:
    """Whether the requests within the limit were counted in each row: not before the threshold was known,
    nor while its process went without it, when fewer seem to be within it than within a lower one."""
    under = table.count(THRESHOLDS + thresholds.number[limit_ms])
    known: Bools = start_s >= thresholds.since_s[limit_ms]
    for value, number in thresholds.number.items():
        if value < limit_ms:
            known &= under >= table.count(THRESHOLDS + number)
    return known
