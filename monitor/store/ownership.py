"""Who owns a partition, where it stands, and what its watermark says."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.ingest.source import FileProgress, Start
from monitor.profiles.watermark import Marks
from monitor.records import Carries, Partition
from monitor.store.engine import reading, writing
from monitor.store.schema import files, gaps, progress
from monitor.store.store import Store, insert

__all__ = [
    "FREED",
    "Claim",
    "Progress",
    "claim",
    "list_files",
    "list_gaps",
    "list_progress",
    "mark_idle",
    "reset",
]


# The owner of a partition that was reset: whoever is assigned it claims it anew.
FREED = "(freed by a reset)"


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition that is ours: under `epoch`, from `start` on."""

    partition: Partition
    writer: int
    epoch: int
    start: Start
    marks: Marks


@dataclass(frozen=True, slots=True)
class Progress:
    """A row of `progress`, as anyone may read it."""

    partition: Partition
    writer: int
    next_offset: int | None
    epoch: int
    owner: str
    marks: Marks
    idle_since_ms: int | None
    updated_ms: int
    carries: Carries = Carries.RECORDS


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that were skipped on purpose: offsets [from, to) of a partition, and why."""

    partition: Partition
    from_offset: int | None
    to_offset: int | None
    from_ms: int | None
    reason: str
    at_ms: int


def claim(
    store: Store, partition: Partition, owner: str, now_ms: int, carries: Carries = Carries.RECORDS
) -> Claim:
    """Takes the partition: its epoch goes up, and whoever had it can't write any more."""
    with writing(store.engine) as connection:
        upsert = insert(store, progress).values(
            topic=partition.topic,
            part=partition.number,
            epoch=1,
            owner=owner,
            updated_ms=now_ms,
            carries=carries.value,
        )
        row = connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["topic", "part"],
                set_={
                    "epoch": progress.c.epoch + 1,
                    "owner": owner,
                    "idle_since_ms": None,
                    "updated_ms": now_ms,
                    "carries": carries.value,
                },
            ).returning(*progress.c)
        ).one()
        known = connection.execute(sa.select(files).where(files.c.writer == row.writer)).all()
    read = tuple(FileProgress(f.identity, f.path, f.read_offset, f.done) for f in known)
    return Claim(partition, row.writer, row.epoch, Start(row.next_offset, read), _marks(row))


def _marks(row: sa.Row[tuple[object, ...]]) -> Marks:
    return Marks(row.high1_ms, row.high2_ms, row.watermark_ms)


def list_files(store: Store, topic: str) -> list[FileProgress]:
    """How far each file is read that the lanes of a directory's topic have begun."""
    query = (
        sa.select(files).join(progress, progress.c.writer == files.c.writer).where(progress.c.topic == topic)
    )
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return [FileProgress(r.identity, r.path, r.read_offset, r.done) for r in rows]


def mark_idle(store: Store, writer: int, epoch: int, since_ms: int | None, now_ms: int) -> None:
    """Says that the partition has proven zero lag since `since_ms` (None: it has not). A sign of life too."""
    with writing(store.engine) as connection:
        connection.execute(
            sa.update(progress)
            .where(progress.c.writer == writer, progress.c.epoch == epoch)
            .values(idle_since_ms=since_ms, updated_ms=now_ms)
        )


def list_progress(store: Store, carries: Carries | None = None) -> list[Progress]:
    """Every partition that the store knows, or those that carry one kind."""
    query = sa.select(progress).order_by(progress.c.topic, progress.c.part)
    if carries is not None:
        query = query.where(progress.c.carries == carries.value)
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return [
        Progress(
            Partition(r.topic, r.part),
            r.writer,
            r.next_offset,
            r.epoch,
            r.owner,
            _marks(r),
            r.idle_since_ms,
            r.updated_ms,
            Carries(r.carries),
        )
        for r in rows
    ]


def reset(
    store: Store, partition: Partition, to_offset: int | None, reason: str, now_ms: int
) -> Progress | None:
    """Moves the partition to `to_offset` on purpose, fencing its owner, and records the gap.

    None starts anew as the configuration says. Returns where it stood, None if it was unknown.
    """
    with writing(store.engine) as connection:
        row = connection.execute(
            sa.select(progress).where(
                progress.c.topic == partition.topic, progress.c.part == partition.number
            )
        ).one_or_none()
        if row is None:
            return None
        connection.execute(
            sa.update(progress)
            .where(progress.c.writer == row.writer)
            .values(next_offset=to_offset, epoch=progress.c.epoch + 1, owner=FREED, updated_ms=now_ms)
        )
        connection.execute(
            sa.insert(gaps).values(
                topic=partition.topic,
                part=partition.number,
                from_offset=row.next_offset,
                to_offset=to_offset,
                from_ms=row.high1_ms,
                reason=reason,
                at_ms=now_ms,
            )
        )
    return Progress(
        partition,
        row.writer,
        row.next_offset,
        row.epoch,
        row.owner,
        _marks(row),
        row.idle_since_ms,
        row.updated_ms,
        Carries(row.carries),
    )


def list_gaps(store: Store, partitions: Iterable[Partition] | None = None) -> list[Gap]:
    """What was skipped, in the order it was recorded."""
    wanted = None if partitions is None else set(partitions)
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(gaps).order_by(gaps.c.id)).all()
    found = [
        Gap(Partition(r.topic, r.part), r.from_offset, r.to_offset, r.from_ms, r.reason, r.at_ms)
        for r in rows
    ]
    return [g for g in found if wanted is None or g.partition in wanted]
