"""A file that is there now, and where it stands."""

import os
import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from monitor.ingest.file_identity import Identity

if TYPE_CHECKING:
    from monitor.ingest.file_lane import Lane

__all__ = ["Stamp", "State", "Tracked"]

# app.log.1, app.jsonl-20260401: names that rotation gives, and to which nobody writes for long.
_ROTATED = re.compile(r"\.(jsonl|ndjson|json|log|txt)[.-]\d")


class Stamp(NamedTuple):
    """What a scan sees of a file without opening it."""

    size: int
    mtime_ns: int
    ctime_ns: int


class State(Enum):
    """Where a file stands."""

    WAITING = auto()  # it has no whole line yet, or is still being compressed
    FOREIGN = auto()  # its lane is read by another process
    COMPARING = auto()  # it begins like `original`
    COPY = auto()  # all of it is in `original`
    READING = auto()
    FINISHED = auto()  # compressed, and read to its end
    SET_ASIDE = auto()  # it can't be read


@dataclass(slots=True, eq=False)
class Tracked:
    """A file that is there now.

    `at_end`: read to its present end, nothing to do until it changes. `checked`: size and mtime when it was
    last seen to begin as its identity says. `strict`: that a line begins at `offset` is yet to be seen.
    `skip`: it was there at the start, and reading starts at the end.
    """

    path: str
    inode: int
    stamp: Stamp
    changed_ms: int
    state: State = State.WAITING
    skip: bool = False
    tried: bool = False
    tried_settled: bool = False
    settled: bool = False
    renamed: bool = False
    gone: bool = False
    lane: "Lane | None" = None
    identity: Identity | None = None
    head_full: bool = False
    compressed: bool = False
    torn: bool = False
    checked: tuple[int, int] | None = None
    strict: bool = False
    offset: int = 0
    at_end: bool = False
    original: "Tracked | None" = None
    recheck: bool = False
    first_line: bytes = b""
    unlike: "set[Tracked | Identity]" = field(default_factory=set)

    @property
    def rotated(self) -> bool:
        return self.renamed or _ROTATED.search(os.path.basename(self.path)) is not None

    @property
    def left_over(self) -> bool:
        """Whether the file ends with something that is no whole line, or no whole compressed file."""
        return self.state is State.READING and self.at_end and (self.compressed or self.unread > 0)

    @property
    def unread(self) -> int:
        """Bytes that are left, at most; of a compressed file as it lies on disk."""
        if self.state is not State.READING:
            return 0
        return max(1, self.stamp.size) if self.compressed else max(0, self.stamp.size - self.offset)

    def reset(self) -> None:
        """Forgets which content it has; the next scan finds out."""
        self.state, self.tried, self.tried_settled = State.WAITING, False, False
        self.lane = self.identity = self.original = None
        self.offset, self.checked = 0, None
        self.at_end = self.torn = self.recheck = False
