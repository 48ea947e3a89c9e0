"""Events out of a real broker, in both modes and through both clients."""

from collections.abc import Callable

import pytest
from cloudevents.core.bindings import kafka as binding
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Producer

from monitor.clock import StreamClock
from monitor.config.model import Config, KafkaConfig, SourceConfig
from monitor.config.topics import streams
from monitor.ingest.events.cloudevents import envelope
from monitor.inputs import open_log, open_source
from monitor.records import Carries
from tests.builders import NOW_MS, encode, record
from tests.ingest.backends import QUICK
from tests.ingest.events.making import event
from tests.ingest.ownership import MemoryOwnership
from tests.ingest.reading import drain
from tests.servers import Kafka

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_an_event_topic_beside_a_record_topic(kafka: Kafka, topic: Callable[..., str], client: str) -> None:
    records, events = topic(1), topic(1)
    config = Config(
        source=SourceConfig(
            kafka=KafkaConfig.model_validate(
                {
                    "bootstrap_servers": kafka.bootstrap,
                    "topics": [records],
                    "event_topics": [events],
                    "client": client,
                    "group_id": f"g-{records}-{client}",
                    "options": QUICK,
                }
            )
        )
    )
    assert streams(config) == {records: Carries.RECORDS, events: Carries.EVENTS}
    log = open_log(config, StreamClock(NOW_MS), Carries.EVENTS)
    assert log is not None
    log.append([encode(event("registry", "posted"))])
    log.close()
    kafka.produce(records, [encode(record())])
    sent = CloudEvent(
        {"type": "monitor.registry", "source": "ci/ß", "id": "0", "datacontenttype": "application/json"},
        {"model": "fraud", "version": 4},
    )
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for id, written in (("binary", binding.to_binary), ("structured", binding.to_structured)):
        attributes = {**sent.get_attributes(), "id": id}
        message = written(CloudEvent(attributes, sent.get_data()), JSONFormat())
        producer.produce(events, message.value, headers=dict(message.headers))
    # A record with headers like these stays as it is: only topics of events are looked at.
    producer.produce(records, encode(record(id="r-2")), headers={"ce_id": b"x"})
    producer.flush(20)

    ownership = MemoryOwnership()
    source = open_source(config, StreamClock(NOW_MS), follow=False)(ownership)
    read: dict[str, list[bytes]] = {records: [], events: []}
    for chunk in drain(source, ownership, 5):
        read[chunk.partition.topic] += chunk.values
    source.close()
    assert read[records] == [encode(record()), encode(record(id="r-2"))]
    found = [envelope(value) for value in read[events]]
    assert {e.id for e in found} == {"posted", "binary", "structured"}
    assert all(e.data["model"] == "fraud" for e in found)
