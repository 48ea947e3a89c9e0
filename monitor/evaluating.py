"""Evaluating alerts beside the stream, on the replica that has the lease."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from monitor.clock import Clock, rfc3339
from monitor.config.durations import format_duration
from monitor.errors import MonitorError
from monitor.job.report import JobStatus
from monitor.records import Carries
from monitor.slo.alert_log import KeptTransition
from monitor.slo.evaluate import Evaluator
from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.standing import Why
from monitor.store import lease
from monitor.store.ownership import list_progress
from monitor.store.retention import oldest_start_s
from monitor.store.store import Store
from monitor.web import metric_names as names
from monitor.web.gauges import Gauges, Reading

__all__ = ["SloTask"]

_log = logging.getLogger(__name__)


class SloTask:
    """The evaluator as a task of the job: in a thread of its own, once for each base window that closes.

    `now` is the smaller of the clock and the watermark. The first evaluation of a store begins with what it
    holds; what is over by then is quiet. Where not `beside`, it waits for `evaluate`.
    """

    _LEASE = "slo"
    _TTL_MS = 180_000

    def __init__(
        self,
        store: Store,
        evaluator: Evaluator,
        holder: str,
        base_s: int,
        kept_s: int,
        clock: Clock,
        gauges: Gauges,
    ) -> None:
        self._store, self._evaluator, self._holder = store, evaluator, holder
        self._base_s, self._kept_s, self._clock, self._gauges = base_s, kept_s, clock, gauges
        self._thread: threading.Thread | None = None
        self._done_s: int | None = None
        self._again_s = time.monotonic()
        self.beside = True

    def run(self, status: JobStatus) -> None:
        """Starts a round where a base window has closed; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        if not self.beside or busy or status.watermark_ms is None or status.problem is not None:
            return
        now_s = self._now_s(status.watermark_ms)
        if self._done_s is not None and now_s <= self._done_s and time.monotonic() < self._again_s:
            return
        self._thread = threading.Thread(target=self._round, args=(now_s,), name="slo", daemon=True)
        self._thread.start()

    def _now_s(self, watermark_ms: int) -> int:
        return min(self._clock.now_ms(), watermark_ms) // 1000 // self._base_s * self._base_s

    def _round(self, now_s: int) -> None:
        # The gauges are to be renewed within the lease even while no window closes.
        self._again_s = time.monotonic() + self._TTL_MS / 3000
        try:
            if not lease.acquire(self._store, self._LEASE, self._holder, self._clock.now_ms(), self._TTL_MS):
                self._gauges.hide()
                return
            self._evaluate(now_s)
            self._done_s = now_s
        except MonitorError as e:
            _log.warning("alerts not evaluated", extra={"reason": str(e)})

    def evaluate(self, watermark_ms: int) -> tuple[list[KeptTransition], int]:
        """Evaluates all that is closed, whoever has the lease: each step is taken once anyhow. Returns what
        alerts did, and until when, s, it is known.

        No further than the newest record: with nothing to come the watermark is the clock, and a log that is
        read another day may be years older.
        """
        marks = [p.marks.high1_ms for p in list_progress(self._store, Carries.RECORDS)]
        newest_ms = max((ms for ms in marks if ms is not None), default=None)
        if newest_ms is not None:
            after_s = (newest_ms // 1000 // self._base_s + 1) * self._base_s
            until_s = min(self._now_s(watermark_ms), after_s)
            return self._evaluate(until_s), until_s
        return [], 0

    def _evaluate(self, now_s: int) -> list[KeptTransition]:
        begun = time.perf_counter()
        oldest_s = oldest_start_s(self._store)
        if oldest_s is None:
            return []
        did = self._evaluator.run(now_s, self._clock.now_ms(), max(oldest_s, now_s - self._kept_s))
        for kept in did:
            _tell(kept)
        self._show(now_s, time.perf_counter() - begun)
        return did

    def _show(self, now_s: int, seconds: float) -> None:
        readings = [
            *_standing_readings(self._evaluator),
            *_alert_readings(self._evaluator),
            Reading(names.SLO_EVALUATED, (), now_s),
            Reading(names.SLO_EVALUATION, (), seconds),
        ]
        self._gauges.show(readings, self._clock.now_ms() + self._TTL_MS)

    def stop(self) -> None:
        """Waits for a round under way, seconds at most, and lets another replica take over."""
        if self._thread is not None:
            self._thread.join(10)
        self._gauges.hide()
        try:
            lease.release(self._store, self._LEASE, self._holder)
        except MonitorError as e:
            _log.warning("lease of alerts not released", extra={"reason": str(e)})


def _tell(kept: KeptTransition) -> None:
    t = kept.transition
    news = t.after.fires and (not t.before.fires or t.why in (Why.ESCALATED, Why.CAUGHT_UP))
    wakes = news and t.severity is Severity.PAGE and not kept.quiet
    _log.log(
        logging.WARNING if wakes else logging.INFO,
        "alert",
        extra={
            "objective": t.key.objective,
            "rule": t.key.rule,
            **t.key.subject.labels(),
            "at": rfc3339(t.at_s * 1000),
            "before": str(t.before),
            "after": str(t.after),
            "severity": str(t.severity),
            "why": str(t.why),
            "quiet": kept.quiet,
        },
    )


def _subject(objective: str, subject: Subject) -> tuple[str, ...]:
    segment = ",".join(f"{label}={value}" for label, value in subject.segment)
    return subject.model, objective, subject.version or "", subject.endpoint or "", segment


def _standing_readings(evaluator: Evaluator) -> Iterator[Reading]:
    for standing in evaluator.standings():
        labels = _subject(standing.objective, standing.subject)
        for burning in standing.burning:
            if burning.burn is not None:
                window = format_duration(burning.window_s * 1000)
                yield Reading(names.SLO_BURN, (*labels, window), burning.burn)
        if standing.left is not None:
            yield Reading(names.SLO_BUDGET_LEFT, labels, standing.left)
        if standing.compliance is not None:
            yield Reading(names.SLO_COMPLIANCE, labels, standing.compliance)


def _alert_readings(evaluator: Evaluator) -> Sequence[Reading]:
    return [
        Reading(
            names.SLO_ALERT,
            (*_subject(s.key.objective, s.key.subject), s.key.rule, str(s.severity), str(s.phase)),
            1.0,
        )
        for s in evaluator.states
    ]
