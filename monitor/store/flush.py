"""The exactly-once protocol: one transaction a partition and flush.

The compare-and-swap on `progress` comes first: it touches a row only while the partition is still
ours and stands where we think it stands. Everything else in the transaction is an absolute value
(profiles) or guarded by that swap. A commit whose answer was lost is settled by reading progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

import sqlalchemy as sa

from monitor import failpoints
from monitor.errors import Fenced, StoreBusy
from monitor.ingest.events.decode import Event
from monitor.ingest.source import FileProgress
from monitor.profiles.codec import encode_rows
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.profiles.sample_rows import Sample
from monitor.profiles.samples import SampleSettings
from monitor.profiles.watermark import Marks
from monitor.records import DeadLetter, Partition
from monitor.store import dead, events, samples
from monitor.store.additions import settle
from monitor.store.classes import Unnumbered
from monitor.store.engine import reading, writing
from monitor.store.pair_codec import Halves
from monitor.store.pairing import Paired, Pairing
from monitor.store.pairs import CROWDED_OUT
from monitor.store.schema import counts, files, progress
from monitor.store.store import Store, insert

__all__ = ["Committed", "Flush", "Rows", "commit"]


@dataclass(frozen=True, slots=True)
class Rows:
    """The whole of what the writer contributed to some profiles: for each key the encoded (counts, sums,
    maxima)."""

    keys: RowKeys
    blobs: Sequence[tuple[bytes, bytes | None, bytes | None]]

    @classmethod
    def of(cls, profiles: Profiles) -> Self:
        """The profiles encoded."""
        return cls(profiles.rows, encode_rows(profiles))

    @property
    def bytes_written(self) -> int:
        return sum(len(blob) for blobs in self.blobs for blob in blobs if blob)


@dataclass(frozen=True, slots=True)
class Flush:
    """All that one partition writes at once; immutable, so that it can be tried again as it is.

    `dead_counts` counts all dead letters by reason, `dead` holds those to keep (a storm holds more).
    `predictions` and `labels` are halves of pairs; what they add to quality profiles turns out in the
    transaction itself. `samples` are new ones to look at, `events` what happened in operations.
    """

    partition: Partition
    writer: int
    epoch: int
    from_offset: int | None
    to_offset: int
    marks: Marks
    rows: Sequence[Rows]
    now_ms: int
    files: Sequence[FileProgress] = ()
    dead: Sequence[DeadLetter] = ()
    dead_counts: Mapping[str, int] = field(default_factory=dict)
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    replayed: Sequence[int] = ()
    predictions: Sequence[Halves] = ()
    labels: Sequence[Halves] = ()
    samples: Sequence[Sample] = ()
    events: Sequence[Event] = ()
    sampling: SampleSettings = field(default_factory=SampleSettings)

    @property
    def bytes_written(self) -> int:
        return sum(rows.bytes_written for rows in self.rows)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a flush came to: predictions and labels stored, predictions that got their first label, bytes of
    profiles that were written beside the flush's own, and halves that their keys had no room for."""

    predictions: int = 0
    labels: int = 0
    matched: int = 0
    bytes_written: int = 0
    crowded_out: Mapping[str, int] = field(default_factory=dict)


class _Settled(Enum):
    COMMITTED = 1
    NOT_COMMITTED = 2


def commit(store: Store, flush: Flush, cap: dead.Cap, pairing: Pairing | None = None) -> Committed:
    """Writes the flush once. Returns only when it is durable. A flush with halves needs `pairing`.

    Raises Fenced when another owner has the partition (forget what is in memory), and StoreBusy when
    the store did not answer and the flush is known not to be committed or can't be settled: try the
    same flush again.
    """
    while True:
        try:
            return _commit(store, flush, cap, pairing)
        except Unnumbered as new:
            if pairing is None:
                raise
            pairing.number(new)


def _commit(store: Store, flush: Flush, cap: dead.Cap, pairing: Pairing | None) -> Committed:
    committed = Committed()
    try:
        with writing(store.engine) as connection:
            failpoints.hit("flush.before_swap")
            _swap(connection, flush)
            failpoints.hit("flush.after_swap")
            if pairing is not None and (flush.predictions or flush.labels):
                committed = _pair(store, connection, flush, pairing)
                failpoints.hit("flush.after_pairs")
            _upsert(store, connection, flush.writer, flush.rows)
            _write_files(store, connection, flush)
            _count(store, connection, flush, "unknown_field", flush.unknown_fields)
            dropped = dead.write(store, connection, flush.partition, flush.dead, flush.now_ms, cap)
            dropped += sum(flush.dead_counts.values()) - len(flush.dead)
            _count(store, connection, flush, "dead_letter", flush.dead_counts)
            _count(store, connection, flush, "dead_letter_dropped", {"cap": dropped} if dropped else {})
            samples.write(store, connection, flush.samples, flush.sampling)
            again = events.write(store, connection, flush.events)
            _count(store, connection, flush, events.DUPLICATE, {"id": again} if again else {})
            dead.mark_replayed(connection, flush.replayed, flush.now_ms)
            failpoints.hit("flush.before_commit")
        failpoints.hit("flush.after_commit")
    except (StoreBusy, Fenced):
        if _settle(store, flush) is not _Settled.COMMITTED:
            raise
    return committed


