"""Profiles that add: many sparse vectors of counts, sums and maxima, kept as a few flat arrays.

A row is one profile (series, kind, tier, window, baseline); its entries are (cell, value). All rows
of a set live in the same arrays under keys `row << CELL_BITS | cell`, so that adding, coarsening,
reading and writing thousands of profiles is a handful of array operations.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.layout import CELL_BITS, SECONDS, Kind
from monitor.profiles.rows import RowKeys
from monitor.records import Bools, Floats, Ints

__all__ = ["Profiles"]

_T = TypeVar("_T", np.int64, np.float64)
_CELL_MASK = (1 << CELL_BITS) - 1
_NO_KEYS = np.zeros(0, np.int64)
_COMPACT_ABOVE = 500_000


class _Numbers(dict[tuple[int, ...], int]):
    """Gives each new row the next number."""

    def __missing__(self, row: tuple[int, ...]) -> int:
        self[row] = number = len(self)
        return number


class Profiles:
    """A set of profiles. Counts are exact integers; sums are float64; maxima don't subtract.

    Additions are collected and summed when the entries are next looked at, or when they are many.
    """

    __slots__ = ("_added", "_counts", "_maxima", "_numbers", "_rows", "_sums")

    def __init__(self) -> None:
        self._rows = [RowKeys.of(())]
        self._numbers = _Numbers()
        self._counts: list[tuple[Ints, Ints]] = []
        self._sums: list[tuple[Ints, Floats]] = []
        self._maxima: list[tuple[Ints, Floats]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def rows(self) -> RowKeys:
        """The names of the profiles, each once; a row's number is its place among them."""
        if len(self._rows) > 1:
            self._rows = [RowKeys.joined(self._rows)]
        return self._rows[0]

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

    def rows_for(self, rows: RowKeys) -> Ints:
        """The row numbers (int64) of `rows`, added where they are new."""
        before = len(self._numbers)
        numbers = np.fromiter(map(self._numbers.__getitem__, rows.tuples()), np.int64, len(rows))
        if len(self._numbers) > before:
            new = np.flatnonzero(numbers >= before)
            self._rows.append(rows[new[np.unique(numbers[new], return_index=True)[1]]])
        return numbers

    def has(self, rows: RowKeys) -> Bools:
        """Whether each of `rows` is in this set (bool, n)."""
        return np.fromiter(map(self._numbers.__contains__, rows.tuples()), np.bool_, len(rows))

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

    def add(self, other: "Profiles") -> None:
        """Adds the profiles of `other`."""
        to = self.rows_for(other.rows)
        keys, counts = other.counts
        self.add_counts(to[keys >> CELL_BITS], keys & _CELL_MASK, counts)
        keys, sums = other.sums
        self.add_sums(to[keys >> CELL_BITS], keys & _CELL_MASK, sums)
        keys, maxima = other.maxima
        self.add_maxima(to[keys >> CELL_BITS], keys & _CELL_MASK, maxima)

    def where(self, keep: Bools) -> "Profiles":
        """The profiles whose row `keep` (bool, one for each of `rows`) chooses."""
        chosen = Profiles()
        to = np.full(len(self), -1, np.int64)
        to[keep] = chosen.rows_for(self.rows[keep])
        chosen._counts = [_take(*self.counts, to)]
        chosen._sums = [_take(*self.sums, to)]
        chosen._maxima = [_take(*self.maxima, to)]
        return chosen

    def parts(self, cells: int) -> Iterator["Profiles"]:
        """These profiles, a stretch of the rows at a time: of about `cells` entries, or of one long row."""
        begins = np.arange(len(self) + 1) << CELL_BITS
        counts, sums, maxima = (np.searchsorted(k, begins) for k, _ in (self.counts, self.sums, self.maxima))
        part = (counts + sums + maxima)[:-1] // cells
        ends = np.append(np.flatnonzero(np.diff(part)) + 1, len(self)).tolist()
        for a, b in pairwise([0, *ends]):
            chosen = Profiles()
            chosen.rows_for(self.rows[a:b])
            chosen._counts = [_stretch(*self.counts, counts, a, b)]
            chosen._sums = [_stretch(*self.sums, sums, a, b)]
            chosen._maxima = [_stretch(*self.maxima, maxima, a, b)]
            yield chosen

    def coarser(self, tier_s: int) -> "Profiles":
        """The sums of these profiles over windows of `tier_s`; counts by the second stay behind."""
        coarse = Profiles()
        to = coarse.rows_for(self.rows.coarser(tier_s))
        row, cell, counts = self._without_seconds(*self.counts)
        coarse.add_counts(to[row], cell, counts)
        row, cell, sums = self._without_seconds(*self.sums)
        coarse.add_sums(to[row], cell, sums)
        keys, maxima = self.maxima
        coarse.add_maxima(to[keys >> CELL_BITS], keys & _CELL_MASK, maxima)
        return coarse

    def _without_seconds(self, keys: Ints, values: NDArray[_T]) -> tuple[Ints, Ints, NDArray[_T]]:
        row, cell = keys >> CELL_BITS, keys & _CELL_MASK
        kept = (cell < SECONDS) | (self.rows.kind != Kind.SERVICE)[row]
        return row[kept], cell[kept], values[kept]


def _joined(parts: list[tuple[Ints, NDArray[_T]]], dtype: Any, ufunc: Any) -> tuple[Ints, NDArray[_T]]:
    """The parts as one, sorted, equal keys reduced by `ufunc`; `parts` then holds only that."""
    if len(parts) != 1 or not _ascending(parts[0][0]):
        keys = np.concatenate([_NO_KEYS, *(k for k, _ in parts)])
        values = np.concatenate([np.zeros(0, dtype), *(v for _, v in parts)])
        # What is joined goes before sorting, and what is sorted replaces it: millions of entries are held
        # as seldom as can be.
        parts.clear()
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        del order
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        parts.append((keys[first], ufunc.reduceat(values, first)) if len(keys) else (keys, values))
    return parts[0]


def _ascending(keys: Ints) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _stretch(keys: Ints, values: NDArray[_T], begins: Ints, first: int, end: int) -> tuple[Ints, NDArray[_T]]:
    """The entries of the rows from `first` to before `end`, which get the numbers from 0 on."""
    mine = slice(int(begins[first]), int(begins[end]))
    return keys[mine] - (first << CELL_BITS), values[mine]


def _take(keys: Ints, values: NDArray[_T], to: Ints) -> tuple[Ints, NDArray[_T]]:
    """The entries of the rows that `to` gives a new number, ascending as before, or else -1."""
    row = to[keys >> CELL_BITS]
    kept = row >= 0
    return row[kept] << CELL_BITS | (keys[kept] & _CELL_MASK), values[kept]
