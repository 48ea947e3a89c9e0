"""What the cells of a model's features stand for, and the few cells that drift is measured on.

Counts are int64 (f, 256) in the layout of `FeatureBin`, NULL filled in. The partition of a feature's rows
is its bins or categories and the five SPECIAL cells; the counters beside the partition are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import Bins
from monitor.profiles.layout import FeatureBin
from monitor.records import Bools, Floats, Ints

__all__ = [
    "DECILES",
    "SPECIAL",
    "VALUES",
    "Cells",
    "Shape",
    "cells_of",
    "coarse",
    "deciles",
    "describe",
    "rows_of",
]

# The cells of bins or categories; what lies beyond them is special or beside the partition.
VALUES = int(FeatureBin.BELOW)
SPECIAL = tuple(
    int(cell)
    for cell in (
        FeatureBin.NULL,
        FeatureBin.NONFINITE,
        FeatureBin.INVALID,
        FeatureBin.OTHER,
        FeatureBin.UNBINNED,
    )
)
DECILES = 10
# An exponential tail beyond an edge has its mean at 1/ln 2 widths of the bin before it, of equal mass.
_TAIL = 1 / np.log(2)


@dataclass(frozen=True, slots=True)
class Shape:
    """Features, one per row of the counts: `numeric` (bool, f), `size` (int64, f: bins or categories, 0
    where none were fitted), `edges` (float64, (f, 239), +inf beyond a feature's own), `points` (float64,
    (f, 240): where in a numeric bin its values are taken to lie) and the names of the categories."""

    names: tuple[str, ...]
    numeric: Bools
    size: Ints
    edges: Floats
    points: Floats
    categories: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Ints) -> "Shape":
        """The features of `rows` (int64), which may repeat: one row per window and feature, say."""
        index = rows.tolist()
        return Shape(
            tuple(self.names[i] for i in index),
            self.numeric[rows],
            self.size[rows],
            self.edges[rows],
            self.points[rows],
            tuple(self.categories[i] for i in index),
        )


def describe(features: Mapping[str, Bins | None]) -> Shape:
    """The shape of features by name, in their order; None stands for bins that are not fitted yet."""
    f = len(features)
    edges = np.full((f, VALUES - 1), np.inf)
    points = np.zeros((f, VALUES))
    size = np.zeros(f, np.int64)
    numeric = np.zeros(f, np.bool_)
    categories: list[tuple[str, ...]] = []
    for i, bins in enumerate(features.values()):
        categories.append((bins.categories or ()) if bins is not None else ())
        size[i] = len(categories[-1])
        if bins is not None and bins.edges is not None:
            numeric[i] = True
            size[i] = len(bins.edges) + 1
            edges[i, : size[i] - 1] = bins.edges
            points[i, : size[i]] = _points(bins.edges)
    return Shape(tuple(features), numeric, size, edges, points, tuple(categories))


def _points(edges: Floats) -> Floats:
    """Inner bins: their middle, or their lower edge where a bin was made for each value (then the last two
    edges are neighbours). Open ends: the mean of an exponential tail that goes on from the bin beside it."""
    if len(edges) < 2:
        return np.repeat(edges, 2) if len(edges) else np.zeros(1)
    if edges[-1] == np.nextafter(edges[-2], np.inf):
        return np.concatenate((edges[:1], edges))
    below = edges[0] - _TAIL * (edges[1] - edges[0])
    above = edges[-1] + _TAIL * (edges[-1] - edges[-2])
    return np.concatenate(([below], edges[:-1] / 2 + edges[1:] / 2, [above]))


def rows_of(counts: Ints) -> Ints:
    """The rows that the partition of each feature holds, int64 (f,)."""
    total: Ints = counts[:, :VALUES].sum(axis=1) + counts[:, SPECIAL].sum(axis=1)
    return total


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts on the cells that drift is measured on, int64 (f, c): for a numeric feature the deciles of the
    reference, for a categorical one its categories; then (the last five) the special cells. `cut` (int64,
    (f, 9)) is the edge below which the deciles 1.. lie, -1 where there is none."""

    reference: Ints
    current: Ints
    cut: Ints


def cells_of(shape: Shape, reference: Ints, current: Ints) -> Cells:
    """Deciles for numbers, categories as they are; special cells by themselves."""
    width = max(DECILES, int(shape.size[~shape.numeric].max(initial=0)))
    cut = deciles(shape.size, reference)
    return Cells(
        coarse(shape.numeric, reference, cut, width), coarse(shape.numeric, current, cut, width), cut
    )


def deciles(size: Ints, reference: Ints) -> Ints:
    """The edges that are numpy's quantiles at 0.1, .., 0.9 of the reference (f, 256), where its edges hold
    them: int64 (f, 9), -1 for one below all edges. `size` (int64, f) is the number of bins.

    The quantile at rank h = (n-1)q has ceil(h) values below it, or fewer where it is a repeated value.
    Where all numbers of the reference lie in one bin, the edges of that bin: below, at, above.
    """
    upto = np.cumsum(reference[:, :VALUES], axis=1)
    n = upto[:, -1]
    below = np.where(np.arange(VALUES) < (size - 1)[:, None], upto, np.iinfo(np.int64).max)
    tenths = np.arange(1, DECILES)
    rank = -(-np.maximum(n - 1, 0)[:, None] * tenths // DECILES)
    cut: Ints = np.count_nonzero(below[:, None, :] <= rank[:, :, None], axis=2) - 1
    single = np.count_nonzero(reference[:, :VALUES], axis=1) == 1
    if single.any():
        at = np.argmax(reference[single, :VALUES] > 0, axis=1)
        last = size[single] - 2
        cut[single] = np.where(tenths < DECILES / 2, (at - 1)[:, None], np.minimum(at, last)[:, None])
    return cut


def coarse(numeric: Bools, counts: Ints, cut: Ints, width: int) -> Ints:
    """The counts (f, 256) on `width` cells and the special ones: deciles where `numeric`."""
    table = np.zeros((len(counts), width + len(SPECIAL)), np.int64)
    table[:, :width] = counts[:, :width]
    if numeric.any():
        upto = np.cumsum(counts[:, :VALUES], axis=1)
        below = np.where(cut >= 0, np.take_along_axis(upto, np.maximum(cut, 0), axis=1), 0)
        between = np.diff(below, axis=1, prepend=0, append=upto[:, -1:])
        table[numeric, :width] = 0
        table[numeric, :DECILES] = between[numeric]
    table[:, width:] = counts[:, SPECIAL]
    return table
