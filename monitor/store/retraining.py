"""Requests to train a model anew: each is made once, reviewed once, and posted once."""

from dataclasses import dataclass

import sqlalchemy as sa

from monitor.ingest.events.decode import Event
from monitor.store import events
from monitor.store.engine import reading, writing
from monitor.store.incidents import EntryRow, write_entries
from monitor.store.schema import retraining
from monitor.store.store import Store, insert

__all__ = ["NewRequest", "Request", "ask", "list_requests", "note_posted", "review"]


@dataclass(frozen=True, slots=True)
class NewRequest:
    """See schema.retraining; `number` counts the requests of the policy from 1."""

    policy: str
    number: int
    model: str
    at_ms: int
    reason: str
    event: str
    dry_run: bool
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class Request(NewRequest):
    """One as it is kept; `approved` None: nobody has said so far, `posted` None: nothing came of it yet."""

    id: int = 0
    approved: bool | None = None
    reviewer: str | None = None
    review: str | None = None
    reviewed_ms: int | None = None
    posted: bool | None = None
    posted_ms: int | None = None
    posted_detail: str | None = None


def ask(store: Store, new: NewRequest, told: Event) -> bool:
    """Keeps the request and the event that tells of it; False where the policy has one of that number."""
    row = {name: getattr(new, name) for name in NewRequest.__slots__}
    with writing(store.engine) as connection:
        made = connection.execute(
            insert(store, retraining)
            .on_conflict_do_nothing(index_elements=["policy", "number"])
            .values(row)
            .returning(retraining.c.id)
        ).one_or_none()
        if made is not None:
            events.write(store, connection, [told])
    return made is not None


def list_requests(store: Store, policy: str | None = None, newest: int | None = None) -> list[Request]:
    """The requests, of one policy or of all, the oldest first; of those the `newest` ones."""
    query = sa.select(retraining).order_by(retraining.c.id.desc()).limit(newest)
    if policy is not None:
        query = query.where(retraining.c.policy == policy)
    with reading(store.engine) as connection:
        return [Request(**row) for row in connection.execute(query).mappings()][::-1]


def review(store: Store, id: int, approved: bool, who: str, why: str, entry: EntryRow) -> bool:
    """Approves or rejects, and writes that into the log of what people do; False where it was reviewed
    before, or needs no approval."""
    table = retraining.c
    waits = sa.and_(table.id == id, table.approved.is_(None), table.needs_approval, ~table.dry_run)
    done = {"approved": approved, "reviewer": who, "review": why, "reviewed_ms": entry.at_ms}
    with writing(store.engine) as connection:
        changed = connection.execute(sa.update(retraining).where(waits).values(done)).rowcount
        if changed:
            write_entries(connection, [entry])
    return bool(changed)


def note_posted(store: Store, id: int, arrived: bool, detail: str, at_ms: int) -> None:
    """Keeps what came of the webhook, the first time that something came of it."""
    unknown = sa.and_(retraining.c.id == id, retraining.c.posted.is_(None))
    done = {"posted": arrived, "posted_ms": at_ms, "posted_detail": detail}
    with writing(store.engine) as connection:
        connection.execute(sa.update(retraining).where(unknown).values(done))
