"""Which models there are, and what is missing of each: reads the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.cards.gaps import Gap, Known, gaps
from monitor.cards.lineage import KINDS, lineage
from monitor.cards.settings import CardSettings
from monitor.clock import DAY_S
from monitor.operations.production import in_production
from monitor.profiles.layout import Kind
from monitor.sli.question import unknown
from monitor.store.activations import active, list_activations
from monitor.store.events import Stored, list_events, named_models
from monitor.store.names import find_series, models
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["Audited", "audit", "gaps_of", "registered", "shown_audited"]


@dataclass(frozen=True, slots=True)
class Audited:
    """A model, its owner (None: nobody) and what is missing."""

    model: str
    owner: str | None
    missing: tuple[Gap, ...]


def registered(store: Store, settings: CardSettings) -> list[str]:
    """The models that are known by their records, the configuration, or an event of their life."""
    return sorted({*models(store), *settings.models, *named_models(store, KINDS)})


def audit(store: Store, settings: CardSettings, model: str | None, now_ms: int) -> list[Audited]:
    """What is missing at `now_ms`, of one model or of all. Raises QueryError where there is no such model."""
    known = registered(store, settings)
    if model is not None and model not in known:
        raise unknown("model", model, known)
    found = []
    for name in known if model is None else [model]:
        events = list_events(store, kinds=KINDS, model=name, to_ms=now_ms + 1)
        missing = gaps_of(store, settings, name, events, now_ms)
        found.append(Audited(name, settings.of(name).owner, tuple(missing)))
    return found


def gaps_of(
    store: Store, settings: CardSettings, model: str, events: Sequence[Stored], now_ms: int
) -> list[Gap]:
    """What is missing of a model with these events until `now_ms`."""
    series = find_series(store, model)
    described, slo = settings.of(model), settings.slo
    deployed = {v.version: v.live_since for v in lineage(events)}
    live = {version: deployed.get(version) for version in in_production(events)}
    return gaps(
        Known(
            model=model,
            described=described,
            logged=_holds(store, Kind.SERVICE, series.values(), now_ms),
            labelled=_holds(store, Kind.LEARNED, series.values(), now_ms),
            objectives=sum(o.meter.model == model for o in slo.objectives),
            runbook=bool(described.runbook or slo.runbook_url),
            live={version: None if said is None else said.data for version, said in live.items()},
            baseline=_has_baseline(store, model, live, now_ms // 1000),
        )
    )


def _holds(store: Store, kind: Kind, numbers: Iterable[int], now_ms: int) -> bool:
    held = extent(store, kind, DAY_S, list(numbers))
    return held is not None and held[0] * 1000 <= now_ms


def _has_baseline(store: Store, model: str, live: Iterable[str], at_s: int) -> bool:
    """Whether each version in production, or without any the model as a whole, has one that was activated."""
    said = list_activations(store, model)
    return all(active(said, version, at_s) is not None for version in (list(live) or [""]))


def shown_audited(audited: Audited) -> dict[str, Any]:
    """As programs read it."""
    return {
        "model": audited.model,
        "owner": audited.owner,
        "missing": [{"part": str(gap.part), "why": gap.why} for gap in audited.missing],
    }
