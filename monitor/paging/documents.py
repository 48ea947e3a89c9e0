"""What budgets, digests, warnings and actions rest on: documents beside the pager's own, so that a restart
forgets nothing."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

__all__ = ["Documents", "Kept", "Kind"]

V = TypeVar("V")
Kept = tuple[str, bytes]


class Kind(StrEnum):
    """What a document is about."""

    PAGES = "pages"
    DIGEST = "digest"
    DIGESTED = "digested"
    WARNED = "warned"
    ACTED = "acted"


class Documents(Generic[V]):
    """The values of one kind, each by the key that `key_of` gives; those of `kept` to begin with."""

    def __init__(self, kind: Kind, of: type[V], key_of: Callable[[V], str], kept: Iterable[Kept]) -> None:
        decoder = msgspec.json.Decoder(of)
        found = (decoder.decode(document) for name, document in kept if name == kind)
        self._kind, self._key_of = kind, key_of
        self._values = {key_of(value): value for value in found}
        self._dirty: dict[str, None] = {}

    @property
    def values(self) -> Mapping[str, V]:
        """All of them, by key."""
        return MappingProxyType(self._values)

    def put(self, value: V) -> None:
        """In the place of one with the same key; nothing happens where it is the same."""
        key = self._key_of(value)
        if self._values.get(key) != value:
            self._values[key] = value
            self._dirty[key] = None

    def drop(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self._dirty[key] = None

    def take_changes(self) -> tuple[dict[tuple[str, str], bytes], list[tuple[str, str]]]:
        """Since the last call: documents to be written by (kind, key), and the keys of what is gone."""
        dirty, self._dirty = self._dirty, {}
        changed = {
            (str(self._kind), k): msgspec.json.encode(self._values[k]) for k in dirty if k in self._values
        }
        return changed, [(str(self._kind), k) for k in dirty if k not in self._values]
