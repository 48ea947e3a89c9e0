"""Who is told when somebody can't be: pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from monitor.paging.decision import Decision
from monitor.paging.message import Purpose
from monitor.paging.outbox.item import Item, State, unreached_words
from monitor.paging.reason import Reason
from monitor.paging.settings import Fallback
from monitor.paging.state import Sent

__all__ = ["due_ms", "instead", "unreached"]

_CARRY_ALERTS = (Purpose.GROUP, Purpose.ESCALATION, Purpose.FALLBACK)


def unreached(
    waiting: Iterable[Item],
    finished: Iterable[Item],
    fallback_of: Callable[[str], Fallback | None],
    sent: Callable[[], Iterable[Sent]],
    now_ms: int,
) -> Iterator[tuple[Item, Fallback]]:
    """The messages about alerts that fire which did not arrive in time, and whom to tell of these; nothing of
    a receiver that has been told by another of its integrations. `sent` gives what slots were told."""
    refused = (item for item in finished if item.state is State.FAILED)
    for item in (*waiting, *refused):
        fallback = _of(item, fallback_of)
        late = fallback is not None and now_ms >= item.created_ms + fallback.after_ms
        if fallback is None or not (late or item.state is State.FAILED):
            continue
        others = (s for s in sent() if s.slot.group == item.slot.group and s.firing and not s.waiting)
        if not any(s.slot.receiver == item.slot.receiver and s.slot != item.slot for s in others):
            yield item, fallback


def _of(item: Item, fallback_of: Callable[[str], Fallback | None]) -> Fallback | None:
    carries = item.message.purpose in _CARRY_ALERTS and bool(item.message.firing)
    return fallback_of(item.slot.receiver) if carries else None


def due_ms(waiting: Iterable[Item], fallback_of: Callable[[str], Fallback | None], now_ms: int) -> int | None:
    """When the next message will have waited for too long."""
    known = ((item, _of(item, fallback_of)) for item in waiting)
    due = (item.created_ms + fallback.after_ms for item, fallback in known if fallback is not None)
    return min((ms for ms in due if ms > now_ms), default=None)


def instead(decision: Decision, item: Item) -> Decision:
    """What the fallback is told, and why."""
    if decision.message is None:
        return decision
    message = replace(
        decision.message,
        purpose=Purpose.FALLBACK,
        reason=Reason.FALLBACK.name.lower(),
        text=unreached_words(item),
    )
    return replace(decision, reason=Reason.FALLBACK, message=message)
