"""The busiest second of each window."""

from collections.abc import Sequence

import numpy as np

from monitor.clock import DAY_S, HOUR_S
from monitor.profiles.layout import SECONDS, Kind
from monitor.records import Floats
from monitor.sli.entries import Grouping, place
from monitor.sli.question import Group
from monitor.sli.windows import Part, Windows
from monitor.store import peaks
from monitor.store.store import Store

__all__ = ["peak_per_s"]

# Seconds x groups that are laid out at once: 32 MB.
_DENSE_CELLS = 4_000_000


def peak_per_s(
    store: Store, model: str, groups: Sequence[Group], grouping: Grouping, windows: Windows, base_s: int
) -> Floats:
    """Requests in the busiest second (float64, group * windows + window; 0 where there were none).

    Hours that have closed have their peak stored; what is younger, finer than an hour or about a
    segment is counted by the second from the base tier. The seconds of all series add up first.
    """
    highest = np.zeros(len(groups) * windows.n)
    begin_s = windows.from_s
    stored_by_hour = windows.n == 1 or windows.step_s % HOUR_S == 0
    if stored_by_hour and not any(group.segment for group in groups):
        begin_s = _closed(store, model, groups, windows, highest)
    at_once = max(base_s, _DENSE_CELLS // max(1, len(groups)) // base_s * base_s)
    if begin_s > windows.from_s and windows.n == 1:
        ragged = -(-windows.from_s // HOUR_S) * HOUR_S
        _counted(store, grouping, windows, base_s, Part(base_s, windows.from_s, ragged), highest)
    for at in range(begin_s, windows.to_s, at_once):
        part = Part(base_s, at, min(at + at_once, windows.to_s))
        _counted(store, grouping, windows, base_s, part, highest)
    return highest


def _closed(store: Store, model: str, groups: Sequence[Group], windows: Windows, highest: Floats) -> int:
    """Raises `highest` to the stored peaks; returns from when on there are none."""
    begin_s, end_s = -(-windows.from_s // HOUR_S) * HOUR_S, windows.to_s // HOUR_S * HOUR_S
    markers = [start for _, _, start in peaks.read(store, "", HOUR_S, begin_s, 1 << 40)]
    closed_s = min(max(markers) + HOUR_S, end_s) if markers else 0
    if closed_s <= begin_s:
        return windows.from_s
    index = {(_part(g.version), _part(g.endpoint)): i for i, g in enumerate(groups)}
    by_day = windows.step_s % DAY_S == 0 and windows.n > 1
    whole_s = closed_s // DAY_S * DAY_S if by_day else begin_s
    for tier_s, from_s, to_s in ((DAY_S, begin_s, whole_s), (HOUR_S, whole_s, closed_s)):
        for (version, endpoint, start_s), per_s in peaks.read(store, model, tier_s, from_s, to_s).items():
            group = index.get((version, endpoint))
            if group is not None:
                slot = group * windows.n + (start_s - windows.from_s) // windows.step_s
                highest[slot] = max(highest[slot], per_s)
    return closed_s


def _part(name: str | None) -> str:
    return peaks.ALL if name is None else name


def _counted(
    store: Store, grouping: Grouping, windows: Windows, base_s: int, part: Part, highest: Floats
) -> None:
    """Raises `highest` to the busiest seconds of the base tier in [from_s, to_s)."""
    length = part.to_s - part.from_s
    if length <= 0:
        return
    one = Windows(part.from_s, length, 1)
    (placed,) = place(store, Kind.SERVICE, [part], one, grouping)
    cells, seconds = placed.cells, np.zeros(grouping.n * length)
    entries = ((cells.row, cells.cell, cells.count), (cells.sum_row, cells.sum_cell, cells.sum_value))
    for row, cell, value in entries:
        mine = cell >= SECONDS
        second = cells.start_s[row[mine]] - part.from_s + cell[mine] - SECONDS
        at = placed.slot[row[mine]] * length + second
        seconds += np.bincount(at, weights=value[mine], minlength=len(seconds))
    window = (part.from_s - windows.from_s + np.arange(length)) // windows.step_s
    first = np.flatnonzero(np.diff(window, prepend=-1))
    found = np.maximum.reduceat(seconds.reshape(grouping.n, length), first, axis=1)
    table = highest.reshape(grouping.n, windows.n)
    table[:, window[first]] = np.maximum(table[:, window[first]], found)
