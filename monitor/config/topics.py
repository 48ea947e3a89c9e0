"""What the streams of a configuration are called in the store, and what they carry.

Progress is kept by these names, so no two streams may share one.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config.document import Location
from monitor.config.model import Config
from monitor.records import Carries

__all__ = ["SPOOLS", "named_streams", "streams", "topic_of"]

# The names of the streams of what was posted.
SPOOLS: Mapping[Carries, str] = {
    Carries.RECORDS: "http-spool",
    Carries.LABELS: "http-labels-spool",
    Carries.EVENTS: "http-events-spool",
}


def topic_of(directory: Path) -> str:
    """The name of a directory of files as a stream."""
    return directory.name or os.path.basename(os.path.abspath(directory))


def named_streams(config: Config) -> Iterator[tuple[Location, str, Carries]]:
    """Every stream: the key that names it, its name, and what it carries."""
    if (kafka := config.source.kafka) is not None:
        for carries, key, topics in kafka.topics_of:
            for topic in topics:
                yield ("source", "kafka", key), topic, carries
    if config.ingest.spool is not None:
        for carries, name in SPOOLS.items():
            yield ("ingest", "spool"), name, carries
    for carries, key, files in config.source.directories:
        yield ("source", key, "path"), topic_of(files.path), carries


def streams(config: Config) -> dict[str, Carries]:
    """What each stream carries, by its name."""
    return {name: carries for _, name, carries in named_streams(config)}
