"""A raw log read by the job itself, as it came: alerts are evaluated while it is read, so that at each moment
nothing is known but what had come by then.

Between two evaluations only what is late makes a difference: a record of a window that was closed. So the log
is read in pieces that end before the first late line after a window has closed, and every hour, and all
windows that closed are evaluated after each. That gives what evaluating after every line would; budgets
alone, which count labels by the time of their predictions, may know of a label up to an hour too soon.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from monitor.backtest.arrivals import Arrival, arrivals
from monitor.backtest.pieces import Piece, pieces
from monitor.backtest.replay import Replay, Span
from monitor.baselines.stream import keep_references
from monitor.clock import StreamClock
from monitor.config import Config
from monitor.config.thresholds import counted_thresholds_ms
from monitor.errors import ConfigError, QueryError
from monitor.ingest.source import Chunk, Lag, Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.records import Carries, Partition
from monitor.service import job_settings
from monitor.sli.drift_dispersion import dispersion
from monitor.slo.settings import from_config
from monitor.slo.standing import Transition
from monitor.store import ownership
from monitor.store.store import Store

__all__ = ["replay_log"]

_RECORDS, _LABELS = Partition("log", 0), Partition("log-labels", 0)
_OWNER = "backtest"
_NO_LAG: Mapping[Partition, Lag] = MappingProxyType({})


def replay_log(
    configs: Sequence[Config], logs: Sequence[Path], labels: Sequence[Path], model: str | None = None
) -> tuple[Span, list[list[Transition]]]:
    """What the alerts of each configuration would have done while the files came in (JSON lines of records
    and of labels, plain or compressed), and from when to when. The log is read as the first of them says.

    Raises ConfigError for a file that is not there, SourceError for one that can't be read, and QueryError
    where there is no record in them.
    """
    missing = [str(path) for path in (*logs, *labels) if not path.is_file()]
    if missing:
        raise ConfigError([f"{path}: there is no such file" for path in missing])
    settings = _settings(configs, bool(labels))
    came = arrivals(logs, labels, settings.max_record_bytes)
    with tempfile.TemporaryDirectory(prefix="monitor-backtest-") as directory:
        store = Store.open(f"sqlite:///{Path(directory) / 'm.db'}")
        try:
            return _replayed(store, configs, settings, came, model)
        finally:
            store.close()


def _settings(configs: Sequence[Config], labels: bool) -> JobSettings:
    """The job's settings, with all that any of the rules need counted."""
    settings = job_settings(configs[0], _OWNER)
    thresholds = {value for config in configs for value in counted_thresholds_ms(config)}
    carries = {_LABELS.topic: Carries.LABELS}
    samples = replace(settings.samples, per_window=0)  # nobody will look at them
    return replace(
        settings, samples=samples, thresholds_ms=tuple(sorted(thresholds)), carries=carries, pairs=labels
    )


def _replayed(
    store: Store,
    configs: Sequence[Config],
    settings: JobSettings,
    came: Iterable[Arrival],
    model: str | None,
) -> tuple[Span, list[list[Transition]]]:
    replays: list[Replay] = []
    from_s = 0
    for piece in _read(store, settings, came):
        newest_ms, closed_ms = _marks(store)
        if newest_ms is None:
            continue
        if not replays:
            from_s = _first_s(piece, newest_ms, settings)
            replays = [Replay(store, from_config(config), from_s, model) for config in configs]
        if piece.closes and closed_ms is not None:
            for replay in replays:
                replay.until(closed_ms // 1000)
            # What was not there yet must not be known: the reference of the first windows comes after them.
            keep_references(store, settings.features_s, closed_ms, dispersion)
    newest_ms, _ = _marks(store)
    if newest_ms is None:
        raise QueryError("--log: no line of the files is a record; give the log of inferences, JSON lines")
    span = Span(from_s, (newest_ms // 1000 // settings.service_s + 1) * settings.service_s)
    for replay in replays:
        replay.until(span.to_s)
    return span, [replay.transitions for replay in replays]


def _read(store: Store, settings: JobSettings, came: Iterable[Arrival]) -> Iterator[Piece]:
    """Has the job take the log piece by piece; each is committed when it is passed on."""
    clock = StreamClock()
    feed = _Feed((_RECORDS, _LABELS) if settings.pairs else (_RECORDS,))
    job: Job | None = None
    try:
        for piece in pieces(came, settings):
            clock.advance_to(piece.came_ms)
            # Not before: what it counts is counted from the clock's time on.
            job = job or Job(store, feed.opened, settings, clock)
            feed.give(_RECORDS, piece.records)
            feed.give(_LABELS, piece.labels)
            while not feed.empty:
                job.step()
            job.flush()
            yield piece
    finally:
        if job is not None:
            job.close()


def _marks(store: Store) -> tuple[int | None, int | None]:
    """The highest timestamp of the records so far, and their watermark, ms."""
    marks = next((p.marks for p in ownership.list_progress(store, Carries.RECORDS)), None)
    return (None, None) if marks is None else (marks.high1_ms, marks.watermark_ms)


def _first_s(piece: Piece, newest_ms: int, settings: JobSettings) -> int:
    """The begin of the first base window that is evaluated: that in which the stream was when it began. What
    came late of earlier ones is not evaluated any more, and a clock that was years behind does not make the
    log longer."""
    came = [a.came_ms for a in piece.records]
    begin_ms = min((ms for ms in came if 0 <= newest_ms - ms <= settings.lateness_ms), default=newest_ms)
    return begin_ms // 1000 // settings.service_s * settings.service_s


class _Feed:
    """A source that hands out what it is given."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._owner: Ownership | None = None
        self._waiting: dict[Partition, Sequence[Arrival]] = {}
        self._positions: dict[Partition, int] = {}

    def opened(self, owner: Ownership) -> "_Feed":
        """This source, for its owner."""
        self._owner = owner
        return self

    def give(self, partition: Partition, some: Sequence[Arrival]) -> None:
        if some:
            self._waiting[partition] = some

    @property
    def empty(self) -> bool:
        return not self._waiting

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        if not self._positions and self._owner is not None:
            self._positions = {p: s.position or 0 for p, s in self._owner.assigned(self._partitions).items()}
        waiting, self._waiting = self._waiting, {}
        return [self._chunk(partition, some) for partition, some in waiting.items()]

    def _chunk(self, partition: Partition, some: Sequence[Arrival]) -> Chunk:
        first = self._positions[partition]
        self._positions[partition] = end = first + len(some)
        return Chunk(
            partition,
            [a.value for a in some],
            np.arange(first, end, dtype=np.int64),
            end,
            np.array([a.came_ms for a in some], np.int64),
            origins=[(str(a.path), a.offset) for a in some],
        )

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Nothing comes by itself."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """As `pause`."""

    def restart(self, partitions: Iterable[Partition]) -> None:
        """Nobody else has the store."""

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """Nobody asks."""

    def lags(self) -> Mapping[Partition, Lag]:
        return _NO_LAG

    def close(self) -> None:
        if self._owner is not None:
            self._owner.revoked(self._partitions)
