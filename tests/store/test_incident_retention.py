"""Incidents expire; what is open, the newest, and what people did, stay."""

import sqlalchemy as sa

from monitor.clock import DAY_MS
from monitor.store.engine import writing
from monitor.store.incident_retention import IncidentRetention, drop_incidents
from monitor.store.incidents import (
    EntryRow,
    IncidentRow,
    last_id,
    list_entries,
    list_incidents,
    write_entries,
    write_incidents,
)
from monitor.store.store import Store
from tests.store.conftest import store

__all__ = ["store"]

KEPT = IncidentRetention(10, 100)


def fill(store: Store, resolved: dict[int, int | None], entries: list[EntryRow]) -> None:
    rows = [
        IncidentRow(id, "open" if day is None else "resolved", "page", "risk", 0, day, b"{}")
        for id, day in resolved.items()
    ]
    with writing(store.engine) as connection:
        write_incidents(store, connection, rows)
        write_entries(connection, entries)


def entry(day: int, incident: int | None, who: str) -> EntryRow:
    return EntryRow(incident, day * DAY_MS, "note", who, f"{who} {day}")


def drop(store: Store, day: int) -> None:
    while drop_incidents(store, KEPT, day * DAY_MS):
        pass


def left(store: Store) -> tuple[list[int], list[str]]:
    ids = [row.id for row in list_incidents(store, since_ms=0)]
    return sorted(ids), [row.text for row in list_entries(store)]


def test_what_is_long_over_goes_and_what_people_did_stays(store: Store) -> None:
    entries = [entry(day, id, who) for id, day in ((1, 1), (2, 2), (3, 30)) for who in ("monitor", "ana")]
    entries += [entry(1, None, "monitor"), entry(1, None, "ben"), entry(30, None, "monitor")]
    fill(store, {1: DAY_MS, 2: None, 3: 30 * DAY_MS}, entries)
    drop(store, 30)
    assert left(store) == (
        [2, 3],
        ["ana 1", "monitor 2", "ana 2", "monitor 30", "ana 30", "ben 1", "monitor 30"],
    )
    fill(store, {}, [entry(120, None, "ana")])
    drop(store, 120)
    assert left(store) == ([2, 3], ["monitor 2", "ana 2", "monitor 30", "ana 30", "ana 120"])
    assert last_id(store) == 3


def test_an_old_log_that_was_replayed_is_not_old_yet(store: Store) -> None:
    fill(store, {1: 5 * DAY_MS, 2: 6 * DAY_MS}, [entry(5, 1, "monitor"), entry(6, 2, "monitor")])
    drop(store, 5_000)
    assert left(store)[0] == [1, 2]


def test_many_go_in_bounded_steps(store: Store) -> None:
    fill(store, dict.fromkeys(range(1, 1202), DAY_MS), [entry(1, id, "monitor") for id in range(1, 1202)])
    fill(store, {1202: 90 * DAY_MS}, [entry(90, 1202, "monitor")])
    assert 0 < drop_incidents(store, KEPT, 90 * DAY_MS) <= 1_500
    drop(store, 90)
    assert left(store) == ([1202], ["monitor 90"])
    with store.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM timeline")) == 1
