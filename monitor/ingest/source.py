"""The seam between the main job and where records come from.

A source hands out chunks: consecutive messages of one partition, each with a position that only
grows. Who owns a partition, and from which position to read, is asked of `Ownership`, which keeps
the answer in the store; a source never remembers progress itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.records import Partition

__all__ = ["Chunk", "FileProgress", "Lag", "Ownership", "Partition", "Source", "Start"]


class FileProgress(NamedTuple):
    """How far a file of a lane is read: `identity` survives a rename, `offset` counts decompressed bytes."""

    identity: str
    path: str
    offset: int
    done: bool


class Start(NamedTuple):
    """Where to read on: `position` is None where the store knows nothing of the partition yet."""

    position: int | None
    files: tuple[FileProgress, ...] = ()


class Lag(NamedTuple):
    """What is known of a partition's end: `behind` is None until the source has learnt it."""

    position: int
    end: int | None

    @property
    def behind(self) -> int | None:
        return None if self.end is None else max(0, self.end - self.position)


@dataclass(slots=True)
class Chunk:
    """Consecutive messages of one partition, in order.

    `positions[i]` (int64) is the offset of `values[i]`; `next_position` is where reading goes on once
    all are committed. `append_ms` (int64) is when the broker, or the file system, got each message.
    For a lane `files` holds the file progress that is true at `next_position`, and `where(i)`
    names the file and byte offset of a message.
    """

    partition: Partition
    values: Sequence[bytes]
    positions: NDArray[np.int64]
    next_position: int
    append_ms: NDArray[np.int64]
    files: tuple[FileProgress, ...] = ()
    origins: Sequence[tuple[str, int]] = field(default=())

    def since(self, position: int) -> "Chunk":
        """The chunk without the messages below `position`, which a source delivered once already."""
        k = int(np.searchsorted(self.positions, position))
        return replace(
            self,
            values=self.values[k:],
            positions=self.positions[k:],
            append_ms=self.append_ms[k:],
            origins=self.origins[k:],
        )

    def where(self, i: int) -> str:
        """A place that a person can find: `topic[partition]@offset`, or `path@byte`."""
        if self.origins:
            path, offset = self.origins[i]
            return f"{path}@{offset}"
        return f"{self.partition}@{self.positions[i]}"


class Ownership(Protocol):
    """What a source asks and tells about its partitions; called from inside `Source.poll` only."""

    def assigned(self, partitions: Iterable[Partition]) -> Mapping[Partition, Start]:
        """Claims the partitions (their epoch goes up) and says where to read on. May block on the store."""

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """One bounded flush of the partitions; they are not ours any more when it returns."""

    def lost(self, partitions: Iterable[Partition]) -> None:
        """The partitions are gone already: forget them without a flush."""


class Source(Protocol):
    """A log that can be read again from any position. Not thread-safe: one thread calls all methods,
    except `lags`, which any thread may call."""

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        """The next messages, at most about `max_records`, as at most one chunk per partition.

        Blocks at most `timeout_s` when nothing has arrived (longer when partitions change hands and
        `Ownership` blocks). Raises SourceError where the log can't be read, and OffsetGone where it
        no longer holds the next record; the partition concerned then delivers nothing more.
        """

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Delivers nothing of these partitions until `resume`; ownership is kept."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Takes back `pause`."""

    def restart(self, partitions: Iterable[Partition]) -> None:
        """Asks `Ownership.assigned` anew for partitions that are still ours, and reads on from there."""

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """Tells that the store holds everything below these positions. For lag tools; must not raise."""

    def lags(self) -> Mapping[Partition, Lag]:
        """The lag of each partition owned. Never blocks: it says what was learnt at the last poll."""

    def close(self) -> None:
        """Gives up all partitions (through `Ownership.revoked`) and closes. Blocks for seconds at most."""
