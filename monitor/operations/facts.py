"""The events of one model as its measures want them: by kind, in the order in which they happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from monitor.ingest.events.kinds import KINDS, Cost, Data, Deployment, Rollback
from monitor.operations.costs import current
from monitor.store.events import Stored, list_events
from monitor.store.store import Store

__all__ = ["Facts", "Happened", "facts_of", "is_live", "share_of"]

T = TypeVar("T", bound=Data)
PRODUCTION = "production"
# Of these, events that name no model are about every one.
_OF_ALL = ("credential",)
_OF_MODELS = tuple(kind for kind in KINDS if kind != Cost.kind)


@dataclass(frozen=True, slots=True)
class Happened:
    """Something live went into production: a version, at a time."""

    at_ms: int
    version: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The events of `model` in the order in which they happened, and apart from them the costs that count."""

    model: str
    events: Sequence[Stored]
    costs: Sequence[Cost] = ()

    def of(self, kind: type[T]) -> list[tuple[int, T]]:
        """Those of one kind: when, ms, and what."""
        return [(e.ts_ms, e.data) for e in self.events if isinstance(e.data, kind)]

    def into_production(self) -> Iterator[Happened]:
        """Each time that a version took most of production's traffic: by a deployment, or by going back."""
        for event in self.events:
            data = event.data
            if isinstance(data, Rollback) and data.stage == PRODUCTION:
                yield Happened(event.ts_ms, str(data.to_version))
            elif isinstance(data, Deployment) and is_live(data) and share_of(data) >= 0.5:
                yield Happened(event.ts_ms, str(data.version))


def is_live(data: Deployment) -> bool:
    """Whether the deployment brought its version into production."""
    return data.stage == PRODUCTION and data.status == "succeeded"


def share_of(data: Deployment) -> float:
    """The share of traffic that a deployment gave its version: all, where it doesn't say."""
    if data.traffic is not None:
        return data.traffic.get(str(data.version), 0.0)
    return 1.0 if data.traffic_share is None else data.traffic_share


def facts_of(store: Store, model: str, costs: bool = False) -> Facts:
    """All that the store has of the model, with its `costs` if they are wanted: which of those count shows in
    all that were issued together. May block on the store, and raise StoreBusy."""
    own = list_events(store, kinds=_OF_MODELS, model=model)
    shared = list_events(store, model="", kinds=_OF_ALL)
    of_model = (
        [cost for cost in current(list_events(store, kinds=(Cost.kind,))) if cost.model == model]
        if costs
        else []
    )
    return Facts(model, sorted([*own, *shared], key=lambda e: (e.ts_ms, e.number)), of_model)
