"""What the Kafka clients share: opening, the book of positions, and sentences about what went wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from monitor.errors import ConfigError, OffsetGone
from monitor.ingest.source import Lag, Ownership, Source, Start
from monitor.records import Partition

if TYPE_CHECKING:
    from monitor.ingest.spool import DurableLog

__all__ = ["Book", "Patience", "check_options", "offset_gone", "open_kafka", "open_sink"]

# What the source has to decide by itself, with the value it has, and where else it is said.
_OURS = {
    "bootstrap.servers": "use source.kafka.bootstrap_servers",
    "metadata.broker.list": "use source.kafka.bootstrap_servers",
    "group.id": "use source.kafka.group_id",
    "auto.offset.reset": "use source.kafka.start",
    "enable.auto.commit": "must stay false: the store keeps the offsets",
    "enable.auto.offset.store": "must stay false: the store keeps the offsets",
    "enable.partition.eof": "must stay true: the lag is learnt from it",
    "partition.assignment.strategy": "must stay as it is: all partitions are given up at a rebalance",
    "group.protocol": "must stay classic: all partitions are given up at a rebalance",
}


def offset_gone(partition: Partition, position: int | None, low: int, high: int) -> OffsetGone:
    """The error for a position that the log no longer has, or does not have yet."""
    return OffsetGone(
        f"{partition}: the next record is at offset {position}, but the broker has {low} to {high}; "
        f"decide about the gap, then run `monitor offsets reset --topic {partition.topic} "
        f"--partition {partition.number} --to {low} --reason ..`",
        partition,
    )


def check_options(options: Mapping[str, Any]) -> None:
    """Raises ConfigError naming each option that is not for the user to set."""
    problems = [f"source.kafka.options.{name}: {_OURS[name]}" for name in options if name in _OURS]
    if problems:
        raise ConfigError(problems)


class Patience:
    """Tells a mistake from a broker that is away and comes back: both look alike for a while.

    As long as nothing ever worked it is a mistake at once, afterwards only when it lasts.
    """

    _SECONDS = 30.0

    def __init__(self) -> None:
        self._worked = False
        self._since_s: float | None = None

    def works(self) -> None:
        """The broker gave what it was asked for."""
        self._worked, self._since_s = True, None

    def is_over(self, now_s: float) -> bool:
        """Whether an error that may pass is to be taken as one that will not."""
        self._since_s = now_s if self._since_s is None else self._since_s
        return not self._worked or now_s - self._since_s > self._SECONDS


class Book:
    """Where each partition that is owned is read, and what is known of its end.

    `next` has the partitions that deliver. A partition without a stored position is `unresolved` until
    the broker has said where its log begins and ends. Lags are read by other threads: `lags` is replaced
    and never changed.
    """

    def __init__(self, start: Literal["earliest", "latest"]) -> None:
        self.next: dict[Partition, int] = {}
        self.unresolved: set[Partition] = set()
        self.paused: set[Partition] = set()
        self.lags: Mapping[Partition, Lag] = {}
        self._start = start
        self._gone: list[OffsetGone] = []

    def assigned(self, starts: Mapping[Partition, Start]) -> None:
        """Notes where partitions are read on; what was known of them is forgotten."""
        self.forget(starts)
        for partition, start in starts.items():
            if start.position is None:
                self.unresolved.add(partition)
            else:
                self.next[partition] = start.position
        # Nothing is known of the end: a partition counts as caught up only after the broker said so.
        known = {p: Lag(self.next.get(p, 0), None) for p in starts}
        self.lags = {**self.lags, **known}

    def resolve(self, partition: Partition, low: int, high: int) -> None:
        """Decides where a partition begins of which the store knows nothing."""
        self.unresolved.discard(partition)
        position = low if self._start == "earliest" else high
        self.next[partition] = position
        self.lags = {**self.lags, partition: Lag(position, high)}

    def lost_offset(self, partition: Partition, low: int, high: int) -> None:
        """The log does not have the next record: the partition delivers nothing more."""
        if partition in self.next:
            self._gone.append(offset_gone(partition, self.next.pop(partition), low, high))

    def learn(self, lags: Mapping[Partition, Lag]) -> None:
        """Notes lags of partitions that are still owned."""
        self.lags = {**self.lags, **{p: lag for p, lag in lags.items() if p in self.next}}

    def forget(self, partitions: Iterable[Partition]) -> None:
        gone = set(partitions)
        for partition in gone:
            self.next.pop(partition, None)
        self.unresolved -= gone
        self.paused -= gone
        self.lags = {p: lag for p, lag in self.lags.items() if p not in gone}

    def raise_gone(self) -> None:
        """Raises each OffsetGone once."""
        if self._gone:
            raise self._gone.pop(0)


def open_kafka(
    client: Literal["confluent", "kafka-python"],
    topics: Sequence[str],
    group_id: str,
    ownership: Ownership,
    *,
    bootstrap_servers: str,
    options: Mapping[str, str],
    start: Literal["earliest", "latest"],
    event_topics: Sequence[str] = (),
) -> Source:
    """A source on the client asked for; of its topics the `event_topics` carry events.

    Raises ConfigError for options that the client does not know."""
    from monitor.ingest.kafka_confluent import ConfluentSource

    if client == "kafka-python":
        from monitor.ingest.kafka_python import KafkaPythonSource

        make: type[KafkaPythonSource | ConfluentSource] = KafkaPythonSource
    else:
        make = ConfluentSource
    return make(
        topics,
        group_id,
        ownership,
        bootstrap_servers=bootstrap_servers,
        options=options,
        start=start,
        event_topics=event_topics,
    )


def open_sink(bootstrap_servers: str, topic: str, options: Mapping[str, str]) -> "DurableLog":
    """Where posted records become durable in Kafka."""
    from monitor.ingest.kafka_sink import KafkaSink

    return KafkaSink(bootstrap_servers, topic, options)
