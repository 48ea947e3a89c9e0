"""What links are signed with, and how long they hold."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["USUAL", "LinkSettings", "key_in"]

_LEAST_BYTES, _MOST_BYTES = 32, 4096


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """`key` None: the store's own, which is made once and is the same for all replicas."""

    key: bytes | None = field(default=None, repr=False)
    valid_ms: int = 86_400_000


USUAL = LinkSettings()


def key_in(path: Path) -> bytes:
    """The key that a file holds. Raises ValueError with what is wrong with it, never with the key."""
    try:
        with path.open("rb") as file:
            key = file.read(_MOST_BYTES).strip()
    except OSError as e:
        raise ValueError(f"{path} can't be read: {(e.strerror or str(e)).lower()}") from None
    if len(key) < _LEAST_BYTES:
        sentence = f"{path} holds {len(key)} bytes; a key has at least {_LEAST_BYTES}"
        raise ValueError(f"{sentence}, as `openssl rand -hex 32` makes it")
    return key
