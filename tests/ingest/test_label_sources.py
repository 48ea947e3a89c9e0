"""Labels out of every source: the same columns and dead letters whatever the log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.config.model import Config, FilesConfig, IngestConfig, KafkaConfig, SourceConfig, SpoolConfig
from monitor.config.topics import streams
from monitor.ingest.labels import LabelDecoder
from monitor.inputs import open_log, open_source
from monitor.records import Carries
from tests.builders import NOW_MS, encode, label, record
from tests.ingest.backends import QUICK, Backend
from tests.ingest.ownership import MemoryOwnership
from tests.ingest.reading import drain, values_of
from tests.servers import Kafka

BAD = [b"{oops", encode(label(label=None)), encode(label(id=...))]
REASONS = ["label.bad_json", "label.missing_label", "label.missing_id"]


def test_labels_come_out_of_every_source_as_they_went_in(backend: Backend) -> None:
    for stream in range(backend.streams):
        good = [encode(label(id=f"{stream}-{i}", label=i, ts=...)) for i in range(50)]
        backend.write(stream, [*good, *BAD])
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    decoder = LabelDecoder()
    found: dict[str, list[str]] = {}
    for chunk in drain(source, ownership, 17):
        decoded = decoder.decode(chunk)
        batch = decoded.batch
        assert len(batch) + len(decoded.dead) == len(chunk.values)
        assert set(batch.positions.tolist()) | {d.position for d in decoded.dead} == set(
            chunk.positions.tolist()
        )
        assert set(batch.ts_ms.tolist()) <= set(chunk.append_ms.tolist())
        for name in batch.ids:
            assert name is not None
            found.setdefault(name.split("-")[0], []).append(name)
        for letter in decoded.dead:
            found.setdefault("dead", []).append(letter.reason)
            assert letter.where
    assert sorted(found.pop("dead")) == sorted(REASONS * backend.streams)
    assert found == {str(s): [f"{s}-{i}" for i in range(50)] for s in range(backend.streams)}
    source.close()


def topics_read(config: Config) -> dict[str, list[bytes]]:
    """What a configuration reads to the end, by the name of the stream."""
    ownership = MemoryOwnership()
    source = open_source(config, StreamClock(NOW_MS), follow=False)(ownership)
    read: dict[str, list[bytes]] = {}
    for chunk in drain(source, ownership):
        read.setdefault(chunk.partition.topic, []).extend(values_of([chunk]))
    source.close()
    return read


def labelled(config: Config) -> set[str]:
    return {name for name, carries in streams(config).items() if carries is Carries.LABELS}


def test_posted_labels_are_read_apart_from_posted_records(tmp_path: Path) -> None:
    config = Config(ingest=IngestConfig(spool=SpoolConfig(path=tmp_path / "spool")))
    clock = StreamClock(NOW_MS)
    for carries, message in ((Carries.RECORDS, record()), (Carries.LABELS, label())):
        log = open_log(config, clock, carries)
        assert log is not None
        log.append([encode(message)])
        log.close()
    assert topics_read(config) == {"http-spool": [encode(record())], "http-labels-spool": [encode(label())]}
    assert labelled(config) == {"http-labels-spool"}


def test_files_of_labels_beside_files_of_records(tmp_path: Path) -> None:
    for name, message in (("logs", record()), ("labels", label())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_bytes(encode(message) + b"\n")
    files, labels = (FilesConfig(path=tmp_path / name) for name in ("logs", "labels"))
    config = Config(source=SourceConfig(files=files, labels=labels))
    assert topics_read(config) == {"logs": [encode(record())], "labels": [encode(label())]}
    assert labelled(config) == {"labels"}
    assert open_log(config, StreamClock(NOW_MS), Carries.LABELS) is None


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_a_label_topic_beside_a_record_topic(kafka: Kafka, topic: Callable[..., str], client: str) -> None:
    records, labels = topic(2), topic(2)
    kafka_config = KafkaConfig.model_validate(
        {
            "bootstrap_servers": kafka.bootstrap,
            "topics": [records],
            "label_topics": [labels],
            "client": client,
            "group_id": f"g-{records}-{client}",
            "options": QUICK,
        }
    )
    config = Config(source=SourceConfig(kafka=kafka_config))
    kafka.produce(records, [encode(record())], partition=1)
    log = open_log(config, StreamClock(NOW_MS), Carries.LABELS)
    assert log is not None
    log.append([encode(label())])
    log.close()
    read = topics_read(config)
    assert {name: [json.loads(v)["id"] for v in values] for name, values in read.items()} == {
        records: ["r-1"],
        labels: ["r-1"],
    }
    assert b'"label"' in read[labels][0]
    assert labelled(config) == {labels}
