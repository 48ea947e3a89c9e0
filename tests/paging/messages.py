"""Messages to send in tests, of one good one by changes."""

from collections.abc import Mapping
from typing import Any

from monitor.paging.alert import Alert, Status, labels_of
from monitor.paging.message import Links, Message, Purpose, Told

__all__ = ["AT_MS", "message", "told"]

AT_MS = 1_795_442_580_000  # 2026-11-23 14:03:00 UTC
LABELS = {"alertname": "AvailabilityBudgetBurn", "model": "fraud", "owner": "risk", "severity": "page"}
ANNOTATIONS = {
    "summary": "fraud: availability spends its budget 14.4 times too fast",
    "description": "5.1 % of requests failed in the last hour.",
}


def told(
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    *,
    starts_ms: int = AT_MS - 720_000,
    ends_ms: int | None = None,
) -> Told:
    """An alert that fires, or ended at `ends_ms`."""
    until_ms = AT_MS + 300_000 if ends_ms is None else ends_ms
    alert = Alert(
        labels_of(LABELS if labels is None else labels),
        labels_of(ANNOTATIONS if annotations is None else annotations),
        starts_ms,
        until_ms,
        AT_MS,
        generator_url="http://prometheus.example.com/graph",
    )
    return Told(alert, Status.FIRING if ends_ms is None else Status.RESOLVED)


def message(**changed: Any) -> Message:
    """A page about one alert, all of it known, or as `changed`."""
    given: dict[str, Any] = {
        "purpose": Purpose.GROUP,
        "receiver": "risk-primary",
        "integration": 0,
        "group_key": '{}:{model="fraud"}',
        "dedup_key": "key-of-the-group",
        "status": Status.FIRING,
        "alerts": (told(),),
        "group_labels": (("model", "fraud"),),
        "reason": "first",
        "at_ms": AT_MS,
        "incident": 7,
        "external_url": "https://monitor.example.com",
        "links": Links(
            incident="https://monitor.example.com/incidents/7",
            acknowledge="https://monitor.example.com/a/abc",
            dashboard="https://grafana.example.com/d/fraud",
        ),
        "context": {
            "budget_left": 0.314,
            "burn": 14.42,
            "version": "2026.11.2",
            "deployment": {"version": "2026.11.2", "at_ms": AT_MS - 25 * 60_000},
            "runbook_steps": ["# which version fails", "monitor query --model fraud --by version"],
        },
    }
    if changed.get("status") is Status.RESOLVED and "alerts" not in changed:
        changed["alerts"] = (told(ends_ms=AT_MS - 10_000),)
    return Message(**(given | changed))
