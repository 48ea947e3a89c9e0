"""What the Kafka clients share: opening, option checks, and sentences about what went wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from monitor.errors import ConfigError, OffsetGone
from monitor.ingest.source import Ownership, Source
from monitor.records import Partition

if TYPE_CHECKING:
    from monitor.ingest.spool import DurableLog

__all__ = ["check_start", "offset_gone", "open_kafka", "open_sink", "what_to_do"]

_CREDENTIALS = "check sasl.username and sasl.password (or the token) in source.kafka.options"
_HINTS = {
    "_ALL_BROKERS_DOWN": "is source.kafka.bootstrap_servers right, and the broker up?",
    "_AUTHENTICATION": _CREDENTIALS,
    "SASL_AUTHENTICATION_FAILED": _CREDENTIALS,
    "UNKNOWN_TOPIC_OR_PART": "create the topic, or correct source.kafka.topics",
    "_UNKNOWN_TOPIC": "create the topic, or correct source.kafka.topics",
    "TOPIC_AUTHORIZATION_FAILED": "allow the user READ and DESCRIBE on the topic",
    "GROUP_AUTHORIZATION_FAILED": "allow the user READ on the group, or change source.kafka.group_id",
    "_SSL": "check ssl.ca.location in source.kafka.options",
    "_RESOLVE": "correct the host name in source.kafka.bootstrap_servers",
}


def what_to_do(error_name: str) -> str:
    """ ": .." with what a person can do about an error of this name, or nothing."""
    hint = _HINTS.get(error_name)
    return f"; {hint}" if hint else ""


def offset_gone(partition: Partition, position: int | None, low: int, high: int) -> OffsetGone:
    """The error for a position that the log no longer has, or does not have yet."""
    return OffsetGone(
        f"{partition}: the next record is at offset {position}, but the broker has {low} to {high}; "
        f"decide about the gap, then run `monitor offsets reset --topic {partition.topic} "
        f"--partition {partition.number} --to {low} --reason ..`",
        partition,
    )


def check_start(settings: dict[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, if they leave `fixed` as it must be. Raises ConfigError naming each that does not."""
    wrong = [name for name, value in fixed.items() if settings.get(name) != value]
    if wrong:
        raise ConfigError(
            [
                f"source.kafka.options.{name}: must stay {fixed[name]}: the store keeps the offsets"
                for name in wrong
            ]
        )
    return settings


def open_kafka(
    client: Literal["confluent", "kafka-python"],
    topics: Sequence[str],
    group_id: str,
    ownership: Ownership,
    *,
    bootstrap_servers: str,
    options: Mapping[str, str],
    start: Literal["earliest", "latest"],
) -> Source:
    """A source on the client asked for. Raises ConfigError for options that it does not know."""
    if client == "kafka-python":
        from monitor.ingest.kafka_python import KafkaPythonSource as Client
    else:
        from monitor.ingest.kafka_confluent import ConfluentSource as Client
    return Client(
        topics, group_id, ownership, bootstrap_servers=bootstrap_servers, options=options, start=start
    )


def open_sink(bootstrap_servers: str, topic: str, options: Mapping[str, str]) -> "DurableLog":
    """Where posted records become durable in Kafka."""
    from monitor.ingest.kafka_sink import KafkaSink

    return KafkaSink(bootstrap_servers, topic, options)
