"""What changed in the store since the last time, owner by owner of series and slot by slot."""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from monitor.profiles.layout import Kind
from monitor.records import Bools, Ints
from monitor.slo.counting_axes import DAY_S, Axes, moved, runs
from monitor.slo.counting_members import Owners
from monitor.store.revisions import writes

__all__ = ["Changed", "Written"]

_SLOTS_AT_ONCE = 10_000
# No number of writes.
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Changed:
    """(owners, slots) each: which hours, and which base windows, were written since."""

    hours: Bools
    fine: Bools


class Written:
    """How often the slots of `axes` were written, by owner: `hours` and `fine` (int64, (owners, slots)).

    What changed is found by the writes to the days of each owner, then to the hours of those days, then to
    the base windows of those hours. No more than that is read, however long the history.
    """

    def __init__(self, kind: Kind, n_owners: int) -> None:
        self._kind = kind
        self._axes = Axes.over(1, 0, 0, 0)
        self._days, self.hours, self.fine = (np.zeros((n_owners, 0), np.int64) for _ in range(3))

    def forget(self) -> None:
        """Takes everything for changed the next time."""
        for written in (self._days, self.hours, self.fine):
            written[:] = _UNKNOWN

    def refresh(self, connection: sa.Connection, axes: Axes, owners: Owners) -> Changed:
        """Moves on to `axes`. What was not on them before, and was ever written, is changed."""
        before, self._axes = self._axes, axes
        self._days = moved(self._days, before.days, axes.days)
        self.hours = moved(self.hours, before.hours, axes.hours)
        self.fine = moved(self.fine, before.fine, axes.fine)
        everything = np.ones(self._days.shape, np.bool_)
        days = self._count(connection, owners, DAY_S, axes.days, everything)
        changed, self._days = days != self._days, days
        of_day = np.searchsorted(axes.days, axes.hours, side="right") - 1
        asked = changed[:, of_day] | ~np.isin(axes.hours, before.hours)
        hours = self._count(connection, owners, axes.hour_s, axes.hours, asked)
        changed = asked & (hours != self.hours)
        self.hours = np.where(asked, hours, self.hours)
        if not len(axes.fine):
            return Changed(changed, np.zeros(self.fine.shape, np.bool_))
        of_hour = np.searchsorted(axes.hours, axes.fine, side="right") - 1
        asked = changed[:, of_hour] | ~np.isin(axes.fine, before.fine)
        fine = self._count(connection, owners, axes.base_s, axes.fine, asked)
        changed_fine = asked & (fine != self.fine)
        self.fine = np.where(asked, fine, self.fine)
        return Changed(changed, changed_fine)

    def _count(
        self, connection: sa.Connection, owners: Owners, tier_s: int, begin_s: Ints, asked: Bools
    ) -> Ints:
        """How often the slots that are `asked` (owners, slots) were written, 0 for the others."""
        found = np.zeros(asked.shape, np.int64)
        for run in runs(asked, begin_s, tier_s, _SLOTS_AT_ONCE):
            series = owners.series_of(np.flatnonzero(asked[:, run].any(axis=1)))
            first_s, last_s = int(begin_s[run.start]), int(begin_s[run.stop - 1])
            written = writes(connection, self._kind, tier_s, series, first_s, last_s + 1)
            owner = owners.owner[owners.places_of(written.series)[0]]
            slot = np.searchsorted(begin_s, written.start_s)
            mine = asked[owner, slot]
            np.add.at(found, (owner[mine], slot[mine]), written.n[mine])
        return found
