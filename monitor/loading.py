"""Loading files of labels: into the log that the job reads, or without one straight into the store.

Either way a label that is loaded twice counts once, for it is joined by its id or key. A load into the store
that was killed goes on where it stood: its progress is kept under a name made from what it loads.
"""

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.clock import Clock, WallClock
from monitor.config import Config
from monitor.config.model import FilesConfig, IngestConfig, SourceConfig
from monitor.errors import SourceError, StoreBusy
from monitor.ingest.label_files import LabelColumns, read_labels
from monitor.ingest.labels import LabelDecoder
from monitor.ingest.source import Chunk
from monitor.ingest.spool import DurableLog
from monitor.inputs import open_label_log, open_source
from monitor.job.job import Job
from monitor.records import Partition
from monitor.service import job_settings, owner_name
from monitor.store import ownership
from monitor.store.store import Store

__all__ = ["Loaded", "load_labels"]

_PATIENCE_S = 60.0
_RETRY_S = 0.5
_PREFIX = "labels-load"


@dataclass(slots=True)
class Loaded:
    """How many labels were sent, and how many messages are none, by reason. `where` they went: None for the
    store itself; `before`: the store had all or some of them from the same files already."""

    where: str | None = None
    labels: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    before: bool = False


def load_labels(
    config: Config,
    paths: Sequence[Path],
    columns: LabelColumns,
    clock: Clock | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Loads the files in order. `progress` is told how many of their bytes were read.

    Raises SourceError where a file can't be read, and StoreBusy where the log takes nothing for a minute:
    what was sent until then stays, and the same files may be loaded again.
    """
    clock = clock or WallClock()
    log = open_label_log(config, clock)
    if log is None:
        return _into_store(config, paths, columns, clock, progress)
    loaded = Loaded(_name(config))
    try:
        for lines in _counted(config, paths, columns, clock, progress, loaded):
            _append(log, lines)
    finally:
        log.close()
    return loaded


def _name(config: Config) -> str:
    spool, kafka = config.ingest.spool, config.source.kafka
    if spool is not None:
        return str(spool.labels_path)
    return f"Kafka topic {kafka.label_topics[0]}" if kafka is not None else ""


def _counted(
    config: Config,
    paths: Sequence[Path],
    columns: LabelColumns,
    clock: Clock,
    progress: Callable[[int], None],
    loaded: Loaded,
) -> Iterator[list[bytes]]:
    """The messages of all files; what the job will say of them is counted on the way."""
    stream = config.stream
    decoder = LabelDecoder(max_record_bytes=stream.max_record_bytes, max_ahead_ms=stream.max_ahead_ms)
    before = 0
    for path in paths:
        read = 0
        for lines, read in read_labels(path, columns):
            n = len(lines)
            append_ms = np.full(n, clock.now_ms(), np.int64)
            decoded = decoder.decode(Chunk(Partition(_PREFIX, 0), lines, np.arange(n), n, append_ms))
            loaded.labels += len(decoded.batch)
            loaded.refused.update(letter.reason for letter in decoded.dead)
            yield lines
            progress(before + read)
        before += read


def _append(log: DurableLog, lines: list[bytes]) -> None:
    """Appends, waiting for room while the job reads. Raises StoreBusy when there is none for long."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            log.append(lines)
            return
        except StoreBusy:
            if time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)


def _into_store(
    config: Config,
    paths: Sequence[Path],
    columns: LabelColumns,
    clock: Clock,
    progress: Callable[[int], None],
) -> Loaded:
    """Runs the job over the labels, written out as the directory of files that it can go on with."""
    loaded = Loaded()
    with tempfile.TemporaryDirectory(prefix="monitor-") as temporary:
        staged = Path(temporary) / "labels.jsonl"
        digest = hashlib.blake2b(digest_size=8)
        try:
            with staged.open("wb") as file:
                for lines in _counted(config, paths, columns, clock, progress, loaded):
                    data = b"\n".join(lines) + b"\n"
                    digest.update(data)
                    file.write(data)
        except OSError as e:
            raise SourceError(f"{temporary}: {e.strerror}; free some space, or set TMPDIR") from e
        directory = Path(temporary) / f"{_PREFIX}-{digest.hexdigest()}"
        directory.mkdir()
        staged.rename(directory / staged.name)
        source = SourceConfig(labels=FilesConfig(path=directory, pattern="*.jsonl", lanes=1))
        only = config.model_copy(update={"source": source, "ingest": IngestConfig()})
        store = Store.open(only.store)
        try:
            loaded.before = bool(ownership.list_files(store, directory.name))
            # The job and no more: whoever runs the service evaluates alerts, and drops what is too old.
            open_it = open_source(only, clock, follow=False)
            Job(store, open_it, job_settings(only, owner_name()), clock).run(until_caught_up=True)
        finally:
            store.close()
    return loaded
