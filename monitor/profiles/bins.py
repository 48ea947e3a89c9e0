"""The bins of a feature: fitted once, given a number, never changed."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.layout import FeatureBin
from monitor.profiles.searching import Grid, grid_of
from monitor.records import Bools, Coded, Column, Floats, Ints, Mixed

__all__ = [
    "MAX_CATEGORIES",
    "BinNumbers",
    "Bins",
    "bin_column",
    "breaches",
    "edges_of",
    "fit",
    "from_json",
    "most_frequent",
    "present",
    "to_json",
]

# 200 bins nest in deciles and keep KS within 0.005 of the exact statistic.
_BINS = 200
# Numbers from which on a grid finds their bins faster than a search does.
_MANY = 1024
MAX_CATEGORIES = int(FeatureBin.BELOW)

BinNumbers: TypeAlias = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Bins:
    """Either `edges` (float64, ascending; a value on an edge belongs to the bin above, the ends are
    open) or `categories` (text, each its own bin)."""

    edges: Floats | None = None
    categories: tuple[str, ...] | None = None
    _grids: list[Grid | None] = field(default_factory=list, init=False, repr=False, compare=False)

    def grid(self) -> Grid | None:
        """What finds the bins of many numbers; made when first asked for."""
        if not self._grids and self.edges is not None:
            self._grids.append(grid_of(self.edges))
        return self._grids[0] if self._grids else None


def to_json(bins: Bins) -> str:
    if bins.edges is not None:
        return json.dumps({"kind": "numeric", "edges": bins.edges.tolist()})
    return json.dumps({"kind": "categorical", "categories": bins.categories})


def from_json(text: str) -> Bins:
    spec = json.loads(text)
    if spec["kind"] == "numeric":
        return Bins(edges=np.array(spec["edges"], np.float64))
    return Bins(categories=tuple(spec["categories"]))


def present(column: Column) -> int:
    """How many values of the column are of use to `fit`."""
    if isinstance(column, Coded):
        return int(np.count_nonzero(column.codes))
    numbers = column.numbers if isinstance(column, Mixed) else column
    usable = int(np.count_nonzero(np.isfinite(numbers)))
    return usable + int(np.count_nonzero(column.texts.codes)) if isinstance(column, Mixed) else usable


def fit(columns: list[Column], max_categories: int) -> Bins:
    """Bins from sample columns of one feature: numeric where most values are numbers.

    Numeric: a bin from each distinct value to the next where they are few, one below the least and one above
    the greatest, so that a constant that wakes up is seen; else equal-mass edges. Categorical: the most
    frequent values, ties by name.
    """
    numbers = [_finite(c) for c in columns]
    texts = [c if isinstance(c, Coded) else c.texts for c in columns if not isinstance(c, np.ndarray)]
    n_numbers = sum(map(len, numbers))
    if n_numbers >= sum(int(np.count_nonzero(t.codes)) for t in texts):
        return Bins(edges=edges_of(np.concatenate(numbers)) if n_numbers else np.zeros(0))
    tally: dict[str, int] = {}
    for column in texts:
        codes, n = np.unique(column.codes[column.codes > 0], return_counts=True)
        for code, count in zip(codes.tolist(), n.tolist(), strict=True):
            name = column.names[code] or ""
            tally[name] = tally.get(name, 0) + count
    return most_frequent(tally, max_categories)


def most_frequent(tally: Mapping[str, int], max_categories: int) -> Bins:
    """Categorical bins: the most frequent values, ties by name."""
    ranked = sorted(tally, key=lambda name: (-tally[name], name))
    return Bins(categories=tuple(sorted(ranked[: min(max_categories, MAX_CATEGORIES)])))


def _finite(column: Column) -> Floats:
    if isinstance(column, Coded):
        return np.zeros(0)
    numbers = column.numbers if isinstance(column, Mixed) else column
    return numbers[np.isfinite(numbers)]


def edges_of(values: Floats) -> Floats:
    """Edges from a sample of finite values: where few, all distinct values and one just above; else of
    equal mass."""
    distinct = np.unique(values)
    if 0 < len(distinct) <= _BINS:
        beyond = math.nextafter(distinct[-1], math.inf)
        return np.append(distinct, beyond) if math.isfinite(beyond) else distinct
    return np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS))


def bin_column(bins: Bins | None, column: Column) -> BinNumbers:
    """The bin of each value, int64 or smaller; without bins a usable value counts as UNBINNED."""
    if isinstance(column, np.ndarray):
        return _bin_numbers(bins, column)
    if isinstance(column, Coded):
        return _bin_texts(bins, column)
    number, text = _bin_numbers(bins, column.numbers), _bin_texts(bins, column.texts)
    binned = np.where(column.texts.codes > 0, text, number)
    return np.where(column.invalid, int(FeatureBin.INVALID), binned)


def _bin_numbers(bins: Bins | None, numbers: Floats) -> BinNumbers:
    if bins is None:
        binned = np.full(len(numbers), int(FeatureBin.UNBINNED), np.int64)
    elif bins.edges is None:
        binned = np.full(len(numbers), int(FeatureBin.INVALID), np.int64)
    elif len(numbers) >= _MANY and (grid := bins.grid()) is not None:
        return grid.bins(numbers)
    else:
        binned = np.searchsorted(bins.edges, numbers, side="right")
    odd = ~np.isfinite(numbers)
    if odd.any():
        binned = np.where(np.isinf(numbers), int(FeatureBin.NONFINITE), binned)
        binned = np.where(np.isnan(numbers), int(FeatureBin.NULL), binned)
    return binned


def _bin_texts(bins: Bins | None, column: Coded) -> Ints:
    if bins is None or bins.categories is None:
        kind = FeatureBin.UNBINNED if bins is None else FeatureBin.INVALID
        return np.where(column.codes > 0, int(kind), int(FeatureBin.NULL))
    number = {name: i for i, name in enumerate(bins.categories)}
    other = int(FeatureBin.OTHER)
    lookup = np.array([number.get(name or "", other) for name in column.names], np.int64)
    lookup[0] = int(FeatureBin.NULL)
    return lookup[column.codes]


def breaches(contract: FeatureContract, column: Column) -> Iterator[tuple[FeatureBin, Bools]]:
    """(counter, which records) of the numbers that break the contract, where any does."""
    numbers = column.numbers if isinstance(column, Mixed) else column
    if isinstance(numbers, Coded) or not contract.type.numeric:
        return
    # Comparisons with NaN, a null, are false; +inf stands for what is not finite, and is counted as that.
    if contract.minimum is not None and (below := numbers < contract.minimum).any():
        yield FeatureBin.BELOW, below
    if contract.maximum is not None and (above := numbers > contract.maximum).any():
        above &= numbers < np.inf
        yield FeatureBin.ABOVE, above
    if contract.type is ValueType.INTEGER and (part := np.floor(numbers) != numbers).any():
        part &= numbers == numbers
        yield FeatureBin.FRACTIONAL, part
