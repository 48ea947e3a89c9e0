"""Events as a list: what `monitor event list`, the API and the notebook show."""

from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.clock import rfc3339
from monitor.errors import QueryError
from monitor.ingest.events.kinds import KINDS, Data
from monitor.store.events import Stored, list_events
from monitor.store.store import Store

__all__ = ["MAX_EVENTS", "EventQuestion", "ask_events", "parse_kinds", "shown_event"]

MAX_EVENTS = 10_000
# What the line of an event says first; the rest follows in the order of the contract.
_APART = ("model", "version", "issue")


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """The `limit` newest events that happened in [from_ms, to_ms); `kinds` empty: of every kind."""

    kinds: tuple[str, ...] = ()
    model: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int = 100


def parse_kinds(option: str, given: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Kinds by name, several with commas between. Raises QueryError that names `option`."""
    names = tuple(name.strip() for text in given for name in text.split(",") if name.strip())
    for name in names:
        if name not in KINDS:
            raise QueryError(f"{option}: {name[:40]!r} is no kind of event; there are {', '.join(KINDS)}")
    return names


def ask_events(store: Store, asked: EventQuestion) -> list[dict[str, Any]]:
    """The events, the newest first."""
    found = list_events(
        store,
        kinds=asked.kinds,
        model=asked.model,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        newest=asked.limit,
    )
    return [shown_event(event) for event in reversed(found)]


def shown_event(event: Stored) -> dict[str, Any]:
    """An event for a person or program: `what` says it in a line, `data` is all of it."""
    return {
        "at": rfc3339(event.ts_ms),
        "kind": event.kind,
        "model": event.data.text("model"),
        "version": event.data.text("version"),
        "what": _said(event.data),
        "source": event.source,
        "id": event.id,
        "seen": rfc3339(event.seen_ms),
        "data": event.data,
    }


def _said(data: Data) -> str:
    """The fields that are given, but for those that stand apart."""
    fields = msgspec.structs.fields(type(data))
    given = {f.name: getattr(data, f.name) for f in fields if f.name not in _APART}
    return ", ".join(f"{name} {_short(v)}" for name, v in given.items() if v not in (None, "", {}, False))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_short(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
