"""The events of one model as its measures want them: by kind, in the order in which they happened."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from monitor.ingest.events.kinds import Cost, Credential, Data, Deployment, Rollback
from monitor.operations.costs import current
from monitor.operations.production import PRODUCTION, is_live, share_of
from monitor.store.events import Stored, list_events
from monitor.store.store import Store

__all__ = ["Facts", "Happened", "facts_of"]

T = TypeVar("T", bound=Data)
# Of these, events that name no model are about every one.
_OF_ALL = frozenset({Credential.kind})


@dataclass(frozen=True, slots=True)
class Happened:
    """Something live went into production: a version, at a time."""

    at_ms: int
    version: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Events of `model` in the order in which they happened, and apart from them the costs that count."""

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


def facts_of(store: Store, model: str, kinds: Collection[type[Data]]) -> Facts:
    """What the store has of the model, of these kinds. May block on the store, and raise StoreBusy."""
    names = {kind.kind for kind in kinds}
    costs: list[Cost] = []
    if Cost.kind in names:
        # Which of them count shows in all that were issued together.
        costs = [cost for cost in current(list_events(store, kinds=(Cost.kind,))) if cost.model == model]
        names.discard(Cost.kind)
    shared = not names.isdisjoint(_OF_ALL)
    return Facts(model, list_events(store, kinds=names, model=model, shared=shared) if names else [], costs)
