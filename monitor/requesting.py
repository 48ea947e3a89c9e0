"""Asking for retraining beside the stream, on the replica that has the lease."""

import logging
import threading
import time

from monitor.clock import Clock
from monitor.errors import MonitorError
from monitor.job.report import JobStatus
from monitor.retraining.asking import Retrainer
from monitor.store import lease
from monitor.store.store import Store

__all__ = ["RetrainingTask"]

_log = logging.getLogger(__name__)


class RetrainingTask:
    """A retrainer as a task of the job: in a thread of its own, once a minute; `now` is the smaller of the
    clock and the watermark."""

    _LEASE = "retraining"
    _TTL_MS = 180_000
    _EVERY_S = 60.0

    def __init__(self, store: Store, retrainer: Retrainer, holder: str, clock: Clock) -> None:
        self._store, self._retrainer, self._holder, self._clock = store, retrainer, holder, clock
        self._thread: threading.Thread | None = None
        self._due_s = time.monotonic()
        self.beside = True

    def run(self, status: JobStatus) -> None:
        """Starts a round where one is due; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        idle = not self.beside or not self._retrainer.policies
        if idle or busy or status.watermark_ms is None or status.problem is not None:
            return
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + self._EVERY_S
        now_ms = min(self._clock.now_ms(), status.watermark_ms)
        self._thread = threading.Thread(target=self._round, args=(now_ms,), name="retraining", daemon=True)
        self._thread.start()

    def _round(self, now_ms: int) -> None:
        try:
            clock_ms = self._clock.now_ms()
            if lease.acquire(self._store, self._LEASE, self._holder, clock_ms, self._TTL_MS):
                self._retrainer.turn(now_ms, clock_ms)
        except MonitorError as e:
            _log.warning("policies of retraining not looked at", extra={"reason": str(e)})

    def stop(self) -> None:
        """Waits for a round under way, seconds at most, and lets another replica take over."""
        if self._thread is None:
            return
        self._thread.join(10)
        try:
            lease.release(self._store, self._LEASE, self._holder)
        except MonitorError as e:
            _log.warning("lease of retraining not released", extra={"reason": str(e)})
