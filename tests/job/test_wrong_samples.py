"""Predictions that their labels prove wrong: sampled where the two meet, whichever came first."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import StreamClock
from monitor.ingest.source import Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.profiles.samples import Reason, SampleSettings
from monitor.records import Partition
from monitor.store import Store
from monitor.store.samples import Found, list_samples
from tests.builders import T0_MS, encode, label, record
from tests.fakes import MemoryLog, MemorySource

RECORDS, LABELS = Partition("records", 0), Partition("labels", 0)
SMALL = SampleSettings(per_window=3, random_per_window=50)


class Stream:
    """A job on a log of records and labels; each `take` is a flush of its own."""

    def __init__(self, url: str, samples: SampleSettings = SMALL) -> None:
        self.store = Store.open(url)
        self.log = MemoryLog("records")
        self.source: MemorySource
        settings = JobSettings(
            owner="test", label_topics=frozenset({"labels"}), pairs=True, samples=samples, poll_timeout_s=0.0
        )
        self.job = Job(self.store, self._open, settings, StreamClock(T0_MS + 10_000_000))
        self.source.later(lambda: self.source.give([RECORDS, LABELS]))
        self.job.step()

    def _open(self, ownership: Ownership) -> MemorySource:
        self.source = MemorySource(self.log, ownership)
        return self.source

    def take(self, topic: str, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages:
            self.log.append(0, encode(message), topic)
        while self.job.step():
            pass
        self.job.flush()

    def wrong(self, of: SampleSettings = SMALL) -> list[Found]:
        return list_samples(self.store, of, model="fraud", reasons=(Reason.WRONG,))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    return f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("pg_url")


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    made = Stream(url)
    yield made
    made.store.close()


def test_a_wrong_class_is_kept_in_the_window_of_its_label(stream: Stream) -> None:
    stream.take("records", [record(id="a"), record(id="b"), record(id="c")])
    assert stream.wrong() == []
    stream.take("labels", [label(id="a", label="no", ts=T0_MS + 3_600_000), label(id="b", label="yes")])
    (found,) = stream.wrong()
    sample = found.sample
    assert (found.model, found.version, sample.id) == ("fraud", "3", "a")
    assert (sample.prediction, sample.label, sample.score) == ('"yes"', '"no"', 0.75)
    assert sample.start_s == (T0_MS + 3_600_000) // 600_000 * 600
    assert sample.ts_ms == T0_MS
    # The same record was sampled at random too: it lends its features.
    assert sample.features == '{"amount":10,"new":"true","plan":"basic"}'
    assert sample.trace_id == record()["trace_id"]


@pytest.mark.parametrize("first", ["records", "labels"])
def test_either_half_may_come_first_and_the_largest_errors_are_kept(stream: Stream, first: str) -> None:
    halves = {
        "records": [record(id=f"r-{i}", prediction=10.5, features=...) for i in range(9)],
        "labels": [label(id=f"r-{i}", label=10.5 + i * (-1) ** i) for i in range(9)],
    }
    for topic in (first, *(t for t in halves if t != first)):
        for begin in range(0, 9, 4):
            stream.take(topic, halves[topic][begin : begin + 4])
    assert [f.sample.id for f in stream.wrong()] == ["r-8", "r-7", "r-6"]
    assert [f.sample.label for f in stream.wrong()] == ["18.5", "3.5", "16.5"]


def test_a_correction_takes_it_back(stream: Stream) -> None:
    stream.take("records", [record(id="a"), record(id="b")])
    stream.take("labels", [label(id="a", label="no"), label(id="b", label="no")])
    assert len(stream.wrong()) == 2
    stream.take("labels", [label(id="a", label="yes", ts=T0_MS + 5000)])
    assert [f.sample.id for f in stream.wrong()] == ["b"]
    stream.take("labels", [label(id="b", label="maybe", ts=T0_MS + 5000)])
    assert [(f.sample.id, f.sample.label) for f in stream.wrong()] == [("b", '"maybe"')]


def test_a_redacted_prediction_is_masked_with_its_label(url: str) -> None:
    of = SampleSettings(3, 0, redact=("@prediction",), features=False)
    stream = Stream(url, of)
    stream.take("records", [record(id="a", latency_ms=...)])
    stream.take("labels", [label(id="a", label="no")])
    (found,) = stream.wrong(of)
    assert (found.sample.prediction, found.sample.label) == ('"[redacted]"', '"[redacted]"')
    assert (found.sample.id, found.sample.features) == ("a", None)
    stream.store.close()


def test_none_is_kept_where_none_is_asked_for(url: str) -> None:
    stream = Stream(url, SampleSettings(0))
    stream.take("records", [record(id="a")])
    stream.take("labels", [label(id="a", label="no")])
    assert stream.wrong() == []
    stream.store.close()
