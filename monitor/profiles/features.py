"""Counting features, predictions and scores on the bins of the model's baseline."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import Bins, bin_column
from monitor.profiles.counting import count_pairs
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin, Kind
from monitor.profiles.profile import Profiles, RowKey
from monitor.records import FeatureBlock, Ints

__all__ = ["BinSet", "count_features"]


@dataclass(frozen=True, slots=True)
class BinSet:
    """A baseline: its number, and of each feature the number and the bins (None: not fitted yet)."""

    baseline: int
    tier_s: int
    features: Mapping[str, tuple[int, Bins | None]]


def count_features(
    profiles: Profiles, block: FeatureBlock, bins: BinSet, index: Ints, series: Ints, start_s: Ints
) -> None:
    """Counts the block's columns into feature profiles of the base tier.

    `index` (int64) gives each record's row; `series` and `start_s` (int64) describe the rows.
    """
    keys = [
        RowKey(int(Kind.FEATURES), bins.tier_s, i, start, bins.baseline)
        for i, start in zip(series.tolist(), start_s.tolist(), strict=True)
    ]
    numbers = profiles.rows_for(keys)
    rows, cells, counts = count_pairs(index, np.full(len(index), FEATURE_ROWS, np.int64), len(keys))
    profiles.add_counts(numbers[rows], cells, counts)
    for name, column in block.columns.items():
        if name in bins.features:
            feature, spec = bins.features[name]
            rows, cells, counts = count_pairs(index, bin_column(spec, column), len(keys))
            given = cells != FeatureBin.NULL
            cells = feature * FEATURE_STRIDE + cells
            profiles.add_counts(numbers[rows[given]], cells[given], counts[given])
    for name, values in block.attributions.items():
        if name in bins.features:
            attribution = bins.features[name][0] * FEATURE_STRIDE + int(FeatureBin.ATTRIBUTION)
            given = ~np.isnan(values)
            mine = index[given]
            cell = np.full(len(mine), attribution, np.int64)
            rows, cells, counts = count_pairs(mine, cell, len(keys))
            profiles.add_counts(numbers[rows], cells, counts)
            profiles.add_sums(numbers[mine], cell, np.abs(values[given]))
