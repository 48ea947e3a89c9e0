"""Kafka through confluent-kafka (librdkafka): the default client, and the fast one."""

import gc
import logging
import operator
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitor.clock import Clock, WallClock
from monitor.errors import ConfigError, SourceError
from monitor.ingest.events.cloudevents import in_structured_mode
from monitor.ingest.kafka import Book, Patience, check_options
from monitor.ingest.kafka_advice import what_to_do
from monitor.ingest.source import Chunk, Lag, Ownership
from monitor.records import Ints, Partition

__all__ = ["ConfluentSource"]

_log = logging.getLogger(__name__)
_ASK_BROKER_S = 5.0
_ASK_AGAIN_S = 1.0
_FILL_S = 0.05
_LAG_EVERY_S = 0.2
_MISTAKES = {
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.INVALID_GROUP_ID,
}
_FINAL = {
    KafkaError._FATAL,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
}
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}
_DEFAULTS: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    # All partitions are given up at a rebalance, so that one assign() says where each is read from.
    "partition.assignment.strategy": "range,roundrobin",
    "fetch.min.bytes": 65_536,
    "fetch.wait.max.ms": 100,
    # What is fetched ahead is all the memory that the client takes, whatever the lag.
    "queued.max.messages.kbytes": 65_536,
    "queued.min.messages": 100_000,
    # The client's own second of pause when enough is fetched is longer than it takes us to eat it up.
    "fetch.queue.backoff.ms": 10,
}


