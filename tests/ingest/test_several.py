"""Several sources as one: each partition stays with the source that it belongs to."""

from pathlib import Path

from monitor.clock import StreamClock
from monitor.ingest.several import SeveralSources
from monitor.ingest.source import Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.records import Partition
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import Store
from tests.builders import T0_MS, encode, record
from tests.fakes import MemoryLog, MemorySource


def test_a_job_reads_both_and_pauses_each_where_it_is(tmp_path: Path) -> None:
    logs = [MemoryLog("topic", T0_MS), MemoryLog("spool", T0_MS)]
    made: list[MemorySource] = []

    def opened(ownership: Ownership) -> SeveralSources:
        made.extend(MemorySource(log, ownership) for log in logs)
        return SeveralSources(made)

    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    job = Job(store, opened, JobSettings(owner="test", poll_timeout_s=0.0), StreamClock(T0_MS))
    for source, log in zip(made, logs, strict=True):
        source.later(lambda s=source, t=log.topic: s.give([Partition(t, 0)]))  # type: ignore[misc]  # binds both
        for i in range(5):
            log.append(0, encode(record(id=f"{log.topic}-{i}")))
    job.run(until_caught_up=True)
    (line,) = answer(store, Question("fraud", "records"), 0)
    assert line["count"] == 10


def test_what_concerns_a_partition_goes_to_its_source_alone(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    logs = [MemoryLog("topic", T0_MS), MemoryLog("spool", T0_MS)]
    sources: list[MemorySource] = []

    def opened(ownership: Ownership) -> SeveralSources:
        sources.extend(MemorySource(log, ownership) for log in logs)
        return SeveralSources(sources)

    Job(store, opened, JobSettings(owner="test"), StreamClock(T0_MS))
    several = SeveralSources(sources)
    for source, log in zip(sources, logs, strict=True):
        source.give([Partition(log.topic, 0)])
        log.append(0, encode(record()))
    several.pause([Partition("topic", 0)])
    assert [c.partition.topic for c in several.poll(10, 0.0)] == ["spool"]
    several.resume([Partition("topic", 0)])
    assert [c.partition.topic for c in several.poll(10, 0.0)] == ["topic"]
    assert {p.topic: lag.behind for p, lag in several.lags().items()} == {"topic": 0, "spool": 0}
    several.close()
    assert several.lags() == {}
