"""A model's card: everything that is known of it at a moment, as plain JSON. Reads the store."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from monitor.cards.auditing import gaps_of, registered
from monitor.cards.history import costs, incidents
from monitor.cards.lineage import KINDS, Said, Version, lineage
from monitor.cards.quality import groups, quality
from monitor.cards.settings import CardSettings
from monitor.clock import rfc3339
from monitor.ingest.events.kinds import Deployment, Registry, TrainingRun, moment_ms
from monitor.operations.production import in_production
from monitor.sli.question import unknown
from monitor.sli.verdicts import DriftQuestion, drift
from monitor.slo.asking import Asking
from monitor.slo.question import SloQuestion
from monitor.slo.shown import shown_standing
from monitor.store.activations import active, list_activations
from monitor.store.baselines import features_of
from monitor.store.events import list_events
from monitor.store.names import find_series
from monitor.store.store import Store
from monitor.store.versions import first_hours

__all__ = ["card_of", "newest_ms"]

_MOST_VERSIONS = 5
_OBJECTIVE = (
    *("objective", "version", "endpoint", "segment", "state", "indicator", "target", "period"),
    *("compliance", "budget_left", "exhausted_at"),
)


def newest_ms(store: Store, settings: CardSettings, now_ms: int) -> int:
    """The newest moment that the store knows of: what a card is for unless asked otherwise."""
    evaluated_s = Asking(store, settings.slo.bases, settings.slo).now_s()
    last = list_events(store, to_ms=now_ms + 1, newest=1)
    known = [event.ts_ms for event in last] + ([] if evaluated_s is None else [evaluated_s * 1000])
    return max(known, default=now_ms)


def card_of(store: Store, settings: CardSettings, model: str, at_ms: int) -> dict[str, Any]:
    """The card at a moment: what came later is left out, and the same store gives the same card.

    Raises QueryError where there is no such model.
    """
    known = registered(store, settings)
    if model not in known:
        raise unknown("model", model, known)
    said = settings.of(model)
    events = list_events(store, kinds=KINDS, model=model, to_ms=at_ms + 1)
    live, versions = in_production(events), lineage(events)
    named = {v.version for v in versions[:_MOST_VERSIONS]} | live.keys()
    logged = bool(find_series(store, model))
    return {
        "model": model,
        "at": rfc3339(at_ms),
        "owner": said.owner,
        "purpose": said.purpose,
        "contact": said.contact,
        "limits": said.limits,
        "runbook": said.runbook or settings.slo.runbook_url,
        "production": [{"version": version, "share": share} for version, share in sorted(live.items())],
        "logged": _logged(store, model, at_ms),
        "versions": [_version(v) for v in versions if v.version in named],
        "older_versions": sum(v.version not in named for v in versions),
        "baselines": list(_baselines(store, model, {*live} or {""}, at_ms // 1000)),
        "objectives": _objectives(store, settings, model, at_ms),
        "quality": quality(store, model, at_ms, settings.slo.bases) if logged else [],
        "groups": groups(store, model, said.groups, at_ms, settings.slo.bases) if logged else None,
        "drift": _drift(store, settings, model, at_ms) if logged else [],
        "incidents": incidents(store, model, at_ms),
        "costs": costs(store, model, at_ms),
        "missing": [
            {"part": str(gap.part), "why": gap.why} for gap in gaps_of(store, settings, model, events, at_ms)
        ],
    }


def _logged(store: Store, model: str, at_ms: int) -> list[dict[str, Any]]:
    """The versions that the logs show, and since when."""
    hours = first_hours(store, model)
    came = sorted((first_s, version) for version, first_s in hours.items() if first_s * 1000 <= at_ms)
    return [{"version": version, "since": rfc3339(first_s * 1000)} for first_s, version in came]


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.version,
        "run": None if version.run is None else _run(version.run),
        "registered": [_registered(each) for each in version.registered],
        "deployments": [_deployed(each) for each in version.deployments],
    }


def _run(said: Said[TrainingRun]) -> dict[str, Any]:
    run = said.data
    return {
        "id": run.id,
        "status": run.status,
        "at": rfc3339(said.at_ms),
        "data_version": run.data_version,
        "data_until": None if run.data_until is None else rfc3339(moment_ms(run.data_until)),
        "metrics": dict(sorted(run.metrics.items())),
        "cost": run.cost,
        "currency": run.currency,
        "log_url": run.log_url,
        "request": run.request,
    }


def _registered(said: Said[Registry]) -> dict[str, Any]:
    return {"registry": said.data.registry, "stage": said.data.stage, "at": rfc3339(said.at_ms)}


def _deployed(said: Said[Deployment]) -> dict[str, Any]:
    named = ("stage", "status", "traffic_share", "commit", "by", "approver", "artifact_digest", "url")
    return {"at": rfc3339(said.at_ms), **{name: getattr(said.data, name) for name in named}}


def _baselines(store: Store, model: str, versions: set[str], at_s: int) -> Iterator[dict[str, Any]]:
    """Those in force for the versions in production, '' being for all of them."""
    said = list_activations(store, model)
    chosen = {number for version in versions if (number := active(said, version, at_s)) is not None}
    for baseline in features_of(store, model):
        if baseline.id in chosen:
            from_s = max(a.from_s for a in said if a.baseline == baseline.id and a.from_s <= at_s)
            yield {
                "number": baseline.number,
                "version": baseline.version or None,
                "since": rfc3339(from_s * 1000),
                "author": baseline.author,
                "source": baseline.source,
                "features": len(baseline.features),
            }


def _objectives(store: Store, settings: CardSettings, model: str, at_ms: int) -> list[dict[str, Any]]:
    if not any(o.meter.model == model for o in settings.slo.objectives):
        return []
    found = Asking(store, settings.slo.bases, settings.slo).standings(SloQuestion(model, at_ms=at_ms), at_ms)
    shown = (shown_standing(one.objective, one.standing) for one in found)
    rows: Sequence[dict[str, Any]] = msgspec.to_builtins([{n: row[n] for n in _OBJECTIVE} for row in shown])
    return list(rows)


def _drift(store: Store, settings: CardSettings, model: str, at_ms: int) -> list[dict[str, Any]]:
    """The verdict on each version in the hour before."""
    return [
        {
            "version": window["version"],
            "from": window["start"],
            "to": window["end"],
            "verdict": window["verdict"]["sentence"],
            "features": [f["feature"] for f in window["features"] if f["confirmed"]],
        }
        for window in drift(store, DriftQuestion(model, at_ms - 1), settings.slo.bases)
        if window["rows"]
    ]
