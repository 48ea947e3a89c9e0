"""What the pager has to remember: alerts, groups with their timers, and what each integration was told.

All of it can be kept as documents and read back, so that a restart forgets nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import msgspec

from monitor.paging.alert import Alert, Labels

__all__ = [
    "Changes",
    "GroupState",
    "Kind",
    "PagerState",
    "Sent",
    "Slot",
    "Starts",
    "Value",
    "read",
    "written",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """An integration of a receiver, for one group: what gets messages in order."""

    group: str
    receiver: str
    integration: int

    @property
    def key(self) -> str:
        """One text for all three."""
        return f"{self.receiver}/{self.integration}/{self.group}"


@dataclass(frozen=True, slots=True)
class GroupState:
    """Alerts (`members`, fingerprints) that are told together by a route. `due_ms` is when it is considered
    next. `receivers` are those that it was escalated to besides the route's. `left`: its route is gone, so
    that it only waits for the end of what was told. An acknowledgement lasts until everything has ended.
    `considered_ms` is when it was considered last."""

    id: str
    key: str
    route: str
    labels: Labels
    members: tuple[str, ...]
    due_ms: int
    receiver: str
    group_interval_ms: int
    flushed: bool = False
    receivers: tuple[str, ...] = ()
    acknowledged_ms: int | None = None
    left: bool = False
    considered_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a slot was told last: the fingerprints that fired, those that had ended, and when.

    `waiting`: it is in the outbox and not delivered yet; `before_*` is then what was delivered before it.
    `doubtful`: something that waits may have arrived. `hidden` are those told as firing that were suppressed
    since. `replayed`: it was told in a replay, and so to nobody.
    """

    slot: Slot
    firing: frozenset[str]
    resolved: frozenset[str]
    at_ms: int
    waiting: bool = False
    doubtful: bool = False
    hidden: frozenset[str] = frozenset()
    before_firing: frozenset[str] = frozenset()
    before_resolved: frozenset[str] = frozenset()
    before_ms: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Starts:
    """When an alert began to fire, of late, ms, ascending: whether it flaps."""

    fingerprint: str
    at_ms: tuple[int, ...]


class Kind(StrEnum):
    """What a document is about."""

    ALERT = "alert"
    GROUP = "group"
    SENT = "sent"
    STARTS = "starts"


Value: TypeAlias = Alert | GroupState | Sent | Starts

_DECODERS: Mapping[Kind, msgspec.json.Decoder[Value]] = {
    Kind.ALERT: msgspec.json.Decoder(Alert),
    Kind.GROUP: msgspec.json.Decoder(GroupState),
    Kind.SENT: msgspec.json.Decoder(Sent),
    Kind.STARTS: msgspec.json.Decoder(Starts),
}


@dataclass(slots=True)
class PagerState:
    """Everything, by fingerprint (alerts, starts), id (groups) and key (sent)."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    groups: dict[str, GroupState] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    starts: dict[str, Starts] = field(default_factory=dict)

    def add(self, value: Value) -> None:
        """Takes a value in, in place of one of the same key."""
        match value:
            case Alert():
                self.alerts[value.fingerprint] = value
            case GroupState():
                self.groups[value.id] = value
            case Sent():
                self.sent[value.slot.key] = value
            case Starts():
                self.starts[value.fingerprint] = value

    def items(self) -> Iterator[tuple[Kind, str, Value]]:
        """Everything, as documents are kept."""
        kinds: tuple[tuple[Kind, Mapping[str, Value]], ...] = (
            (Kind.ALERT, self.alerts),
            (Kind.GROUP, self.groups),
            (Kind.SENT, self.sent),
            (Kind.STARTS, self.starts),
        )
        for kind, values in kinds:
            for key, value in values.items():
                yield kind, key, value


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written: documents by (kind, key), and the keys of those that are gone."""

    changed: Mapping[tuple[Kind, str], bytes]
    gone: tuple[tuple[Kind, str], ...]

    @property
    def empty(self) -> bool:
        return not self.changed and not self.gone


def written(value: Value) -> bytes:
    """The value as a JSON document."""
    return msgspec.json.encode(value)


def read(kind: Kind, document: bytes) -> Value:
    """The value of a document. Raises msgspec.ValidationError on one that isn't of its kind."""
    return _DECODERS[kind].decode(document)
