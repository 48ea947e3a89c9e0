"""Leases: one replica of many does what must be done, or shown, once."""

import sqlalchemy as sa

from monitor.store.engine import writing
from monitor.store.schema import leases
from monitor.store.store import Store, insert

__all__ = ["PAGER", "acquire", "release"]

# Held by whoever tells people of alerts: by itself, through an Alertmanager, or in a replay.
PAGER = "pager"


def acquire(store: Store, name: str, holder: str, now_ms: int, ttl_ms: int) -> bool:
    """Takes or renews the lease until `now_ms + ttl_ms`; False while another holder has it.

    A lease is free from the millisecond it ends. Raises StoreBusy when the store does not answer:
    then nothing is known, and a lease held counts to the end it was last given.
    """
    upsert = insert(store, leases).values(name=name, holder=holder, until_ms=now_ms + ttl_ms)
    with writing(store.engine) as connection:
        row = connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": holder, "until_ms": now_ms + ttl_ms},
                where=sa.or_(leases.c.holder == holder, leases.c.until_ms <= now_ms),
            ).returning(leases.c.holder)
        ).one_or_none()
    return row is not None


def release(store: Store, name: str, holder: str) -> None:
    """Gives the lease up, so that another may have it at once; nothing happens where it is not ours."""
    with writing(store.engine) as connection:
        connection.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))
