"""The messages that aren't over, one for each slot, and which of them may be sent now."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from monitor.paging.message import Delivery, Message
from monitor.paging.outbox.item import Item, State, new_item
from monitor.paging.outbox.policy import Breaker, Repeats, after, after_crash, breaker_after
from monitor.paging.state import Slot

__all__ = ["Queue"]

# A slow provider must not hold up the others, nor be flooded.
_AT_ONCE = 2


class Queue:
    """All in memory; `take_changes` says what is to be written before anything is sent."""

    def __init__(self, items: Iterable[Item], repeats: Repeats) -> None:
        self._repeats = repeats
        self._items = {item.slot.key: item for item in items}
        self._changed: dict[str, Item] = {}
        self._breakers: dict[tuple[str, int], Breaker] = {}
        self._sending: Counter[tuple[str, int]] = Counter()

    def __len__(self) -> int:
        return len(self._items)

    def oldest_ms(self) -> int | None:
        """When the oldest message was made; None where all is delivered."""
        return min((item.created_ms for item in self._items.values()), default=None)

    @property
    def items(self) -> list[Item]:
        """The messages that aren't over."""
        return list(self._items.values())

    def busy_groups(self) -> frozenset[str]:
        """Groups of which something is being sent: they wait for what comes of it."""
        return frozenset(i.slot.group for i in self._items.values() if i.state is State.SENDING)

    def broken(self) -> list[tuple[str, int]]:
        """Targets that are left alone for a while."""
        return [target for target, breaker in self._breakers.items() if breaker.broken]

    def put(self, slot: Slot, message: Message, now_ms: int, *, withdraws: bool = False) -> bool:
        """A message to be sent, in place of one that the slot still has. False where both are dropped, for
        nothing of this has been told and all has ended."""
        old = self._items.get(slot.key)
        if old is None:
            self._set(new_item(slot, message, now_ms))
            return True
        if withdraws and not old.doubtful:
            self._end(replace(old, state=State.WITHDRAWN, ended_ms=now_ms))
            return False
        message = replace(message, doubtful=old.doubtful)
        # Not sooner for that: a provider may have asked for the wait.
        self._set(replace(old, message=message))
        return True

    def _set(self, item: Item) -> None:
        self._items[item.slot.key] = self._changed[item.id] = item

    def _end(self, item: Item) -> None:
        self._changed[item.id] = item
        del self._items[item.slot.key]

    def start_due(self, now_ms: int) -> list[Item]:
        """The messages that are to be sent now, the oldest first; they are `sending` from here on."""
        found = []
        for item in sorted(self._items.values(), key=lambda i: (i.created_ms, i.id)):
            if item.state is not State.WAITING or item.next_ms > now_ms:
                continue
            busy = self._sending[item.target]
            if busy >= _AT_ONCE or not self._breakers.get(item.target, Breaker()).allows(now_ms, busy):
                continue
            self._sending[item.target] += 1
            item = replace(item, state=State.SENDING)
            self._set(item)
            found.append(item)
        return found

    def finish(self, item: Item, delivery: Delivery, now_ms: int, jitter: float, *, dedups: bool) -> Item:
        """What became of a message that `start_due` gave."""
        self._sending[item.target] -= 1
        breaker = self._breakers.get(item.target, Breaker())
        self._breakers[item.target] = breaker_after(breaker, delivery.result, now_ms)
        done = after(item, delivery, now_ms, jitter, dedups=dedups, repeats=self._repeats)
        if done.ended_ms is None:
            self._set(done)
        else:
            self._end(done)
        return done

    def recover(self, now_ms: int, dedups: Callable[[Item], bool]) -> list[Item]:
        """Takes up what somebody was sending who is gone: it may have arrived. Returns all such messages as
        they are now."""
        found = []
        for item in [i for i in self._items.values() if i.state is State.SENDING]:
            item = after_crash(item, now_ms, dedups=dedups(item), repeats=self._repeats)
            if item.ended_ms is None:
                self._set(item)
            else:
                self._end(item)
            found.append(item)
        return found

    def next_ms(self, now_ms: int) -> int | None:
        """When the next message may be sent; None while none waits."""
        waiting = (i for i in self._items.values() if i.state is State.WAITING)
        return min((max(i.next_ms, self._free_ms(i, now_ms)) for i in waiting), default=None)

    def _free_ms(self, item: Item, now_ms: int) -> int:
        breaker = self._breakers.get(item.target, Breaker())
        return breaker.until_ms if breaker.broken else now_ms

    def take_changes(self) -> list[Item]:
        """The messages that changed since the last call."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed
