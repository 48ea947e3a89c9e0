"""Questions about incidents, and what people do about them, for the command line and the API."""

import time
from collections.abc import Callable

from monitor.errors import QueryError
from monitor.paging.inbox import post_deed
from monitor.paging.incidents.incident import Act, Deed, Entry, Incident, entry_of, incident_of
from monitor.store.incidents import list_entries, list_incidents, read_incident
from monitor.store.store import Store

__all__ = ["LONGEST_WHO", "act", "await_taken", "entries", "incident", "incidents"]

_LONGEST_TEXT = 10_000
# What the store takes; on more a turn of the pager would fail on it for ever.
LONGEST_WHO = 200


def incidents(
    store: Store, since_ms: int | None = None, owner: str | None = None, limit: int | None = None
) -> list[Incident]:
    """The open ones, and with `since_ms` those resolved since then; the newest first."""
    return [incident_of(row) for row in list_incidents(store, since_ms, limit, owner)]


def incident(store: Store, id: int) -> Incident:
    """The incident of an id. Raises QueryError where there is none."""
    row = read_incident(store, id)
    if row is None:
        raise QueryError(f"there is no incident {id}; `monitor incident list --all` shows them")
    return incident_of(row)


def entries(store: Store, incident: int | None = None, limit: int | None = None) -> list[Entry]:
    """The timeline of an incident, or of everything: what happened, who did what, and why."""
    return [entry_of(row) for row in list_entries(store, incident, limit)]


def act(
    store: Store,
    deed: Deed,
    within_s: float,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Does it: True once the pager has taken it up, False where it had not `within_s` seconds: it will as
    soon as it runs.

    Raises QueryError where there is no such incident, or it is over and so nothing can be done about it.
    """
    now = incident(store, deed.incident)
    if not now.is_open and deed.act is not Act.NOTE:
        raise QueryError(f"incident {now.id} is resolved already; a note can still be added")
    if not deed.who.strip():
        raise QueryError("who does it must be said")
    if len(deed.who) > LONGEST_WHO:
        raise QueryError(f"who does it has {len(deed.who)} characters; {LONGEST_WHO} at most")
    if deed.act in (Act.NOTE, Act.ASSIGN) and not deed.text.strip():
        raise QueryError(f"to {deed.act} takes a text")
    if len(deed.text) > _LONGEST_TEXT:
        raise QueryError(f"a text of {len(deed.text):,} characters is too long; {_LONGEST_TEXT:,} at most")
    before = len(list_entries(store, deed.incident))
    post_deed(store, deed, deed.at_ms)
    return await_taken(store, deed, before, within_s, sleep)


def await_taken(
    store: Store,
    deed: Deed,
    before: int,
    within_s: float,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether the pager takes up, `within_s` seconds, a deed that was posted when its incident's timeline had
    `before` entries."""
    waited_s = 0.0
    while waited_s < within_s:
        sleep(0.05)
        waited_s += 0.05
        new = list_entries(store, deed.incident)[before:]
        if any(row.who == deed.who and row.at_ms == deed.at_ms for row in new):
            return True
    return False
