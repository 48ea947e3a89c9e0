"""The counts of features in the slots of an answer, each slot on one baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin
from monitor.records import Bools, Floats, Ints
from monitor.sli.entries import Placed

__all__ = ["FeatureCounts", "feature_counts"]

_BESIDE = (
    int(FeatureBin.BELOW),
    int(FeatureBin.ABOVE),
    int(FeatureBin.FRACTIONAL),
    int(FeatureBin.ATTRIBUTION),
)


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Counts of `f` features in each slot.

    `baseline` (int64, slots) is the one whose bins the slot's counts are on, 0 for a slot without records.
    `rows` (int64, slots) are its records, `counts` (int64, slots x f x FEATURE_STRIDE) those of each bin,
    nulls included, `attribution` (float64, slots x f) the mean |attribution|, NaN without any.
    """

    baseline: Ints
    rows: Ints
    counts: Ints
    attribution: Floats


def feature_counts(
    placed: Sequence[Placed], n_slots: int, numbers: Mapping[int, Sequence[int]]
) -> FeatureCounts:
    """Adds the stored rows up. `numbers` gives the numbers of the features wanted under each baseline, -1
    for one that a baseline lacks: of such a feature all is null.

    Counts on the bins of different baselines don't add: of a slot that has several, the records of the
    baseline with the most records count, and of those equal the newest.
    """
    baselines = sorted(numbers)
    rows = np.zeros((n_slots, len(baselines)), np.int64)
    for part in placed:
        whole = part.cells.cell == FEATURE_ROWS
        row = part.cells.row[whole]
        which, known = _position(part.cells.baseline[row], baselines)
        place = part.slot[row][known] * len(baselines) + which[known]
        np.add.at(rows.reshape(-1), place, part.cells.count[whole][known])
    width = max((len(n) for n in numbers.values()), default=0)
    counts = np.zeros((n_slots, width, FEATURE_STRIDE), np.int64)
    attribution = np.full((n_slots, width), np.nan)
    if not baselines:
        return FeatureCounts(np.zeros(n_slots, np.int64), np.zeros(n_slots, np.int64), counts, attribution)
    chosen = len(baselines) - 1 - rows[:, ::-1].argmax(axis=1)
    chosen_rows = rows[np.arange(n_slots), chosen]
    sums = np.zeros((n_slots, width))
    for part in placed:
        _add(counts, sums, part, chosen, baselines, numbers)
    given = counts[:, :, int(FeatureBin.ATTRIBUTION)]
    np.divide(sums, given, out=attribution, where=given > 0)
    valued = counts.sum(axis=2) - counts[:, :, _BESIDE].sum(axis=2)
    counts[:, :, int(FeatureBin.NULL)] = chosen_rows[:, None] - valued
    baseline = np.where(chosen_rows > 0, np.array(baselines, np.int64)[chosen], 0)
    return FeatureCounts(baseline, chosen_rows, counts, attribution)


def _position(baseline: Ints, baselines: Sequence[int]) -> tuple[Ints, Bools]:
    """Where each baseline stands in the sorted `baselines`, and whether it does."""
    known = np.array(baselines, np.int64)
    if not len(known):
        return np.zeros(len(baseline), np.int64), np.zeros(len(baseline), np.bool_)
    at = np.minimum(np.searchsorted(known, baseline), len(known) - 1)
    return at, known[at] == baseline


def _add(
    counts: Ints,
    sums: Floats,
    part: Placed,
    chosen: Ints,
    baselines: Sequence[int],
    numbers: Mapping[int, Sequence[int]],
) -> None:
    cells = part.cells
    which, known = _position(cells.baseline, baselines)
    for position in np.unique(which[known]).tolist():
        mine = known & (which == position) & (chosen[part.slot] == position)
        index = _index(numbers[baselines[position]])
        row, cell = cells.row, cells.cell
        feature = index[np.minimum(cell // FEATURE_STRIDE, len(index) - 1)]
        kept = mine[row] & (feature >= 0)
        pair = part.slot[row[kept]] * counts.shape[1] + feature[kept]
        np.add.at(counts.reshape(-1), pair * FEATURE_STRIDE + cell[kept] % FEATURE_STRIDE, cells.count[kept])
        feature = index[np.minimum(cells.sum_cell // FEATURE_STRIDE, len(index) - 1)]
        kept = mine[cells.sum_row] & (feature >= 0)
        pair = part.slot[cells.sum_row[kept]] * counts.shape[1] + feature[kept]
        np.add.at(sums.reshape(-1), pair, cells.sum_value[kept])


def _index(numbers: Sequence[int]) -> Ints:
    """From a feature's number to its place among those wanted, -1 for the others."""
    index = np.full(max(numbers, default=0) + 2, -1, np.int64)
    for place, number in enumerate(numbers):
        if number > 0:
            index[number] = place
    return index
