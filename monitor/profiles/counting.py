"""Counting pairs: the few array operations that profiling a batch consists of."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.records import Bools, Floats, Ints

__all__ = ["compact", "count_pairs", "spans", "sum_pairs"]

_DENSE_PER_RECORD = 64
_DENSE_ALWAYS = 1 << 16


def compact(codes: Ints, bound: int) -> tuple[Ints, Ints]:
    """The distinct codes, ascending, and for each code its index among them; codes are in [0, bound)."""
    if bound > 4 * len(codes) + _DENSE_ALWAYS:
        distinct, index = np.unique(codes, return_inverse=True)
        return distinct, index.astype(np.int64)
    seen = np.zeros(bound, np.bool_)
    seen[codes] = True
    distinct = np.flatnonzero(seen)
    lookup = np.zeros(bound, np.int64)
    lookup[distinct] = np.arange(len(distinct))
    return distinct, lookup[codes]


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The indices of many spans, one after the other."""
    total = np.cumsum(lengths)
    if not len(total):
        return np.zeros(0, np.int64)
    return np.repeat(starts - (total - lengths), lengths) + np.arange(total[-1])


def count_pairs(row: Ints, cell: NDArray[Any], n_rows: int) -> tuple[Ints, Ints, Ints]:
    """(row, cell, count) of each distinct pair; `row` in [0, n_rows), `cell` non-negative."""
    if not len(row):
        return row, row, row
    low = int(cell.min())
    width = int(cell.max()) - low + 1
    packed = row * width + (cell - low)
    if n_rows * width <= _DENSE_PER_RECORD * len(row) + _DENSE_ALWAYS:
        table = np.bincount(packed, minlength=n_rows * width)
        found = np.flatnonzero(table)
        count = table[found]
    else:
        packed = np.sort(packed)
        first = np.flatnonzero(np.concatenate(([True], packed[1:] != packed[:-1])))
        found, count = packed[first], np.diff(first, append=len(packed))
    return found // width, found % width + low, count.astype(np.int64)


def sum_pairs(row: Ints, cell: int, value: Floats, n_rows: int, keep: Bools) -> tuple[Ints, Ints, Floats]:
    """(row, cell, sum) of `value` over the records where `keep`, for one cell; only rows that have any."""
    mine = row[keep]
    total: Floats = np.bincount(mine, weights=value[keep], minlength=n_rows).astype(np.float64)
    rows: Ints = np.flatnonzero(np.bincount(mine, minlength=n_rows))
    return rows, np.full(len(rows), cell, np.int64), total[rows]
