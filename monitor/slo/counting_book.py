"""Good and all events of many subjects, kept up with what the store holds by reading only what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import sqlalchemy as sa

from monitor.profiles.layout import Kind
from monitor.records import Bools, Floats, Ints
from monitor.slo.counting_axes import Axes, moved, runs
from monitor.slo.counting_events import Events, Newest, Thresholds, events_of
from monitor.slo.counting_members import Members
from monitor.slo.counting_waiting import WaitingRows
from monitor.slo.counting_written import Written
from monitor.slo.objective import Subject
from monitor.slo.tally import Tally
from monitor.store.read import stored_cells

__all__ = ["Book", "Column"]

# Rows that are read at once, as far as the number of series tells.
_ROWS_AT_ONCE = 20_000
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Column:
    """What one pair of figures is kept for."""

    source: Events
    subject: Subject


class Book:
    """The columns of one kind of profile over the slots of `axes`.

    Only the rows of windows that were written since the last time are read.
    """

    def __init__(self, kind: Kind, models: Sequence[str]) -> None:
        self.kind = kind
        self._models = {name: i for i, name in enumerate(models)}
        n = len(models)
        self.axes = Axes.over(1, 0, 0, 0)
        self._place: dict[Column, int] = {}
        self._written = Written(kind, n)
        self.by_hour, self.by_fine = _Tables.empty(), _Tables.empty()
        self._slots: _Slots | None = None
        self._over: tuple[_Tables, _Tables] | None = None
        self._members = Members([], self._models)

    def arrange(self, columns: Mapping[Column, Sequence[int]]) -> None:
        """Keeps the columns from now on, each the sum of its series; those known keep what they hold, for
        what a new series adds to them is all written since."""
        old = np.array([self._place.get(column, -1) for column in columns], np.int64)

        def taken(table: Floats) -> Floats:
            fresh = np.zeros((len(old), table.shape[1]))
            fresh[old >= 0] = table[old[old >= 0]]
            return fresh

        self.by_hour = _Tables(taken(self.by_hour.good), taken(self.by_hour.total))
        self.by_fine = _Tables(taken(self.by_fine.good), taken(self.by_fine.total))
        self._over = None
        self._place = {column: i for i, column in enumerate(columns)}
        self._members = Members(((c.source, c.subject, ns) for c, ns in columns.items()), self._models)

    def place(self, column: Column) -> int:
        """Its row in the tables. Raises KeyError for a column that is not kept."""
        return self._place[column]

    def refresh(self, connection: sa.Connection, axes: Axes, thresholds: Thresholds) -> None:
        """Moves on to `axes` and reads what has changed in them, in the caller's transaction."""
        try:
            self._refresh(connection, axes, thresholds)
        except BaseException:
            # Some was noted as read that was not: nothing is, then.
            self._written.forget()
            raise

    def lay_over(self, waiting: WaitingRows) -> None:
        """Counts what waits in the place of what was laid over before."""
        axes = self.axes
        self._over = (
            self._placed(waiting, axes.hours, axes.hour_s, self.by_hour.total.shape),
            self._placed(waiting, axes.fine, axes.base_s, self.by_fine.total.shape),
        )

    def _placed(self, waiting: WaitingRows, begin_s: Ints, slot_s: int, shape: tuple[int, ...]) -> "_Tables":
        tables = _Tables(np.zeros(shape), np.zeros(shape))
        start_s = waiting.start_s // slot_s * slot_s
        index, known = self._members.places_of(waiting.series)
        row = np.flatnonzero(known & np.isin(start_s, begin_s))
        slot = np.searchsorted(begin_s, start_s[row])
        for source, (good, total) in waiting.events.items():
            if source in self._members.sources:
                i, column = self._members.columns_of_series(source, index[row])
                tables.add(column, slot[i], good[row][i], total[row][i])
        return tables

    def tally(self, column: Column, until_s: int) -> Tally:
        """The column's slots that end by `until_s` and have events: base windows where there are any, hours
        else. Raises KeyError for a column that is not kept."""
        at, slots = self._place[column], self._slots
        if slots is None:
            slots = self._slots = _Slots.of(self.axes)
        good = np.concatenate((self.by_hour.good[at], self.by_fine.good[at]))
        total = np.concatenate((self.by_hour.total[at], self.by_fine.total[at]))
        given = slots.given
        if len(self.axes.spare):
            given = slots.given_of(self.by_hour.total[at], self.by_fine.total[at])
        if self._over is not None:
            good += np.concatenate((self._over[0].good[at], self._over[1].good[at]))
            total += np.concatenate((self._over[0].total[at], self._over[1].total[at]))
        some = given[(slots.end_s[given] <= until_s) & ((total[given] != 0) | (good[given] != 0))]
        return Tally(slots.begin_s[some], slots.end_s[some], good[some], total[some])

    def _refresh(self, connection: sa.Connection, axes: Axes, thresholds: Thresholds) -> None:
        before, self.axes, self._slots = self.axes, axes, None
        self.by_hour = self.by_hour.moved(before.hours, axes.hours)
        self.by_fine = self.by_fine.moved(before.fine, axes.fine)
        changed = self._written.refresh(connection, axes, self._members)
        whole = axes.read_as_hours()
        unread = whole & (changed.hours | ~np.isin(axes.hours, before.hours[before.read_as_hours()]))
        self._read(connection, axes.hour_s, axes.hours, unread, self.by_hour, thresholds)
        self._read(connection, axes.base_s, axes.fine, changed.fine, self.by_fine, thresholds)

    def _read(
        self,
        connection: sa.Connection,
        tier_s: int,
        begin_s: Ints,
        asked: Bools,
        tables: "_Tables",
        thresholds: Thresholds,
    ) -> None:
        """Reads anew the slots that are `asked` (models, slots)."""
        at_once = max(1, _ROWS_AT_ONCE // max(1, len(self._members.series)))
        for run in runs(asked, begin_s, tier_s, at_once):
            model, slot = np.nonzero(asked[:, run])
            i, column = self._members.columns_of_models(model)
            tables.clear(column, slot[i] + run.start)
            series = self._members.series_of(np.flatnonzero(asked[:, run].any(axis=1)))
            first_s, last_s = int(begin_s[run.start]), int(begin_s[run.stop - 1])
            cells = stored_cells(connection, self.kind, tier_s, series, first_s, last_s + 1)
            index, _ = self._members.places_of(cells.series)
            model = self._members.owner[index]
            slot = np.searchsorted(begin_s, cells.start_s)
            row = np.flatnonzero(asked[model, slot])
            events = events_of(cells, self._members.sources, thresholds)
            for source, (good, total) in events.items():
                i, column = self._members.columns_of_series(source, index[row])
                if isinstance(source, Newest):
                    tables.most(column, slot[row][i], good[row][i], total[row][i])
                else:
                    tables.add(column, slot[row][i], good[row][i], total[row][i])


@dataclass(frozen=True, slots=True)
class _Slots:
    """The slots of `axes`, hours before base windows, and which of them are `given` in a tally, in order of
    time: each hour, or its base windows."""

    axes: Axes
    begin_s: Ints
    end_s: Ints
    of_hour: Ints
    given: Ints

    @classmethod
    def of(cls, axes: Axes) -> Self:
        begin_s = np.concatenate((axes.hours, axes.fine))
        end_s = np.concatenate((axes.hours + axes.hour_s, axes.fine + axes.base_s))
        of_hour = np.searchsorted(axes.hours, axes.fine, side="right") - 1
        return cls(axes, begin_s, end_s, of_hour, _in_order(begin_s, ~axes.is_fine(), of_hour))

    def given_of(self, by_hour: Floats, by_fine: Floats) -> Ints:
        """Those given of a column with these totals: a spare hour whose base windows are no longer all there
        is given whole."""
        found = np.bincount(self.of_hour, weights=by_fine, minlength=len(by_hour))
        dropped = np.isin(self.axes.hours, self.axes.spare) & (found < by_hour * (1 - _ROUNDING))
        if not dropped.any():
            return self.given
        return _in_order(self.begin_s, ~self.axes.is_fine() | dropped, self.of_hour)


def _in_order(begin_s: Ints, whole: Bools, of_hour: Ints) -> Ints:
    given = np.flatnonzero(np.concatenate((whole, ~whole[of_hour])))
    return given[np.argsort(begin_s[given], kind="stable")]


@dataclass(frozen=True, slots=True)
class _Tables:
    """Events by (column, slot), float64."""

    good: Floats
    total: Floats

    @classmethod
    def empty(cls) -> Self:
        return cls(np.zeros((0, 0)), np.zeros((0, 0)))

    def moved(self, before: Ints, after: Ints) -> "_Tables":
        return _Tables(moved(self.good, before, after), moved(self.total, before, after))

    def clear(self, column: Ints, slot: Ints) -> None:
        self.good[column, slot] = 0
        self.total[column, slot] = 0

    def add(self, column: Ints, slot: Ints, good: Floats, total: Floats) -> None:
        np.add.at(self.good, (column, slot), good)
        np.add.at(self.total, (column, slot), total)

    def most(self, column: Ints, slot: Ints, good: Floats, total: Floats) -> None:
        np.maximum.at(self.good, (column, slot), good)
        np.add.at(self.total, (column, slot), total)
