"""The pager at work, as Prometheus sees it: a pager that is dead or can't reach anybody must be seen."""

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from monitor.clock import Clock
from monitor.paging.did import Did
from monitor.paging.templates import DEFAULT
from monitor.web import metric_names as names
from monitor.web.families import counter, gauge

__all__ = ["PagerMetrics"]


class PagerMetrics(Collector):
    """Told of every turn. Thread-safe; a replica that doesn't lead shows no gauges."""

    _STALE_MS = 60_000

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._decisions: Counter[str] = Counter()
        self._notifications: Counter[tuple[str, str]] = Counter()
        self._last: Did | None = None

    def __call__(self, did: Did) -> None:
        """Counts a turn."""
        with self._lock:
            self._last = did
            for decision in did.decisions:
                self._decisions[decision.reason.name.lower()] += 1
            for item in did.finished:
                self._notifications[item.slot.receiver, str(item.state)] += 1

    def collect(self) -> Iterator[Family]:
        with self._lock:
            decisions = [((reason,), n) for reason, n in self._decisions.items()]
            yield counter(names.PAGER_DECISIONS, decisions)
            yield counter(names.PAGER_NOTIFICATIONS, list(self._notifications.items()))
            last = self._last
        failures = [((str(part),), n) for part, n in dict(DEFAULT.failures).items()]
        yield counter(names.PAGER_TEMPLATES, failures)
        now_ms = self._clock.now_ms()
        if last is None or last.at_ms < now_ms - self._STALE_MS:
            return
        yield gauge(names.PAGER_TURN, [((), last.at_ms / 1000)])
        yield gauge(names.PAGER_WAITING, [((), last.waiting)])
        oldest_ms = now_ms if last.oldest_ms is None else last.oldest_ms
        yield gauge(names.PAGER_OLDEST, [((), (now_ms - oldest_ms) / 1000)])
        broken = [((receiver, str(integration)), 1.0) for receiver, integration in last.broken]
        yield gauge(names.PAGER_BROKEN, broken)
        opened = [((severity,), n) for severity, n in last.open_incidents.items()]
        yield gauge(names.INCIDENTS_OPEN, opened)
