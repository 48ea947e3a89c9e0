"""The second pass over a column: exact counts on its bins, for the whole and by window and hour of week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import bin_column, breaches
from monitor.profiles.codec import encode_rows
from monitor.profiles.features import Feature
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin, Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKey, RowKeys
from monitor.records import Column, Floats, Ints
from monitor.store.fits import Counts

__all__ = ["FeatureCounts", "Places", "encode"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where each row of a batch counts besides the whole: `window` and `slot` (int64), -1 for nowhere."""

    window: Ints
    slot: Ints | None


class FeatureCounts:
    """Counts of one feature: `whole` (int64, 256), NULL among them; `windows` and `slots` likewise."""

    def __init__(self, feature: Feature, n_windows: int, n_slots: int) -> None:
        self._feature = feature
        self.whole = np.zeros(FEATURE_STRIDE, np.int64)
        self.windows = np.zeros((n_windows, FEATURE_STRIDE), np.int32)
        self.slots = np.zeros((n_slots, FEATURE_STRIDE), np.int32)
        self.attributed = 0.0

    def add(self, column: Column, places: Places) -> None:
        """Counts a batch of the column."""
        self._count(bin_column(self._feature.bins, column), places)
        if self._feature.contract is not None:
            for breach, broken in breaches(self._feature.contract, column):
                slot = None if places.slot is None else places.slot[broken]
                cell = np.full(int(np.count_nonzero(broken)), int(breach), np.int64)
                self._count(cell, Places(places.window[broken], slot))

    def add_nulls(self, n: int, places: Places) -> None:
        """Counts `n` rows that lack the column."""
        self._count(np.full(n, int(FeatureBin.NULL), np.int64), places)

    def add_attributions(self, values: Floats, places: Places) -> None:
        """Counts the attributions that are given, and sums their absolute values."""
        given = ~np.isnan(values)
        self.attributed += float(np.abs(values[given]).sum())
        slot = None if places.slot is None else places.slot[given]
        cell = np.full(int(np.count_nonzero(given)), int(FeatureBin.ATTRIBUTION), np.int64)
        self._count(cell, Places(places.window[given], slot))

    def _count(self, cell: Ints, places: Places) -> None:
        self.whole += np.bincount(cell, minlength=FEATURE_STRIDE)
        for table, place in ((self.windows, places.window), (self.slots, places.slot)):
            if place is None or not len(table):
                continue
            mine = place >= 0
            packed = place[mine] * FEATURE_STRIDE + cell[mine]
            table += np.bincount(packed, minlength=table.size).reshape(table.shape).astype(np.int32)


def encode(
    rows: int, windows: int, counts: Mapping[int, Ints], sums: Mapping[int, float], dispersion: Floats | None
) -> Counts:
    """The counts (int64, 256) of each feature, by number, as a feature profile holds them."""
    profiles = Profiles()
    row = profiles.rows_for(RowKeys.of([RowKey(int(Kind.FEATURES), 0, 0, 0, 0)]))
    cells: list[Ints] = [np.array([FEATURE_ROWS])]
    values: list[Ints] = [np.array([rows])]
    for number, table in counts.items():
        held = np.flatnonzero(table)
        held = held[held != int(FeatureBin.NULL)]
        cells.append(number * FEATURE_STRIDE + held)
        values.append(table[held].astype(np.int64))
    cell = np.concatenate(cells)
    profiles.add_counts(np.repeat(row, len(cell)), cell, np.concatenate(values))
    given: Sequence[int] = [n for n, value in sums.items() if value]
    cell = np.array(given, np.int64) * FEATURE_STRIDE + int(FeatureBin.ATTRIBUTION)
    profiles.add_sums(np.repeat(row, len(cell)), cell, np.array([sums[n] for n in given], np.float64))
    blob, sum_blob, _ = encode_rows(profiles)[0]
    return Counts(rows, windows, blob, sum_blob, dispersion)
