"""Kafka through confluent-kafka (librdkafka): the default client, and the fast one."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitor.errors import OffsetGone, SourceError
from monitor.ingest.kafka import check_start, offset_gone, what_to_do
from monitor.ingest.source import Chunk, Lag, Ownership, Start
from monitor.records import Partition

__all__ = ["ConfluentSource"]

_log = logging.getLogger(__name__)
_ASK_BROKER_S = 10.0
_LAG_EVERY_S = 0.2
_FINAL = {
    KafkaError._FATAL,
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.INVALID_GROUP_ID,
}
_DEFAULTS: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    # All partitions are given up at a rebalance, so that one assign() says where each is read from.
    "partition.assignment.strategy": "range,roundrobin",
    "fetch.min.bytes": 65_536,
    "fetch.wait.max.ms": 100,
    "queued.max.messages.kbytes": 65_536,
    "queued.min.messages": 100_000,
}
_FIXED = (
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "enable.partition.eof",
    "partition.assignment.strategy",
)


class ConfluentSource:
    """The topics as a source. `options` are librdkafka properties, such as those for TLS and SASL.

    `start` says where a partition begins of which the store knows nothing.
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
    ) -> None:
        """Raises ConfigError for options that can't be; connects in the background."""
        self._ownership = ownership
        self._start = start
        self._next: dict[Partition, int] = {}
        self._lags: dict[Partition, Lag] = {}
        self._lags_at_s = 0.0
        self._gone: list[OffsetGone] = []
        self._final: SourceError | None = None
        self._rebalanced = False
        self._closed = False
        self._consumer = Consumer(
            check_start(
                {
                    **_DEFAULTS,
                    **(options or {}),
                    "bootstrap.servers": bootstrap_servers,
                    "group.id": group_id,
                    "error_cb": self._on_error,
                },
                {name: _DEFAULTS[name] for name in _FIXED},
            ),
            logger=logging.getLogger("librdkafka"),
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        """See Source."""
        self._raise_pending()
        self._rebalanced = False
        try:
            messages = self._consumer.consume(max_records, timeout_s)
        except KafkaException as e:
            raise SourceError(_sentence(e.args[0])) from e
        if self._rebalanced:
            # What was fetched before partitions changed hands may be read by another owner already:
            # everything is fetched anew from where it was handed out to.
            if self._next:
                self._assign()
            messages = []
        chunks = self._chunks(messages)
        self._learn_lags()
        if not chunks:
            self._raise_pending()
        return chunks

    def _raise_pending(self) -> None:
        if self._final is not None:
            raise self._final
        if self._gone:
            raise self._gone.pop()

    def _chunks(self, messages: list[Message]) -> list[Chunk]:
        if not messages:
            return []
        if any(map(Message.error, messages)):
            messages = [m for m in messages if not self._noted(m)]
        groups: defaultdict[Any, list[Message]] = defaultdict(list)
        keys = zip(map(Message.topic, messages), map(Message.partition, messages), strict=True)
        for key, message in zip(keys, messages, strict=True):
            groups[key].append(message)
        chunks = (self._chunk(Partition(*key), group) for key, group in groups.items())
        return [chunk for chunk in chunks if chunk is not None]

    def _chunk(self, partition: Partition, messages: list[Message]) -> Chunk | None:
        if partition not in self._next:
            return None
        n = len(messages)
        positions = np.fromiter(map(Message.offset, messages), np.int64, n)
        times = [ms for _, ms in map(Message.timestamp, messages)]
        append_ms = np.fromiter(times, np.int64, n)
        if (append_ms <= 0).any():
            append_ms[append_ms <= 0] = time.time_ns() // 1_000_000
        values = [b"" if v is None else v for v in map(Message.value, messages)]
        self._next[partition] = int(positions[-1]) + 1
        return Chunk(partition, values, positions, int(positions[-1]) + 1, append_ms)

    def _noted(self, message: Message) -> bool:
        """Takes note of an event among the messages; False where it is a record after all."""
        error: Any = message.error()
        if error is None:
            return False
        partition = Partition(str(message.topic()), int(message.partition() or 0))
        if error.code() == KafkaError._PARTITION_EOF:
            if partition in self._next:
                # Past transaction markers, which are no messages, the end is further than the last one.
                end = max(int(message.offset() or 0), self._next[partition])
                self._lags[partition] = Lag(end, end)
        elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            position = self._next.pop(partition, None)
            low, high = self._range(partition)
            self._gone.append(offset_gone(partition, position, low, high))
        else:
            self._on_error(error)
        return True

    def _on_error(self, error: KafkaError) -> None:
        sentence = _sentence(error)
        if error.fatal() or error.code() in _FINAL:
            self._final = SourceError(sentence)
        else:
            _log.warning("kafka", extra={"reason": sentence})

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        self._rebalanced = True
        self._take(self._ownership.assigned([Partition(p.topic, p.partition) for p in assigned]))

    def _take(self, starts: Mapping[Partition, Start]) -> None:
        for partition, start in starts.items():
            low, high = self._range(partition)
            position = start.position
            if position is None:
                position = low if self._start == "earliest" else high
            self._lags[partition] = Lag(position, high)
            if low <= position <= high:
                self._next[partition] = position
            else:
                self._gone.append(offset_gone(partition, position, low, high))
        self._assign()

    def _range(self, partition: Partition) -> tuple[int, int]:
        """(first offset, offset after the last) that the broker has. Blocks for seconds at most."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), _ASK_BROKER_S)
        except KafkaException as e:
            raise SourceError(f"{partition}: {_sentence(e.args[0])}") from e
        return int(low), int(high)

    def _assign(self) -> None:
        self._consumer.assign([TopicPartition(*p, offset) for p, offset in self._next.items()])

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        self._ownership.revoked(self._forget(revoked))

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        self._ownership.lost(self._forget(lost))

    def _forget(self, partitions: list[TopicPartition]) -> list[Partition]:
        self._rebalanced = True
        gone = [Partition(p.topic, p.partition) for p in partitions]
        for partition in gone:
            self._next.pop(partition, None)
            self._lags.pop(partition, None)
        return gone

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        self._consumer.pause([TopicPartition(*p) for p in partitions if p in self._next])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        self._consumer.resume([TopicPartition(*p) for p in partitions if p in self._next])

    def restart(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        self._take(self._ownership.assigned([p for p in partitions if p in self._lags]))

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """See Source. The group's offsets are written in the background; nothing reads them but tools."""
        offsets = [TopicPartition(*p, offset) for p, offset in positions.items() if p in self._next]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as e:
            _log.warning("offsets not committed to Kafka", extra={"reason": _sentence(e.args[0])})

    def _learn_lags(self) -> None:
        now_s = time.monotonic()
        if now_s - self._lags_at_s < _LAG_EVERY_S:
            return
        self._lags_at_s = now_s
        for partition, position in self._next.items():
            known = self._lags[partition]
            offsets = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
            end = max(known.end or 0, int(offsets[1]) if offsets is not None else 0)
            self._lags[partition] = Lag(max(position, known.position), end)

    def lags(self) -> Mapping[Partition, Lag]:
        """See Source."""
        return dict(self._lags)

    def close(self) -> None:
        """See Source."""
        if self._closed:
            return
        self._closed = True
        owned = [Partition(p.topic, p.partition) for p in self._consumer.assignment()] or list(self._lags)
        self._consumer.close()
        # Where closing did not call back (an assignment that was lost meanwhile), nothing is left out.
        left = [p for p in owned if p in self._lags]
        if left:
            self._ownership.revoked(left)
            for partition in left:
                del self._lags[partition]


def _sentence(error: KafkaError) -> str:
    return f"kafka: {error.str()}{what_to_do(error.name())}"
