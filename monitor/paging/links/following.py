"""What comes of following a link: what it is about, and, where somebody says so, an acknowledgement."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from monitor.paging.inbox import written
from monitor.paging.incidents.asking import LONGEST_WHO, await_taken
from monitor.paging.incidents.incident import Act, Deed, Incident, incident_of
from monitor.paging.links.token import Bad, Link, read
from monitor.store.incidents import list_entries, read_incident
from monitor.store.links import is_used, use_link
from monitor.store.store import Store

__all__ = ["Followed", "Standing", "acknowledge", "look", "who_is"]

_MOST_NAME = 80


class Standing(StrEnum):
    """Where a link is."""

    OPEN = "open"  # it can be used
    DONE = "done"  # it was used just now
    NOTED = "noted"  # likewise, and the pager has not taken it up yet
    ACKNOWLEDGED = "acknowledged"  # somebody has acknowledged otherwise
    RESOLVED = "resolved"  # the incident is over
    USED = "used"
    EXPIRED = "expired"
    FORGED = "forged"
    UNKNOWN = "unknown"  # it never was one, or its incident is gone

    @property
    def is_bad(self) -> bool:
        """Whether whoever sent it may be guessing."""
        return self in (Standing.FORGED, Standing.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Followed:
    """`link` None where it is none, `incident` None where that is gone, or is nobody's to know."""

    standing: Standing
    link: Link | None = None
    incident: Incident | None = None


def look(store: Store, key: bytes, text: str, now_ms: int) -> Followed:
    """What the link is about and whether it can be used; changes nothing. Asks the store only for links that
    are signed with the key. Raises StoreBusy."""
    link = read(key, text)
    match link:
        case Bad.MALFORMED:
            return Followed(Standing.UNKNOWN)
        case Bad.FORGED:
            return Followed(Standing.FORGED)
    if link.expires_s * 1000 <= now_ms:
        return Followed(Standing.EXPIRED, link)
    row = read_incident(store, link.incident)
    if row is None:
        return Followed(Standing.UNKNOWN, link)
    incident = incident_of(row)
    if is_used(store, link.mark):
        return Followed(Standing.USED, link, incident)
    if not incident.is_open:
        return Followed(Standing.RESOLVED, link, incident)
    known = incident.acknowledged_ms is not None
    return Followed(Standing.ACKNOWLEDGED if known else Standing.OPEN, link, incident)


def who_is(name: str) -> str:
    """The name as it is noted. Raises ValueError with what to do."""
    name = name.strip()
    if not name:
        raise ValueError("Say who you are, so that the others know who has it.")
    if len(name) > _MOST_NAME or not name.isprintable():
        raise ValueError(f"A name has at most {_MOST_NAME} characters, all of them printable.")
    return name


def acknowledge(
    store: Store,
    key: bytes,
    text: str,
    name: str,
    now_ms: int,
    within_s: float,
    *,
    wake: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Followed:
    """Uses the link: `name` (see `who_is`) acknowledges. The pager, which `wake` wakes, is waited for
    `within_s` at most. Of several who use it at once one succeeds. Raises StoreBusy."""
    found = look(store, key, text, now_ms)
    link = found.link
    if found.standing is not Standing.OPEN or link is None:
        return found
    who = f"{name} via link to {link.receiver}"[:LONGEST_WHO]
    deed = Deed(link.incident, Act.ACKNOWLEDGE, who, "", now_ms)
    before = len(list_entries(store, link.incident))
    if not use_link(store, link.mark, link.expires_s * 1000, now_ms, written(deed)):
        return Followed(Standing.USED, link, found.incident)
    wake()
    taken = await_taken(store, deed, before, within_s, sleep)
    row = read_incident(store, link.incident)
    incident = found.incident if row is None else incident_of(row)
    return Followed(Standing.DONE if taken else Standing.NOTED, link, incident)
