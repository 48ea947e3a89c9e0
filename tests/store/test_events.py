"""Events in the store: each once, whatever the order and however often they come."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import Fenced
from monitor.ingest.events.decode import Event, EventDecoder
from monitor.profiles.watermark import Marks
from monitor.records import Carries, Partition
from monitor.store import Store, dead, ownership
from monitor.store.engine import writing
from monitor.store.events import DUPLICATE, known_models, list_events, shares_at, write
from monitor.store.flush import Flush, commit
from tests.builders import NOW_MS
from tests.ingest.events.making import chunk_of, event

EVENTS = Partition("events", 0)


def events_of(*messages: dict[str, object]) -> list[Event]:
    # Tests are about other times than the one at which these came.
    decoded = EventDecoder(max_ahead_ms=30 * 86_400_000).decode(chunk_of(*messages))
    assert not decoded.dead
    return decoded.events


def flush(claim: ownership.Claim, events: list[Event], to: int) -> Flush:
    return Flush(
        partition=claim.partition,
        writer=claim.writer,
        epoch=claim.epoch,
        from_offset=claim.start.position,
        to_offset=to,
        marks=Marks(),
        rows=(),
        now_ms=NOW_MS,
        events=events,
    )


def test_an_event_counts_once_by_its_source_and_id(store: Store) -> None:
    first = events_of(event("registry", "a"), event("registry", "b"), event("registry", "a", version=9))
    claim = ownership.claim(store, EVENTS, "me", NOW_MS, Carries.EVENTS)
    commit(store, flush(claim, first, 3), dead.Cap())
    other = events_of(event("registry", "b"), event("registry", "b") | {"source": "other"})
    claim = ownership.claim(store, EVENTS, "me", NOW_MS, Carries.EVENTS)
    commit(store, flush(claim, other, 5), dead.Cap())
    found = {(e.source, e.id, e.data.text("version")) for e in list_events(store)}
    assert found == {("ci", "a", "4"), ("ci", "b", "4"), ("other", "b", "4")}
    assert dead.totals(store)[(DUPLICATE, "id")] == 2


def test_who_lost_the_partition_writes_no_events(store: Store) -> None:
    old = ownership.claim(store, EVENTS, "old", NOW_MS, Carries.EVENTS)
    ownership.claim(store, EVENTS, "new", NOW_MS, Carries.EVENTS)
    with pytest.raises(Fenced):
        commit(store, flush(old, events_of(event()), 1), dead.Cap())
    assert list_events(store) == []


def test_lists_are_in_the_order_of_what_happened(store: Store) -> None:
    late = [event("registry", f"r{i}") | {"time": f"2023-11-14T{i:02}:00:00Z"} for i in (5, 1, 3)]
    with writing(store.engine) as connection:
        write(store, connection, events_of(*late, event("cost", "c")))
    kinds = list_events(store, kinds=("registry",))
    assert [e.id for e in kinds] == ["r1", "r3", "r5"]
    between = list_events(store, from_ms=kinds[0].ts_ms + 1, to_ms=kinds[2].ts_ms)
    assert [e.id for e in between] == ["r3"]
    assert [e.id for e in list_events(store, kinds=("registry",), newest=1)] == ["r5"]
    assert [e.kind for e in list_events(store, model="fraud")] == ["registry"] * 3


def test_models_are_known_by_their_records_runs_and_registries(store: Store) -> None:
    messages = (event("registry", model="a"), event("training_run", "2", model="b"), event("capacity", "3"))
    with writing(store.engine) as connection:
        write(store, connection, events_of(*messages))
    assert known_models(store, ["a", "b", "fraud", "c"]) == {"a", "b"}


def test_shares_of_one_moment(store: Store) -> None:
    given = [event(id=v, version=v, traffic_share=0.4, deployed=NOW_MS) for v in "345"]
    elsewhere = event(id="x", version="x", traffic_share=0.4, deployed=NOW_MS, stage="staging")
    later = event(id="y", version="y", traffic_share=0.4, deployed=NOW_MS + 1)
    with writing(store.engine) as connection:
        write(store, connection, events_of(*given[:2], elsewhere, later))
    assert shares_at(store, "fraud", "production", NOW_MS) == {"3": 0.4, "4": 0.4}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_any_repetition_come_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=30))
    cuts = data.draw(st.lists(st.integers(0, len(ids)), max_size=4).map(sorted))
    directory: Path = tmp_path_factory.mktemp("events")
    store = Store.open(f"sqlite:///{directory}/m.db")
    again = 0
    for begin, end in zip([0, *cuts], [*cuts, len(ids)], strict=True):
        messages = [event("heartbeat", str(i), device=f"d{i}") for i in ids[begin:end]]
        with writing(store.engine) as connection:
            again += write(store, connection, events_of(*messages))
    assert sorted(e.id for e in list_events(store)) == sorted(map(str, set(ids)))
    assert again == len(ids) - len(set(ids))
    store.close()


def test_a_long_batch_is_written_in_parts(store: Store) -> None:
    messages: list[dict[str, object]] = [event("heartbeat", f"{i % 1200}") for i in range(1300)]
    with writing(store.engine) as connection:
        assert write(store, connection, events_of(*messages)) == 100
    assert len(list_events(store)) == 1200
