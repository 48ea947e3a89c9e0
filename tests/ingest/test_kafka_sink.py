"""Kafka as the place of posted records: what `append` promised is in the topic."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.errors import ConfigError, StoreBusy, StoreError
from monitor.ingest.kafka import open_sink
from monitor.ingest.kafka_sink import KafkaSink
from tests.ingest.backends import KafkaBackend
from tests.ingest.ownership import MemoryOwnership
from tests.ingest.reading import drain, values_of
from tests.servers import Kafka


@pytest.mark.kafka
class TestAppend:
    def test_what_is_appended_is_in_the_topic(self, kafka: Kafka, topic: Callable[..., str]) -> None:
        name = topic(partitions=4)
        sink = open_sink(kafka.bootstrap, name, {})
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: sink.append([b"%d.%d" % (i, n) for n in range(50)]), range(16)))
        sink.append([])
        sink.close()
        ownership = MemoryOwnership()
        backend = KafkaBackend(kafka, name, "confluent")
        found = values_of(drain(backend.open(ownership), ownership))
        backend.close()
        assert sorted(found) == sorted(b"%d.%d" % (i, n) for i in range(16) for n in range(50))

    def test_a_record_that_the_broker_refuses_is_told_for_good(
        self, kafka: Kafka, topic: Callable[..., str]
    ) -> None:
        sink = KafkaSink(kafka.bootstrap, topic(max_message_bytes=1_000))
        with pytest.raises(StoreError, match=r"raise max\.message\.bytes of the topic") as caught:
            sink.append([b"small", b"x" * 5_000])
        assert not isinstance(caught.value, StoreBusy)
        sink.append([b"small"])
        sink.close()

    def test_a_topic_that_is_not_there_is_told(self, kafka: Kafka) -> None:
        sink = KafkaSink(kafka.bootstrap, "nobody-made-this", timeout_s=2.0)
        with pytest.raises(StoreError):
            sink.append([b"1"])
        sink.close()

    def test_a_broker_that_comes_back_in_time_is_no_error(
        self, kafka: Kafka, topic: Callable[..., str]
    ) -> None:
        name = topic()
        sink = KafkaSink(kafka.bootstrap, name, timeout_s=60.0)
        sink.append([b"1"])
        kafka.stop()
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(sink.append, [b"2"])
            kafka.start()
            call.result(90)
        sink.close()
        assert kafka.end_offsets(name) == {0: 2}


class TestAway:
    def test_a_broker_that_is_away_is_busy(self) -> None:
        sink = KafkaSink("127.0.0.1:1", "t", timeout_s=0.5)
        with pytest.raises(StoreBusy):
            sink.append([b"1"])
        sink.close()
        with pytest.raises(StoreBusy, match="is closed"):
            sink.append([b"1"])

    def test_what_makes_records_durable_can_not_be_turned_off(self) -> None:
        with pytest.raises(ConfigError, match="acks: must stay all to post records"):
            KafkaSink("127.0.0.1:1", "t", {"acks": "1"})

    def test_an_unknown_option_is_named(self) -> None:
        with pytest.raises(ConfigError, match=r"no\.such\.option"):
            KafkaSink("127.0.0.1:1", "t", {"no.such.option": "1"})

    def test_options_of_the_consumer_are_let_pass(self) -> None:
        KafkaSink("127.0.0.1:1", "t", {"fetch.min.bytes": "1", "session.timeout.ms": "6000"}).close()
