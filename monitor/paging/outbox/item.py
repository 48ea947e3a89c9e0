"""A message on its way."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from monitor.paging.message import Message
from monitor.paging.state import Slot
from monitor.store.paging import OutboxRow

__all__ = ["Item", "State", "item_of", "new_item", "row_of", "unreached_words"]


class State(StrEnum):
    """Where a message is. The first two are open, the others over."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived, and isn't sent again
    REPLAYED = "replayed"  # recorded, and not sent
    WITHDRAWN = "withdrawn"  # all had ended before it was sent


@dataclass(frozen=True, slots=True)
class Item:
    """A message for a slot. `attempts` were made; the next is at `next_ms`. `doubtful`: one of them may have
    arrived. `detail` says what the last came to."""

    id: str
    slot: Slot
    message: Message
    created_ms: int
    next_ms: int
    state: State = State.WAITING
    attempts: int = 0
    doubtful: bool = False
    detail: str = ""
    ended_ms: int | None = None

    @property
    def target(self) -> tuple[str, int]:
        """Whom it is for: a receiver's integration."""
        return self.slot.receiver, self.slot.integration


class _Document(msgspec.Struct):
    slot: Slot
    message: Message


_decoder = msgspec.json.Decoder(_Document)


def new_item(slot: Slot, message: Message, now_ms: int) -> Item:
    """The message as it waits for its first attempt; the same again has the same id."""
    name = f"{slot.key}\n{message.at_ms}\n{message.purpose}"
    return Item(hashlib.sha256(name.encode()).hexdigest(), slot, message, now_ms, now_ms)


def row_of(item: Item) -> OutboxRow:
    """The row that the store keeps."""
    return OutboxRow(
        item.id,
        item.slot.receiver,
        item.slot.integration,
        item.state,
        item.attempts,
        item.created_ms,
        item.next_ms,
        item.ended_ms,
        item.doubtful,
        item.detail,
        msgspec.json.encode(_Document(item.slot, item.message)),
    )


def item_of(row: OutboxRow) -> Item:
    """What `row_of` made a row of."""
    kept = _decoder.decode(row.document)
    return Item(
        row.id,
        kept.slot,
        kept.message,
        row.created_ms,
        row.next_ms,
        State(row.state),
        row.attempts,
        row.doubtful,
        row.detail,
        row.ended_ms,
    )


def unreached_words(item: Item) -> str:
    """Who could not be reached, and why."""
    return f"{item.slot.receiver} could not be reached" + (f": {item.detail}" if item.detail else "")
