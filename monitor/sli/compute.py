"""From entries to values: the indicators as pure functions of profiles."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin, Service
from monitor.records import Floats, Ints
from monitor.sli.catalogue import Counted, Per, Quantile
from monitor.sli.entries import Entries, Placed, Values
from monitor.sli.quantile import quantiles

__all__ = ["counted", "measured", "null_share"]


def counted(entries: Entries, formula: Counted, window_s: int) -> Values:
    """Rates, shares, counts and sums from service profiles; `window_s` is the length of a window."""
    count, excess = _totals(entries, formula.behind)
    numerator = np.add(*_totals(entries, formula.cells))
    divisor: Floats | float = 1.0
    if formula.per is Per.SECOND:
        divisor = float(window_s)
    elif formula.per is Per.RECORD:
        divisor = count + excess
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(count > 0, numerator / divisor, np.nan)
    sampled, _ = _totals(entries, (Service.SAMPLED,))
    return Values(value, count, sampled > 0)


def _totals(entries: Entries, cells: Iterable[Service]) -> tuple[Ints, Floats]:
    """(counts int64, sums float64) of the cells together, one item per slot."""
    wanted = [int(cell) for cell in cells]
    mine = np.isin(entries.cell, wanted)
    count = np.bincount(entries.slot[mine], weights=entries.count[mine], minlength=entries.n_slots)
    mine = np.isin(entries.sum_cell, wanted)
    total: Floats = np.bincount(
        entries.sum_slot[mine], weights=entries.sum_value[mine], minlength=entries.n_slots
    ).astype(np.float64)
    return count.astype(np.int64), total


def measured(entries: Entries, formula: Quantile) -> Values:
    """Quantiles and maxima from latency profiles, ms."""
    slot, bucket, count = entries.slot, entries.cell, entries.count
    weight = count.astype(np.float64)
    records = np.bincount(slot, weights=weight, minlength=entries.n_slots).astype(np.int64)
    estimate = np.zeros(entries.n_slots, np.bool_)
    if len(entries.sum_slot):
        estimate[entries.sum_slot] = True
        slot = np.concatenate((slot, entries.sum_slot))
        bucket = np.concatenate((bucket, entries.sum_cell))
        weight = np.concatenate((weight, entries.sum_value))
    highest = np.full(entries.n_slots, np.nan)
    np.fmax.at(highest, entries.max_slot, entries.max_value)
    q = 1.0 if formula.q is None else formula.q
    value = quantiles(slot, bucket, weight, highest, q)
    return Values(np.where(records > 0, value, np.nan), records, estimate)


def null_share(placed: Sequence[Placed], n_slots: int, number: Mapping[int, int]) -> Values:
    """The share of records without a value of a feature; `number` is the feature's under each baseline.

    Nulls are counted in no cell: they are what the feature's cells leave over of the records.
    """
    rows, given = np.zeros(n_slots), np.zeros(n_slots)
    for part in placed:
        cells = part.cells
        baselines, which = np.unique(cells.baseline, return_inverse=True)
        numbers = np.array([number.get(b, -1) for b in baselines.tolist()], np.int64)
        feature = numbers[which] if len(numbers) else np.zeros(0, np.int64)
        mine = feature[cells.row] >= 0
        slot = part.slot[cells.row]
        whole = mine & (cells.cell == FEATURE_ROWS)
        bins = cells.cell - feature[cells.row] * FEATURE_STRIDE
        binned = (bins >= 0) & (bins < int(FeatureBin.BELOW))
        valued = mine & (binned | ((bins > int(FeatureBin.NULL)) & (bins < int(FeatureBin.ATTRIBUTION))))
        rows += np.bincount(slot[whole], weights=cells.count[whole], minlength=n_slots)
        given += np.bincount(slot[valued], weights=cells.count[valued], minlength=n_slots)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(rows > 0, 1 - given / rows, np.nan)
    return Values(value, rows.astype(np.int64), np.zeros(n_slots, np.bool_))
