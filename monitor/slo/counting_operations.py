"""What objectives count of operations: things that happened one by one, and slices of time by a measure."""

from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa

from monitor.clock import DAY_S
from monitor.errors import QueryError
from monitor.ingest.events.kinds import Cost, Data
from monitor.operations.catalogue import MEASURES
from monitor.operations.facts import Facts, facts_of
from monitor.operations.measures import Marks
from monitor.records import Floats, Ints
from monitor.sli.catalogue import Operational, find_sli
from monitor.sli.query import find
from monitor.sli.question import Question
from monitor.sli.windows import Bases
from monitor.slo.counting_gauge import runs
from monitor.slo.counting_measuring import within
from monitor.slo.counting_sliced import sliced
from monitor.slo.objective import Bound, Happened, Meter, Source
from monitor.slo.tally import Tally
from monitor.store.events import Came, came_after
from monitor.store.store import Store

__all__ = ["Operations", "is_operational"]

_SLOT_S = 60
# A deployment may turn out bad a week after it happened; nothing that comes changes slices before that.
_BACK_S = 7 * DAY_S
# Of two that write events at once the one that began first may commit last.
_NOT_IN_ORDER = 1_000


def is_operational(source: Source) -> bool:
    """Whether the source is counted from events of operations."""
    if isinstance(source, Bound):
        return isinstance(find_sli(source.sli).formula, Operational)
    return isinstance(source, Happened)


@dataclass(slots=True)
class _Slices:
    """The values (NaN for none) of the slices that begin at `begin_s`, ascending."""

    begin_s: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    value: Floats = field(default_factory=lambda: np.zeros(0))


class Operations:
    """The events of the models that some meters are about, kept up with the store.

    A slice is measured when it is over, and again when an event of its model came that may change it; records
    that come late don't change what needs traffic.
    """

    def __init__(self, store: Store, bases: Bases, reach_s: dict[str, int]) -> None:
        """`reach_s` is how far back is asked, by model."""
        self._store, self._bases, self._reach_s = store, bases, reach_s
        self._seen: set[int] | None = None
        self._facts: dict[tuple[str, tuple[type[Data], ...]], Facts] = {}
        self._slices: dict[tuple[str, str, int], _Slices] = {}

    def detect(self, connection: sa.Connection) -> None:
        """Finds out which events came, in the caller's transaction, and forgets what they may change."""
        if not self._reach_s:
            return
        after = max(self._seen, default=0) - _NOT_IN_ORDER if self._seen else None
        came = came_after(connection, after, _NOT_IN_ORDER)
        new = [] if self._seen is None else [event for event in came if event.number not in self._seen]
        self._seen = {event.number for event in came}
        for event in new:
            self._forget(event)

    def _forget(self, event: Came) -> None:
        """Drops what an event may change; which costs count may change with any."""
        costs = event.kind == Cost.kind
        for about in [about for about in self._facts if _concerns(event, *about)]:
            del self._facts[about]
        for (model, sli, _), slices in self._slices.items():
            if _concerns(event, model, MEASURES[sli].kinds):
                keep = slices.begin_s < (0 if costs else event.ts_ms // 1000 - _BACK_S)
                slices.begin_s, slices.value = slices.begin_s[keep], slices.value[keep]

    def _of(self, model: str, kinds: tuple[type[Data], ...]) -> Facts:
        if (model, kinds) not in self._facts:
            self._facts[model, kinds] = facts_of(self._store, model, kinds)
        return self._facts[model, kinds]

    def tally(self, meter: Meter, now_s: int) -> Tally:
        """What the meter counts until `now_s`. Raises KeyError for a model that was not named."""
        reach_s = self._reach_s[meter.model]
        if isinstance(meter.source, Happened):
            return self._marks(meter, meter.source, now_s - reach_s, now_s)
        if isinstance(meter.source, Bound) and meter.slice_s is not None:
            return self._bounded(meter.model, meter.source, meter.slice_s, now_s - reach_s, now_s)
        return Tally.empty()

    def _marks(self, meter: Meter, source: Happened, from_s: int, now_s: int) -> Tally:
        measure = MEASURES[source.measure]
        shape = measure.shape
        marks = list(shape.marks(self._of(meter.model, measure.kinds))) if isinstance(shape, Marks) else []
        at_s = np.array([at_ms // 1000 for at_ms, _ in marks], np.int64)
        good = within(source, np.array([value for _, value in marks], np.float64))
        mine = (at_s >= from_s) & (at_s // _SLOT_S * _SLOT_S + _SLOT_S <= now_s)
        begin_s, slot = np.unique(at_s[mine] // _SLOT_S * _SLOT_S, return_inverse=True)
        counts = np.bincount(slot, minlength=len(begin_s)).astype(np.float64)
        tally = Tally(
            begin_s,
            begin_s + _SLOT_S,
            np.bincount(slot, weights=good[mine], minlength=len(begin_s)).astype(np.float64),
            counts,
        )
        if meter.slice_s is None:
            return tally
        return sliced(tally, meter.slice_s, 1.0 if meter.slice_target is None else meter.slice_target)

    def _bounded(self, model: str, source: Bound, slice_s: int, from_s: int, now_s: int) -> Tally:
        kinds = MEASURES[source.sli].kinds
        if Cost not in kinds and not self._of(model, kinds).events:
            return Tally.empty()
        slices = self._slices.setdefault((model, source.sli, slice_s), _Slices())
        wanted = np.arange(
            -(-from_s // slice_s) * slice_s, now_s // slice_s * slice_s, slice_s, dtype=np.int64
        )
        known = np.isin(wanted, slices.begin_s)
        value = np.full(len(wanted), np.nan)
        value[known] = slices.value[np.isin(slices.begin_s, wanted)]
        for run in runs(np.flatnonzero(~known)):
            value[run] = self._measured(model, source.sli, wanted[run], slice_s)
        slices.begin_s, slices.value = wanted, value
        kept = np.flatnonzero(~np.isnan(value))
        return Tally(wanted[kept], wanted[kept] + slice_s, within(source, value[kept]), np.ones(len(kept)))

    def _measured(self, model: str, sli: str, begin_s: Ints, slice_s: int) -> Floats:
        asked = Question(model, sli, int(begin_s[0]) * 1000, (int(begin_s[-1]) + slice_s) * 1000, slice_s)
        try:
            found = find(self._store, asked, self._bases)
        except QueryError:
            found = None  # nothing has been heard of the model, or costs that don't add up
        return np.full(len(begin_s), np.nan) if found is None else found.values.value


def _concerns(event: Came, model: str, kinds: tuple[type[Data], ...]) -> bool:
    """Whether an event may be behind what is made of these kinds of events of the model."""
    of_model = event.kind == Cost.kind or event.model in ("", model)
    return of_model and any(kind.kind == event.kind for kind in kinds)
