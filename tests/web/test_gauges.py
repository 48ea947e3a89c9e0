"""Gauges read from the store: shown by whoever holds the lease, and not a moment longer."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.errors import StoreBusy
from monitor.job.report import JobStatus
from monitor.store.store import Store
from monitor.web import metric_names
from monitor.web.gauges import GaugeRefresher, Gauges, GaugeTask, Reading
from tests.builders import NOW_MS

STATUS = JobStatus(ready=True, problem=None)


def read(store: Store, now_ms: int) -> list[Reading]:
    return [
        Reading(metric_names.DATA_AGE, ("fraud",), 5.0),
        Reading(metric_names.SLI, ("fraud", "error_rate"), 0.25),
    ]


def shown(gauges: Gauges) -> dict[str, float]:
    return {s.name: s.value for family in gauges.families() for s in family.samples}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/m.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> StreamClock:
    return StreamClock(NOW_MS)


def test_the_holder_shows_them(store: Store, clock: StreamClock) -> None:
    gauges = Gauges(clock)
    assert shown(gauges) == {}
    assert GaugeRefresher(gauges, "a", read).refresh(store, NOW_MS)
    assert shown(gauges) == {"monitor_data_age_seconds": 5.0, "monitor_sli": 0.25}


def test_another_shows_none(store: Store, clock: StreamClock) -> None:
    mine, theirs = Gauges(clock), Gauges(clock)
    assert GaugeRefresher(mine, "a", read).refresh(store, NOW_MS)
    assert not GaugeRefresher(theirs, "b", read).refresh(store, NOW_MS)
    assert shown(theirs) == {}


def test_a_holder_that_stalls_shows_none_once_its_lease_ended(store: Store, clock: StreamClock) -> None:
    mine, theirs = Gauges(clock), Gauges(clock)
    stalled, other = GaugeRefresher(mine, "a", read), GaugeRefresher(theirs, "b", read)
    assert stalled.refresh(store, NOW_MS)
    clock.advance_to(NOW_MS + 59_999)
    assert not other.refresh(store, clock.now_ms())
    assert shown(mine)
    clock.advance_to(NOW_MS + 60_000)
    assert other.refresh(store, clock.now_ms())
    assert shown(mine) == {}
    assert shown(theirs)
    assert not stalled.refresh(store, clock.now_ms())


def test_while_the_store_is_away_they_stay_to_the_end_of_the_lease(
    store: Store, clock: StreamClock, caplog: pytest.LogCaptureFixture
) -> None:
    def away(store: Store, now_ms: int) -> list[Reading]:
        raise StoreBusy("the store did not answer")

    gauges = Gauges(clock)
    assert GaugeRefresher(gauges, "a", read).refresh(store, NOW_MS)
    with pytest.raises(StoreBusy):
        GaugeRefresher(gauges, "a", away).refresh(store, NOW_MS + 1000)
    assert shown(gauges)


def test_the_task_reads_beside_the_stream_and_gives_up_the_lease(store: Store, clock: StreamClock) -> None:
    held, begun = threading.Event(), threading.Event()

    def slowly(store: Store, now_ms: int) -> list[Reading]:
        begun.set()
        assert held.wait(10)
        return read(store, now_ms)

    gauges = Gauges(clock)
    task = GaugeTask(GaugeRefresher(gauges, "a", slowly), store, clock, every_s=0)
    before = time.monotonic()
    task.run(STATUS)
    task.run(STATUS)
    assert time.monotonic() - before < 5
    assert begun.wait(5)
    assert shown(gauges) == {}
    held.set()
    task.stop()
    assert shown(gauges) == {}
    assert GaugeRefresher(gauges, "b", read).refresh(store, NOW_MS)


def test_a_task_that_can_not_read_says_so_and_goes_on(
    store: Store, clock: StreamClock, caplog: pytest.LogCaptureFixture
) -> None:
    def away(store: Store, now_ms: int) -> list[Reading]:
        raise StoreBusy("the store did not answer")

    task = GaugeTask(GaugeRefresher(Gauges(clock), "a", away), store, clock)
    with caplog.at_level(logging.WARNING):
        task.run(STATUS)
        task.stop()
    assert [r.getMessage() for r in caplog.records] == ["gauges not refreshed"]
