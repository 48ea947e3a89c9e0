"""What is particular to Kafka, on both clients and a real broker."""

import logging
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from monitor.errors import ConfigError, OffsetGone, SourceError
from monitor.ingest.kafka import open_kafka
from monitor.ingest.source import Source
from monitor.records import Partition
from tests.ingest.backends import CLIENTS, KafkaBackend
from tests.ingest.ownership import MemoryOwnership, Progress
from tests.ingest.reading import DEADLINE_S, drain, poll_until, values_of
from tests.servers import Kafka

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("unclosed_sockets")]


def error_of(source: Source, kind: type[SourceError] = SourceError) -> SourceError:
    """The error that polling ends in."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        try:
            source.poll(100, 0.1)
        except kind as e:
            return e
    raise AssertionError(f"no {kind.__name__} in {DEADLINE_S} s")


def stored(topic: str, positions: dict[int, int]) -> MemoryOwnership:
    """An ownership that knows these positions."""
    return MemoryOwnership(Progress({Partition(topic, number): at for number, at in positions.items()}))


class TestValues:
    def test_empty_values_and_tombstones_come_as_nothing(self, kafka_backend: KafkaBackend) -> None:
        kafka_backend.write(0, [b"a", b"", None, b"b"])
        ownership = MemoryOwnership()
        source = kafka_backend.open(ownership)
        (chunk,) = drain(source, ownership)
        assert chunk.values == [b"a", b"", b"", b"b"]
        assert chunk.positions.tolist() == [0, 1, 2, 3]
        assert chunk.where(2) == f"{kafka_backend.topic}[0]@2"

    def test_each_message_has_the_time_of_the_log(self, kafka_backend: KafkaBackend) -> None:
        times = [1_700_000_000_000, 1_700_000_000_001]
        kafka_backend.kafka.produce(kafka_backend.topic, [b"a", b"b"], partition=1, timestamps_ms=times)
        ownership = MemoryOwnership()
        (chunk,) = drain(kafka_backend.open(ownership), ownership)
        assert chunk.append_ms.tolist() == times

    def test_a_message_larger_than_a_fetch_comes_whole(
        self, kafka_backend: KafkaBackend, topic: Callable[..., str]
    ) -> None:
        name = topic(max_message_bytes=8_000_000)
        value = b"x" * 5_000_000
        kafka_backend.kafka.produce(name, [value, b"y"], client={"message.max.bytes": 8_000_000})
        ownership = MemoryOwnership()
        assert values_of(drain(kafka_backend.open(ownership, topic=name), ownership)) == [value, b"y"]

    def test_records_of_an_aborted_transaction_are_not_delivered(self, kafka_backend: KafkaBackend) -> None:
        producer = Producer(
            {"bootstrap.servers": kafka_backend.kafka.bootstrap, "transactional.id": kafka_backend.topic}
        )
        producer.init_transactions(30)
        for value, commit in ((b"1", True), (b"2", False), (b"3", True)):
            producer.begin_transaction()
            producer.produce(kafka_backend.topic, value, partition=0)
            producer.flush(30)
            if commit:
                producer.commit_transaction(30)
            else:
                producer.abort_transaction(30)
        ownership = MemoryOwnership()
        source = kafka_backend.open(ownership)
        assert values_of(drain(source, ownership)) == [b"1", b"3"]
        lag = source.lags()[Partition(kafka_backend.topic, 0)]
        assert lag.position == lag.end == 6


class TestOffsetGone:
    @pytest.mark.parametrize(("position", "low"), [(2, 5), (50, 0)], ids=["below", "above"])
    def test_the_partition_stops_with_a_sentence_and_the_others_go_on(
        self, kafka_backend: KafkaBackend, position: int, low: int
    ) -> None:
        name = kafka_backend.topic
        for stream in range(4):
            kafka_backend.write(stream, [b"%d.%d" % (stream, n) for n in range(10)])
        if low:
            kafka_backend.kafka.delete_records(name, 1, before_offset=low)
        ownership = stored(name, {0: 4, 1: position})
        source = kafka_backend.open(ownership)
        error = error_of(source, OffsetGone)
        assert isinstance(error, OffsetGone)
        assert error.partition == Partition(name, 1)
        assert str(error) == (
            f"{name}[1]: the next record is at offset {position}, but the broker has {low} to 10; decide "
            f"about the gap, then run `monitor offsets reset --topic {name} --partition 1 --to {low} "
            "--reason ..`"
        )
        kafka_backend.write(0, [b"0.10"])
        kafka_backend.write(1, [b"1.10"])
        seen = []
        until = time.monotonic() + DEADLINE_S
        while b"0.10" not in seen:
            assert time.monotonic() < until
            chunks = source.poll(100, 0.1)
            assert Partition(name, 1) not in {chunk.partition for chunk in chunks}
            seen += values_of(chunks)

    def test_a_partition_that_lost_its_offset_reads_on_after_a_reset(
        self, kafka_backend: KafkaBackend
    ) -> None:
        name = kafka_backend.topic
        kafka_backend.write(0, [b"%d" % n for n in range(10)])
        kafka_backend.kafka.delete_records(name, 0, before_offset=6)
        ownership = stored(name, {0: 2})
        source = kafka_backend.open(ownership)
        error_of(source, OffsetGone)
        ownership.progress.positions[Partition(name, 0)] = 6
        source.restart([Partition(name, 0)])
        assert values_of(poll_until(source, ownership, 4)) == [b"6", b"7", b"8", b"9"]


class TestBroker:
    def test_a_topic_that_is_not_there_is_told(self, kafka_backend: KafkaBackend) -> None:
        source = kafka_backend.open(MemoryOwnership(), topic="nobody-made-this")
        error = error_of(source)
        assert "nobody-made-this" in str(error)
        assert "create the topic, or correct source.kafka.topics" in str(error)

    def test_a_broker_that_goes_and_comes_back_is_no_error(
        self, kafka_backend: KafkaBackend, caplog: pytest.LogCaptureFixture
    ) -> None:
        kafka_backend.write(0, [b"1"])
        ownership = MemoryOwnership()
        source = kafka_backend.open(ownership)
        assert values_of(poll_until(source, ownership, 1)) == [b"1"]
        ownership.flush()
        kafka_backend.kafka.stop()
        assert source.poll(10, 0.5) == []
        kafka_backend.kafka.start()
        kafka_backend.write(0, [b"2"])
        until = time.monotonic() + 2 * DEADLINE_S
        found: list[bytes] = []
        while b"2" not in found:
            assert time.monotonic() < until
            chunks = source.poll(10, 0.2)
            ownership.take(chunks)
            found += values_of(chunks)
        ownership.flush()
        read = ownership.progress.records[Partition(kafka_backend.topic, 0)]
        assert read == [(0, b"1"), (1, b"2")]

    @pytest.mark.parametrize("client", CLIENTS)
    def test_a_broker_that_is_away_at_the_start_is_waited_for(
        self, client: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = open_kafka(
            client,  # type: ignore[arg-type]
            ["t"],
            "g",
            MemoryOwnership(),
            bootstrap_servers="127.0.0.1:1",
            options={},
            start="earliest",
        )
        for _ in range(2):
            assert source.poll(10, 0.3) == []
        assert source.lags() == {}
        source.close()
        with pytest.raises(SourceError, match="is closed"):
            source.poll(1, 0.0)


class TestOptions:
    @pytest.mark.parametrize("client", CLIENTS)
    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            ("no.such.option", "1", "no.such.option"),
            ("fetch.min.bytes", "many", "fetch.min.bytes"),
            (
                "enable.auto.commit",
                "true",
                "enable.auto.commit: must stay false: the store keeps the offsets",
            ),
            ("auto.offset.reset", "earliest", "auto.offset.reset: use source.kafka.start"),
            ("bootstrap.servers", "x:1", "bootstrap.servers: use source.kafka.bootstrap_servers"),
        ],
    )
    def test_an_option_that_can_not_be_is_named(
        self, client: str, name: str, value: str, problem: str
    ) -> None:
        with pytest.raises(ConfigError) as caught:
            open_kafka(
                client,  # type: ignore[arg-type]
                ["t"],
                "g",
                MemoryOwnership(),
                bootstrap_servers="127.0.0.1:1",
                options={name: value},
                start="earliest",
            )
        assert len(caught.value.problems) == 1
        assert problem in caught.value.problems[0]
        assert caught.value.problems[0].startswith("source.kafka.options")

    def test_what_the_group_committed_is_not_where_reading_goes_on(
        self, kafka_backend: KafkaBackend, kafka: Kafka
    ) -> None:
        kafka_backend.write(0, [b"1", b"2"])
        ownership = MemoryOwnership()
        source = kafka_backend.open(ownership)
        drain(source, ownership)
        source.committed(ownership.flush())
        source.poll(1, 0.3)
        source.close()
        again = MemoryOwnership()
        assert values_of(drain(kafka_backend.open(again), again)) == [b"1", b"2"]

    def test_what_is_committed_is_there_for_lag_tools(self, kafka_backend: KafkaBackend) -> None:
        kafka_backend.write(2, [b"1", b"2", b"3"])
        ownership = MemoryOwnership()
        source = kafka_backend.open(ownership)
        drain(source, ownership)
        source.committed(ownership.flush())
        until = time.monotonic() + DEADLINE_S
        while committed_of(kafka_backend, 2) != 3:
            assert time.monotonic() < until
            source.poll(1, 0.05)


def committed_of(backend: KafkaBackend, number: int) -> int:
    consumer = Consumer({"bootstrap.servers": backend.kafka.bootstrap, "group.id": backend.group})
    try:
        (found,) = consumer.committed([TopicPartition(backend.topic, number)], 30)
        return int(found.offset)
    finally:
        consumer.close()


def test_the_client_does_not_log_to_standard_error(
    kafka_backend: KafkaBackend, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("librdkafka").debug("on")
    ownership = MemoryOwnership()
    source = kafka_backend.open(ownership)
    drain(source, ownership)
    source.close()
    assert "rdkafka#consumer" not in capfd.readouterr().err
