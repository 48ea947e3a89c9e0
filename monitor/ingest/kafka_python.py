"""Kafka through kafka-python: the client without native code, slower, with the same behaviour."""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NoReturn

import kafka.errors as errors
import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from monitor.clock import Clock, WallClock
from monitor.errors import MonitorError, SourceError
from monitor.ingest.events.cloudevents import in_structured_mode
from monitor.ingest.kafka import Book, Patience, check_options
from monitor.ingest.kafka_advice import what_to_do
from monitor.ingest.kafka_python_client import CertificateRefused, Listener, connect
from monitor.ingest.kafka_python_options import translate
from monitor.ingest.source import Chunk, Lag, Ownership
from monitor.records import Partition

__all__ = ["KafkaPythonSource"]

_log = logging.getLogger(__name__)
_ASK_BROKER_MS = 5_000
_ASK_AGAIN_S = 1.0
_LEAST_CONNECT_MS = 2_000
_CLOSE_MS = 5_000
# The names that librdkafka has for what ends the reading, for one set of hints.
_MISTAKES = {
    errors.SaslAuthenticationFailedError: "SASL_AUTHENTICATION_FAILED",
    errors.UnsupportedSaslMechanismError: "UNSUPPORTED_SASL_MECHANISM",
    errors.InvalidGroupIdError: "INVALID_GROUP_ID",
    CertificateRefused: "_SSL",
}
_FINAL = {
    errors.TopicAuthorizationFailedError: "TOPIC_AUTHORIZATION_FAILED",
    errors.GroupAuthorizationFailedError: "GROUP_AUTHORIZATION_FAILED",
}


