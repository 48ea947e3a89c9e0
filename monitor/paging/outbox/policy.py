"""After an attempt: again, when, or not. Pure: the time and the jitter are arguments."""

from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.paging.message import Delivery, Result
from monitor.paging.outbox.item import Item, State

__all__ = ["Breaker", "Repeats", "after", "after_crash", "backoff_ms", "breaker_after"]

_FIRST_MS, _FACTOR, _MOST_MS = 500, 1.5, 300_000
_GIVEN_UP_MS = 5 * 86_400_000
_BREAKS_AFTER, _OPEN_MS = 5, 30_000
# What settles a message at once.
_OVER = {
    Result.DELIVERED: State.DELIVERED,
    Result.REPLAYED: State.REPLAYED,
    Result.PERMANENT: State.FAILED,
}


class Repeats(StrEnum):
    """What becomes of a message that may have arrived, where its provider would show it twice."""

    MARK = "mark"  # sent again, and it says that it may be a repeat
    DROP = "drop"  # not sent again


def backoff_ms(attempts: int, jitter: float) -> int:
    """How long to wait after so many attempts: half a second, then half as long again each time, up to five
    minutes, times 0.5 to 1.5 by the `jitter` (0 to 1)."""
    return int(min(_MOST_MS, _FIRST_MS * _FACTOR ** min(attempts - 1, 50)) * (0.5 + jitter))


def after(
    item: Item, delivery: Delivery, now_ms: int, jitter: float, *, dedups: bool, repeats: Repeats
) -> Item:
    """The message after an attempt that ended at `now_ms`. What can't be delivered is tried for five days."""
    tried = replace(item, attempts=item.attempts + 1, detail=delivery.detail, state=State.WAITING)
    if (over := _OVER.get(delivery.result)) is not None:
        return replace(tried, state=over, ended_ms=now_ms)
    doubtful = item.doubtful or delivery.result is Result.DOUBTFUL
    if doubtful and not dedups and repeats is Repeats.DROP:
        return replace(tried, state=State.UNKNOWN, doubtful=True, ended_ms=now_ms)
    if now_ms - item.created_ms > _GIVEN_UP_MS:
        return replace(tried, state=State.FAILED, doubtful=doubtful, ended_ms=now_ms)
    wait_ms = max(backoff_ms(tried.attempts, jitter), delivery.retry_after_ms or 0)
    return replace(
        tried, doubtful=doubtful, next_ms=now_ms + wait_ms, message=replace(tried.message, doubtful=doubtful)
    )


def after_crash(item: Item, now_ms: int, *, dedups: bool, repeats: Repeats) -> Item:
    """A message that was being sent when its sender ended, and so may have arrived."""
    unknown = Delivery(Result.DOUBTFUL, "the sender ended before it was answered")
    return replace(after(item, unknown, now_ms, 0.0, dedups=dedups, repeats=repeats), attempts=item.attempts)


@dataclass(frozen=True, slots=True)
class Breaker:
    """A target that failed `failures` times in a row is left alone until `until_ms`; then one message tries
    it, and the rest wait for what comes of that."""

    failures: int = 0
    until_ms: int = 0

    @property
    def broken(self) -> bool:
        return self.failures >= _BREAKS_AFTER

    def allows(self, now_ms: int, sending: int) -> bool:
        """Whether another message may be sent while so many are being sent."""
        return not self.broken or (now_ms >= self.until_ms and sending == 0)


def breaker_after(breaker: Breaker, result: Result, now_ms: int) -> Breaker:
    """After an attempt. Only what may be better later counts: a message that is refused says nothing of the
    next one."""
    if result in _OVER:
        return Breaker()
    failures = breaker.failures + 1
    wait_ms = min(_MOST_MS, _OPEN_MS * 2 ** min(max(0, failures - _BREAKS_AFTER), 20))
    return Breaker(failures, now_ms + wait_ms)
