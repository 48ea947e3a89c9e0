"""Predictions that their labels prove wrong: sampled where the two meet, whichever came first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.profiles.samples import Reason, SampleSettings
from monitor.store.samples import Found, list_samples
from tests.builders import T0_MS, label, record
from tests.job.stream import Stream

SMALL = SampleSettings(per_window=3, random_per_window=50)


def open_stream(url: str, samples: SampleSettings = SMALL) -> Stream:
    return Stream(url, samples=samples)


def wrong(stream: Stream, of: SampleSettings = SMALL) -> list[Found]:
    return list_samples(stream.store, of, model="fraud", reasons=(Reason.WRONG,))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    return f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("pg_url")


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    made = open_stream(url)
    yield made
    made.store.close()


def test_a_wrong_class_is_kept_in_the_window_of_its_label(stream: Stream) -> None:
    stream.take("records", [record(id="a"), record(id="b"), record(id="c")])
    assert wrong(stream) == []
    stream.take("labels", [label(id="a", label="no", ts=T0_MS + 3_600_000), label(id="b", label="yes")])
    (found,) = wrong(stream)
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
    assert [f.sample.id for f in wrong(stream)] == ["r-8", "r-7", "r-6"]
    assert [f.sample.label for f in wrong(stream)] == ["18.5", "3.5", "16.5"]


def test_a_correction_takes_it_back(stream: Stream) -> None:
    stream.take("records", [record(id="a"), record(id="b")])
    stream.take("labels", [label(id="a", label="no"), label(id="b", label="no")])
    assert len(wrong(stream)) == 2
    stream.take("labels", [label(id="a", label="yes", ts=T0_MS + 5000)])
    assert [f.sample.id for f in wrong(stream)] == ["b"]
    stream.take("labels", [label(id="b", label="maybe", ts=T0_MS + 5000)])
    assert [(f.sample.id, f.sample.label) for f in wrong(stream)] == [("b", '"maybe"')]


def test_a_redacted_prediction_is_masked_with_its_label(url: str) -> None:
    of = SampleSettings(3, 0, redact=("@prediction",), features=False)
    stream = open_stream(url, of)
    stream.take("records", [record(id="a", latency_ms=...)])
    stream.take("labels", [label(id="a", label="no")])
    (found,) = wrong(stream, of)
    assert (found.sample.prediction, found.sample.label) == ('"[redacted]"', '"[redacted]"')
    assert (found.sample.id, found.sample.features) == ("a", None)
    stream.store.close()


def test_none_is_kept_where_none_is_asked_for(url: str) -> None:
    stream = open_stream(url, SampleSettings(0))
    stream.take("records", [record(id="a")])
    stream.take("labels", [label(id="a", label="no")])
    assert wrong(stream) == []
    stream.store.close()
