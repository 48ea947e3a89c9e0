"""The bin of each of many values, many times as fast as a binary search of each.

A grid of even cells lies over the edges. Where a value's cell holds no edge, the cell says its bin; where it
holds one, one comparison does; the few values in cells with more are searched for. The result is exactly
numpy's `searchsorted(edges, values, side="right")`.
"""

import numpy as np

from monitor.records import Floats, Ints

__all__ = ["Grid", "grid_of"]

_CELLS = 4096
# More values at once would leave the processor's cache.
_AT_ONCE = 16_384


class Grid:
    """Bins by ascending finite edges; a value on an edge belongs to the bin above. Immutable; 64 KB."""

    __slots__ = ("_before", "_edges", "_held", "_scale", "_sure")

    def __init__(self, edges: Floats, scale: np.float64) -> None:
        self._edges, self._scale = edges, scale
        at = np.clip(self._cells(edges, np.empty(len(edges)), np.empty(len(edges), np.int64)), 0, _CELLS)
        self._held = np.bincount(at, minlength=_CELLS + 1).astype(np.int16)
        self._before = (np.cumsum(self._held) - self._held).astype(np.int16)
        self._sure = np.where(self._held > 0, -1, self._before).astype(np.int64)
        # Whatever lies outside the grid, and what is no number at all, comes to one of its ends.
        self._sure[[0, _CELLS]] = -1

    def _cells(self, some: Floats, place: Floats, cell: Ints) -> Ints:
        """The cell of each value. Each step is monotonic whatever it rounds, so an edge in a lower cell than
        a value is not above it. What int64 can't hold comes out as any number outside the grid, or as 0."""
        np.subtract(some, self._edges[0], out=place)
        np.multiply(place, self._scale, out=place)
        np.copyto(cell, place, casting="unsafe")
        return cell

    def bins(self, values: Floats) -> Ints:
        """The bin of each value, int64; -1 for what is not finite."""
        found = np.empty(len(values), np.int64)
        place, cell = np.empty(_AT_ONCE), np.empty(_AT_ONCE, np.int64)
        with np.errstate(over="ignore", invalid="ignore"):
            for begin in range(0, len(values), _AT_ONCE):
                part, mine = values[begin : begin + _AT_ONCE], found[begin : begin + _AT_ONCE]
                at = self._cells(part, place[: len(part)], cell[: len(part)])
                np.take(self._sure, at, out=mine, mode="clip")
                unsure = np.flatnonzero(mine < 0)
                if unsure.size:
                    mine[unsure] = self._compared(at[unsure], part[unsure])
        return found

    def _compared(self, cell: Ints, values: Floats) -> Ints:
        inside = (cell >= 0) & (cell <= _CELLS)
        at = np.where(inside, cell, 0)
        first = self._before[at].astype(np.int64)
        bins = first + (values >= self._edges[np.minimum(first, len(self._edges) - 1)])
        hard = np.flatnonzero((self._held[at] != 1) | ~inside)
        bins[hard] = np.searchsorted(self._edges, values[hard], side="right")
        bins[~np.isfinite(values)] = -1
        return bins


def grid_of(edges: Floats) -> Grid | None:
    """The grid over the edges; None where they span nothing that a grid could divide."""
    if len(edges) < 2:
        return None
    with np.errstate(over="ignore", divide="ignore"):
        scale = np.float64(_CELLS) / (edges[-1] - edges[0])
    return Grid(edges, scale) if 0 < scale < np.inf else None
