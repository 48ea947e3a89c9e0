"""A provider in memory that knows a dedup key, and fails as providers do."""

from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.paging.message import Delivery, Message, Result

__all__ = ["Provider"]


def _arrives(message: Message, attempt: int) -> Delivery:
    return Delivery(Result.DELIVERED)


@dataclass
class Provider:
    """`answers` says what becomes of an attempt; a doubtful one arrives unless `loses` says otherwise.

    `seen` is every message that arrived, `open` what fires by dedup key, `pages` how often a key that wasn't
    open was opened: what a person sees.
    """

    answers: Callable[[Message, int], Delivery] = _arrives
    loses: Callable[[Message, int], bool] = lambda message, attempt: False
    dedups: bool = True
    seen: list[Message] = field(default_factory=list)
    open: dict[str, frozenset[str]] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    attempts: int = 0

    def send(self, message: Message, timeout_s: float) -> Delivery:
        self.attempts += 1
        delivery = self.answers(message, self.attempts)
        arrived = delivery.result is Result.DELIVERED or (
            delivery.result is Result.DOUBTFUL and not self.loses(message, self.attempts)
        )
        if arrived:
            self._take(message)
        return delivery

    def _take(self, message: Message) -> None:
        self.seen.append(message)
        firing = frozenset(t.alert.fingerprint for t in message.firing)
        if firing and message.dedup_key not in self.open:
            self.pages.append(message.dedup_key)
        if firing:
            self.open[message.dedup_key] = firing
        else:
            self.open.pop(message.dedup_key, None)
