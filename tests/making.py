"""Baselines made by hand, for tests that need one in the store."""

from collections.abc import Mapping

import numpy as np

from monitor.profiles.bins import Bins
from monitor.profiles.codec import encode_rows
from monitor.profiles.feature_contract import FeatureContract
from monitor.profiles.features import Feature
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKey, RowKeys
from monitor.store.fits import Counts, NewBaseline

__all__ = ["AMOUNT", "counts_of", "new_baseline"]

AMOUNT = Bins(edges=np.array([10.0, 20.0]))


def counts_of(rows: int, by_feature: Mapping[int, Mapping[int, int]], windows: int = 0) -> Counts:
    """Counts of `rows` rows: by feature number, by cell."""
    profiles = Profiles()
    row = profiles.rows_for(RowKeys.of([RowKey(3, 600, 0, 0, 0)]))
    cells = {FEATURE_ROWS: rows}
    for number, bins in by_feature.items():
        cells |= {number * FEATURE_STRIDE + cell: n for cell, n in bins.items()}
    profiles.add_counts(
        np.repeat(row, len(cells)), np.array(list(cells), np.int64), np.array(list(cells.values()), np.int64)
    )
    blob, sums, _ = encode_rows(profiles)[0]
    return Counts(rows, windows, blob, sums)


def new_baseline(
    version: str = "",
    features: Mapping[str, Bins] | None = None,
    contracts: Mapping[str, FeatureContract] | None = None,
    model: str = "fraud",
) -> NewBaseline:
    """A baseline of `amount` alone unless `features` says otherwise."""
    named = {"amount": AMOUNT} if features is None else features
    held = {
        name: Feature(i, bins, (contracts or {}).get(name))
        for i, (name, bins) in enumerate(named.items(), start=1)
    }
    counts = counts_of(100, {f.number: {0: 60, 1: 30} for f in held.values()})
    return NewBaseline(model, version, "ann", "by hand", held, {-1: counts})
