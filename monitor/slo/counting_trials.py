"""Verdicts on versions on trial, counted as slices of time."""

from collections.abc import Iterable, Mapping

import numpy as np

from monitor.profiles.series import SeriesKey
from monitor.records import Bools, Ints
from monitor.sli.canary.question import Margins
from monitor.sli.canary.trial import TRIAL_S, Tried, tried
from monitor.sli.windows import Bases
from monitor.slo.objective import Meter, OnTrial, Subject
from monitor.slo.tally import Tally
from monitor.store.engine import reading
from monitor.store.names import series_in
from monitor.store.store import Store
from monitor.store.versions import first_hours

__all__ = ["Trials"]


class Trials:
    """The trials of the models of some meters, kept for the last `reach_s`: `refresh`, then ask for the
    tallies. A verdict that was reached is not reached again: what comes late counts from then on."""

    def __init__(self, store: Store, bases: Bases, meters: Iterable[Meter], reach_s: int) -> None:
        self._store, self._base_s, self._reach_s = store, bases.service_s, reach_s
        self._meters = {meter.model: meter for meter in meters}
        self._series: dict[str, dict[SeriesKey, int]] = {}
        self._first_s: dict[str, Mapping[str, int]] = {}
        self._known: tuple[int, int] | None = None
        self._until_s: int | None = None
        self._held: dict[str, dict[str, tuple[Ints, Bools]]] = {}

    def refresh(self, now_s: int) -> None:
        """Reaches the verdicts up to now. Raises StoreBusy and StoreError; the next call then goes on from
        where the last one that ended did."""
        if not self._meters:
            return
        self._learn()
        from_s = now_s - self._reach_s if self._until_s is None else max(self._until_s, now_s - self._reach_s)
        for model, meter in self._meters.items():
            if len({key.version for key in self._series.get(model, ())}) > 1:
                self._try(model, meter, from_s, now_s)
        self._until_s = now_s

    def _learn(self) -> None:
        with reading(self._store.engine) as connection:
            known, by_model = series_in(connection, self._meters, self._known)
        if known != self._known:
            self._series, self._known = by_model, known
            self._first_s.clear()

    def _try(self, model: str, meter: Meter, from_s: int, now_s: int) -> None:
        step_s, source = meter.slice_s, meter.source
        assert step_s is not None
        assert isinstance(source, OnTrial)
        at_s = np.arange(from_s // step_s * step_s + step_s, now_s + 1, step_s, dtype=np.int64)
        first_s = self._first(model)
        if not len(at_s) or all(s <= at_s[0] - TRIAL_S for s in first_s.values()):
            return
        margins = Margins(source.slower, source.failing)
        held = self._held.setdefault(model, {})
        for found in tried(self._store, self._series[model], first_s, at_s, self._base_s, margins):
            held[found.version] = self._joined(held.get(found.version), found, now_s)

    def _first(self, model: str) -> Mapping[str, int]:
        """When each version came, asked again as long as one that is named has no requests stored."""
        first_s = self._first_s.get(model)
        if first_s is None:
            first_s = first_hours(self._store, model)
            if first_s.keys() >= {key.version for key in self._series[model]}:
                self._first_s[model] = first_s
        return first_s

    def _joined(self, before: tuple[Ints, Bools] | None, found: Tried, now_s: int) -> tuple[Ints, Bools]:
        if before is None:
            return found.at_s, found.worse
        at_s, worse = (np.concatenate(pair) for pair in zip(before, (found.at_s, found.worse), strict=True))
        kept = at_s > now_s - self._reach_s
        return at_s[kept], worse[kept]

    def subjects(self, meter: Meter) -> list[Subject]:
        """The versions that were on trial."""
        return [Subject(meter.model, version) for version in sorted(self._held.get(meter.model, ()))]

    def tally(self, meter: Meter, subject: Subject) -> Tally:
        """The slices at whose ends the version was live, and those in which it was not worse."""
        at_s, worse = self._held[meter.model][subject.version or ""]
        return Tally(at_s - (meter.slice_s or 0), at_s, (~worse).astype(np.float64), np.ones(len(at_s)))
