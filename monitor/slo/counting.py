"""The ledger: meters read into tallies, from the store, and kept up with it."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from monitor.profiles.layout import Kind
from monitor.profiles.series import SeriesKey
from monitor.sli.question import Time
from monitor.sli.windows import Bases, base_of
from monitor.slo.counting_axes import Axes
from monitor.slo.counting_book import Book, Column
from monitor.slo.counting_events import Events, Thresholds, kinds_of
from monitor.slo.counting_subjects import subjects_of
from monitor.slo.counting_waiting import Waiting
from monitor.slo.exclusions import concerns, cuts, without
from monitor.slo.objective import Correct, Meter, Outcomes, Subject, Under
from monitor.slo.standing import Exclusion
from monitor.slo.tally import Tally
from monitor.store.engine import reading
from monitor.store.names import series_in, thresholds_in
from monitor.store.store import Store

__all__ = ["Ledger"]


class Ledger:
    """Good and all events of meters: `refresh`, then ask for the tallies.

    Base windows are held for the last `fine_s`, hours before that for the last `coarse_s`. Hours that an
    exclusion cuts are held as base windows too, as long as the store has those.
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
    ) -> None:
        self._store, self._bases = store, bases
        self._fine_s, self._coarse_s = fine_s, max(coarse_s, fine_s)
        self._exclusions = tuple(exclusions)
        self._meters = {_key(meter): meter for meter in meters}
        self._subjects: dict[_Key, list[Subject]] = {}
        models = sorted({meter.model for meter in meters})
        kinds = dict.fromkeys(k for m in meters if (e := _events(m)) is not None for k in kinds_of(e))
        self._books = {kind: Book(kind, models) for kind in kinds}
        self._waiting = Waiting([Correct()])
        self._known: tuple[int, int] | None = None
        self._now_s = 0

    def exclude(self, exclusions: Sequence[Exclusion]) -> None:
        """Takes these exclusions from the next `refresh` on, instead of those before."""
        self._exclusions = tuple(exclusions)

    def refresh(self, now_s: int) -> None:
        """Reads what was written since the last time, in one snapshot: tallies then end at `now_s`.

        Raises StoreBusy and StoreError; the next call then reads what this one has not.
        """
        cut_s = [s for exclusion in self._exclusions for s in cuts(exclusion)]
        with reading(self._store.engine) as connection:
            self._learn_series(connection)
            thresholds = Thresholds.of(thresholds_in(connection))
            for kind, book in self._books.items():
                base_s = base_of(self._bases, kind)
                axes = Axes.over(base_s, now_s - self._coarse_s, now_s - self._fine_s, now_s, cut_s)
                book.refresh(connection, axes, thresholds)
                if kind in (Kind.QUALITY, Kind.LEARNED):
                    self._waiting.refresh(connection, int(axes.days[0]), now_s, thresholds)
                    book.lay_over(self._waiting.rows(kind))
        self._now_s = now_s

    def _learn_series(self, connection: sa.Connection) -> None:
        known, by_model = series_in(connection, {m.model for m in self._meters.values()}, self._known)
        if known == self._known:
            return
        columns: dict[Kind, dict[Column, Sequence[int]]] = {kind: {} for kind in self._books}
        for key, meter in self._meters.items():
            none: Mapping[SeriesKey, int] = {}
            found = subjects_of(meter, by_model.get(meter.model, none))
            self._subjects[key] = list(found)
            source = _events(meter)
            if source is None:
                continue
            for subject, numbers in found.items():
                for kind in kinds_of(source):
                    columns[kind][Column(source, subject)] = numbers
        for kind, book in self._books.items():
            book.arrange(columns[kind])
        self._known = known

    def subjects(self, meter: Meter) -> list[Subject]:
        """The subjects that the meter has so far, in the order in which they came. Raises KeyError for a
        meter that is not counted."""
        return list(self._subjects[_key(meter)])

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
        for quality alone. Slots in an exclusion of the model, or of the `objective` named, are left out
        unless `excluded` is False. Raises KeyError for a meter or subject that is not counted.
        """
        source = _events(self._meters[_key(meter)])
        if source is None:
            return Tally.empty()
        kinds = kinds_of(source)
        book = self._books[kinds[0] if time is Time.LABEL else kinds[-1]]
        tally = book.tally(Column(source, subject), self._now_s)
        if not excluded:
            return tally
        return without(tally, [e for e in self._exclusions if concerns(e, meter.model, objective)])


_Key = tuple[object, ...]


def _key(meter: Meter) -> _Key:
    names = [getattr(meter, name) for name in Meter.__slots__ if name != "segment"]
    return (*names, *sorted(meter.segment.items()))


def _events(meter: Meter) -> Events | None:
    """The events that the meter counts, None where it counts something else."""
    return meter.source if isinstance(meter.source, Outcomes | Under | Correct) else None
