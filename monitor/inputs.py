"""What a configuration reads from and posts to: Kafka, directories of files, spools of what was posted."""

from collections.abc import Callable
from pathlib import Path

from monitor.clock import Clock
from monitor.config import Config
from monitor.config.topics import LABEL_SPOOL, RECORD_SPOOL, topic_of
from monitor.errors import ConfigError
from monitor.ingest.files import DirectorySource
from monitor.ingest.kafka import open_kafka, open_sink
from monitor.ingest.several import SeveralSources
from monitor.ingest.source import Ownership, Source
from monitor.ingest.spool import DurableLog, Spool

__all__ = ["open_label_log", "open_log", "open_source"]

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
                    [*kafka.topics, *kafka.label_topics],
                    kafka.group_id,
                    ownership,
                    bootstrap_servers=kafka.bootstrap_servers,
                    options=kafka.options,
                    start=kafka.start,
                )
            )
        for files in (config.source.files, config.source.labels):
            if files is not None:
                name = topic_of(files.path)
                sources.append(directory(files.path, files.pattern, files.lanes, name, ownership))
        if spool is not None:
            for path, name in ((spool.path, RECORD_SPOOL), (spool.labels_path, LABEL_SPOOL)):
                path.mkdir(parents=True, exist_ok=True)
                sources.append(directory(path, "*.jsonl", _SPOOL_LANES, name, ownership))
        if not sources:
            raise ConfigError(
                ["source: name a source, kafka or files, or an ingest.spool to post records to"]
            )
        return sources[0] if len(sources) == 1 else SeveralSources(sources)

    return opened


def open_log(config: Config, clock: Clock) -> DurableLog | None:
    """Where posted records go: the spool, else the first Kafka topic, else nowhere."""
    spool, kafka = config.ingest.spool, config.source.kafka
    if spool is not None:
        return Spool(spool.path, max_bytes=spool.max_bytes, clock=clock)
    if kafka is not None:
        return open_sink(kafka.bootstrap_servers, kafka.topics[0], kafka.options)
    return None


def open_label_log(config: Config, clock: Clock) -> DurableLog | None:
    """Where posted labels go: the labels' spool, else the first Kafka label topic, else nowhere."""
    spool, kafka = config.ingest.spool, config.source.kafka
    if spool is not None:
        return Spool(spool.labels_path, max_bytes=spool.max_bytes, clock=clock)
    if kafka is not None and kafka.label_topics:
        return open_sink(kafka.bootstrap_servers, kafka.label_topics[0], kafka.options)
    return None
