"""A real Kafka broker: KRaft, broker and controller in one process, from jars that Maven fetched."""

import base64
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from tests.servers.certificates import Certificates, Pair, make_certificates
from tests.servers.kafka_security import PROTOCOLS, broker_settings, client_settings, scram_user
from tests.servers.ports import free_ports
from tests.servers.server import INSTALL, Server, ServerFailed, wait_until

JARS = Path(__file__).resolve().parents[2] / "build" / "servers" / "kafka"
ADMIN_TIMEOUT_S = 30.0
PRODUCE_TIMEOUT_S = 120.0
PROBE_TIMEOUT_S = 1.0
_NOT_LEADING_YET = (
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
)
NEVER_MS = str(2**62)

# One broker and no one to wait for; and nothing that ages is deleted, for tests write records of years ago.
BROKER_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",
    "log.retention.ms": "-1",
    "log.roll.ms": NEVER_MS,
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "num.recovery.threads.per.data.dir": "2",
}


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """What a test may choose; `settings` go over the broker's defaults above."""

    heap_mb: int = 1024
    settings: tuple[tuple[str, str], ...] = ()


class Kafka(Server):
    """One broker; `bootstrap` is the address of its PLAINTEXT listener, `listeners` those of each protocol.

    `certificates` are of an authority of its own; `ca` is the file that a TLS client is to trust.
    """

    name: ClassVar[str] = "kafka"

    def __init__(self, config: KafkaConfig | None = None) -> None:
        super().__init__()
        self.config = config or KafkaConfig()
        self._controller_port, *ports = free_ports(1 + len(PROTOCOLS))
        self.listeners = {
            protocol: f"127.0.0.1:{port}" for protocol, port in zip(PROTOCOLS, ports, strict=True)
        }
        self.bootstrap = self.listeners["PLAINTEXT"]
        self.certificates: Certificates = make_certificates(self.directory / "tls")
        self.ca = self.certificates.authority.certificate

    @classmethod
    def missing(cls) -> str | None:
        """Return why Kafka can't run here, or None."""
        if shutil.which("java") is None:
            return f"java is not installed, Kafka needs it: {INSTALL} or apt-get install default-jre-headless"
        if shutil.which("openssl") is None:
            return f"openssl is not installed, Kafka's TLS needs it: {INSTALL} or apt-get install openssl"
        if not (JARS / ".complete").exists():
            return f"Kafka's jars are not in build/servers/kafka: {INSTALL}, which fetches them with Maven"
        return None

    def prepare(self) -> None:
        """Write server.properties and format the log directory. Blocks for about two seconds."""
        lines = [f"{key}={value}" for key, value in self._properties().items()]
        self._file.write_text("\n".join(lines) + "\n")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["format", f"--cluster-id={cluster}", "-c", str(self._file), "--add-scram", scram_user()]
        self.run(self._java(256, "kafka.tools.StorageTool", *arguments))

    def command(self) -> Sequence[str]:
        """Return the broker's command line."""
        return self._java(self.config.heap_mb, "kafka.Kafka", str(self._file))

    def answers(self) -> bool:
        """Whether the broker is registered and leads every partition that it has."""
        try:
            metadata = self._admin({"log_level": 0}).list_topics(timeout=PROBE_TIMEOUT_S)
        except KafkaException:
            return False
        partitions = [each for topic in metadata.topics.values() for each in topic.partitions.values()]
        return bool(metadata.brokers) and all(each.leader >= 0 and each.error is None for each in partitions)

    def client_config(
        self, protocol: str = "PLAINTEXT", mechanism: str | None = None, certificate: Pair | None = None
    ) -> dict[str, object]:
        """Return librdkafka's settings to reach the broker through the listener of `protocol`.

        `mechanism` is one of `kafka_security.MECHANISMS`, PLAIN if not given; `certificate` is the client's
        own, such as `certificates.client`, for mutual TLS.
        """
        settings = client_settings(protocol, mechanism, self.certificates, certificate)
        return {"bootstrap.servers": self.listeners[protocol], **settings}

    def create_topic(self, name: str, partitions: int = 1, **config: object) -> str:
        """Create a topic and wait until it can be written; return its name.

        `config` are topic settings with `_` for `.`, as in `max_message_bytes=60_000_000`.
        """
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
        admin = self._admin()
        admin.create_topics([new], request_timeout=ADMIN_TIMEOUT_S)[name].result(ADMIN_TIMEOUT_S)

        def led() -> bool:
            found = admin.list_topics(name, timeout=ADMIN_TIMEOUT_S).topics[name].partitions
            return len(found) == partitions and all(each.leader >= 0 for each in found.values())

        if not wait_until(led, ADMIN_TIMEOUT_S):
            raise ServerFailed(
                f"topic {name} has no leaders after {ADMIN_TIMEOUT_S:.0f} s:\n{self.log_tail()}"
            )
        return name

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics; one that is not there is no error."""
        if not names:
            return
        admin = self._admin()
        for result in admin.delete_topics(list(names), request_timeout=ADMIN_TIMEOUT_S).values():
            try:
                result.result(ADMIN_TIMEOUT_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        """Delete the records of a partition that are older than `before_offset`, as retention would."""
        target = TopicPartition(topic, partition, before_offset)
        admin = self._admin()
        admin.delete_records([target], request_timeout=ADMIN_TIMEOUT_S)[target].result(ADMIN_TIMEOUT_S)

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset of the next record of each partition of `topic`."""
        admin = self._admin()
        partitions = admin.list_topics(topic, timeout=ADMIN_TIMEOUT_S).topics[topic].partitions
        asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in partitions}
        until = time.monotonic() + ADMIN_TIMEOUT_S
        while True:
            try:
                return {
                    where.partition: answer.result(ADMIN_TIMEOUT_S).offset
                    for where, answer in admin.list_offsets(asked).items()
                }
            except KafkaException as e:
                # A broker just started takes a moment to lead its partitions; clients ask again.
                if e.args[0].code() not in _NOT_LEADING_YET or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def produce(
        self,
        topic: str,
        payloads: Iterable[bytes | str | None],
        *,
        partition: int | Iterable[int] | None = None,
        timestamps_ms: Iterable[int] | None = None,
        keys: Iterable[bytes | str | None] | None = None,
        client: Mapping[str, object] | None = None,
    ) -> int:
        """Write `payloads` in their order and wait until the broker has them; return how many there were.

        `partition` is one for all, one for each, or None for the client's choice by key; `client` are
        librdkafka settings of the test's own. Raises KafkaException at the first record that is refused.
        Blocks while the client's queue is full.
        """
        failures: list[KafkaError] = []
        producer = Producer(self._producer_config(client or {}, failures))
        count = 0
        for payload, target, stamp, key in zip(
            payloads, _each(partition, -1), _each(timestamps_ms, 0), _each(keys, None), strict=False
        ):
            _enqueue(producer, topic, payload, key, target, stamp)
            count += 1
            if failures:
                break
        left = producer.flush(PRODUCE_TIMEOUT_S)
        if failures:
            raise KafkaException(failures[0])
        if left:
            raise ServerFailed(f"{left} of {count} records for {topic} are not written:\n{self.log_tail()}")
        return count

    def _producer_config(self, client: Mapping[str, object], failures: list[KafkaError]) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.bootstrap,
            "log_level": 3,
            "enable.idempotence": True,
            "linger.ms": 5,
            "queue.buffering.max.messages": 500_000,
            "delivery.report.only.error": True,
            "on_delivery": lambda error, _: failures.append(error) if error else None,
            **client,
        }

    def _admin(self, settings: Mapping[str, object] | None = None) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, **(settings or {})})

    def _properties(self) -> dict[str, str]:
        controller = f"127.0.0.1:{self._controller_port}"
        addresses = {**self.listeners, "CONTROLLER": controller}
        protocols = {**{each: each for each in PROTOCOLS}, "CONTROLLER": "PLAINTEXT"}
        return {
            **BROKER_SETTINGS,
            "listeners": ",".join(f"{name}://{address}" for name, address in addresses.items()),
            "listener.security.protocol.map": ",".join(f"{a}:{b}" for a, b in protocols.items()),
            "controller.quorum.voters": f"1@{controller}",
            **broker_settings(self.certificates),
            "log.dirs": str(self.directory / "data"),
            **dict(self.config.settings),
        }

    def _java(self, heap_mb: int, main: str, *arguments: str) -> list[str]:
        return [
            "java",
            f"-Xmx{heap_mb}m",
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp",
            f"{JARS}/*",
            main,
            *arguments,
        ]

    @property
    def _file(self) -> Path:
        return self.directory / "server.properties"


def _each(value: Any, absent: Any) -> Iterable[Any]:
    if value is None:
        return repeat(absent)
    if isinstance(value, int):
        return repeat(value)
    return value


def _enqueue(
    producer: Producer,
    topic: str,
    payload: bytes | str | None,
    key: bytes | str | None,
    partition: int,
    stamp: int,
) -> None:
    while True:
        try:
            producer.produce(topic, payload, key, partition, timestamp=stamp)
        except BufferError:
            producer.poll(0.1)
        else:
            return