class KafkaPythonSource:
    """The topics as a source. `options` are librdkafka properties; those that kafka-python knows by another
    name are translated.

    The client calls back for partitions on a thread of its own, while `poll` or `close` waits: so
    `Ownership` is called on that thread, but never at the same time as anything else.
    """

    def __init__(
        self,
        topics: Sequence[str],
        group_id: str,
        ownership: Ownership,
        *,
        bootstrap_servers: str,
        options: Mapping[str, str] | None = None,
        start: Literal["earliest", "latest"] = "earliest",
        event_topics: Collection[str] = (),
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError for options that can't be; the first poll connects."""
        check_options(options or {})
        self._settings = {
            **translate(options or {}),
            "bootstrap_servers": [server.strip() for server in bootstrap_servers.split(",")],
            "group_id": group_id,
        }
        self._topics = list(topics)
        self._ownership = ownership
        self._clock = clock or WallClock()
        self._book = Book(start)
        self._event_topics = frozenset(event_topics)
        self._patience = Patience()
        self._unproven: set[Partition] = set()
        self._asked_s = 0.0
        self._consumer: KafkaConsumer | None = None
        self._rebalanced = self._closed = False

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        """See Source. Blocks for seconds where the broker does not answer the first connection."""
        if self._closed:
            raise SourceError("kafka: the source is closed")
        self._book.raise_gone()
        self._rebalanced = False
        fetched: Mapping[TopicPartition, list[Any]] = {}
        try:
            consumer = self._connected(timeout_s)
            if consumer is not None:
                fetched = consumer.poll(timeout_ms=round(timeout_s * 1000), max_records=max_records)
        except errors.KafkaError as e:
            self._on_error(e)
        if self._rebalanced:
            # As with the other client: a poll in which partitions changed hands delivers nothing.
            self._rewind(fetched)
            fetched = {}
        chunks = [
            self._chunk(Partition(tp.topic, tp.partition), records)
            for tp, records in fetched.items()
            if records and tp in self._book.next
        ]
        self._prove()
        self._learn_lags()
        if not chunks:
            self._book.raise_gone()
        return chunks

    def _connected(self, timeout_s: float) -> KafkaConsumer | None:
        """The client; None as long as the broker is away. Raises KafkaError, and SourceError for a topic."""
        if self._consumer is None:
            wait_ms = max(_LEAST_CONNECT_MS, round(timeout_s * 1000))
            listener = Listener(self._on_assigned, self._on_revoked, self._on_lost)
            self._consumer = connect(self._settings, self._topics, listener, wait_ms)
        return self._consumer

    def _chunk(self, partition: Partition, records: list[Any]) -> Chunk:
        n = len(records)
        positions = np.fromiter((r.offset for r in records), np.int64, n)
        append_ms = np.fromiter((r.timestamp for r in records), np.int64, n)
        if (append_ms <= 0).any():
            append_ms[append_ms <= 0] = self._clock.now_ms()
        values = [b"" if r.value is None else bytes(r.value) for r in records]
        if partition.topic in self._event_topics:
            values = [in_structured_mode(r.headers, v) for r, v in zip(records, values, strict=True)]
        end = int(positions[-1]) + 1
        self._book.next[partition] = end
        self._patience.works()
        return Chunk(partition, values, positions, end, append_ms)

    def _on_error(self, error: errors.KafkaError) -> None:
        """Brokers that go and come back are the client's business; a mistake ends the reading."""
        if isinstance(error.__cause__, MonitorError):
            raise error.__cause__
        if isinstance(error, (errors.OffsetOutOfRangeError, errors.LogTruncationError)):
            self._lost_offsets(error)
            return
        if isinstance(error, tuple(_FINAL)):
            self._fail(error, _FINAL[type(error)])
        if isinstance(error, tuple(_MISTAKES)) and self._patience.is_over(time.monotonic()):
            self._fail(error, _MISTAKES[type(error)])
        if error.retriable or isinstance(error, (errors.NoOffsetForPartitionError, *_MISTAKES)):
            _log.warning("kafka", extra={"reason": f"{error}; trying again"})
            return
        raise SourceError(f"kafka: {error}") from error

    def _fail(self, error: errors.KafkaError, name: str) -> NoReturn:
        raise SourceError(f"kafka: {error}{what_to_do(name)}") from error

    def _lost_offsets(self, error: errors.KafkaError) -> None:
        lost = getattr(error, "divergent_offsets", None) or error.args[0]
        found = self._ranges([Partition(tp.topic, tp.partition) for tp in lost]) or {}
        for tp in lost:
            partition = Partition(tp.topic, tp.partition)
            self._book.lost_offset(partition, *found.get(partition, (-1, -1)))
            if self._consumer is not None:
                self._consumer.pause(tp)

    def _on_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._rebalanced = True
        self._patience.works()
        self._take([Partition(tp.topic, tp.partition) for tp in assigned])

    def _take(self, partitions: list[Partition]) -> None:
        self._book.assigned(self._ownership.assigned(partitions))
        self._unproven.update(partitions)
        self._asked_s = 0.0
        if self._consumer is None:
            return
        for partition in partitions:
            # A position that is not there would be asked of the group's commits, which are not the truth.
            self._consumer.seek(TopicPartition(*partition), self._book.next.get(partition, 0))
            if partition in self._book.unresolved:
                self._consumer.pause(TopicPartition(*partition))
            elif partition not in self._book.paused:
                self._consumer.resume(TopicPartition(*partition))

    def _on_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        if gone := self._forget():
            self._ownership.revoked(gone)

    def _on_lost(self, lost: Iterable[TopicPartition]) -> None:
        if gone := self._forget():
            self._ownership.lost(gone)

    def _forget(self) -> list[Partition]:
        """All partitions are given up at a rebalance."""
        self._rebalanced = True
        gone = sorted(self._book.lags)
        self._book.forget(gone)
        self._unproven.clear()
        return gone

    def _rewind(self, fetched: Mapping[TopicPartition, list[Any]]) -> None:
        for tp in fetched:
            if tp in self._book.next and self._consumer is not None:
                self._consumer.seek(tp, self._book.next[Partition(*tp)])

    def _prove(self) -> None:
        """Asks for the ends of partitions that were assigned, which says where new ones begin."""
        waiting = self._unproven & self._book.lags.keys()
        if not waiting or self._consumer is None or time.monotonic() - self._asked_s < _ASK_AGAIN_S:
            return
        self._asked_s = time.monotonic()
        found = self._ranges(sorted(waiting))
        if found is None:
            return
        self._unproven -= found.keys()
        for partition, (low, high) in found.items():
            if partition in self._book.unresolved:
                self._book.resolve(partition, low, high)
                self._consumer.seek(TopicPartition(*partition), self._book.next[partition])
                if partition not in self._book.paused:
                    self._consumer.resume(TopicPartition(*partition))
            elif partition in self._book.next and not low <= self._book.next[partition] <= high:
                self._book.lost_offset(partition, low, high)
                self._consumer.pause(TopicPartition(*partition))
            elif partition in self._book.next:
                self._book.learn({partition: Lag(self._book.next[partition], high)})

    def _ranges(self, partitions: list[Partition]) -> dict[Partition, tuple[int, int]] | None:
        """(first offset, offset after the last) that the broker has; None where it does not answer."""
        wanted = [TopicPartition(*p) for p in partitions]
        if self._consumer is None:
            return None
        try:
            low = self._consumer.beginning_offsets(wanted, timeout_ms=_ASK_BROKER_MS)
            high = self._consumer.end_offsets(wanted, timeout_ms=_ASK_BROKER_MS)
        except errors.KafkaError as e:
            _log.warning("kafka", extra={"reason": f"{e}; trying again"})
            return None
        return {Partition(*tp): (int(low[tp]), int(high[tp])) for tp in wanted}

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        mine = [p for p in partitions if p in self._book.lags]
        self._book.paused.update(mine)
        if mine and self._consumer is not None:
            self._consumer.pause(*(TopicPartition(*p) for p in mine))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        mine = [p for p in partitions if p in self._book.paused]
        self._book.paused.difference_update(mine)
        delivering = [TopicPartition(*p) for p in mine if p in self._book.next]
        if delivering and self._consumer is not None:
            self._consumer.resume(*delivering)

    def restart(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        if mine := [p for p in partitions if p in self._book.lags]:
            self._take(mine)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """See Source. The group's offsets are written in the background; nothing reads them but tools."""
        offsets = {
            TopicPartition(*p): OffsetAndMetadata(offset, "", -1)
            for p, offset in positions.items()
            if p in self._book.next
        }
        if not offsets or self._consumer is None:
            return
        try:
            self._consumer.commit_async(offsets)
        except errors.KafkaError as e:
            _log.warning("offsets not committed to Kafka", extra={"reason": str(e)})

    def _learn_lags(self) -> None:
        if self._consumer is None:
            return
        found: dict[Partition, Lag] = {}
        for partition, position in self._book.next.items():
            known = self._book.lags[partition]
            if known.end is None:
                continue  # What the client remembers may be of an earlier assignment.
            high = self._consumer.highwater(TopicPartition(*partition)) or 0
            end = max(known.end, high, position)
            if position < end:
                # Past transaction markers, which are no messages, the client is further than the last one.
                at = self._consumer.position(TopicPartition(*partition), timeout_ms=0)
                position = max(position, at) if at is not None and at >= end else position
            found[partition] = Lag(position, end)
        self._book.learn(found)

    def lags(self) -> Mapping[Partition, Lag]:
        """See Source."""
        return self._book.lags

    def close(self) -> None:
        """See Source."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._consumer is not None:
                self._consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)
        except errors.KafkaError as e:
            _log.warning("kafka", extra={"reason": f"while closing: {e}"})
        # Where closing did not call back (the broker is away), nothing is left out.
        if left := sorted(self._book.lags):
            self._book.forget(left)
            self._ownership.revoked(left)
