"""Alertmanager's own metrics that people have alerts and dashboards on, under its names."""

import logging
from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.paging.keeping import kept_silences
from monitor.paging.silence import SilenceState
from monitor.paging.silencing import state
from monitor.store.store import Store
from monitor.web.alertmanager_alerts import read_standing
from monitor.web.families import counter, gauge
from monitor.web.metric_names import Metric
from monitor.web.paging_site import PagingSite

__all__ = ["AlertmanagerMetrics"]

_log = logging.getLogger(__name__)
_RECEIVED = Metric(
    "alertmanager_alerts_received_total",
    "counter",
    "Alerts that were posted to this process.",
    ("status", "version"),
)
_INVALID = Metric(
    "alertmanager_alerts_invalid_total", "counter", "Alerts that were posted and refused.", ("version",)
)
_ALERTS = Metric("alertmanager_alerts", "gauge", "Alerts that haven't ended, by state.", ("state",))
_SILENCES = Metric("alertmanager_silences", "gauge", "Silences by state.", ("state",))
_RECEIVERS = Metric("alertmanager_receivers", "gauge", "Receivers that are configured.")
_INTEGRATIONS = Metric("alertmanager_integrations", "gauge", "Integrations that are configured.")
_RELOADED = Metric(
    "alertmanager_config_last_reload_successful",
    "gauge",
    "1 where the configuration was right when it was read last.",
)
_RELOADED_AT = Metric(
    "alertmanager_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When a right configuration was read last.",
)


class AlertmanagerMetrics(Collector):
    """Read at each scrape; what the store doesn't answer is left out."""

    def __init__(self, store: Store, site: PagingSite, clock: Clock) -> None:
        self._store, self._site, self._clock = store, site, clock

    def collect(self) -> Iterator[Family]:
        received = self._site.received.counts()
        yield counter(_RECEIVED, [((of, "v2"), received[of]) for of in ("firing", "resolved")])
        yield counter(_INVALID, [(("v2",), received["invalid"])])
        receivers = self._site.settings().receivers.values()
        yield gauge(_RECEIVERS, [((), len(receivers))])
        yield gauge(_INTEGRATIONS, [((), sum(len(one.integrations) for one in receivers))])
        if self._site.reloaded is not None:
            last = self._site.reloaded()
            yield gauge(_RELOADED, [((), float(last.ok))])
            yield gauge(_RELOADED_AT, [((), last.ok_ms / 1000)])
        yield from self._stored()

    def _stored(self) -> Iterator[Family]:
        now_ms = self._clock.now_ms()
        try:
            alerts = read_standing(self._store, self._site.settings(), now_ms).count()
            silences = Counter(state(silence, now_ms) for silence in kept_silences(self._store))
        except StoreError as e:
            _log.warning("alerts not counted", extra={"reason": str(e)})
            return
        yield gauge(_ALERTS, [((of,), n) for of, n in alerts.items()])
        yield gauge(_SILENCES, [((of,), silences[of]) for of in SilenceState])
