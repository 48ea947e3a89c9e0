"""The live view of the service for Prometheus. The store is the truth; this is what this process saw.

Only what is committed is counted: a flush that was fenced leaves no trace, and two replicas, whose
partitions differ, add up.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from monitor.clock import Clock
from monitor.job.report import CommittedFlush, JobStatus
from monitor.version import __version__
from monitor.web import metric_names as names
from monitor.web.families import BoundedCounter, Distribution, counter, gauge, info
from monitor.web.gauges import EVALUATED, Gauges
from monitor.web.request_totals import RequestTotals

__all__ = ["MetricsSettings", "ServiceMetrics"]

_FLUSH_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MAX_NAMES = 64


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Bounds on the number of time series: (version, endpoint) pairs of each model, and models."""

    max_series_per_model: int = 100
    max_models: int = 1000


class ServiceMetrics(Collector):
    """Observes commits and is scraped. Thread-safe; implements job.report.Observer.

    `watch` names the job whose status is shown; `gauges` holds what was read from the store,
    `evaluated` what the evaluation of alerts came to.
    """

    def __init__(self, clock: Clock, settings: MetricsSettings | None = None) -> None:
        settings = settings or MetricsSettings()
        self._clock = clock
        self._status: Callable[[], JobStatus] | None = None
        self._lock = threading.Lock()
        self._requests = RequestTotals(settings.max_series_per_model, settings.max_models)
        self._totals = dict.fromkeys(_PLAIN, 0.0)
        self._dead = BoundedCounter(_MAX_NAMES)
        self._unknown = BoundedCounter(_MAX_NAMES)
        self._crowded_out = BoundedCounter(_MAX_NAMES)
        self._flush_s = Distribution(_FLUSH_BOUNDS_S)
        self._http: dict[tuple[str, str, str], float] = {}
        self._rejected = BoundedCounter(_MAX_NAMES)
        self.gauges = Gauges(clock)
        self.evaluated = Gauges(clock, EVALUATED)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def watch(self, status: Callable[[], JobStatus]) -> None:
        """Shows this job's status from the next scrape on; `status` must be quick and thread-safe."""
        self._status = status

    def committed(self, flush: CommittedFlush) -> None:
        """Counts a committed flush."""
        with self._lock:
            self._requests.add(flush)
            self._flush_s.observe(flush.flush_s)
            for metric, n in (
                (names.RECORDS, flush.records),
                (names.STALE, flush.stale_records),
                (names.LATE, flush.late),
                (names.TOO_LATE, flush.too_late),
                (names.OVERFLOWED, flush.overflowed),
                (names.FLUSH_BYTES, flush.bytes_written),
                (names.LABELS, flush.labels),
                (names.LABELLED, flush.matched),
            ):
                self._totals[metric] += n
            for reason, n in flush.dead.items():
                self._dead.add(reason, n)
            for name, n in flush.unknown_fields.items():
                self._unknown.add(name, n)
            for half, n in flush.crowded_out.items():
                self._crowded_out.add(half, n)

    def answered(self, route: str, method: str, status: int) -> None:
        """Counts a request to monitor itself; `route` and `method` come from bounded sets."""
        key = (route, method, str(status))
        with self._lock:
            self._http[key] = self._http.get(key, 0) + 1

    def rejected(self, reason: str) -> None:
        """Counts a request to monitor itself that was refused."""
        with self._lock:
            self._rejected.add(reason, 1)

    def collect(self) -> Iterator[Family]:
        """All families; the counts are of one moment."""
        with self._lock:
            requests = self._requests.copied()
            families = [
                *(counter(metric, [((), n)]) for metric, n in self._totals.items()),
                counter(names.DEAD_LETTERS, self._dead.values()),
                counter(names.UNKNOWN_FIELDS, self._unknown.values()),
                counter(names.CROWDED_OUT, self._crowded_out.values()),
                self._flush_s.family(names.FLUSH_SECONDS),
                counter(names.HTTP_REQUESTS, list(self._http.items())),
                counter(names.HTTP_REJECTED, self._rejected.values()),
            ]
        # Many series take long to write out; commits go on meanwhile.
        yield from requests.families()
        yield from families
        if self._status is not None:
            yield from _health(self._status(), self._clock.now_ms())
        yield from self.gauges.families()
        yield from self.evaluated.families()
        yield info(names.BUILD, {"version": __version__})

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """(body, content type): OpenMetrics, which carries exemplars, or text, as `accept` asks."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


_PLAIN = (
    names.RECORDS,
    names.STALE,
    names.LATE,
    names.TOO_LATE,
    names.OVERFLOWED,
    names.FLUSH_BYTES,
    names.LABELS,
    names.LABELLED,
)


def _health(status: JobStatus, now_ms: int) -> Iterator[Family]:
    lags = [
        ((partition.topic, str(partition.number)), float(lag.behind))
        for partition, lag in status.lags.items()
        if lag.behind is not None
    ]
    yield gauge(names.LAG, lags)
    if status.watermark_ms is not None:
        yield gauge(names.WATERMARK_DELAY, [((), (now_ms - status.watermark_ms) / 1000)])
    if status.last_commit_ms is not None:
        yield gauge(names.LAST_COMMIT, [((), status.last_commit_ms / 1000)])
    yield gauge(names.PAUSED, [((), float(status.paused))])
    yield gauge(names.READY, [((), float(status.ready))])
    yield gauge(names.PENDING, [((), float(status.pending_records))])
    yield gauge(names.FAILED_PARTITIONS, [((), float(len(status.failed_partitions)))])
