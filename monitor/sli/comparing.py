"""Quality of one window held against another's, as answers: the lift of a version, the drift of labels."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from monitor.clock import DAY_S
from monitor.profiles.layout import Kind, Quality
from monitor.records import Floats, Ints
from monitor.sli.entries import Entries, Grouping, Placed, Values, join, place
from monitor.sli.quality_cells import QualityCells
from monitor.sli.quality_contrast import ctr_lift, label_drift
from monitor.sli.quality_values import beside
from monitor.sli.windows import Part, Windows
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["Compared", "compared_values", "first_labels"]


class Compared(Enum):
    """What is compared, and with what."""

    CTR_LIFT = "click-through with that of the first group"
    LABEL_DRIFT = "labels with those of the stream's first days"


def first_labels(
    store: Store, series: Sequence[int], enough: int, until_s: int | None = None
) -> QualityCells | None:
    """The quality of the first days of the stream that have `enough` labels together, or of all there are,
    as far as they were over before `until_s`; None where nothing is stored by then."""
    held = extent(store, Kind.QUALITY, DAY_S, series)
    if held is None:
        return None
    first, last = held
    most = (last - first) // DAY_S + 1
    if until_s is not None:
        most = min(most, (until_s - first) // DAY_S)
    if most <= 0:
        return None
    numbers = np.array(sorted(series), np.int64)
    grouping = Grouping(numbers, np.zeros(len(numbers), np.int64), 1)
    days = 1
    while True:
        window = Windows(first, min(days, most) * DAY_S, 1)
        part = Part(DAY_S, window.from_s, window.to_s)
        cells = QualityCells.of(join(place(store, Kind.QUALITY, [part], window, grouping), 1))
        if days >= most or int(cells.counts(Quality.LABELLED)[0]) >= enough:
            return cells
        days *= 2


def compared_values(
    placed: Sequence[Placed], n_groups: int, n_slots: int, formula: Compared, reference: QualityCells | None
) -> Values:
    """The comparison in every slot, group by group; `reference` is what labels are held against."""
    entries = join(placed, n_slots)
    cells = QualityCells.of(entries)
    if formula is Compared.CTR_LIFT:
        other = QualityCells.of(_first_group(entries, n_groups))
        return beside(cells, ctr_lift(cells, other))
    before = QualityCells.of(_none(1)) if reference is None else reference
    return beside(cells, label_drift(cells, before))


def _first_group(entries: Entries, n_groups: int) -> Entries:
    """The entries of the first group, in the place of every group."""
    width = entries.n_slots // max(n_groups, 1)

    def tiled(slot: Ints, *columns: Ints | Floats) -> list[Any]:
        mine = slot < width
        offsets = np.repeat(np.arange(n_groups) * width, int(mine.sum()))
        return [np.tile(slot[mine], n_groups) + offsets, *(np.tile(c[mine], n_groups) for c in columns)]

    return Entries(
        entries.n_slots,
        *tiled(entries.slot, entries.cell, entries.count),
        *tiled(entries.sum_slot, entries.sum_cell, entries.sum_value),
        *tiled(entries.max_slot, entries.max_cell, entries.max_value),
    )


def _none(n_slots: int) -> Entries:
    none, nothing = np.zeros(0, np.int64), np.zeros(0)
    return Entries(n_slots, none, none, none, none, none, nothing, none, none, nothing)
