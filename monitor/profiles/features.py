"""Counting features, predictions and scores on the bins of the model's baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.bins import Bins, bin_column, breaches
from monitor.profiles.counting import count_pairs
from monitor.profiles.feature_contract import FeatureContract
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin, Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.records import Bools, FeatureBlock, Ints

__all__ = ["BinSet", "Feature", "FeatureRows", "Noting", "count_features"]

_T = TypeVar("_T", bound=np.generic)


class Feature(NamedTuple):
    """A feature under one baseline: its number, from 1, its bins (None: not fitted) and its contract."""

    number: int
    bins: Bins | None = None
    contract: FeatureContract | None = None


@dataclass(frozen=True, slots=True)
class BinSet:
    """A baseline and its features by name; `tier_s` is the base window."""

    baseline: int
    tier_s: int
    features: Mapping[str, Feature]


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """One marginal of a block: `where` (int64, None for all) are its records, `index` (int64) gives the
    profile of each, and `series` and `start_s` (int64) describe these profiles."""

    index: Ints
    series: Ints
    start_s: Ints
    where: Ints | None = None


class Noting(Protocol):
    """Takes note of what counting finds out about each record of a block."""

    def binned(self, name: str, feature: Feature, cells: Ints) -> None: ...

    def broken(self, name: str, broken: Bools) -> None: ...


def count_features(
    profiles: Profiles,
    block: FeatureBlock,
    bins: BinSet,
    marginals: Sequence[FeatureRows],
    notes: Noting | None = None,
) -> None:
    """Counts the block's columns into feature profiles of the base tier, once per marginal."""
    counters = [_Counter(profiles, bins, rows) for rows in marginals]
    for counter in counters:
        counter.count(counter.index, np.full(len(counter.index), FEATURE_ROWS, np.int64))
    for name, column in block.columns.items():
        feature = bins.features.get(name)
        if feature is None:
            continue
        binned = bin_column(feature.bins, column)
        if notes is not None:
            notes.binned(name, feature, binned)
        first = feature.number * FEATURE_STRIDE
        for counter in counters:
            counter.count(counter.index, counter.of(binned), first)
        if feature.contract is not None:
            for breach, broken in breaches(feature.contract, column):
                if notes is not None:
                    notes.broken(name, broken)
                for counter in counters:
                    counter.count_where(counter.of(broken), first + int(breach))
    for name, values in block.attributions.items():
        feature = bins.features.get(name)
        if feature is not None:
            cell = feature.number * FEATURE_STRIDE + int(FeatureBin.ATTRIBUTION)
            for counter in counters:
                mine = counter.of(values)
                given = ~np.isnan(mine)
                row = counter.count_where(given, cell)
                profiles.add_sums(row, np.full(len(row), cell, np.int64), np.abs(mine[given]))


class _Counter:
    """Counts into the profiles of one marginal."""

    def __init__(self, profiles: Profiles, bins: BinSet, rows: FeatureRows) -> None:
        keys = RowKeys.windows(Kind.FEATURES, bins.tier_s, rows.series, rows.start_s, bins.baseline)
        self._profiles, self._where = profiles, rows.where
        self.index, self.numbers = rows.index, profiles.rows_for(keys)

    def of(self, values: NDArray[_T]) -> NDArray[_T]:
        """What the marginal's records have of `values`, one for each record of the block."""
        return values if self._where is None else values[self._where]

    def count(self, index: Ints, cell: Ints, first: int = 0) -> None:
        """Counts each record of `index` in its cell, from `first` on; nulls are not: see FEATURE_ROWS."""
        rows, cells, counts = count_pairs(index, cell, len(self.numbers))
        if first:
            given = cells != FeatureBin.NULL
            rows, cells, counts = rows[given], first + cells[given], counts[given]
        self._profiles.add_counts(self.numbers[rows], cells, counts)

    def count_where(self, chosen: Bools, cell: int) -> Ints:
        """Counts the chosen records in one cell; returns the profile (int64) of each."""
        index = self.index[chosen]
        self.count(index, np.full(len(index), cell, np.int64))
        return self.numbers[index]
