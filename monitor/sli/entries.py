"""Stored profiles placed into the slots of an answer: one slot for each group and window."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.layout import Kind
from monitor.records import Bools, Floats, Ints
from monitor.sli.windows import Part, Windows
from monitor.store.read import Cells, read_cells
from monitor.store.store import Store

__all__ = ["Beside", "Entries", "Grouping", "Placed", "Values", "join", "place"]


@dataclass(frozen=True, slots=True)
class Grouping:
    """`ids` (int64, ascending) are the series, `group` (int64) the group of each, of `n` groups."""

    ids: Ints
    group: Ints
    n: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Stored rows, and the slot (int64) of each: group * windows + window."""

    cells: Cells
    slot: Ints


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of profiles by slot; equal (slot, cell) pairs may repeat. Counts are int64, the rest
    of the values float64."""

    n_slots: int
    slot: Ints
    cell: Ints
    count: Ints
    sum_slot: Ints
    sum_cell: Ints
    sum_value: Floats
    max_slot: Ints
    max_cell: Ints
    max_value: Floats


@dataclass(frozen=True, slots=True)
class Beside:
    """What is to be read with a metric of quality, by slot: its 95 % interval `low` to `high`, the share of
    the predictions whose label has come, the median of how long those took, ms (float64, NaN for none), and
    why there is no value (int64, of quality_cells.Why)."""

    low: Floats
    high: Floats
    label_coverage: Floats
    label_lag_p50_ms: Floats
    why: Ints


@dataclass(frozen=True, slots=True)
class Values:
    """One item per slot: `value` (float64, NaN for none), `count` (int64) of the records behind it, and
    whether sampled records were scaled up for it (bool)."""

    value: Floats
    count: Ints
    estimate: Bools
    beside: Beside | None = None


def place(
    store: Store,
    kind: Kind,
    parts: Sequence[Part],
    windows: Windows,
    grouping: Grouping,
) -> list[Placed]:
    """Reads the parts of the range."""
    placed = []
    for part in parts:
        found = read_cells(store, kind, part.tier_s, grouping.ids.tolist(), part.from_s, part.to_s)
        window = (found.start_s - windows.from_s) // windows.step_s
        group = grouping.group[np.searchsorted(grouping.ids, found.series)]
        placed.append(Placed(found, group * windows.n + window))
    return placed


def join(placed: Sequence[Placed], n_slots: int) -> Entries:
    """The entries of all rows, added up no further."""
    if len(placed) == 1:
        return _entries(placed[0], n_slots)
    parts = [_entries(p, n_slots) for p in placed]

    def joined(name: str) -> Ints:
        return np.concatenate([getattr(p, name) for p in parts])

    return Entries(n_slots, *(joined(name) for name in Entries.__slots__ if name != "n_slots"))  # type: ignore[arg-type]  # floats among them


def _entries(placed: Placed, n_slots: int) -> Entries:
    cells, slot = placed.cells, placed.slot
    return Entries(
        n_slots,
        slot[cells.row],
        cells.cell,
        cells.count,
        slot[cells.sum_row],
        cells.sum_cell,
        cells.sum_value,
        slot[cells.max_row],
        cells.max_cell,
        cells.max_value,
    )
