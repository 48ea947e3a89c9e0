"""The slots that a book is kept in: hours as far back as a period, base windows where they are wanted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.records import Bools, Ints

__all__ = ["DAY_S", "HOUR_S", "Axes", "moved", "runs"]

HOUR_S, DAY_S = 3600, 86_400
_T = TypeVar("_T", np.int64, np.float64, np.bool_)


@dataclass(frozen=True, slots=True)
class Axes:
    """Begins of slots (int64, ascending): `days` and `hours` without a gap, and the base windows of some of
    the hours, `fine`. Where base windows are no shorter than hours they are the `hours`, and `fine` is empty.

    From `near_s` on every hour is. `spare` are hours before that, fine only because something cuts them:
    their base windows may be gone.
    """

    base_s: int
    near_s: int
    days: Ints
    hours: Ints
    fine: Ints
    spare: Ints

    @classmethod
    def over(cls, base_s: int, from_s: int, fine_from_s: int, to_s: int, cut_s: Iterable[int] = ()) -> "Axes":
        """The slots of [from_s, to_s), widened to whole hours; fine from `fine_from_s` on, and where one of
        the moments `cut_s` lies within an hour."""
        hour_s = max(base_s, HOUR_S)
        hours = np.arange(from_s // hour_s * hour_s, -(-to_s // hour_s) * hour_s, hour_s, dtype=np.int64)
        days = np.arange(from_s // DAY_S * DAY_S, -(-to_s // DAY_S) * DAY_S, DAY_S, dtype=np.int64)
        none = np.zeros(0, np.int64)
        if base_s >= HOUR_S:
            return cls(base_s, int(hours[0]) if len(hours) else to_s, days, hours, none, none)
        near = hours[hours + hour_s > fine_from_s]
        cut = np.array(sorted({s // hour_s * hour_s for s in cut_s if s % hour_s}), np.int64)
        spare = np.setdiff1d(np.intersect1d(cut, hours), near)
        within = np.arange(0, hour_s, base_s, dtype=np.int64)
        fine = (np.union1d(spare, near)[:, None] + within).reshape(-1)
        return cls(base_s, int(near[0]) if len(near) else to_s, days, hours, fine, spare)

    @property
    def hour_s(self) -> int:
        return max(self.base_s, HOUR_S)

    def is_fine(self) -> Bools:
        """Which of the hours are there as base windows."""
        return np.isin(self.hours, self.fine)

    def read_as_hours(self) -> Bools:
        """Which of the hours are read whole."""
        return ~self.is_fine() | np.isin(self.hours, self.spare)


def moved(table: "NDArray[_T]", before: Ints, after: Ints, fill: float = 0) -> "NDArray[_T]":
    """The table (rows, before) with the slots `after`: kept where they were there, else `fill`."""
    if np.array_equal(before, after):
        return table
    fresh = np.full((len(table), len(after)), fill, table.dtype)
    at = np.searchsorted(before, after)
    kept = np.flatnonzero(at < len(before))
    kept = kept[before[at[kept]] == after[kept]]
    fresh[:, kept] = table[:, at[kept]]
    return fresh


def runs(asked: Bools, begin_s: Ints, step_s: int, most: int) -> list[slice]:
    """The stretches of slots, without a gap in time, in which any row of `asked` (rows, slots) is set, each
    of up to `most` slots."""
    some = np.flatnonzero(asked.any(axis=0))
    if not len(some):
        return []
    breaks = np.flatnonzero((np.diff(some) > 1) | (np.diff(begin_s[some]) > step_s)) + 1
    found: list[slice] = []
    for part in np.split(some, breaks):
        first, last = int(part[0]), int(part[-1]) + 1
        found += [slice(at, min(at + most, last)) for at in range(first, last, most)]
    return found
