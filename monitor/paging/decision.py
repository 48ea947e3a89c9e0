"""What the pager decided about one integration at one flush, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.paging.alert import Labels
from monitor.paging.message import Message, Told
from monitor.paging.reason import Reason
from monitor.paging.state import Slot
from monitor.paging.suppression import Suppressed

__all__ = ["Decision", "Flush", "flushes"]


@dataclass(frozen=True, slots=True)
class Flush:
    """A group as it was considered: all of its alerts, which of them are suppressed (by fingerprint), and
    which have ended but are `damped`: they flap, and so count as firing."""

    group: str
    key: str
    labels: Labels
    route: str
    at_ms: int
    alerts: tuple[Told, ...]
    suppressed: Mapping[str, Suppressed]
    damped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """`message` is to be sent, None where nothing is; it takes the place of one for the same slot that isn't
    delivered yet. `withdraws`: all has ended before anything arrived, so that the one that waits may just be
    dropped unless it may have arrived."""

    flush: Flush
    slot: Slot
    reason: Reason
    message: Message | None
    withdraws: bool = False


def flushes(decisions: Iterable[Decision]) -> list[Flush]:
    """The flushes that they were made in, each once: it has one for every integration."""
    return list({id(decision.flush): decision.flush for decision in decisions}.values())
