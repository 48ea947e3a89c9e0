"""What a message says besides its alerts: its incident, how much budget is left, links and first steps."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from monitor.paging.alert import Alert, Labels
from monitor.paging.incidents.incident import Incident
from monitor.paging.message import Message
from monitor.paging.runbooks import first_steps

__all__ = ["BUDGET_LEFT", "BURN", "DEPLOYMENT", "burn_of", "with_context"]

# Annotations, as the detector writes them: a share, a burn rate, and what went into production before.
BUDGET_LEFT, BURN, DEPLOYMENT = "budget_left", "burn", "deployment"


def with_context(message: Message, incidents: Iterable[Incident]) -> Message:
    """The message with what its alerts and the incidents of its group tell; where these are several, the
    open and newest one counts, the least budget and the fastest burn."""
    about = max(incidents, key=lambda i: (i.is_open, i.id), default=None)
    labels, annotations = dict(message.common_labels), dict(message.common_annotations)
    each = [told.alert.annotations for told in message.firing or message.alerts]
    context: dict[str, Any] = {
        "budget_left": min(_numbers(BUDGET_LEFT, each), default=None),
        "burn": max(_numbers(BURN, each), default=None),
        "version": labels.get("version"),
        "deployment": labels.get(DEPLOYMENT) or annotations.get(DEPLOYMENT),
        "runbook_steps": list(first_steps(labels.get("alertname", ""), labels.get("model", ""))),
    }
    known = {name: value for name, value in context.items() if value not in (None, [])}
    if about is None:
        return replace(message, context=known)
    links = replace(message.links, incident=_incident_url(message.external_url, about.id))
    return replace(message, incident=about.id, context=known, links=links)


def burn_of(alerts: Iterable[Alert]) -> float | None:
    """The fastest that they tell of; None where none does."""
    return max(_numbers(BURN, [alert.annotations for alert in alerts]), default=None)


def _incident_url(external_url: str, incident: int) -> str:
    return f"{external_url.rstrip('/')}/api/v1/incidents/{incident}" if external_url else ""


def _numbers(name: str, each: Sequence[Labels]) -> Iterator[float]:
    for annotations in each:
        try:
            value = float(dict(annotations).get(name, "nan"))
        except ValueError:
            continue
        if math.isfinite(value):
            yield value