def _pair(store: Store, connection: sa.Connection, flush: Flush, pairing: Pairing) -> Committed:
    """Stores the halves, and what they add to quality profiles."""
    paired: Paired = pairing.pair(connection, flush.predictions, flush.labels)
    samples.forget_wrong(connection, paired.righted)
    samples.write(store, connection, paired.wrong, flush.sampling)
    _count(store, connection, flush, CROWDED_OUT, paired.crowded_out)
    tiers_s = pairing.tiers_s
    settled = settle(connection, flush.writer, flush.to_offset, paired.profiles, tiers_s)
    rows = [Rows.of(profiles) for profiles in settled.rows]
    _upsert(store, connection, flush.writer, rows)
    size = settled.bytes_aside + sum(each.bytes_written for each in rows)
    return Committed(paired.predictions, paired.labels, paired.matched, size, paired.crowded_out)


def _swap(connection: sa.Connection, flush: Flush) -> None:
    stands = (
        progress.c.next_offset.is_(None)
        if flush.from_offset is None
        else progress.c.next_offset == flush.from_offset
    )
    swapped = connection.execute(
        sa.update(progress)
        .where(progress.c.writer == flush.writer, progress.c.epoch == flush.epoch, stands)
        .values(
            next_offset=flush.to_offset,
            high1_ms=flush.marks.high1_ms,
            high2_ms=flush.marks.high2_ms,
            watermark_ms=flush.marks.watermark_ms,
            idle_since_ms=None,
            updated_ms=flush.now_ms,
        )
    )
    if swapped.rowcount != 1:
        raise Fenced(f"{flush.partition}: another process owns the partition now")


def _settle(store: Store, flush: Flush) -> _Settled:
    """What became of a commit without an answer. Raises StoreBusy when the store can't tell yet."""
    with reading(store.engine) as connection:
        row = connection.execute(
            sa.select(progress.c.next_offset, progress.c.epoch).where(progress.c.writer == flush.writer)
        ).one_or_none()
    ours = row is not None and row.epoch == flush.epoch and row.next_offset == flush.to_offset
    return _Settled.COMMITTED if ours and flush.to_offset != flush.from_offset else _Settled.NOT_COMMITTED


_COLUMNS = (
    "kind",
    "tier_s",
    "series",
    "start_s",
    "writer",
    "baseline",
    "revision",
    "counts",
    "sums",
    "maxima",
)
_SQLITE_UPSERT = f"""
INSERT INTO profiles ({", ".join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, tier_s, series, start_s, writer, baseline) DO UPDATE SET
  revision = revision + 1,
  counts = excluded.counts, sums = excluded.sums, maxima = excluded.maxima
"""  # noqa: S608  # the columns are constants
_POSTGRES_UPSERT = f"""
INSERT INTO profiles ({", ".join(_COLUMNS)})
SELECT * FROM unnest(%s::smallint[], %s::int[], %s::int[], %s::bigint[], %s::int[], %s::int[], %s::int[],
                     %s::bytea[], %s::bytea[], %s::bytea[])
ON CONFLICT (kind, tier_s, series, start_s, writer, baseline) DO UPDATE SET
  revision = profiles.revision + 1,
  counts = excluded.counts, sums = excluded.sums, maxima = excluded.maxima
"""  # noqa: S608  # the columns are constants


def _upsert(store: Store, connection: sa.Connection, writer: int, written: Sequence[Rows]) -> None:
    values = [
        (key.kind, key.tier_s, key.series, key.start_s, writer, key.baseline, 0, *blobs)
        for rows in written
        for key, blobs in zip(rows.keys, rows.blobs, strict=True)
    ]
    if not values:
        return
    if store.is_sqlite:
        connection.exec_driver_sql(_SQLITE_UPSERT, values)
    else:
        columns = tuple(list(column) for column in zip(*values, strict=True))
        connection.exec_driver_sql(_POSTGRES_UPSERT, columns)


def _write_files(store: Store, connection: sa.Connection, flush: Flush) -> None:
    if not flush.files:
        return
    upsert = insert(store, files)
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=["writer", "identity"],
            set_={
                "path": upsert.excluded.path,
                "read_offset": upsert.excluded.read_offset,
                "done": upsert.excluded.done,
            },
        ),
        [
            {
                "writer": flush.writer,
                "identity": f.identity,
                "path": f.path,
                "read_offset": f.offset,
                "done": f.done,
            }
            for f in flush.files
        ],
    )


def _count(
    store: Store, connection: sa.Connection, flush: Flush, kind: str, by_name: Mapping[str, int]
) -> None:
    """Adds to counters; exact, because the swap in the same transaction lets each flush pass once."""
    if not by_name:
        return
    upsert = insert(store, counts)
    hour_s = flush.now_ms // 3_600_000 * 3600
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=["writer", "kind", "name", "hour_s"], set_={"n": counts.c.n + upsert.excluded.n}
        ),
        [
            {
                "writer": flush.writer,
                "kind": kind,
                "name": name.replace("\0", "\ufffd")[:200],
                "hour_s": hour_s,
                "n": n,
            }
            for name, n in by_name.items()
        ],
    )
