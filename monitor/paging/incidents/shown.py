"""Incidents and their timelines as programs read them."""

from typing import Any

from monitor.clock import rfc3339, rfc3339_or_none
from monitor.paging.incidents.incident import Entry, Incident

__all__ = ["shown_entry", "shown_incident"]


def shown_incident(incident: Incident) -> dict[str, Any]:
    """Times are RFC 3339, how long something took is in seconds; None for what has not happened."""
    i = incident
    return {
        "id": i.id,
        "phase": str(i.phase),
        "severity": i.severity,
        "owner": i.owner or None,
        "title": i.title,
        "labels": dict(i.key),
        "opened": rfc3339(i.opened_ms),
        "began": rfc3339_or_none(i.began_ms),
        "paged": rfc3339_or_none(i.paged_ms),
        "acknowledged": rfc3339_or_none(i.acknowledged_ms),
        "acknowledged_by": i.acknowledged_by or None,
        "mitigated": rfc3339_or_none(i.mitigated_ms),
        "resolved": rfc3339_or_none(i.resolved_ms),
        "commander": i.commander or None,
        "reopened": i.reopened,
        "alerts": sorted(set(i.evidence.values())),
        "firing": len(i.firing),
        "seconds_to_detect": i.detect_ms / 1000,
        "seconds_to_acknowledge": None if i.acknowledge_ms is None else i.acknowledge_ms / 1000,
        "seconds_to_resolve": None if i.resolve_ms is None else i.resolve_ms / 1000,
    }


def shown_entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": rfc3339(entry.at_ms),
        "incident": entry.incident,
        "kind": str(entry.kind),
        "who": entry.who,
        "text": entry.text,
    }
