"""The logs that sources read, behind one face, so that one suite of tests holds for all of them."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from confluent_kafka import Producer

from monitor.clock import StreamClock
from monitor.ingest.files import DirectorySource
from monitor.ingest.kafka import open_kafka
from monitor.ingest.source import Ownership, Source
from tests.servers import Kafka

LANES = 4
# A rebalance is noticed at the next heartbeat; three seconds are long for a test.
QUICK = {"heartbeat.interval.ms": "200", "session.timeout.ms": "6000", "fetch.wait.max.ms": "20"}
CLIENTS: tuple[Literal["confluent", "kafka-python"], ...] = ("confluent", "kafka-python")


class Backend(Protocol):
    """Four streams, each of which keeps its order."""

    streams: ClassVar[int] = 4
    opened: list[Source]

    def write(self, stream: int, values: Sequence[bytes]) -> None: ...

    def open(
        self,
        ownership: Ownership,
        start: Literal["earliest", "latest"] = "earliest",
        member: tuple[int, int] = (0, 1),
    ) -> Source:
        """`member` (i, n): the i-th of n processes that share the streams."""

    def close(self) -> None:
        """Closes what a failed test left open."""
        for source in self.opened:
            source.close()


class DirectoryBackend(Backend):
    """A file for each stream."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened = []

    def write(self, stream: int, values: Sequence[bytes]) -> None:
        with (self.path / f"{stream}.jsonl").open("ab") as file:
            file.write(b"".join(value + b"\n" for value in values))

    def open(
        self,
        ownership: Ownership,
        start: Literal["earliest", "latest"] = "earliest",
        member: tuple[int, int] = (0, 1),
    ) -> Source:
        i, n = member
        source = DirectorySource(
            self.path,
            ownership,
            clock=StreamClock(1_775_000_000_000),
            lanes=LANES,
            start=start,
            owned=range(i, LANES, n),
        )
        self.opened.append(source)
        return source


class KafkaBackend(Backend):
    """A partition for each stream."""

    def __init__(self, kafka: Kafka, topic: str, client: Literal["confluent", "kafka-python"]) -> None:
        self.kafka = kafka
        self.topic = topic
        self.client = client
        self.group = f"group-{uuid.uuid4().hex[:8]}"
        self.opened = []
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 3})

    def write(self, stream: int, values: Sequence[bytes | None]) -> None:
        for value in values:
            self._producer.produce(self.topic, value, partition=stream)
        assert self._producer.flush(30) == 0

    def open(
        self,
        ownership: Ownership,
        start: Literal["earliest", "latest"] = "earliest",
        member: tuple[int, int] = (0, 1),
        options: Mapping[str, str] | None = None,
        topic: str | None = None,
    ) -> Source:
        source = open_kafka(
            self.client,
            [topic or self.topic],
            self.group,
            ownership,
            bootstrap_servers=self.kafka.bootstrap,
            options={**QUICK, **(options or {})},
            start=start,
        )
        self.opened.append(source)
        return source
