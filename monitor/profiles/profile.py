"""Profiles that add: many sparse vectors of counts, sums and maxima, kept as a few flat arrays.

A row is one profile (series, kind, tier, window, baseline); its entries are (cell, value). All rows
of a set live in the same arrays under keys `row << CELL_BITS | cell`, so that adding, coarsening,
reading and writing thousands of profiles is a handful of array operations.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.layout import CELL_BITS, SECONDS, Kind
from monitor.records import Bools, Floats, Ints

__all__ = ["Profiles", "RowKey", "sum_by_key"]

_T = TypeVar("_T", np.int64, np.float64)
_CELL_MASK = (1 << CELL_BITS) - 1
_NO_KEYS = np.zeros(0, np.int64)
_NO_SUMS = np.zeros(0, np.float64)


class RowKey(NamedTuple):
    """Names a profile of one writer: `tier_s` is the window's length, `start_s` its begin (epoch, UTC)."""

    kind: int
    tier_s: int
    series: int
    start_s: int
    baseline: int


def sum_by_key(keys: Ints, values: NDArray[_T]) -> tuple[Ints, NDArray[_T]]:
    """Sorted distinct keys and the sum of the values of each."""
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], np.add.reduceat(values, first)


def _max_by_key(keys: Ints, values: Floats) -> tuple[Ints, Floats]:
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], np.maximum.reduceat(values, first)


class Profiles:
    """A set of profiles. Counts are exact integers; sums are float64; maxima don't subtract."""

    __slots__ = ("_index", "counts", "keys", "max_keys", "maxima", "rows", "sum_keys", "sums")

    def __init__(self) -> None:
        self.rows: list[RowKey] = []
        self._index: dict[RowKey, int] = {}
        self.keys: Ints = _NO_KEYS
        self.counts: Ints = _NO_KEYS
        self.sum_keys: Ints = _NO_KEYS
        self.sums: Floats = _NO_SUMS
        self.max_keys: Ints = _NO_KEYS
        self.maxima: Floats = _NO_SUMS

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row: RowKey) -> bool:
        return row in self._index

    @property
    def cells(self) -> int:
        """How many entries are held: what the memory is proportional to."""
        return len(self.keys) + len(self.sum_keys) + len(self.max_keys)

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
        keys = np.concatenate((self.keys, row << CELL_BITS | cell))
        self.keys, self.counts = sum_by_key(keys, np.concatenate((self.counts, count)))

    def add_sums(self, row: Ints, cell: Ints, value: Floats) -> None:
        """Adds sums (float64); equal (row, cell) pairs may repeat."""
        keys = np.concatenate((self.sum_keys, row << CELL_BITS | cell))
        self.sum_keys, self.sums = sum_by_key(keys, np.concatenate((self.sums, value)))

    def add_maxima(self, row: Ints, cell: Ints, value: Floats) -> None:
        """Raises maxima (float64); equal (row, cell) pairs may repeat."""
        keys = np.concatenate((self.max_keys, row << CELL_BITS | cell))
        self.max_keys, self.maxima = _max_by_key(keys, np.concatenate((self.maxima, value)))

    def add(self, other: "Profiles", rename: Callable[[RowKey], RowKey] | None = None) -> None:
        """Adds the profiles of `other`, under other names if `rename` is given."""
        names = other.rows if rename is None else list(map(rename, other.rows))
        to = self.rows_for(names)
        if len(other.keys):
            self.add_counts(to[other.keys >> CELL_BITS], other.keys & _CELL_MASK, other.counts)
        if len(other.sum_keys):
            self.add_sums(to[other.sum_keys >> CELL_BITS], other.sum_keys & _CELL_MASK, other.sums)
        if len(other.max_keys):
            self.add_maxima(to[other.max_keys >> CELL_BITS], other.max_keys & _CELL_MASK, other.maxima)

    def select(self, rows: Sequence[RowKey]) -> "Profiles":
        """The profiles named, those that this set lacks as empty ones."""
        chosen = Profiles()
        chosen.rows_for(rows)
        to = np.full(len(self.rows), -1, np.int64)
        for number, row in enumerate(rows):
            mine = self._index.get(row)
            if mine is not None:
                to[mine] = number
        chosen.keys, chosen.counts = _take(self.keys, self.counts, to)
        chosen.sum_keys, chosen.sums = _take(self.sum_keys, self.sums, to)
        chosen.max_keys, chosen.maxima = _take(self.max_keys, self.maxima, to)
        return chosen

    def where(self, keep: Callable[[RowKey], bool]) -> "Profiles":
        """The profiles whose row `keep` accepts."""
        return self.select([row for row in self.rows if keep(row)])

    def tiers(self, tiers_s: Callable[[int], Sequence[int]]) -> "Profiles":
        """These base-tier profiles together with their sums in the coarser tiers of their kind.

        `tiers_s(kind)` lists the tiers, the base first. Counts by the second stay in the base tier.
        """
        all_tiers = Profiles()
        all_tiers.add(self)
        coarse = self._without_seconds()
        for position in range(1, max((len(tiers_s(k)) for k in Kind), default=0)):
            part = coarse.where(lambda row, p=position: len(tiers_s(row.kind)) > p)  # type: ignore[misc]  # binds p
            all_tiers.add(part, lambda row, p=position: _coarser(row, tiers_s(row.kind)[p]))  # type: ignore[misc]  # binds p
        return all_tiers

    def _without_seconds(self) -> "Profiles":
        service = np.array([row.kind == Kind.SERVICE for row in self.rows], np.bool_)

        def keep(keys: Ints) -> Bools:
            if not len(keys):
                return np.zeros(0, np.bool_)
            kept: Bools = ~(service[keys >> CELL_BITS] & ((keys & _CELL_MASK) >= SECONDS))
            return kept

        coarse = Profiles()
        coarse.rows_for(self.rows)
        counted, summed = keep(self.keys), keep(self.sum_keys)
        coarse.keys, coarse.counts = self.keys[counted], self.counts[counted]
        coarse.sum_keys, coarse.sums = self.sum_keys[summed], self.sums[summed]
        coarse.max_keys, coarse.maxima = self.max_keys, self.maxima
        return coarse


def _coarser(row: RowKey, tier_s: int) -> RowKey:
    return row._replace(tier_s=tier_s, start_s=row.start_s // tier_s * tier_s)


def _take(keys: Ints, values: NDArray[_T], to: Ints) -> tuple[Ints, NDArray[_T]]:
    if not len(keys):
        return keys, values
    row = to[keys >> CELL_BITS]
    kept = row >= 0
    renamed = row[kept] << CELL_BITS | (keys[kept] & _CELL_MASK)
    order = np.argsort(renamed, kind="stable")
    return renamed[order], values[kept][order]
