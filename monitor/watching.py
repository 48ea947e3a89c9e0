"""Watching for concept drift: the detectors take every closed window of outcomes, once."""

import logging
import threading
import time
from collections import defaultdict

import numpy as np

from monitor.clock import Clock
from monitor.errors import MonitorError
from monitor.job.report import JobStatus
from monitor.profiles.layout import Kind
from monitor.profiles.watermark import PartitionMark, overall
from monitor.records import Carries
from monitor.sli.entries import Grouping, join, place
from monitor.sli.quality_cells import QualityCells
from monitor.sli.watch import Seen, advance, seen_in
from monitor.sli.windows import Part, Windows
from monitor.store import lease
from monitor.store.detectors import ConceptAlarm, Held, held, swap
from monitor.store.names import find_series, models
from monitor.store.ownership import list_progress
from monitor.store.read import earliest, extent
from monitor.store.store import Store

__all__ = ["ConceptTask", "watch"]

_WINDOWS_AT_ONCE = 500
_log = logging.getLogger(__name__)


def watch(store: Store, quality_s: int, now_ms: int, max_hold_ms: int) -> int:
    """Takes the closed windows of labels that came, of every model and version; returns how many alarms it
    gave. Safe on several replicas at once.

    Windows are those of the labels' arrival (`Kind.LEARNED`), for these close: once both the labels and the
    inferences have come past them. A label that comes later still is in its window for questions, and not
    seen by the detectors.
    """
    closed_ms = _closed_ms(store, now_ms, max_hold_ms)
    if closed_ms is None:
        return 0
    until_s = closed_ms // 1000 // quality_s * quality_s
    given = 0
    for model in models(store):
        by_version: dict[str, list[int]] = defaultdict(list)
        for key, number in find_series(store, model).items():
            if not key.label:
                by_version[key.version].append(number)
        known = held(store, model)
        for version, ids in sorted(by_version.items()):
            of_version = _Version(store, model, version, sorted(ids), quality_s, now_ms)
            given += of_version.watch(known.get(version), until_s)
    return given


def _closed_ms(store: Store, now_ms: int, max_hold_ms: int) -> int | None:
    """How far the labels have come, and the inferences; None where there are no labels, or none knows.

    No further than the newest label: when all is idle the watermark is the clock, and what is
    read another day may be older than that.
    """
    progress = list_progress(store)
    marks = [
        max(
            (
                p.marks.high1_ms
                for p in progress
                if p.carries is Carries.LABELS and p.marks.high1_ms is not None
            ),
            default=None,
        )
    ]
    for carries in (Carries.LABELS, Carries.RECORDS):
        mine = [
            PartitionMark(p.marks.watermark_ms, p.idle_since_ms is not None, p.updated_ms)
            for p in progress
            if p.carries is carries
        ]
        if mine:
            marks.append(overall(mine, now_ms, max_hold_ms))
    known = [mark for mark in marks if mark is not None]
    return min(known) if len(known) == len(marks) else None


class _Version:
    """The outcomes of one version, of all endpoints."""

    def __init__(
        self, store: Store, model: str, version: str, ids: list[int], quality_s: int, now_ms: int
    ) -> None:
        self._store, self._model, self._version, self._ids = store, model, version, ids
        self._quality_s, self._now_ms = quality_s, now_ms

    def watch(self, before: Held | None, until_s: int) -> int:
        stored = extent(self._store, Kind.LEARNED, self._quality_s, self._ids)
        if stored is None:
            return 0
        if before is None:
            at_s = earliest(self._store, Kind.LEARNED, self._quality_s, self._ids, stored[0])
        else:
            at_s = before.last_s + self._quality_s
        given = 0
        while at_s < until_s:
            n = min((until_s - at_s) // self._quality_s, _WINDOWS_AT_ONCE)
            after, alarms = self._step(before, at_s, n)
            if not swap(self._store, self._model, self._version, before, after, alarms, self._now_ms):
                break
            for alarm in alarms:
                _log.warning("concept drift", extra={a: getattr(alarm, a) for a in ConceptAlarm.__slots__})
            given, before, at_s = given + len(alarms), after, after.last_s + self._quality_s
        return given

    def _seen(self, from_s: int, n: int) -> list[Seen]:
        windows = Windows(from_s, self._quality_s, n)
        ids = np.array(self._ids, np.int64)
        grouping = Grouping(ids, np.zeros(len(ids), np.int64), 1)
        part = Part(self._quality_s, windows.from_s, windows.to_s)
        placed = place(self._store, Kind.LEARNED, [part], windows, grouping)
        return seen_in(QualityCells.of(join(placed, n)), from_s + np.arange(n) * self._quality_s)

    def _step(self, before: Held | None, from_s: int, n: int) -> tuple[Held, list[ConceptAlarm]]:
        seen = self._seen(from_s, n)
        try:
            state, alarms = advance(None if before is None else before.state, seen)
        except ValueError as e:
            _log.warning(
                "concept drift is learnt anew",
                extra={"model": self._model, "version": self._version, "reason": str(e)},
            )
            state, alarms = advance(None, seen)
        found = [
            ConceptAlarm(self._model, self._version, a.detector, a.start_s, a.before, a.after) for a in alarms
        ]
        return Held(from_s + (n - 1) * self._quality_s, state), found


class ConceptTask:
    """`watch` as a task of the job: in a thread of its own, on the replica that has the lease."""

    _LEASE = "concept"
    _EVERY_S = 60.0

    def __init__(self, store: Store, holder: str, quality_s: int, max_hold_ms: int, clock: Clock) -> None:
        self._store, self._holder, self._clock = store, holder, clock
        self._quality_s, self._max_hold_ms = quality_s, max_hold_ms
        self._thread: threading.Thread | None = None
        self._due_s = time.monotonic()

    def run(self, status: JobStatus) -> None:
        """Starts a round where one is due; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._due_s or status.problem is not None:
            return
        self._due_s = time.monotonic() + self._EVERY_S
        self._thread = threading.Thread(target=self._round, name="concept", daemon=True)
        self._thread.start()

    def _round(self) -> None:
        try:
            if lease.acquire(self._store, self._LEASE, self._holder, self._clock.now_ms(), 180_000):
                self.watch()
        except MonitorError as e:
            _log.warning("concept drift put off", extra={"reason": str(e)})

    def watch(self) -> None:
        """Takes all windows that are closed now."""
        watch(self._store, self._quality_s, self._clock.now_ms(), self._max_hold_ms)

    def stop(self) -> None:
        """Waits for a round under way, seconds at most."""
        if self._thread is not None:
            self._thread.join(10)
