"""The webhook of an Alertmanager, version 4, and that of Grafana, which says more in the same shape."""

from collections.abc import Mapping

import msgspec

from monitor.paging.inbound.reading import (
    Malformed,
    Taken,
    checked,
    decoded,
    known_labels,
    moment_ms,
    spanned,
)

__all__ = ["alertmanager_alerts", "grafana_alerts"]


class _Alert(msgspec.Struct):
    # Named as in the format, here and below.
    labels: dict[str, str]
    status: str
    annotations: dict[str, str] | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    generatorURL: str | None = None
    # Grafana's:
    valueString: str | None = None
    dashboardURL: str | None = None
    panelURL: str | None = None
    silenceURL: str | None = None
    imageURL: str | None = None


class _Webhook(msgspec.Struct):
    alerts: list[_Alert]
    version: str = ""
    truncatedAlerts: int | None = None


_decoder = msgspec.json.Decoder(_Webhook)
# What Grafana says of an alert besides, and the annotation that it becomes.
_GRAFANA = {
    "value": "valueString",
    "dashboard_url": "dashboardURL",
    "panel_url": "panelURL",
    "image_url": "imageURL",
}


def alertmanager_alerts(body: bytes, now_ms: int) -> Taken:
    """The alerts of an Alertmanager's webhook. Raises Malformed."""
    found = decoded(body, _decoder)
    if found.version != "4":
        raise Malformed(f"version: {found.version[:20]!r} is not known; Alertmanager's webhooks have '4'")
    return _taken(found, now_ms, "alertmanager", {})


def grafana_alerts(body: bytes, now_ms: int) -> Taken:
    """The alerts of Grafana's webhook. Raises Malformed."""
    return _taken(decoded(body, _decoder), now_ms, "grafana", _GRAFANA)


def _taken(found: _Webhook, now_ms: int, source: str, more: Mapping[str, str]) -> Taken:
    alerts = {}
    for i, one in enumerate(found.alerts):
        key = f"alerts[{i}]"
        if one.status not in ("firing", "resolved"):
            raise Malformed(f"{key}.status: {one.status[:20]!r} is neither 'firing' nor 'resolved'")
        starts_ms = moment_ms(one.startsAt, f"{key}.startsAt")
        ended_ms = moment_ms(one.endsAt, f"{key}.endsAt") or now_ms
        annotations = {name: getattr(one, field) or "" for name, field in more.items()}
        alerts[key] = spanned(
            known_labels(one.labels),
            annotations | (one.annotations or {}),
            starts_ms,
            ended_ms if one.status == "resolved" else None,
            now_ms,
            source,
            one.generatorURL or "",
        )
    return checked(alerts, now_ms, max(0, found.truncatedAlerts or 0))
