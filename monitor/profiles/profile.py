"""Profiles that add: many sparse vectors of counts, sums and maxima, kept as a few flat arrays.

A row is one profile (series, kind, tier, window, baseline); its entries are (cell, value). All rows
of a set live in the same arrays under keys `row << CELL_BITS | cell`, so that adding, coarsening,
reading and writing thousands of profiles is a handful of array operations.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.layout import CELL_BITS, SECONDS, Kind
from monitor.records import Floats, Ints

__all__ = ["Profiles", "RowKey"]

_T = TypeVar("_T", np.int64, np.float64)
_CELL_MASK = (1 << CELL_BITS) - 1
_NO_KEYS = np.zeros(0, np.int64)
_COMPACT_ABOVE = 500_000


class RowKey(NamedTuple):
    """Names a profile of one writer: `tier_s` is the window's length, `start_s` its begin (epoch, UTC)."""

    kind: int
    tier_s: int
    series: int
    start_s: int
    baseline: int


class Profiles:
    """A set of profiles. Counts are exact integers; sums are float64; maxima don't subtract.

    Additions are collected and summed when the entries are next looked at, or when they are many.
    """

    __slots__ = ("_added", "_counts", "_index", "_maxima", "_sums", "rows")

    def __init__(self) -> None:
        self.rows: list[RowKey] = []
        self._index: dict[RowKey, int] = {}
        self._counts: list[tuple[Ints, Ints]] = []
        self._sums: list[tuple[Ints, Floats]] = []
        self._maxima: list[tuple[Ints, Floats]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row: RowKey) -> bool:
        return row in self._index

    @property
    def counts(self) -> tuple[Ints, Ints]:
        """(keys, counts), int64, sorted by key; a key is `row << CELL_BITS | cell`."""
        return _joined(self._counts, np.int64, np.add)

    @property
    def sums(self) -> tuple[Ints, Floats]:
        """(keys, sums), the sums float64, sorted by key."""
        return _joined(self._sums, np.float64, np.add)

    @property
    def maxima(self) -> tuple[Ints, Floats]:
        """(keys, maxima), the maxima float64, sorted by key."""
        return _joined(self._maxima, np.float64, np.maximum)

    @property
    def cells(self) -> int:
        """How many entries are held: what the memory is proportional to."""
        return len(self.counts[0]) + len(self.sums[0]) + len(self.maxima[0])

    def rows_for(self, rows: Iterable[RowKey]) -> Ints:
        """The row numbers (int64) of `rows`, added where they are new."""
        index, known = self._index, self.rows
        numbers = []
        for row in rows:
            number = index.get(row)
            if number is None:
                index[row] = number = len(known)
                known.append(row)
            numbers.append(number)
        return np.array(numbers, np.int64)

    def add_counts(self, row: Ints, cell: Ints, count: Ints) -> None:
        """Adds counts (int64); equal (row, cell) pairs may repeat."""
        self._counts.append((row << CELL_BITS | cell, count))
        self._added += len(row)
        if self._added > _COMPACT_ABOVE:
            self._added = 0
            _ = self.counts

    def add_sums(self, row: Ints, cell: Ints, value: Floats) -> None:
        """Adds sums (float64); equal (row, cell) pairs may repeat."""
        self._sums.append((row << CELL_BITS | cell, value))

    def add_maxima(self, row: Ints, cell: Ints, value: Floats) -> None:
        """Raises maxima (float64); equal (row, cell) pairs may repeat."""
        self._maxima.append((row << CELL_BITS | cell, value))

    def add(self, other: "Profiles", rename: Callable[[RowKey], RowKey] | None = None) -> None:
        """Adds the profiles of `other`, under other names if `rename` is given."""
        names = other.rows if rename is None else list(map(rename, other.rows))
        to = self.rows_for(names)
        keys, counts = other.counts
        self.add_counts(to[keys >> CELL_BITS], keys & _CELL_MASK, counts)
        keys, sums = other.sums
        self.add_sums(to[keys >> CELL_BITS], keys & _CELL_MASK, sums)
        keys, maxima = other.maxima
        self.add_maxima(to[keys >> CELL_BITS], keys & _CELL_MASK, maxima)

    def select(self, rows: Sequence[RowKey]) -> "Profiles":
        """The profiles named, those that this set lacks as empty ones."""
        chosen = Profiles()
        chosen.rows_for(rows)
        to = np.full(len(self.rows), -1, np.int64)
        for number, row in enumerate(chosen.rows):
            mine = self._index.get(row)
            if mine is not None:
                to[mine] = number
        chosen._counts = [_take(*self.counts, to)]
        chosen._sums = [_take(*self.sums, to)]
        chosen._maxima = [_take(*self.maxima, to)]
        return chosen

    def where(self, keep: Callable[[RowKey], bool]) -> "Profiles":
        """The profiles whose row `keep` accepts."""
        return self.select([row for row in self.rows if keep(row)])

    def coarser(self, tier_s: int) -> "Profiles":
        """The sums of these profiles over windows of `tier_s`; counts by the second stay behind."""
        coarse = Profiles()
        coarse.add(
            self._without_seconds(),
            lambda row: row._replace(tier_s=tier_s, start_s=row.start_s // tier_s * tier_s),
        )
        return coarse

    def _without_seconds(self) -> "Profiles":
        service = np.array([row.kind == Kind.SERVICE for row in self.rows], np.bool_)

        def less(keys: Ints, values: NDArray[_T]) -> tuple[Ints, NDArray[_T]]:
            if not len(keys):
                return keys, values
            kept = ~(service[keys >> CELL_BITS] & ((keys & _CELL_MASK) >= SECONDS))
            return keys[kept], values[kept]

        coarse = Profiles()
        coarse.rows_for(self.rows)
        coarse._counts = [less(*self.counts)]
        coarse._sums = [less(*self.sums)]
        coarse._maxima = [self.maxima]
        return coarse


def _joined(parts: list[tuple[Ints, NDArray[_T]]], dtype: Any, ufunc: Any) -> tuple[Ints, NDArray[_T]]:
    """The parts as one, sorted, equal keys reduced by `ufunc`; `parts` then holds only that."""
    if len(parts) != 1:
        keys = np.concatenate([_NO_KEYS, *(k for k, _ in parts)])
        values = np.concatenate([np.zeros(0, dtype), *(v for _, v in parts)])
        parts[:] = [_reduced(keys, values, ufunc)]
    elif len(parts[0][0]) > 1 and not (parts[0][0][1:] > parts[0][0][:-1]).all():
        parts[:] = [_reduced(*parts[0], ufunc)]
    return parts[0]


def _reduced(keys: Ints, values: NDArray[_T], ufunc: Any) -> tuple[Ints, NDArray[_T]]:
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], ufunc.reduceat(values, first)


def _take(keys: Ints, values: NDArray[_T], to: Ints) -> tuple[Ints, NDArray[_T]]:
    if not len(keys):
        return keys, values
    row = to[keys >> CELL_BITS]
    kept = row >= 0
    renamed = row[kept] << CELL_BITS | (keys[kept] & _CELL_MASK)
    order = np.argsort(renamed, kind="stable")
    return renamed[order], values[kept][order]
