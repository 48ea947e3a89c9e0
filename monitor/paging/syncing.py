"""What monitor itself finds, as reports to its pager: what is new, what has changed, and what is over."""

from collections.abc import Iterable
from dataclasses import replace

from monitor.paging.alert import Alert, Status

__all__ = ["synced"]

_FOR_EVER_MS = 10 * 365 * 86_400_000


def synced(found: Iterable[Alert], known: Iterable[Alert], now_ms: int) -> list[Alert]:
    """The reports that bring the pager, which knows `known`, to what was found: all that fires now."""
    firing = {alert.labels: alert for alert in found}
    before = {
        alert.labels: alert
        for alert in known
        if alert.source == "slo" and alert.status_at(now_ms) is Status.FIRING
    }
    over = [replace(a, ends_ms=now_ms, updated_ms=now_ms) for k, a in before.items() if k not in firing]
    fresh = [
        replace(alert, ends_ms=now_ms + _FOR_EVER_MS, updated_ms=now_ms)
        for labels, alert in firing.items()
        if labels not in before or _news(alert, before[labels])
    ]
    return [*over, *fresh]


def _news(alert: Alert, known: Alert) -> bool:
    """Whether somebody is to be woken after all, or its figures have moved."""
    return (alert.quiet, alert.annotations) != (known.quiet, known.annotations)
