"""Signing the link of a message."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from monitor.paging.alert import Status
from monitor.paging.links.settings import LinkSettings
from monitor.paging.links.token import Link, sign
from monitor.paging.message import Message
from monitor.store.links import link_key
from monitor.store.store import Store

__all__ = ["Signing", "signing"]


@dataclass(frozen=True, slots=True)
class Signing:
    """What signs, and for how long a link holds."""

    key: bytes = field(repr=False)
    valid_ms: int

    def url(self, message: Message, message_id: str, at_ms: int) -> str:
        """The link of a message that is sent at `at_ms`, empty where there is nothing to acknowledge or no
        address to lead to. The same message again gets a link for the same one use."""
        if message.incident is None or not message.external_url or message.status is not Status.FIRING:
            return ""
        nonce = sha256(message_id.encode()).digest()[:12]
        link = Link(message.incident, message.receiver, (at_ms + self.valid_ms) // 1000, nonce)
        return f"{message.external_url.rstrip('/')}/ack/{sign(self.key, link)}"


def signing(store: Store) -> Callable[[LinkSettings], Signing]:
    """Gives what signs by settings. Asks the store once, here. Raises StoreBusy."""
    own = link_key(store)
    return lambda settings: Signing(settings.key or own, settings.valid_ms)
