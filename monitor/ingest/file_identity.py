"""What makes a file of lines the same file, whatever it is called and however it is packed.

An identity is told by content: how many of the first bytes it covers (whole lines, up to HEAD_BYTES,
decompressed) and their hash. The covered part grows with what was read while the file is short, so
two files that begin alike are told apart as soon as they differ in anything that was read. The inode
only settles ties. The lane is told by the first line alone, which never changes once it is whole.
"""

import hashlib
from collections.abc import Generator
from contextlib import closing
from enum import Enum
from typing import NamedTuple, Self

from monitor.errors import SourceError
from monitor.ingest.file_streams import Damaged, Stream, open_stream

__all__ = ["HEAD_BYTES", "Comparison", "Head", "Identity", "compare", "digest_of", "lane_of", "read_head"]

HEAD_BYTES = 4096
_COMPARE_BYTES = 256 * 1024


class Head(NamedTuple):
    """The first whole lines of a file, at most HEAD_BYTES, or as much of a first line that is longer.

    `full`: the file has more than that, so its head will not change any more. `torn`: its compressed
    data stop in the middle.
    """

    data: bytes
    compressed: bool
    full: bool
    torn: bool

    @property
    def first_line(self) -> bytes:
        return self.data.partition(b"\n")[0]


class Identity(NamedTuple):
    """The name under which progress in a file is kept; `str` and `parse` are each other's inverse.

    `raw_size` is the size on disk of a compressed file (0 of a plain one): a finished file that grew is
    not finished. `copy` tells apart files that begin alike. `lanes` is there to notice that it changed.
    """

    lanes: int
    inode: int
    size: int
    digest: str
    raw_size: int = 0
    copy: int = 0

    def __str__(self) -> str:
        return ".".join(
            (
                f"{self.lanes}",
                f"{self.inode:x}",
                f"{self.size}",
                self.digest,
                f"{self.raw_size}",
                f"{self.copy}",
            )
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises SourceError where `text` is no identity."""
        try:
            lanes, inode, size, digest, raw_size, copy = text.split(".")
            return cls(int(lanes), int(inode, 16), int(size), digest, int(raw_size), int(copy))
        except ValueError as e:
            raise SourceError(
                f"the stored file identity {text!r} is of no form that this version knows"
            ) from e


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def lane_of(first_line: bytes, lanes: int) -> int:
    """The lane of a file, by its first line."""
    return int.from_bytes(hashlib.sha256(first_line).digest()[:8], "big") % lanes


def read_head(path: str, finished: bool) -> Head:
    """The head of a file, empty while it has no whole line (`finished`: it will not get longer).

    Raises Damaged and OSError.
    """
    stream = open_stream(path)
    try:
        data = b""
        while len(data) < HEAD_BYTES and (part := stream.read(HEAD_BYTES)):
            data += part
        data = data[:HEAD_BYTES]
        full = len(data) == HEAD_BYTES
        torn = stream.compressed and not full and not stream.ended
        if torn:
            if finished:
                raise Damaged("the file ends in the middle of its compressed data", stream.raw_offset)
            data = b""
        elif full or not (stream.compressed or finished):
            # Whole lines only: a torn last line may still be taken back by who writes it.
            data = data[: data.rfind(b"\n") + 1] or (data if full else b"")
        return Head(data, stream.compressed, full, torn)
    finally:
        stream.close()


class Comparison(Enum):
    """What two files have to do with each other."""

    DIFFERENT = "they differ"
    COPY = "all of the first file is in the second"
    LONGER = "the first file goes on where the second ends"
    UNKNOWN = "the second file can't be read"


def compare(first: str, second: str) -> Generator[None, None, Comparison]:
    """Compares the contents of two files, a block between two yields; the verdict is the return value.

    Raises Damaged where the first can't be read, and OSError.
    """
    with closing(open_stream(first)) as mine:
        try:
            opened = open_stream(second)
        except (Damaged, OSError):
            return Comparison.UNKNOWN
        with closing(opened) as other:
            return (yield from _compare(mine, other))


def _compare(first: Stream, second: Stream) -> Generator[None, None, Comparison]:
    mine = other = b""
    while True:
        mine = mine or first.read(_COMPARE_BYTES)
        try:
            other = other or second.read(_COMPARE_BYTES)
        except (Damaged, OSError):
            return Comparison.UNKNOWN
        if not mine:
            return Comparison.COPY
        if not other:
            return Comparison.LONGER
        common = min(len(mine), len(other))
        if mine[:common] != other[:common]:
            return Comparison.DIFFERENT
        mine, other = mine[common:], other[common:]
        yield
