"""Alerts to Alertmanagers in place of the pager: posted again before they would be given up."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from monitor.clock import Clock, rfc3339
from monitor.errors import MonitorError
from monitor.paging.alert import Alert, Labels
from monitor.paging.message import Result
from monitor.paging.receivers.http import post
from monitor.store import lease
from monitor.store.store import Store

__all__ = ["Forwarder"]

_log = logging.getLogger(__name__)


class Forwarder:
    """A thread that posts what fires to every one of the Alertmanagers each minute, as soon as it begins,
    and its end as soon as it is over. Of several replicas the one with the lease does."""

    _TTL_MS = 15_000
    _EVERY_S = 1.0
    _AGAIN_MS, _KEPT_MS = 60_000, 240_000
    _TIMEOUT_S = 10.0

    def __init__(
        self,
        store: Store,
        urls: Sequence[str],
        holder: str,
        clock: Clock,
        detected: Callable[[], Sequence[Alert]],
    ) -> None:
        self._store, self._holder, self._clock, self._detected = store, holder, clock, detected
        self._urls = [f"{url.rstrip('/')}/api/v2/alerts" for url in urls]
        # By Alertmanager: what it was told to fire, and when.
        self._told: dict[str, dict[Labels, tuple[Alert, int]]] = {url: {} for url in self._urls}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pager", daemon=True)

    def start(self) -> None:
        """Begins; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; what fires is given up by the Alertmanagers unless another replica goes on."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._TIMEOUT_S)
        try:
            lease.release(self._store, lease.PAGER, self._holder)
        except MonitorError as e:
            _log.warning("the pager's lease is not released", extra={"reason": str(e)})

    def _run(self) -> None:
        while not self._stop.wait(self._EVERY_S):
            try:
                now_ms = self._clock.now_ms()
                if lease.acquire(self._store, lease.PAGER, self._holder, now_ms, self._TTL_MS):
                    self.forward(now_ms)
            except MonitorError as e:
                _log.warning("alerts not forwarded", extra={"reason": str(e)})

    def forward(self, now_ms: int) -> None:
        """Posts what is due by now; what an Alertmanager doesn't take is posted again the next time."""
        firing = {alert.labels: alert for alert in self._detected() if not alert.quiet}
        for number, url in enumerate(self._urls):
            told = self._told[url]
            due = {
                labels: alert
                for labels, alert in firing.items()
                if labels not in told or told[labels][1] <= now_ms - self._AGAIN_MS
            }
            over = {labels: alert for labels, (alert, _) in told.items() if labels not in firing}
            body = [_posted(a, now_ms + self._KEPT_MS) for a in due.values()]
            body += [_posted(a, now_ms) for a in over.values()]
            if not body:
                continue
            delivery, _ = post(url, body, self._TIMEOUT_S)
            if delivery.result is not Result.DELIVERED:
                _log.warning("alerts not forwarded", extra={"to": number, "reason": delivery.detail})
                continue
            told.update((labels, (alert, now_ms)) for labels, alert in due.items())
            for labels in over:
                del told[labels]


def _posted(alert: Alert, ends_ms: int) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.starts_ms),
        "endsAt": rfc3339(ends_ms),
        "generatorURL": alert.generator_url,
    }
