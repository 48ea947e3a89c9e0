"""What a turn of the pager did."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.paging.decision import Decision
from monitor.paging.outbox.item import Item

__all__ = ["Did"]


@dataclass(frozen=True, slots=True)
class Did:
    """What a turn did: its decisions, messages that came to something, and those to be sent now; and how
    things stand after it: messages `waiting`, the `oldest_ms` of them, targets that are left alone, and open
    incidents by severity."""

    decisions: tuple[Decision, ...]
    finished: tuple[Item, ...]
    sending: tuple[Item, ...]
    at_ms: int
    waiting: int
    oldest_ms: int | None
    broken: tuple[tuple[str, int], ...]
    open_incidents: Mapping[str, int]
