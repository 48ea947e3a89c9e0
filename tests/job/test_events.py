"""Events through the job: what they are held against, and that they come once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import StreamClock
from monitor.job.replay import replay
from monitor.job.settings import JobSettings
from monitor.store import dead, ownership
from monitor.store.events import DUPLICATE, list_events
from tests.builders import T0_MS, encode, record
from tests.ingest.events.making import event
from tests.job.stream import Stream


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    opened = Stream(f"sqlite:///{tmp_path}/m.db", models=frozenset({"named"}))
    yield opened
    opened.store.close()


def refused(stream: Stream) -> list[tuple[str, int]]:
    return [(letter.reason, letter.position) for letter in dead.list_kept(stream.store)]


def test_a_deployment_needs_a_model_that_is_known(stream: Stream) -> None:
    def deployed(id: str, model: str) -> dict[str, Any]:
        return event("deployment", id, model=model)

    stream.take("records", [record(model="seen")])
    stream.take("events", [deployed("1", "seen"), deployed("2", "named"), deployed("3", "nobody")])
    assert refused(stream) == [("event.unknown_model", 2)]
    run = event("training_run", "4", model="trained")
    stream.take("events", [deployed("5", "trained"), run, deployed("6", "trained")])
    assert refused(stream)[1:] == [("event.unknown_model", 3)]
    assert [e.id for e in list_events(stream.store, kinds=("deployment",))] == ["1", "2", "6"]
    # Once the model is there the letters are events.
    settings = JobSettings(owner="test", poll_timeout_s=0.0)
    done = replay(stream.store, settings, StreamClock(T0_MS + 20_000_000), "event.unknown_model")
    assert (done.counted, done.still_dead) == (1, 1)
    assert {e.id for e in list_events(stream.store)} == {"1", "2", "4", "5", "6"}


def test_shares_of_one_moment_may_not_overlap(stream: Stream) -> None:
    def share(id: str, version: str, share: float, at_ms: int = T0_MS) -> dict[str, Any]:
        return event("deployment", id, model="named", version=version, traffic_share=share, deployed=at_ms)

    stream.take("events", [share("1", "3", 0.7), share("2", "4", 0.3), share("3", "5", 0.1)])
    assert refused(stream) == [("event.overlapping_traffic", 2)]
    stream.take("events", [share("4", "6", 0.2), share("5", "6", 1.0, T0_MS + 1), share("6", "3", 0.6)])
    assert refused(stream)[1:] == [("event.overlapping_traffic", 3)]
    assert "3: 0.7, 4: 0.3, 6: 0.2" in dead.list_kept(stream.store)[1].detail
    # A later event goes before earlier ones, and a version may be given less in the same moment.
    assert {e.id for e in list_events(stream.store)} == {"1", "2", "5", "6"}


def test_events_say_nothing_of_how_far_the_records_have_come(stream: Stream) -> None:
    stream.take("records", [record(ts=T0_MS)])
    stream.take("events", [event("registry") | {"time": "2023-11-10T00:00:00Z"}])
    marks = {p.partition.topic: p for p in ownership.list_progress(stream.store)}
    assert marks["events"].carries.value == "events"
    stream.job._housekeeping()
    assert stream.job.status().watermark_ms == marks["records"].marks.watermark_ms


def test_a_job_that_was_killed_takes_no_event_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.db"
    messages = [event("registry", str(i), model=f"m{i}") for i in range(10)]
    first = Stream(url)
    first.take("events", messages[:4])
    for message in messages[4:]:
        first.log.append(0, encode(message), "events")
    first.job.step()  # taken, never committed
    second = Stream(url)
    second.take("events", messages)
    assert sorted(int(e.id) for e in list_events(second.store)) == list(range(10))
    assert (DUPLICATE, "id") not in dead.totals(second.store)
    for each in (first, second):
        each.store.close()


def test_unknown_fields_of_events_are_counted(stream: Stream) -> None:
    message = event("registry", colour="red") | {"traceparent": "00-1"}
    stream.take("events", [message, b"{oops"])
    assert refused(stream) == [("event.bad_json", 1)]
    totals = dead.totals(stream.store)
    assert totals[("unknown_field", "registry.colour")] == 1
    assert totals[("unknown_field", "traceparent")] == 1
