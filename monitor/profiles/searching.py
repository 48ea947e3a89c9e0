"""The bin of each of many values, many times as fast as a binary search of each.

A grid of even cells lies over the edges. Where a value's cell holds no edge, the cell says its bin; where it
holds one, one comparison does; the few values in cells with more are searched for. The result is exactly
numpy's `searchsorted(edges, values, side="right")`.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.layout import FeatureBin
from monitor.records import Floats, Ints

__all__ = ["Grid", "Numbers", "grid_of"]

Numbers: TypeAlias = NDArray[np.int16]

_CELLS = 16_384
# More values at once would leave the processor's cache.
_AT_ONCE = 16_384
# How the table tells cells without an edge (their bin) from those with one (-1 less the edge's index) and
# those that a search is needed for.
_SEARCH = -(1 << 14)


class Grid:
    """Bins by ascending finite edges; a value on an edge belongs to the bin above. Immutable; 32 KB."""

    __slots__ = ("_edges", "_scale", "_table")

    def __init__(self, edges: Floats, scale: np.float64) -> None:
        self._edges, self._scale = edges, scale
        at = self._cells(edges, np.empty(len(edges)), np.empty(len(edges), np.int64))
        held = np.bincount(np.clip(at, 0, _CELLS), minlength=_CELLS + 1)
        before = np.cumsum(held) - held
        # Whatever lies outside the grid, and what is no number at all, comes to one of its ends.
        held[_CELLS] = 2
        table = np.where(held == 0, before, np.where(held == 1, -1 - before, _SEARCH))
        self._table: Numbers = table.astype(np.int16)

    def _cells(self, some: Floats, place: Floats, cell: Ints) -> Ints:
        """The cell of each value. Each step is monotonic whatever it rounds, so an edge in a lower cell than
        a value is not above it. What int64 can't hold comes out as any number outside the grid, or as 0."""
        np.subtract(some, self._edges[0], out=place)
        np.multiply(place, self._scale, out=place)
        np.copyto(cell, place, casting="unsafe")
        return cell

    def bins(self, values: Floats) -> Numbers:
        """The bin of each value, int16; NULL for NaN, NONFINITE for infinities."""
        found = np.empty(len(values), np.int16)
        size = min(_AT_ONCE, len(values))
        place, cell = np.empty(size), np.empty(size, np.int64)
        with np.errstate(over="ignore", invalid="ignore"):
            for begin in range(0, len(values), _AT_ONCE):
                part, mine = values[begin : begin + _AT_ONCE], found[begin : begin + _AT_ONCE]
                at = self._cells(part, place[: len(part)], cell[: len(part)])
                np.take(self._table, at, out=mine, mode="clip")
                unsure = np.flatnonzero(mine < 0)
                if unsure.size:
                    mine[unsure] = self._compared(mine[unsure], part[unsure])
        return found

    def _compared(self, told: Numbers, values: Floats) -> Numbers:
        edge = np.where(told == _SEARCH, 0, -1 - told)
        bins = (edge + (values >= self._edges[edge])).astype(np.int16)
        over = values > self._edges[-1]
        bins[over] = len(self._edges)
        if (hard := np.flatnonzero((told == _SEARCH) & ~over)).size:
            bins[hard] = np.searchsorted(self._edges, values[hard], side="right")
        finite = np.isfinite(values)
        if not finite.all():
            bins[~finite] = np.where(np.isnan(values[~finite]), FeatureBin.NULL, FeatureBin.NONFINITE)
        return bins


def grid_of(edges: Floats) -> Grid | None:
    """The grid over the edges; None where they span nothing that a grid could divide, or are too many."""
    if not 1 < len(edges) < -_SEARCH:
        return None
    with np.errstate(over="ignore", divide="ignore"):
        scale = np.float64(_CELLS) / (edges[-1] - edges[0])
    return Grid(edges, scale) if 0 < scale < np.inf else None
