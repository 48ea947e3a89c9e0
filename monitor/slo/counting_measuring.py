"""Indicators over slices of time: which of them have to be measured, and again."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from monitor.profiles.layout import Kind
from monitor.profiles.series import SeriesKey
from monitor.records import Floats, Ints
from monitor.sli.catalogue import Lost, find_sli
from monitor.sli.drifting import References
from monitor.sli.quality import Metric
from monitor.sli.question import Time
from monitor.sli.windows import Bases, base_of
from monitor.slo.counting_axes import Axes
from monitor.slo.counting_gauge import Gauge, Gauged
from monitor.slo.counting_members import Owners
from monitor.slo.counting_subjects import label_of
from monitor.slo.counting_waiting import WaitingRows
from monitor.slo.counting_written import Written
from monitor.slo.objective import Bound, Happened, Meter, Subject
from monitor.slo.tally import Tally
from monitor.store.baselines import features_of
from monitor.store.revisions import baselines_written
from monitor.store.store import Store

__all__ = ["Measuring", "gauged_by", "kind_of", "within"]


def gauged_by(meter: Meter, bound: Bound, slice_s: int) -> dict[Time, Gauged]:
    """What has to be measured for the meter, by either time. Quality differs by it, unless it waits for its
    labels, or tells of them."""
    sli = find_sli(bound.sli)
    apart = isinstance(sli.formula, Metric | Lost) and not meter.delay_s and not sli.name.startswith("label_")
    return {
        time: Gauged(bound.sli, bound.feature, time if apart else Time.PREDICTION, slice_s) for time in Time
    }


def kind_of(gauged: Gauged) -> Kind:
    """The kind of profile that it is measured from."""
    return Kind.LEARNED if gauged.time is Time.LABEL else find_sli(gauged.sli).kind


class Measuring:
    """The gauges of one kind of profile, over the last `reach_s`."""

    def __init__(
        self,
        store: Store,
        bases: Bases,
        kind: Kind,
        meters: Mapping[Gauged, Sequence[Meter]],
        reach_s: int,
    ) -> None:
        self.kind, self._store = kind, store
        self._base_s, self._reach_s = base_of(bases, kind), reach_s
        self._gauges = {what: Gauge(store, bases, what, scopes) for what, scopes in meters.items()}
        parts = dict.fromkeys((m.model, label_of(m)) for scopes in meters.values() for m in scopes)
        self._place = {part: i for i, part in enumerate(parts)}
        self._owners = Owners(np.zeros((0, 2), np.int64))
        self._written = Written(kind, len(parts))
        self._axes = Axes.over(self._base_s, 0, 0, 0)
        self._extra: Ints = np.zeros((len(parts), 1), np.int64)
        self._waiting: WaitingRows | None = None
        self._baselines: Mapping[str, int] = {}
        self._references: dict[str, tuple[int, References]] = {}

    def learn(self, by_model: Mapping[str, Mapping[SeriesKey, int]]) -> None:
        """These are all series from now on."""
        pairs = [
            (number, place)
            for (model, label), place in self._place.items()
            for key, number in by_model.get(model, {}).items()
            if key.label == label
        ]
        self._owners = Owners(np.array(pairs, np.int64).reshape(-1, 2))

    def detect(self, connection: sa.Connection, now_s: int, waiting: WaitingRows | None) -> None:
        """Finds what was written, in the caller's transaction."""
        hour_s = max(self._base_s, 3600)
        by_hour = all(what.slice_s % hour_s == 0 for what in self._gauges)
        from_s = now_s - self._reach_s
        self._axes = Axes.over(self._base_s, from_s, now_s if by_hour else from_s, now_s)
        try:
            self._written.refresh(connection, self._axes, self._owners)
        except BaseException:
            self._written.forget()
            raise
        self._waiting = waiting
        if self.kind is Kind.FEATURES:
            self._baselines = baselines_written(connection)
            known = [self._baselines.get(model, 0) for model, _ in self._place]
            self._extra = np.array(known, np.int64)[:, None]

    def measure(self, now_s: int, most: int) -> int:
        """Measures up to `most` slices of what `detect` found; returns how many those were."""
        done = 0
        for what, gauge in self._gauges.items():
            begin_s = gauge.slots(now_s - self._reach_s, now_s)
            place = np.array([self._place[m.model, label_of(m)] for m in gauge.scopes], np.int64)
            written = self._in_slices(begin_s, what.slice_s)[place]
            extra = self._told_apart(begin_s, what.slice_s)[place]
            awaited = self.kind is Kind.FEATURES
            done += gauge.refresh(
                begin_s, written, extra, now_s, most - done, self._reference, awaited=awaited
            )
        return done

    def _reference(self, model: str) -> References | None:
        """What the model's features are held against, read anew when that has changed."""
        if self.kind is not Kind.FEATURES:
            return None
        known = self._baselines.get(model, 0)
        if model not in self._references or self._references[model][0] != known:
            self._references[model] = known, References(self._store, features_of(self._store, model))
        return self._references[model][1]

    def _in_slices(self, begin_s: Ints, slice_s: int) -> Ints:
        """How often the windows of each slice were written."""
        axes = self._axes
        if slice_s % axes.hour_s:
            slots, written = axes.fine, self._written.fine
        else:
            slots, written = axes.hours, self._written.hours
        upto = np.concatenate((np.zeros((len(written), 1), np.int64), np.cumsum(written, axis=1)), axis=1)
        first, last = np.searchsorted(slots, begin_s), np.searchsorted(slots, begin_s + slice_s)
        found: Ints = upto[:, last] - upto[:, first]
        return found

    def _told_apart(self, begin_s: Ints, slice_s: int) -> Ints:
        """By what else the state of each slice is known: what waits to be written up in it."""
        if self._waiting is None or not len(begin_s):
            return np.broadcast_to(self._extra, (len(self._place), len(begin_s)))
        found = np.zeros((len(self._place), len(begin_s)), np.int64)
        place, known = self._owners.places_of(self._waiting.series)
        slot = (self._waiting.start_s - begin_s[0]) // slice_s
        mine = known & (slot >= 0) & (slot < len(begin_s))
        np.add.at(found, (self._owners.owner[place[mine]], slot[mine]), self._waiting.tag[mine])
        return found

    def subjects(self, what: Gauged, meter: Meter) -> Iterable[Subject]:
        """Those that have been measured."""
        return self._gauges[what].values(meter)

    def tally(self, what: Gauged, meter: Meter, bound: Bound, subject: Subject, now_s: int) -> Tally:
        """The slices that are over by `now_s` and have a value; good are those within the bound."""
        gauge = self._gauges[what]
        value = gauge.values(meter).get(subject)
        if value is None:
            return Tally.empty()
        end_s = gauge.begin_s + what.slice_s
        kept = np.flatnonzero(~np.isnan(value) & (end_s + meter.delay_s <= now_s))
        good = within(bound, value[kept])
        return Tally(gauge.begin_s[kept], end_s[kept], good, np.ones(len(kept)))


def within(bound: Bound | Happened, value: Floats) -> Floats:
    """1 for each value that lies within the bounds, 0 for others (float64)."""
    low = -np.inf if bound.at_least is None else bound.at_least
    high = np.inf if bound.at_most is None else bound.at_most
    return ((value >= low) & (value <= high)).astype(np.float64)
