"""Taking events: what a message can't tell by itself is held against the store."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.ingest.checks import BadRecord
from monitor.ingest.decode import letter
from monitor.ingest.events.decode import EVENT_PREFIX, DecodedEvents, Event, EventDecoder
from monitor.ingest.events.kinds import Deployment, Rollback
from monitor.ingest.source import Chunk
from monitor.records import DeadLetter
from monitor.store import events
from monitor.store.store import Store

__all__ = ["EventTaker"]


class _Before:
    """What events that aren't in the store yet say: the models that they introduce, and the shares of traffic
    by version of each (model, stage, moment)."""

    def __init__(self) -> None:
        self.introduced: set[str] = set()
        self.shares: defaultdict[tuple[str, str, int], dict[str, float]] = defaultdict(dict)

    def add(self, event: Event) -> None:
        data = event.data
        if event.kind in events.INTRODUCE:
            self.introduced.add(data.text("model"))
        elif isinstance(data, Deployment):
            self.shares[data.model, data.stage, event.ts_ms][str(data.version)] = data.traffic_share or 0.0


@dataclass(slots=True)
class EventTaker:
    """Decodes chunks of events. `configured` are models that are known though they have no records yet."""

    store: Store
    decoder: EventDecoder
    configured: Collection[str] = ()

    def take(self, chunk: Chunk, pending: Sequence[Event]) -> DecodedEvents:
        """The events of a chunk; `pending` were taken before and are not committed. May block on the store,
        and raise StoreBusy: ask again with the same chunk."""
        decoded = self.decoder.decode(chunk)
        known, before = self._known(decoded.events), _Before()
        for event in pending:
            before.add(event)
        good: list[Event] = []
        dead: list[tuple[int, BadRecord]] = []
        for event in decoded.events:
            mistake = self._mistake(event, known, before)
            if mistake is None:
                good.append(event)
                before.add(event)
            else:
                dead.append((event.position, mistake))
        letters = sorted([*decoded.dead, *_letters(chunk, dead)], key=lambda found: found.position)
        return DecodedEvents(good, letters, decoded.unknown)

    def _known(self, taken: Sequence[Event]) -> set[str]:
        """The models that are deployed in these events and known without them."""
        models = {
            event.data.text("model") for event in taken if isinstance(event.data, Deployment | Rollback)
        }
        missing = models.difference(self.configured)
        return models - missing | (events.known_models(self.store, missing) if missing else set())

    def _mistake(self, event: Event, known: Collection[str], before: _Before) -> BadRecord | None:
        data = event.data
        if not isinstance(data, Deployment | Rollback):
            return None
        if data.model not in known and data.model not in before.introduced:
            return BadRecord(
                EVENT_PREFIX + "unknown_model",
                f"model {data.model!r} has no records, no registry event, no training run and no place under "
                "models; send one of those first, then `monitor dead-letters replay`",
            )
        return self._overlap(event, data, before) if isinstance(data, Deployment) else None

    def _overlap(self, event: Event, data: Deployment, before: _Before) -> BadRecord | None:
        """Two versions that are given more than all of the traffic in the same moment."""
        if data.traffic_share is None:
            return None
        shares = events.shares_at(self.store, data.model, data.stage, event.ts_ms)
        shares |= before.shares[data.model, data.stage, event.ts_ms]
        shares[str(data.version)] = data.traffic_share
        if sum(shares.values()) <= 1 + 1e-6:
            return None
        said = ", ".join(f"{version}: {share:g}" for version, share in sorted(shares.items()))
        return BadRecord(
            EVENT_PREFIX + "overlapping_traffic",
            f"in one moment versions of {data.model} are given {sum(shares.values()):g} of traffic ({said})",
        )


def _letters(chunk: Chunk, dead: Sequence[tuple[int, BadRecord]]) -> list[DeadLetter]:
    rows = np.searchsorted(chunk.positions, [position for position, _ in dead]).tolist()
    return [letter(chunk, row, why) for row, (_, why) in zip(rows, dead, strict=True)]
