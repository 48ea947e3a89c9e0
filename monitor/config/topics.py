"""What the streams of a configuration are called in the store, and which of them carry labels.

Progress is kept by these names, so no two streams may share one.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.config.document import Location
from monitor.config.model import Config

__all__ = ["LABEL_SPOOL", "RECORD_SPOOL", "label_topics", "named_streams", "topic_of"]

RECORD_SPOOL = "http-spool"
LABEL_SPOOL = "http-labels-spool"


def topic_of(directory: Path) -> str:
    """The name of a directory of files as a stream."""
    return directory.name or os.path.basename(os.path.abspath(directory))


def named_streams(config: Config) -> Iterator[tuple[Location, str, bool]]:
    """Every stream: the key that names it, its name, and whether it carries labels."""
    kafka, files, labels = config.source.kafka, config.source.files, config.source.labels
    if kafka is not None:
        for topic in kafka.topics:
            yield ("source", "kafka", "topics"), topic, False
        for topic in kafka.label_topics:
            yield ("source", "kafka", "label_topics"), topic, True
    if config.ingest.spool is not None:
        yield ("ingest", "spool"), RECORD_SPOOL, False
        yield ("ingest", "spool"), LABEL_SPOOL, True
    if files is not None:
        yield ("source", "files", "path"), topic_of(files.path), False
    if labels is not None:
        yield ("source", "labels", "path"), topic_of(labels.path), True


def label_topics(config: Config) -> frozenset[str]:
    """The names of the streams that carry labels."""
    return frozenset(name for _, name, labels in named_streams(config) if labels)
