"""The main job: windows close, nobody waits for ever, nothing grows, and resets are picked up."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.errors import OffsetGone, StoreBusy
from monitor.ingest.source import Chunk, Ownership
from monitor.job import flushing
from monitor.job import job as job_module
from monitor.job.job import Job
from monitor.job.report import CommittedFlush
from monitor.job.settings import JobSettings
from monitor.profiles.watermark import PartitionMark, coverage, overall
from monitor.records import Partition
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import Store, dead, ownership
from monitor.store.flush import Committed
from tests.builders import T0_MS, encode, record
from tests.fakes import MemoryLog, MemorySource

P0, P1 = Partition("memory", 0), Partition("memory", 1)


class Bench:
    """A job on a log in memory and a clock that the test moves."""

    def __init__(self, path: Path, clock: StreamClock, **settings: object) -> None:
        self.store = Store.open(f"sqlite:///{path / 'm.db'}")
        self.clock = clock
        self.log = MemoryLog(append_ms=clock.now_ms())
        self.flushes: list[CommittedFlush] = []
        self.source: MemorySource

        def opened(owner: Ownership) -> MemorySource:
            self.source = MemorySource(self.log, owner)
            return self.source

        changed = {"flush_interval_ms": 0, "poll_timeout_s": 0.0, **settings}
        self.job = Job(self.store, opened, JobSettings(owner="test", **changed), clock, observers=(self,))  # type: ignore[arg-type]  # any settings

    def committed(self, flush: CommittedFlush) -> None:
        self.flushes.append(flush)

    def give(self, *partitions: Partition) -> None:
        self.source.later(lambda: self.source.give(partitions))
        self.job.step()

    def records(self) -> float:
        return sum(a["count"] for a in answer(self.store, Question("fraud", "records"), 0))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, StreamClock(T0_MS))


def test_a_quiet_topic_closes_its_windows(bench: Bench) -> None:
    bench.give(P0)
    for second in range(3):
        bench.log.append(0, encode(record(ts=T0_MS + second * 1000)))
    bench.job.step()
    bench.job.flush()
    bench.job._housekeeping()
    before = bench.job.status().watermark_ms
    assert before is not None
    assert before < T0_MS
    bench.clock.advance_to(T0_MS + 4_000)
    bench.job._housekeeping()
    bench.clock.advance_to(T0_MS + 61_000)
    bench.job._housekeeping()
    assert bench.job.status().watermark_ms == T0_MS + 61_000
    (line,) = answer(bench.store, Question("fraud", "records", T0_MS, T0_MS + 60_000), T0_MS + 61_000)
    assert (line["count"], line.get("coverage")) == (3, None)


def test_lag_that_was_not_read_is_no_idleness(bench: Bench) -> None:
    """Backpressure must not look like a quiet topic."""
    bench.give(P0)
    bench.log.append(0, encode(record(ts=T0_MS)))
    bench.log.append(0, encode(record(ts=T0_MS + 1)))
    bench.job.step()
    bench.job.flush()
    bench.log.append(0, encode(record(ts=T0_MS + 2)))
    for minute in range(1, 4):
        bench.clock.advance_to(T0_MS + minute * 60_000)
        bench.job._housekeeping()
    (progress,) = ownership.list_progress(bench.store)
    assert progress.idle_since_ms is None


HOLD_MS = 300_000


@pytest.mark.parametrize(
    ("marks", "now_ms", "expected"),
    [
        ([], 9, None),
        ([PartitionMark(100, False, 0), PartitionMark(50, False, 0)], 9, 50),
        ([PartitionMark(100, False, 0), PartitionMark(50, True, 0)], 9, 100),
        ([PartitionMark(100, True, 0), PartitionMark(50, True, 0)], 9_999, 9_999),
        ([PartitionMark(100, False, 0), PartitionMark(None, False, 0)], 9, None),
        # A stalled partition holds the others back for as long as allowed, and no longer.
        ([PartitionMark(900_000, False, HOLD_MS), PartitionMark(50, False, 0)], HOLD_MS, 50),
        ([PartitionMark(900_000, False, HOLD_MS), PartitionMark(50, False, 0)], HOLD_MS + 1, 900_000),
        ([PartitionMark(100, False, 0), PartitionMark(50, False, 0)], HOLD_MS + 1, 100),
    ],
)
def test_the_whole_watermark(marks: list[PartitionMark], now_ms: int, expected: int | None) -> None:
    assert overall(marks, now_ms, HOLD_MS) == expected


def test_a_window_that_closed_without_a_partition_says_so() -> None:
    marks = [PartitionMark(100, False, 0), PartitionMark(50, False, 0), PartitionMark(None, True, 0)]
    assert coverage(marks, 60) == pytest.approx(2 / 3)
    assert coverage(marks, 50) == 1


def test_a_slow_store_makes_the_reader_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.give(P0)
    real, failures, waits = flushing.commit, iter(range(5)), []
    monkeypatch.setattr(job_module, "_BACKOFF_S", (0.0,))

    def commit(*args: object) -> Committed:
        if next(failures, None) is not None:
            waits.append(bench.job.status())
            raise StoreBusy("disk is slow")
        return real(*args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(flushing, "commit", commit)
    for i in range(10):
        bench.log.append(0, encode(record(id=str(i))))
    bench.source.limit = 10
    bench.job.step()
    for i in range(1000):
        bench.log.append(0, encode(record(id=str(i))))
    bench.job.flush()
    assert len(waits) == 5
    assert [s.records for s in waits] == [10] * 5  # nothing more was read while it waited
    assert waits[-1].paused
    assert waits[-1].problem == "disk is slow"
    assert not bench.job.status().paused
    assert bench.records() == 10


def test_a_stop_while_the_store_is_away_ends_the_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.give(P0)
    monkeypatch.setattr(job_module, "_BACKOFF_S", (0.0,))

    def commit(*args: object) -> None:
        bench.job.stop()
        raise StoreBusy("gone")

    monkeypatch.setattr(flushing, "commit", commit)
    bench.log.append(0, encode(record()))
    bench.job.step()
    bench.job.run()
    assert bench.job.status().problem == "stopping"


def test_only_committed_and_fresh_records_reach_the_scrape(bench: Bench) -> None:
    bench.give(P0)
    bench.clock.advance_to(T0_MS + 600_000)
    bench.log.append_ms = T0_MS + 600_000
    for ts in (T0_MS, T0_MS + 1, T0_MS + 590_000):
        bench.log.append(0, encode(record(ts=ts)))
    bench.job.step()
    assert bench.flushes == []
    bench.job.flush()
    (flush,) = bench.flushes
    assert (flush.records, flush.stale_records) == (3, 2)
    assert {row.start_s for row in flush.fresh.rows} == {(T0_MS + 590_000) // 60_000 * 60}
    assert flush.exemplars[0].trace_id == record()["trace_id"]


def test_a_partition_whose_next_record_is_gone_stops_alone_until_it_is_reset(bench: Bench) -> None:
    bench.give(P0, P1)
    bench.log.append(0, encode(record()))
    bench.log.append(1, encode(record()))
    bench.job.step()
    bench.job.flush()

    def gone(max_records: int, timeout_s: float) -> list[Chunk]:
        bench.source.poll = poll  # type: ignore[method-assign]  # once
        bench.source._forget([P0])
        raise OffsetGone("memory[0]: gone; run `monitor offsets reset ..`", P0)

    poll: Callable[[int, float], list[Chunk]] = bench.source.poll
    bench.source.poll = gone  # type: ignore[method-assign]  # stands in for a broker that deleted records
    bench.job.step()
    assert "offsets reset" in bench.job.status().failed_partitions[P0]
    bench.log.append(1, encode(record()))
    bench.job.step()
    bench.job.flush()
    assert bench.records() == 3
    ownership.reset(bench.store, P0, 0, "read it all again", T0_MS)
    bench.job._housekeeping()
    assert bench.job.status().failed_partitions == {}
    bench.job.step()
    bench.job.flush()
    assert bench.records() == 4


def test_dead_letters_of_a_storm_are_counted_and_capped(bench: Bench) -> None:
    bench.give(P0)
    for i in range(25_000):
        bench.log.append(0, b"storm %d" % i)
    while bench.job.step():
        pass
    bench.job.flush()
    totals = dead.totals(bench.store)
    assert totals["dead_letter", "bad_json"] == 25_000
    assert totals["dead_letter_dropped", "cap"] == 15_000
    assert bench.flushes[0].dead == {"bad_json": 25_000}


def test_it_stops_where_it_is_asked_to(bench: Bench) -> None:
    bench.source.later(lambda: bench.source.give([P0]))
    bench.log.append(0, encode(record()))
    thread = threading.Thread(target=bench.job.run)
    thread.start()
    deadline = 500
    while not bench.flushes and deadline:
        thread.join(0.02)
        deadline -= 1
    bench.job.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert bench.records() == 1


def test_until_caught_up_ends_with_everything_committed(bench: Bench) -> None:
    bench.source.later(lambda: bench.source.give([P0, P1]))
    for i in range(100):
        bench.log.append(i % 2, encode(record(id=str(i))))
    bench.job.run(until_caught_up=True)
    assert bench.records() == 100
    assert all(p.idle_since_ms is not None for p in ownership.list_progress(bench.store))
