"""What is odd about each record's features: how many break the contract, how many lie in the tails.

Found while features are counted, from the bins that counting needs anyhow.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.features import BinSet, Feature
from monitor.profiles.layout import FEATURE_STRIDE, FeatureBin
from monitor.records import Bools, FeatureBlock, Ints

__all__ = ["BlockNotes", "Notes"]

Weights = NDArray[np.uint32]
_ANSWERS = ("@prediction", "@score")
_SCHEMA, _TAIL = np.uint32(1 << 16), np.uint32(1)


class BlockNotes:
    """Implements features.Noting for one block: what count_features sees of each of its records.

    A value is in a tail where it is in the lowest or the highest bin of its baseline (of a feature of many
    values those hold 0.5 % of the baseline's rows each, of one of few what lies beyond all of them), or is a
    category that the baseline has not. Predictions and scores have no part in either count.
    """

    def __init__(self, n: int) -> None:
        self._weights: Weights = np.zeros(n, np.uint32)

    def binned(self, name: str, feature: Feature, cells: Ints) -> None:
        """Takes in the cells (int64, n) of a feature's values."""
        if name not in _ANSWERS:
            table = _table(feature)
            if table is not None:
                self._weights += table[cells]

    def broken(self, name: str, broken: Bools) -> None:
        """Takes in which values (bool, n) break the contract beside their cell."""
        if name not in _ANSWERS:
            self._weights[broken] += _SCHEMA

    def missing(self, block: FeatureBlock, bins: BinSet) -> None:
        """Takes in the required features that the block has not at all."""
        absent = sum(
            f.contract is not None and f.contract.required and name not in block.columns
            for name, f in bins.features.items()
        )
        if absent:
            self._weights += np.uint32(absent) * _SCHEMA

    def add_to(self, notes: "Notes", rows: Ints) -> None:
        """Adds the counts of the block's records to those of the batch."""
        notes.schema[rows] += self._weights >> 16
        notes.tail[rows] += self._weights & np.uint32(0xFFFF)


class Notes:
    """Of each record of a batch (uint32, n): `schema` counts its features that break the contract (wrong
    type, out of range, not whole, not finite, a category that the contract has not, required and missing),
    `tail` those whose value is in a tail of the baseline."""

    def __init__(self, n: int) -> None:
        self.schema: Weights = np.zeros(n, np.uint32)
        self.tail: Weights = np.zeros(n, np.uint32)

    def spread(self, kept: Bools) -> "Notes":
        """The notes of a batch of which only the records `kept` (bool, n) were looked at."""
        whole = Notes(len(kept))
        whole.schema[kept], whole.tail[kept] = self.schema, self.tail
        return whole


def _table(feature: Feature) -> Weights | None:
    """What each cell weighs; None where the feature has neither bins nor contract."""
    bins, contract = feature.bins, feature.contract
    if bins is None and contract is None:
        return None
    table: Weights = np.zeros(FEATURE_STRIDE, np.uint32)
    table[FeatureBin.INVALID] = _SCHEMA
    if bins is not None and bins.edges is not None and len(bins.edges):
        table[0] = table[len(bins.edges)] = _TAIL
    if bins is not None and bins.categories is not None:
        table[FeatureBin.OTHER] = _TAIL
    if contract is not None:
        table[FeatureBin.NONFINITE] += _SCHEMA
        if contract.required:
            table[FeatureBin.NULL] += _SCHEMA
        if contract.categories is not None:
            allowed = set(contract.categories)
            held = bins.categories if bins is not None and bins.categories else ()
            barred = [i for i, category in enumerate(held) if category not in allowed]
            table[[*barred, int(FeatureBin.OTHER)]] += _SCHEMA
    return table
