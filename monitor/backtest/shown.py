"""Outcomes as JSON has them."""

from typing import Any

from monitor.backtest.diff import Change
from monitor.backtest.outcome import Found, Outcome
from monitor.backtest.replay import Span, end_s
from monitor.backtest.retraining import shown_retraining
from monitor.clock import rfc3339
from monitor.slo.episodes import Episode
from monitor.slo.rule import Severity

__all__ = ["shown", "shown_change"]


def shown(found: Outcome) -> dict[str, Any]:
    """Times are RFC 3339, `end` null where the alert still fires; rates are per week."""
    span = found.span
    return {
        "start": rfc3339(span.from_s * 1000),
        "end": rfc3339(span.to_s * 1000),
        "cut": span.cut,
        "pages": len(found.of(Severity.PAGE)),
        "pages_per_week": found.per_week(Severity.PAGE),
        "tickets": len(found.of(Severity.TICKET)),
        "tickets_per_week": found.per_week(Severity.TICKET),
        "incidents": len(found.found),
        "incidents_found": found.n_found,
        "median_seconds_to_alert": found.median_after_s,
        "pages_beside_incidents": len(found.false_pages),
        "found": [_found(f) for f in found.found],
        "alerts": [{**_alert(a, span), "about": [i.name for i in found.about(a)]} for a in found.alerts],
        "caveats": list(found.caveats),
        "retraining": [shown_retraining(one) for one in found.retraining],
    }


def _found(found: Found) -> dict[str, Any]:
    incident = found.incident
    return {
        "incident": incident.name,
        "model": incident.model,
        "start": rfc3339(incident.from_s * 1000),
        "end": rfc3339(incident.to_s * 1000),
        "by": None if found.by is None else found.by.objective,
        "severity": None if found.by is None else str(found.by.severity),
        "after_s": found.after_s,
        "page": None if found.page is None else found.page.objective,
        "page_after_s": found.page_after_s,
    }


def _alert(alert: Episode, span: Span) -> dict[str, Any]:
    return {
        "alert": alert.objective,
        **{
            "model": alert.subject.model,
            "version": alert.subject.version,
            "endpoint": alert.subject.endpoint,
        },
        "segment": dict(alert.subject.segment),
        "severity": str(alert.severity),
        "rules": list(alert.rules),
        "start": rfc3339(alert.from_s * 1000),
        "end": None if alert.to_s is None else rfc3339(alert.to_s * 1000),
        "seconds": end_s(alert, span) - alert.from_s,
    }


def shown_change(change: Change, old: Span, new: Span) -> dict[str, Any]:
    """What one alert does under both sets."""
    return {
        "difference": str(change.difference),
        "old": None if change.old is None else _alert(change.old, old),
        "new": None if change.new is None else _alert(change.new, new),
    }
