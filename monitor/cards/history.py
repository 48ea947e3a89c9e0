"""What happened to a model in the 30 days before a moment, and what it cost: reads the store."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from monitor.cards.quality import DAYS
from monitor.clock import DAY_MS, rfc3339, rfc3339_or_none
from monitor.ingest.events.kinds import TrainingRun
from monitor.operations.costs import current
from monitor.paging.incidents import asking
from monitor.paging.incidents.incident import Incident
from monitor.store.events import list_events
from monitor.store.store import Store

__all__ = ["costs", "incidents"]


def incidents(store: Store, model: str, at_ms: int) -> dict[str, Any]:
    """Those that opened then, the newest first, with the mean times to acknowledge and to resolve, s, of
    those that were by the moment."""
    since_ms = at_ms - DAYS * DAY_MS
    found = [
        one
        for one in asking.incidents(store, since_ms)
        if dict(one.key).get("model") == model and since_ms < one.opened_ms <= at_ms
    ]
    acknowledged = [i for i in found if i.acknowledged_ms is not None and i.acknowledged_ms <= at_ms]
    resolved = [i for i in found if i.resolved_ms is not None and i.resolved_ms <= at_ms]
    return {
        "days": DAYS,
        "mean_seconds_to_acknowledge": _mean_s([i.acknowledge_ms for i in acknowledged]),
        "mean_seconds_to_resolve": _mean_s([i.resolve_ms for i in resolved]),
        "incidents": [_shown(one, at_ms) for one in found],
    }


def _mean_s(spans_ms: Sequence[int | None]) -> float | None:
    known = [ms / 1000 for ms in spans_ms if ms is not None]
    return fmean(known) if known else None


def _shown(incident: Incident, at_ms: int) -> dict[str, Any]:
    resolved_ms = incident.resolved_ms
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "opened": rfc3339(incident.opened_ms),
        "resolved": rfc3339_or_none(None if resolved_ms is None or resolved_ms > at_ms else resolved_ms),
    }


def costs(store: Store, model: str, at_ms: int) -> list[dict[str, Any]]:
    """What was spent on the model and on training it, by currency: costs that began in those days and carry
    its tag, and runs that ended in them."""
    spent: defaultdict[tuple[str, str], float] = defaultdict(float)
    since_ms = at_ms - DAYS * DAY_MS
    for cost in current(list_events(store, kinds=("cost",), from_ms=since_ms, to_ms=at_ms + 1)):
        if cost.model == model:
            spent["tagged", cost.currency] += cost.amount
    for run in list_events(store, kinds=("training_run",), model=model, from_ms=since_ms, to_ms=at_ms + 1):
        match run.data:
            case TrainingRun(cost=float(amount), currency=str(currency)):
                spent["training runs", currency] += amount
    return [
        {"what": what, "currency": currency, "amount": round(amount, 6)}
        for (what, currency), amount in sorted(spent.items())
    ]
