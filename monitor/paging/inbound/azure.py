"""Azure Monitor's common alert schema.

Each firing has an id of its own (`essentials.alertId`), which its end has too: the label `alert_id`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from monitor.paging.alert import Alert
from monitor.paging.inbound.reading import (
    Malformed,
    Taken,
    checked,
    decoded,
    known_labels,
    moment_ms,
    spanned,
)

__all__ = ["ALERT_ID", "azure_alerts"]

ALERT_ID = "alert_id"
_SCHEMA = "azureMonitorCommonAlertSchema"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]+")
_MAX_DIMENSIONS = 20


class _Essentials(msgspec.Struct):
    # Named as in the format, here and below.
    alertId: str
    alertRule: str
    severity: str
    monitorCondition: str
    firedDateTime: str | None = None
    resolvedDateTime: str | None = None
    signalType: str | None = None
    monitoringService: str | None = None
    alertTargetIDs: list[str] | None = None
    configurationItems: list[str] | None = None
    description: str | None = None
    investigationLink: str | None = None


class _Data(msgspec.Struct):
    essentials: _Essentials
    alertContext: dict[str, Any] | None = None
    customProperties: dict[str, Any] | None = None


class _Webhook(msgspec.Struct):
    schemaId: str
    data: _Data


_decoder = msgspec.json.Decoder(_Webhook)


def azure_alerts(body: bytes, now_ms: int, event_ms: int, known: Iterable[Alert] = ()) -> Taken:
    """The alert of a body. One that ends has the labels of those that are `known` under its id, whatever is
    said of it at its end. An activity log tells of events, which have no end: they fire for `event_ms`.

    Raises Malformed.
    """
    found = decoded(body, _decoder)
    if found.schemaId != _SCHEMA:
        raise Malformed(f"schemaId: {found.schemaId[:60]!r} is not known; enable the common alert schema")
    said = found.data.essentials
    if said.monitorCondition not in ("Fired", "Resolved"):
        given = said.monitorCondition[:20]
        raise Malformed(f"data.essentials.monitorCondition: {given!r} is neither 'Fired' nor 'Resolved'")
    if not said.alertId.strip("/ "):
        raise Malformed("data.essentials.alertId: is empty")
    starts_ms = moment_ms(said.firedDateTime, "data.essentials.firedDateTime")
    ended_ms = moment_ms(said.resolvedDateTime, "data.essentials.resolvedDateTime") or now_ms
    resolved = said.monitorCondition == "Resolved"
    labels, annotations = _labels(found.data), _annotations(found.data)
    alert = spanned(
        labels,
        annotations,
        starts_ms,
        ended_ms if resolved else None,
        now_ms,
        "azure",
        said.investigationLink or "",
    )
    if not resolved and said.signalType == "Activity Log":
        alert = replace(alert, ends_ms=now_ms + event_ms)
    same = [one for one in known if (ALERT_ID, labels[ALERT_ID]) in one.labels] if resolved else []
    alerts = [replace(alert, labels=one.labels) for one in same] or [alert]
    return checked({f"data[{i}]": one for i, one in enumerate(alerts)}, now_ms)


def _labels(data: _Data) -> dict[str, str]:
    said = data.essentials
    targets = said.configurationItems or [target.rsplit("/", 1)[-1] for target in said.alertTargetIDs or ()]
    more = {_NOT_IN_NAMES.sub("_", name): value for name, value in _dimensions(data.alertContext)}
    more |= {_NOT_IN_NAMES.sub("_", name): value for name, value in _texts(data.customProperties)}
    own = {
        "alertname": said.alertRule,
        "severity": said.severity,
        ALERT_ID: said.alertId.rstrip("/").rsplit("/", 1)[-1],
        "resource": targets[0] if targets else "",
        "service": said.monitoringService or "",
    }
    return known_labels(more | own)


def _texts(values: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for name, value in list((values or {}).items())[:_MAX_DIMENSIONS]:
        if isinstance(value, str) and name:
            yield name, value


def _dimensions(context: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """The dimensions of a metric's condition, which tell its series apart."""
    for criterion in _criteria(context):
        dimensions = criterion.get("dimensions")
        for one in dimensions[:_MAX_DIMENSIONS] if isinstance(dimensions, list) else ():
            if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"]:
                yield one["name"], str(one.get("value") or "")


def _criteria(context: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    condition = (context or {}).get("condition")
    every = condition.get("allOf") if isinstance(condition, dict) else None
    return [one for one in every if isinstance(one, dict)] if isinstance(every, list) else []


def _annotations(data: _Data) -> dict[str, str]:
    said = data.essentials
    conditions = [
        f"{one.get('metricName')} {one.get('operator')} {one.get('threshold')}"
        + (f", is {one['metricValue']}" if one.get("metricValue") is not None else "")
        for one in _criteria(data.alertContext)
        if one.get("metricName")
    ]
    return {
        "summary": said.alertRule,
        "description": said.description or "",
        "condition": "; ".join(conditions),
        "targets": ", ".join(said.alertTargetIDs or ()),
    }
