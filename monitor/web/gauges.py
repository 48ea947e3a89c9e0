"""What can go down or be corrected: gauges read from the store, shown by one replica only."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric as Family

from monitor.clock import Clock
from monitor.errors import MonitorError, StoreError
from monitor.job.report import JobStatus
from monitor.store import lease
from monitor.store.store import Store
from monitor.web import metric_names as names
from monitor.web.families import gauge
from monitor.web.metric_names import Metric

__all__ = ["EVALUATED", "LEASE", "STORED", "GaugeRefresher", "GaugeTask", "Gauges", "Reading"]

LEASE = "gauges"
_TTL_MS = 60_000
STORED = (
    names.DATA_AGE,
    names.COVERAGE,
    names.SLI,
    names.DRIFT_PSI,
    names.DRIFT_NOT_SHOWN,
    names.DRIFTED_FEATURES,
    names.MODEL_DRIFT,
)
EVALUATED = (
    names.SLO_BURN,
    names.SLO_BUDGET_LEFT,
    names.SLO_COMPLIANCE,
    names.SLO_ALERT,
    names.SLO_EVALUATED,
    names.SLO_EVALUATION,
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """A gauge's value: `labels` are the values of the metric's labels, in their order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


class Gauges:
    """The readings that this replica shows of some metrics, to the end of its lease and no longer.
    Thread-safe."""

    def __init__(self, clock: Clock, metrics: Sequence[Metric] = STORED) -> None:
        self._clock, self._metrics = clock, metrics
        self._lock = threading.Lock()
        self._readings: Sequence[Reading] = ()
        self._until_ms = 0

    def show(self, readings: Sequence[Reading], until_ms: int) -> None:
        with self._lock:
            self._readings, self._until_ms = tuple(readings), until_ms

    def hide(self) -> None:
        self.show((), 0)

    def families(self) -> Iterator[Family]:
        with self._lock:
            readings = self._readings if self._clock.now_ms() < self._until_ms else ()
        by_metric: dict[Metric, list[tuple[Sequence[str], float]]] = {}
        for reading in readings:
            by_metric.setdefault(reading.metric, []).append((reading.labels, reading.value))
        for metric in self._metrics:
            yield gauge(metric, by_metric.get(metric, []))


Read = Callable[[Store, int], Sequence[Reading]]


class GaugeRefresher:
    """Reads the gauges while it holds the lease; called now and then by the job's housekeeping.

    `read(store, now_ms)` returns what is to be shown. A lease lasts 60 s: refresh at least every 20 s.
    """

    def __init__(self, gauges: Gauges, holder: str, read: Read) -> None:
        self._gauges, self._holder, self._read = gauges, holder, read

    def refresh(self, store: Store, now_ms: int) -> bool:
        """Whether this replica shows the gauges now. Blocks on the store; raises StoreBusy, after which
        what was shown stays to the end of the lease, for nobody else can have it."""
        if not lease.acquire(store, LEASE, self._holder, now_ms, _TTL_MS):
            self._gauges.hide()
            return False
        self._gauges.show(self._read(store, now_ms), now_ms + _TTL_MS)
        return True

    def release(self, store: Store) -> None:
        """Hides the gauges and lets another replica show them at once; for a graceful stop."""
        self._gauges.hide()
        lease.release(store, LEASE, self._holder)


class GaugeTask:
    """The refresher as a task of the job: reads in a thread of its own, so that the stream never waits."""

    def __init__(self, refresher: GaugeRefresher, store: Store, clock: Clock, every_s: float = 15.0) -> None:
        self._refresher, self._store, self._clock, self._every_s = refresher, store, clock, every_s
        self._due_s = time.monotonic()
        self._thread: threading.Thread | None = None

    def run(self, status: JobStatus) -> None:
        """Starts a refresh where one is due; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + self._every_s
        self._thread = threading.Thread(target=self._refresh, name="gauges", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Gives the lease up; for a graceful stop. Blocks for a refresh under way, seconds at most."""
        if self._thread is not None:
            self._thread.join(10)
        try:
            self._refresher.release(self._store)
        except StoreError as e:
            _log.warning("gauges not released", extra={"reason": str(e)})

    def _refresh(self) -> None:
        try:
            self._refresher.refresh(self._store, self._clock.now_ms())
        except MonitorError as e:
            _log.warning("gauges not refreshed", extra={"reason": str(e)})
