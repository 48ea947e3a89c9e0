"""Sending messages to where the job reads them: into the log of a configuration, or without one straight into
the store.

Either way what is sent twice counts once: labels are joined by their id or key, events told apart by their
source and id. A load into the store that was killed goes on where it stood: its progress is kept under a name
made from what it loads.
"""

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.clock import Clock, WallClock
from monitor.config import Config
from monitor.config.model import FilesConfig, IngestConfig, SourceConfig
from monitor.errors import SourceError, StoreBusy
from monitor.ingest.events.decode import EventDecoder
from monitor.ingest.label_files import LabelColumns, read_labels
from monitor.ingest.labels import LabelDecoder
from monitor.ingest.source import Chunk
from monitor.ingest.spool import DurableLog
from monitor.inputs import open_log, open_source
from monitor.job.job import Job
from monitor.job.report import CommittedFlush
from monitor.records import Carries, DeadLetter, Partition
from monitor.service import job_settings, owner_name
from monitor.store import ownership
from monitor.store.store import Store

__all__ = ["Loaded", "load_labels", "send_events"]

_PATIENCE_S = 60.0
_RETRY_S = 0.5


@dataclass(slots=True)
class Loaded:
    """How many messages were taken, and how many are none, by reason. `where` they went: None for the
    store itself; `before`: the store had all or some of them from the same files already."""

    where: str | None = None
    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    before: bool = False

    def committed(self, flush: CommittedFlush) -> None:
        """What the store itself refuses is refused too: it knows more than a message by itself tells."""
        again = Counter(flush.dead) - self.refused
        self.refused += again
        self.taken -= again.total()


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
    clock, loaded = clock or WallClock(), Loaded()
    stream = config.stream
    decoder = LabelDecoder(max_record_bytes=stream.max_record_bytes, max_ahead_ms=stream.max_ahead_ms)

    def batches() -> Iterator[list[bytes]]:
        before = 0
        for path in paths:
            read = 0
            for lines, read in read_labels(path, columns):
                decoded = decoder.decode(_chunk(lines, clock))
                _count(loaded, len(decoded.batch), decoded.dead)
                yield lines
                progress(before + read)
            before += read

    _send(config, Carries.LABELS, batches(), clock, loaded)
    return loaded


def send_events(config: Config, lines: Sequence[bytes], clock: Clock | None = None) -> Loaded:
    """Sends events, one CloudEvent in structured mode a line; what is none goes to the dead letters.

    Raises as `load_labels` does.
    """
    clock, loaded = clock or WallClock(), Loaded()
    stream = config.stream
    decoder = EventDecoder(max_record_bytes=stream.max_record_bytes, max_ahead_ms=stream.max_ahead_ms)
    decoded = decoder.decode(_chunk(lines, clock))
    _count(loaded, len(decoded.events), decoded.dead)
    _send(config, Carries.EVENTS, [list(lines)], clock, loaded)
    return loaded


def _chunk(lines: Sequence[bytes], clock: Clock) -> Chunk:
    n = len(lines)
    return Chunk(Partition("load", 0), lines, np.arange(n), n, np.full(n, clock.now_ms(), np.int64))


def _count(loaded: Loaded, taken: int, dead: Sequence[DeadLetter]) -> None:
    """Counts what the job will say of the messages."""
    loaded.taken += taken
    loaded.refused.update(letter.reason for letter in dead)


def _send(
    config: Config, carries: Carries, batches: Iterable[list[bytes]], clock: Clock, loaded: Loaded
) -> None:
    log = open_log(config, clock, carries)
    if log is None:
        _into_store(config, carries, batches, clock, loaded)
        return
    loaded.where = _name(config, carries)
    try:
        for lines in batches:
            _append(log, lines)
    finally:
        log.close()


def _name(config: Config, carries: Carries) -> str:
    if config.ingest.spool is not None:
        return str(config.ingest.spool.directory(carries))
    topics = () if config.source.kafka is None else config.source.kafka.topics_of
    return next(f"Kafka topic {names[0]}" for kind, _, names in topics if kind is carries)


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
    config: Config, carries: Carries, batches: Iterable[list[bytes]], clock: Clock, loaded: Loaded
) -> None:
    """Runs the job over the messages, written out as the directory of files that it can go on with."""
    with tempfile.TemporaryDirectory(prefix="monitor-") as temporary:
        staged = Path(temporary) / f"{carries}.jsonl"
        digest = hashlib.blake2b(digest_size=8)
        try:
            with staged.open("wb") as file:
                for lines in batches:
                    data = b"\n".join(lines) + b"\n"
                    digest.update(data)
                    file.write(data)
        except OSError as e:
            raise SourceError(f"{temporary}: {e.strerror}; free some space, or set TMPDIR") from e
        directory = Path(temporary) / f"{carries}-load-{digest.hexdigest()}"
        directory.mkdir()
        staged.rename(directory / staged.name)
        files = FilesConfig(path=directory, pattern="*.jsonl", lanes=1)
        source = SourceConfig.model_validate({carries.value: files})
        only = config.model_copy(update={"source": source, "ingest": IngestConfig()})
        store = Store.open(only.store)
        try:
            loaded.before = bool(ownership.list_files(store, directory.name))
            # The job and no more: whoever runs the service evaluates alerts, and drops what is too old.
            open_it = open_source(only, clock, follow=False)
            settings = job_settings(only, owner_name())
            Job(store, open_it, settings, clock, observers=(loaded,)).run(until_caught_up=True)
        finally:
            store.close()
