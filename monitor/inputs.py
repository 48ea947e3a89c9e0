"""What a configuration reads from and posts to: Kafka, directories of files, spools of what was posted."""

from collections.abc import Callable
from pathlib import Path

from monitor.clock import Clock
from monitor.config import Config
from monitor.config.topics import SPOOLS, topic_of
from monitor.errors import ConfigError
from monitor.ingest.files import DirectorySource
from monitor.ingest.kafka import open_kafka, open_sink
from monitor.ingest.several import SeveralSources
from monitor.ingest.source import Ownership, Source
from monitor.ingest.spool import DurableLog, Spool
from monitor.records import Carries

__all__ = ["open_log", "open_logs", "open_source"]

_SPOOL_LANES = 4


def open_source(config: Config, clock: Clock, follow: bool = True) -> Callable[[Ownership], Source]:
    """A function that opens the configured sources for their owner."""
    max_record_bytes = config.stream.max_record_bytes

    def directory(path: Path, pattern: str, lanes: int, name: str, ownership: Ownership) -> Source:
        return DirectorySource(
            path,
            ownership,
            clock=clock,
            lanes=lanes,
            name=name,
            pattern=pattern,
            follow=follow,
            max_record_bytes=max_record_bytes,
        )

    def opened(ownership: Ownership) -> Source:
        sources: list[Source] = []
        kafka, spool = config.source.kafka, config.ingest.spool
        if kafka is not None:
            sources.append(
                open_kafka(
                    kafka.client,
                    [*kafka.topics, *kafka.label_topics, *kafka.event_topics],
                    kafka.group_id,
                    ownership,
                    bootstrap_servers=kafka.bootstrap_servers,
                    options=kafka.options,
                    start=kafka.start,
                    event_topics=kafka.event_topics,
                )
            )
        for _, _, files in config.source.directories:
            name = topic_of(files.path)
            sources.append(directory(files.path, files.pattern, files.lanes, name, ownership))
        if spool is not None:
            for carries, name in SPOOLS.items():
                path = spool.directory(carries)
                path.mkdir(parents=True, exist_ok=True)
                sources.append(directory(path, "*.jsonl", _SPOOL_LANES, name, ownership))
        if not sources:
            raise ConfigError(
                ["source: name a source, kafka or files, or an ingest.spool to post records to"]
            )
        return sources[0] if len(sources) == 1 else SeveralSources(sources)

    return opened


def open_log(config: Config, clock: Clock, carries: Carries) -> DurableLog | None:
    """Where what is posted of a kind goes: its spool, else the kind's first Kafka topic, else nowhere."""
    spool, kafka = config.ingest.spool, config.source.kafka
    if spool is not None:
        return Spool(spool.directory(carries), max_bytes=spool.max_bytes, clock=clock)
    for kind, _, topics in () if kafka is None else kafka.topics_of:
        if kafka is not None and kind is carries and topics:
            return open_sink(kafka.bootstrap_servers, topics[0], kafka.options)
    return None


def open_logs(config: Config, clock: Clock) -> dict[Carries, DurableLog]:
    """Where what is posted goes, of those kinds that are taken."""
    opened = ((carries, open_log(config, clock, carries)) for carries in Carries)
    return {carries: log for carries, log in opened if log is not None}
