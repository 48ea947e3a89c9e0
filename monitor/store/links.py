"""Links that acknowledge: the key that signs them, and which of them were used."""

import secrets

import sqlalchemy as sa

from monitor.store.engine import reading, writing
from monitor.store.paging import add_inbox
from monitor.store.schema import link_keys, links_used
from monitor.store.store import Store, insert

__all__ = ["is_used", "link_key", "use_link"]

_NAME = "acknowledge"
_KEY_BYTES = 32
# Past its time a link is refused anyhow, by clocks that may differ.
_KEPT_MS = 86_400_000


def link_key(store: Store) -> bytes:
    """The key of this store: whoever asks first makes it. Raises StoreBusy."""
    found = sa.select(link_keys.c.key).where(link_keys.c.name == _NAME)
    with reading(store.engine) as connection:
        known: bytes | None = connection.scalar(found)
    if known is not None:
        return known
    row = {"name": _NAME, "key": secrets.token_bytes(_KEY_BYTES)}
    with writing(store.engine) as connection:
        connection.execute(insert(store, link_keys).values(**row).on_conflict_do_nothing())
        made: bytes = connection.execute(found).scalar_one()
        return made


def is_used(store: Store, mark: str) -> bool:
    """Whether the link of that mark was used."""
    with reading(store.engine) as connection:
        query = sa.select(links_used.c.mark).where(links_used.c.mark == mark)
        return connection.scalar(query) is not None


def use_link(store: Store, mark: str, expires_ms: int, now_ms: int, document: bytes) -> bool:
    """Uses a link up and keeps for the pager what it does, both or neither. False, and nothing is kept, where
    it was used before. Raises StoreBusy."""
    once = insert(store, links_used).values(mark=mark, expires_ms=expires_ms).on_conflict_do_nothing()
    with writing(store.engine) as connection:
        connection.execute(sa.delete(links_used).where(links_used.c.expires_ms < now_ms - _KEPT_MS))
        if connection.execute(once.returning(links_used.c.mark)).first() is None:
            return False
        add_inbox(connection, now_ms, document)
    return True
