"""A kafka-python consumer as the source needs it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import kafka.errors as errors
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.net.compat import KafkaNetClient

from monitor.errors import SourceError
from monitor.ingest.kafka_advice import what_to_do

__all__ = ["CertificateRefused", "Listener", "connect"]

_manager_log = logging.getLogger("kafka.net.manager")

_DEFAULTS: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "allow_auto_create_topics": False,
    # As librdkafka has it; in pure Python the checksum takes longer than all the rest.
    "check_crcs": False,
    "isolation_level": "read_committed",
    "fetch_min_bytes": 65_536,
    "fetch_max_wait_ms": 100,
    "metrics_enabled": False,
}


_Callback = Callable[[Iterable[TopicPartition]], None]


class CertificateRefused(errors.KafkaError):  # type: ignore[misc]  # kafka-python has no types
    """The broker's certificate is of no authority that is trusted here."""


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Passes on what happens to partitions. The client's own thread calls, while a poll or close waits."""

    def __init__(self, on_assigned: _Callback, on_revoked: _Callback, on_lost: _Callback) -> None:
        self._on_assigned, self._on_revoked, self._on_lost = on_assigned, on_revoked, on_lost

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._on_assigned(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._on_revoked(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._on_lost(lost)


def connect(
    settings: Mapping[str, Any], topics: Sequence[str], listener: Listener, wait_ms: int
) -> KafkaConsumer:
    """A consumer that knows its broker and subscribes to the topics. Blocks for `wait_ms` at most.

    Raises KafkaError where the broker does not answer or refuses, and SourceError for a topic that it
    does not have.
    """
    # The constructor connects, and leaves the client's thread behind when it fails.
    made: list[KafkaNetClient] = []

    def client(**configuration: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**configuration))
        return made[-1]

    reasons = _Reasons()
    _manager_log.addHandler(reasons)
    try:
        consumer = KafkaConsumer(
            **{**_DEFAULTS, **settings}, kafka_client=client, bootstrap_timeout_ms=wait_ms
        )
        # Asked before subscribing, for that may create a topic that is not there.
        missing = sorted(set(topics) - set(consumer.topics()))
        if missing:
            hint = what_to_do("UNKNOWN_TOPIC_OR_PART")
            raise SourceError(f"kafka: the broker has no topic {', '.join(missing)} for this user{hint}")
        consumer.subscribe(list(topics), listener=listener)
        # And once more, so that the first assignment knows how many partitions there are, and stays.
        consumer.topics()
    except BaseException as e:
        for each in made:
            each.close()
        if isinstance(e, errors.KafkaTimeoutError) and reasons.refusal is not None:
            raise reasons.refusal from e
        raise
    finally:
        _manager_log.removeHandler(reasons)
    return consumer


class _Reasons(logging.Handler):
    """Why connections failed: the client tells it to its log, and its caller of a timeout only."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.refusal: errors.KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for each in record.args if isinstance(record.args, tuple) else ():
            if isinstance(each, errors.SaslAuthenticationFailedError):
                self.refusal = each
            elif isinstance(each, errors.KafkaConnectionError) and "CERTIFICATE_VERIFY_FAILED" in str(each):
                self.refusal = CertificateRefused(str(each))
