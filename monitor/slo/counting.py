"""The ledger: meters read into tallies, from the store, and kept up with it."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from monitor.clock import HOUR_S
from monitor.profiles.layout import Kind
from monitor.profiles.series import SeriesKey
from monitor.sli.question import Time
from monitor.sli.windows import Bases, base_of
from monitor.slo.counting_axes import Axes
from monitor.slo.counting_book import Book, Column
from monitor.slo.counting_events import Events, Newest, Thresholds, kinds_of
from monitor.slo.counting_gauge import Gauged, scope_of
from monitor.slo.counting_measuring import Measuring, gauged_by, kind_of
from monitor.slo.counting_operations import Operations, is_operational
from monitor.slo.counting_sliced import LOOKS_BACK_S, busy, fresh, sliced
from monitor.slo.counting_subjects import subjects_of
from monitor.slo.counting_trials import Trials
from monitor.slo.counting_waiting import Waiting
from monitor.slo.exclusions import concerns, cuts, without
from monitor.slo.objective import Bound, Correct, Fresh, Meter, OnTrial, Outcomes, Subject, Traffic, Under
from monitor.slo.standing import Exclusion
from monitor.slo.tally import Tally
from monitor.store.engine import reading
from monitor.store.names import series_in, thresholds_in
from monitor.store.store import Store

__all__ = ["Ledger"]

_LABELLED = (Kind.QUALITY, Kind.LEARNED)
# More slices than a period has.
_ALL_SLICES = 1 << 40


class Ledger:
    """Good and all events of meters: `refresh`, then ask for the tallies.

    Base windows are held for the last `fine_s`, hours before that for the last `coarse_s`. Hours that an
    exclusion cuts are held as base windows too, as long as the store has those. `near` are meters that are
    wanted for the last `fine_s` alone, those of versions on trial for the last `trials_s`. A refresh measures
    up to `most_slices` slices of indicators (None: all), the newest first.
    """

    def __init__(
        self,
        store: Store,
        bases: Bases,
        meters: Sequence[Meter],
        *,
        fine_s: int,
        coarse_s: int,
        exclusions: Sequence[Exclusion] = (),
        near: Sequence[Meter] = (),
        most_slices: int | None = None,
        trials_s: int = HOUR_S,
    ) -> None:
        self._store, self._bases = store, bases
        self._fine_s, self._coarse_s = fine_s, max(coarse_s, fine_s)
        self._exclusions = tuple(exclusions)
        self._most_slices = _ALL_SLICES if most_slices is None else most_slices
        self._meters = {_key(meter): meter for meter in (*meters, *near)}
        self._subjects: dict[_Key, list[Subject]] = {}
        self._models = sorted({meter.model for meter in self._meters.values()})
        self._reach = dict.fromkeys(map(_key, near), self._fine_s)
        self._reach |= dict.fromkeys(map(_key, meters), self._coarse_s)
        places = dict.fromkeys(p for m in self._meters.values() for p in self._places(m))
        self._books = {(kind, fine_s): Book(kind, self._models) for kind, fine_s in places}
        self._measuring = self._measurings()
        self._operations = Operations(store, bases, self._operational())
        on_trial = [meter for meter in self._meters.values() if isinstance(meter.source, OnTrial)]
        self._trials = Trials(store, bases, on_trial, trials_s)
        self._waiting = Waiting([Correct()])
        self._known: tuple[int, int] | None = None
        self._now_s = 0

    def _places(self, meter: Meter) -> list[tuple[Kind, int]]:
        """The books that hold the meter's events: kind of profile, and how far back base windows go in it.
        Slices of events need them as far back as the meter is wanted."""
        source = _events(meter)
        fine_s = self._fine_s if meter.slice_s is None else self._reach[_key(meter)]
        return [] if source is None else [(kind, fine_s) for kind in kinds_of(source)]

    def _operational(self) -> dict[str, int]:
        """How far back the events of each model are wanted that a meter counts, s."""
        found: dict[str, int] = {}
        for key, meter in self._meters.items():
            if is_operational(meter.source):
                found[meter.model] = max(found.get(meter.model, 0), self._reach[key])
        return found

    def _measurings(self) -> dict[tuple[Kind, int], Measuring]:
        """What measures, by kind of profile and how far back."""
        wanted: dict[tuple[Kind, int], dict[Gauged, dict[object, Meter]]] = {}
        for key, meter in self._meters.items():
            for what in _gauged(meter).values():
                scopes = wanted.setdefault((kind_of(what), self._reach[key]), {}).setdefault(what, {})
                scopes[scope_of(meter)] = meter
        return {
            (kind, reach_s): Measuring(
                self._store,
                self._bases,
                kind,
                {what: list(scopes.values()) for what, scopes in by_what.items()},
                reach_s,
            )
            for (kind, reach_s), by_what in wanted.items()
        }

    def exclude(self, exclusions: Sequence[Exclusion]) -> None:
        """Takes these exclusions instead of those before; hours that they cut are read by the next
        `refresh`."""
        self._exclusions = tuple(exclusions)

    def refresh(self, now_s: int) -> None:
        """Reads what was written since the last time, in one snapshot: tallies then end at `now_s`.

        Raises StoreBusy and StoreError; the next call then reads what this one has not.
        """
        with reading(self._store.engine) as connection:
            self._learn_series(connection)
            thresholds = Thresholds.of(thresholds_in(connection))
            labelled = any(kind in _LABELLED for kind, _ in (*self._books, *self._measuring))
            if labelled:
                self._waiting.refresh(connection, now_s - self._coarse_s, now_s, thresholds)
            self._refresh_books(connection, now_s, thresholds)
            self._operations.detect(connection)
            for measuring in self._measuring.values():
                waits = self._waiting.rows(measuring.kind) if measuring.kind in _LABELLED else None
                measuring.detect(connection, now_s, waits)
        left = self._most_slices
        for measuring in self._measuring.values():
            left -= measuring.measure(now_s, left)
        self._trials.refresh(now_s)
        self._now_s = now_s

    def _refresh_books(self, connection: sa.Connection, now_s: int, thresholds: Thresholds) -> None:
        cut_s = [s for exclusion in self._exclusions for s in cuts(exclusion)]
        for (kind, fine_s), book in self._books.items():
            base_s = base_of(self._bases, kind)
            axes = Axes.over(base_s, now_s - self._back_s(kind, fine_s), now_s - fine_s, now_s, cut_s)
            book.refresh(connection, axes, thresholds)
            if kind in _LABELLED:
                book.lay_over(self._waiting.rows(kind))

    def _back_s(self, kind: Kind, fine_s: int) -> int:
        """How far back hours go in a book: what traffic is usual shows in the weeks before."""
        usual = kind is Kind.SERVICE and any(
            isinstance(meter.source, Traffic) and (kind, fine_s) in self._places(meter)
            for meter in self._meters.values()
        )
        return max(self._coarse_s, fine_s + LOOKS_BACK_S if usual else 0)

    def _learn_series(self, connection: sa.Connection) -> None:
        known, by_model = series_in(connection, self._models, self._known)
        if known == self._known:
            return
        columns: dict[tuple[Kind, int], dict[Column, Sequence[int]]] = {place: {} for place in self._books}
        none: Mapping[SeriesKey, int] = {}
        for key, meter in self._meters.items():
            found = subjects_of(meter, by_model.get(meter.model, none))
            self._subjects[key] = list(found)
            source = _events(meter)
            if source is not None:
                summed = {Column(source, subject): numbers for subject, numbers in found.items()}
                for place in self._places(meter):
                    columns[place] |= summed
        for place, book in self._books.items():
            book.arrange(columns[place])
        for measuring in self._measuring.values():
            measuring.learn(by_model)
        self._known = known

    def subjects(self, meter: Meter) -> list[Subject]:
        """The subjects that the meter has so far, in the order in which they came. Raises KeyError for a
        meter that is not counted."""
        known = self._subjects[_key(meter)]
        return self._trials.subjects(meter) if isinstance(meter.source, OnTrial) else list(known)

    def tally(
        self,
        meter: Meter,
        subject: Subject,
        time: Time = Time.LABEL,
        *,
        objective: str | None = None,
        excluded: bool = True,
    ) -> Tally:
        """What was counted of a subject until the last refresh.

        `time` is that of the labels (alerts: when was it learnt) or of the predictions (reports); it matters
        for quality alone, and not where the meter waits for labels. Slots in an exclusion of the model, or of
        the `objective` named, are left out unless `excluded` is False. Raises KeyError for a meter or subject
        that is not counted.
        """
        tally = self._counted(self._meters[_key(meter)], subject, time)
        if not excluded:
            return tally
        return without(tally, [e for e in self._exclusions if concerns(e, meter.model, objective)])

    def _counted(self, meter: Meter, subject: Subject, time: Time) -> Tally:
        if is_operational(meter.source):
            return self._operations.tally(meter, self._now_s)
        if isinstance(meter.source, OnTrial):
            return self._trials.tally(meter, subject)
        if isinstance(meter.source, Bound):
            what = _gauged(meter)[time]
            measuring = self._measuring[kind_of(what), self._reach[_key(meter)]]
            return measuring.tally(what, meter, meter.source, subject, self._now_s)
        source = _events(meter)
        if source is None:
            return Tally.empty()
        places = self._places(meter)
        book = self._books[places[0] if time is Time.LABEL and not meter.delay_s else places[-1]]
        until_s = self._now_s - meter.delay_s
        return _in_slices(meter, book.tally(Column(source, subject), until_s), book.axes.near_s, until_s)


_Key = tuple[object, ...]


def _key(meter: Meter) -> _Key:
    names = [getattr(meter, name) for name in Meter.__slots__ if name != "segment"]
    return (*names, *sorted(meter.segment.items()))


def _events(meter: Meter) -> Events | None:
    """The events that the meter's figures are made of, None where it counts something else."""
    match meter.source:
        case Outcomes() | Under() | Correct():
            return meter.source
        case Fresh():
            return Newest()
        case Traffic():
            return Outcomes(())
    return None


def _in_slices(meter: Meter, events: Tally, from_s: int, until_s: int) -> Tally:
    """The events as the meter counts them; where that is by slices, `from_s` is where base windows begin."""
    if meter.slice_s is None:
        return events
    match meter.source:
        case Fresh():
            return fresh(events, meter.slice_s, meter.source.at_most_s, from_s, until_s)
        case Traffic():
            return busy(events, meter.slice_s, meter.source.share, from_s, until_s)
    return sliced(events, meter.slice_s, 1.0 if meter.slice_target is None else meter.slice_target)


def _gauged(meter: Meter) -> dict[Time, Gauged]:
    """What the meter has measured, by time; nothing where it counts something else."""
    counts = not isinstance(meter.source, Bound) or is_operational(meter.source)
    if counts or meter.slice_s is None or not isinstance(meter.source, Bound):
        return {}
    return gauged_by(meter, meter.source, meter.slice_s)