class ConfluentSource:
    """The topics as a source. `options` are librdkafka properties, such as those for TLS and SASL.

    `start` says where a partition begins of which the store knows nothing. Of the `event_topics` CloudEvents
    in binary mode are handed out in structured mode.
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
        """Raises ConfigError for options that can't be; connects in the background."""
        check_options(options or {})
        self._ownership = ownership
        self._one_topic = len(topics) == 1 and not topics[0].startswith("^")
        self._clock = clock or WallClock()
        self._book = Book(start)
        self._event_topics = frozenset(event_topics)
        self._heard: set[Partition] = set()
        self._lags_at_s = self._asked_s = 0.0
        self._patience = Patience()
        self._final: SourceError | None = None
        self._rebalanced = self._closed = False
        settings = {**_DEFAULTS, **(options or {}), "bootstrap.servers": bootstrap_servers}
        settings |= {"group.id": group_id, "error_cb": self._on_error}
        try:
            self._consumer = Consumer(settings, logger=logging.getLogger("librdkafka"))
        except KafkaException as e:
            reason = e.args[0].str().removeprefix("Failed to create consumer: ")
            raise ConfigError([f"source.kafka.options: {reason}"]) from e
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        """See Source."""
        if self._closed:
            raise SourceError("kafka: the source is closed")
        self._raise_pending()
        self._rebalanced = False
        try:
            with _uncollected():
                messages = self._consume(max_records, timeout_s)
        except KafkaException as e:
            raise SourceError(_sentence(e.args[0])) from e
        if self._rebalanced and messages:
            # What was fetched before partitions changed hands may be read by another owner already:
            # everything is fetched anew from where it was handed out to.
            self._assign()
            messages = []
        chunks = self._chunks(messages)
        if self._resolve():
            self._assign()
        self._learn_lags(chunks)
        if not chunks:
            self._raise_pending()
        return chunks

    def _consume(self, max_records: int, timeout_s: float) -> list[Message]:
        """What has come, after the first message at once: consume() alone waits until all have come."""
        until = time.monotonic() + timeout_s
        messages: list[Message] = self._consumer.consume(max_records, min(timeout_s, _FILL_S))
        if not messages and not self._rebalanced and (left := until - time.monotonic()) > 0:
            messages = self._consumer.consume(1, left)
            if messages and max_records > 1:
                messages += self._consumer.consume(max_records - 1, 0.0)
        return messages

    def _raise_pending(self) -> None:
        if self._final is not None:
            raise self._final
        self._book.raise_gone()

    def _chunks(self, messages: list[Message]) -> list[Chunk]:
        if not messages:
            return []
        events: list[Message] = []
        if any(map(Message.error, messages)):
            events = [m for m in messages if m.error() is not None]
            messages = [m for m in messages if m.error() is None]
        groups: defaultdict[Partition, list[Message]] = defaultdict(list)
        for partition, run in _runs(messages, self._one_topic):
            groups[partition] += run
        chunks = [self._chunk(p, group) for p, group in groups.items() if p in self._book.next]
        for event in events:
            self._note(event)
        return chunks

    def _chunk(self, partition: Partition, messages: list[Message]) -> Chunk:
        n = len(messages)
        positions = _offsets(messages)
        times = map(operator.itemgetter(1), map(Message.timestamp, messages))
        append_ms = np.fromiter(times, np.int64, n)
        if (append_ms <= 0).any():
            append_ms[append_ms <= 0] = self._clock.now_ms()
        values: list[Any] = list(map(Message.value, messages))
        if not all(values):
            values = [v or b"" for v in values]
        if partition.topic in self._event_topics:
            values = [
                in_structured_mode(_headers(message), value)
                for message, value in zip(messages, values, strict=True)
            ]
        end = int(positions[-1]) + 1
        self._book.next[partition] = end
        self._heard.add(partition)
        self._patience.works()
        return Chunk(partition, values, positions, end, append_ms)

    def _note(self, event: Message) -> None:
        """What librdkafka tells among the messages."""
        error = event.error()
        partition = Partition(event.topic() or "", event.partition() or 0)
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._heard.add(partition)
            # Past transaction markers, which are no messages, the end is further than the last one.
            end = max(event.offset() or 0, self._book.next.get(partition, 0))
            self._book.learn({partition: Lag(end, end)})
        elif error.code() in _GONE:
            low, high = self._range(partition) or (-1, -1)
            self._book.lost_offset(partition, low, high)
        else:
            self._on_error(error)

    def _on_error(self, error: KafkaError) -> None:
        """Brokers that go and come back are the client's business; a mistake ends the reading."""
        sentence = _sentence(error)
        mistake = error.code() in _MISTAKES and self._patience.is_over(time.monotonic())
        if mistake or error.fatal() or error.code() in _FINAL:
            self._final = SourceError(sentence)
        else:
            _log.warning("kafka", extra={"reason": sentence})

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        self._rebalanced = True
        self._patience.works()
        self._take([Partition(p.topic, p.partition) for p in assigned])

    def _take(self, partitions: list[Partition]) -> None:
        self._heard.difference_update(partitions)
        self._book.assigned(self._ownership.assigned(partitions))
        self._asked_s = 0.0
        self._resolve()
        self._assign()

    def _resolve(self) -> bool:
        """Asks the broker where partitions begin that nobody has read yet; tries again where it is away."""
        if not self._book.unresolved or time.monotonic() - self._asked_s < _ASK_AGAIN_S:
            return False
        resolved = False
        for partition in sorted(self._book.unresolved):
            found = self._range(partition)
            if found is None:
                break
            self._book.resolve(partition, *found)
            resolved = True
        self._asked_s = time.monotonic()
        return resolved

    def _range(self, partition: Partition) -> tuple[int, int] | None:
        """(first offset, offset after the last) that the broker has; None where it does not answer."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), _ASK_BROKER_S)
        except KafkaException as e:
            _log.warning("kafka", extra={"reason": f"{partition}: {_sentence(e.args[0])}"})
            return None
        return int(low), int(high)

    def _assign(self) -> None:
        self._consumer.assign([TopicPartition(*p, offset) for p, offset in self._book.next.items()])
        if self._book.paused:
            self._consumer.pause([TopicPartition(*p) for p in self._book.paused if p in self._book.next])

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        self._ownership.revoked(self._forget(revoked))

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        self._ownership.lost(self._forget(lost))

    def _forget(self, partitions: list[TopicPartition]) -> list[Partition]:
        self._rebalanced = True
        # The client does not name the partitions that were not assigned, such as those without an offset.
        gone = {Partition(p.topic, p.partition) for p in partitions} | set(self._book.lags)
        self._book.forget(gone)
        return sorted(gone)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        mine = [p for p in partitions if p in self._book.lags]
        self._book.paused.update(mine)
        self._consumer.pause([TopicPartition(*p) for p in mine if p in self._book.next])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        mine = [p for p in partitions if p in self._book.paused]
        self._book.paused.difference_update(mine)
        self._consumer.resume([TopicPartition(*p) for p in mine if p in self._book.next])

    def restart(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        if mine := [p for p in partitions if p in self._book.lags]:
            self._take(mine)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """See Source. The group's offsets are written in the background; nothing reads them but tools."""
        offsets = [TopicPartition(*p, offset) for p, offset in positions.items() if p in self._book.next]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as e:
            _log.warning("offsets not committed to Kafka", extra={"reason": _sentence(e.args[0])})

    def _learn_lags(self, chunks: list[Chunk]) -> None:
        now_s = time.monotonic()
        ask = {chunk.partition for chunk in chunks} & self._book.next.keys()
        if now_s - self._lags_at_s >= _LAG_EVERY_S:
            self._lags_at_s = now_s
            # Of a partition that was just assigned the client still remembers an end of long ago.
            ask |= self._heard & self._book.next.keys()
        found: dict[Partition, Lag] = {}
        for partition in ask:
            known, position = self._book.lags[partition], self._book.next[partition]
            offsets = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
            end = max(known.end or 0, int(offsets[1]) if offsets is not None else 0, position)
            found[partition] = Lag(max(position, known.position), end)
        if found:
            self._book.learn(found)

    def lags(self) -> Mapping[Partition, Lag]:
        """See Source."""
        return self._book.lags

    def close(self) -> None:
        """See Source."""
        if self._closed:
            return
        self._closed = True
        self._consumer.close()
        # Where closing did not call back (an assignment that was lost meanwhile), nothing is left out.
        if left := sorted(self._book.lags):
            self._book.forget(left)
            self._ownership.revoked(left)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Messages are in no cycles, but come by the hundred thousand: the collector would look at each of them
    three times, for a third of what it costs to read them."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _runs(messages: list[Message], one_topic: bool) -> Iterator[tuple[Partition, list[Message]]]:
    """The messages of one partition after another, as they come from the broker: many at a time.

    With `one_topic` no message but the first of each run is asked for its topic.
    """
    n = len(messages)
    if not n:
        return
    changes = np.diff(np.fromiter(map(Message.partition, messages), np.int64, n)) != 0
    if not one_topic:
        topics = list(map(Message.topic, messages))
        changes |= np.fromiter(map(operator.ne, topics, topics[1:]), np.bool_, n - 1)
    for begin, end in pairwise((0, *(np.flatnonzero(changes) + 1).tolist(), n)):
        first = messages[begin]
        yield Partition(first.topic() or "", first.partition() or 0), messages[begin:end]


def _headers(message: Message) -> Iterable[tuple[str, bytes | str | None]]:
    found = message.headers() or ()
    return found.items() if isinstance(found, dict) else found


def _offsets(messages: list[Message]) -> Ints:
    """The offsets (int64), which are consecutive but for what compaction and transactions left out."""
    n = len(messages)
    first, last = messages[0].offset() or 0, messages[-1].offset() or 0
    if last - first == n - 1:
        return np.arange(first, first + n)
    return np.fromiter(map(Message.offset, messages), np.int64, n)


def _sentence(error: KafkaError) -> str:
    return f"kafka: {error.str()}{what_to_do(error.name())}"
