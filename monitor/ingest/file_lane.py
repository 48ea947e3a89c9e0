"""One lane of a directory: which contents it knows, how far each is read, and which file has it now.

A file comes and goes, is renamed and compressed; progress belongs to its content, by `Identity`.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from monitor.errors import SourceError
from monitor.ingest.file_identity import Head, Identity, digest_of
from monitor.ingest.file_lines import LineReader
from monitor.ingest.file_tracked import State, Tracked
from monitor.ingest.source import FileProgress, Start
from monitor.records import Partition

__all__ = ["Known", "Lane", "Missing"]


@dataclass(slots=True)
class Known:
    """How far a content is read, whether or not there is a file of it now."""

    identity: Identity
    path: str
    offset: int
    done: bool
    stored: bool


class Missing(NamedTuple):
    """A file that went away with something unread; its content may turn up again in another."""

    path: str
    offset: int
    unread: int
    since_ms: int
    kind: str


class Lane:
    """The contents of one lane. Raises SourceError when made from what other settings stored."""

    def __init__(self, partition: Partition, start: Start, lanes: int) -> None:
        self.partition = partition
        self.lanes = lanes
        self.position = start.position or 0
        self.fresh = start.position is None
        self.live: dict[Identity, Tracked] = {}
        self.missing: dict[Identity, Missing] = {}
        self.known: dict[Identity, Known] = {}
        self.readers: OrderedDict[Tracked, LineReader] = OrderedDict()
        self._by_head: defaultdict[tuple[int, str], set[Identity]] = defaultdict(set)
        self._head_sizes: Counter[int] = Counter()
        self._pending: dict[Identity, FileProgress] = {}
        for read in start.files:
            identity = Identity.parse(read.identity)
            if identity.lanes != lanes:
                raise SourceError(
                    f"{partition.topic} was read with {identity.lanes} lanes and is now set to {lanes}: "
                    f"files would be read twice; set the lanes back to {identity.lanes}"
                )
            # A row at offset 0 that is not done was replaced by a longer identity of the same file.
            if read.offset or read.done:
                self._learn(Known(identity, read.path, read.offset, read.done, stored=True))

    def matches(self, file: Tracked, head: Head) -> list[Known]:
        """Known contents that begin as this file does, the likeliest first."""
        found: list[Known] = []
        for size in self._head_sizes:
            if size <= len(head.data):
                alike = self._by_head.get((size, digest_of(head.data[:size])), ())
                found += (self.known[i] for i in alike if i not in file.unlike)

        def likely(known: Known) -> tuple[bool, bool, bool, int, int]:
            return (
                known.identity.inode == file.inode,
                known.path == file.path,
                file.path.startswith(known.path),
                known.identity.size,
                known.offset,
            )

        return sorted(found, key=likely, reverse=True)

    def rivals(self, file: Tracked, head: Head) -> Iterator[Tracked]:
        """Files with the same first line whose identity covers more than this one has."""
        for identity, other in self.live.items():
            longer = identity.size > len(head.data) and other.first_line == file.first_line
            if longer and other is not file and other not in file.unlike:
                yield other

    def name(self, file: Tracked, head: Head) -> None:
        """Gives a file that begins like no other an identity of its own; it is read from its beginning."""
        raw_size = file.stamp.size if head.compressed else 0
        identity = Identity(self.lanes, file.inode, len(head.data), digest_of(head.data), raw_size)
        while identity in self.known or identity in self._pending:
            identity = identity._replace(copy=identity.copy + 1)
        self._learn(Known(identity, file.path, 0, done=False, stored=False))
        self._take(file, identity)
        file.strict = False

    def adopt(self, file: Tracked, known: Known) -> None:
        """Reads on in this file where its content was left."""
        identity = known.identity
        file.offset = known.offset
        # The very file needs no proof that a line begins there: its torn last line may have been taken.
        file.strict = identity.inode != file.inode
        file.renamed |= known.path != file.path
        self.missing.pop(identity, None)
        self._take(file, identity)
        if known.done and identity.inode == file.inode and identity.raw_size == file.stamp.size:
            file.state, file.at_end = State.FINISHED, True
        elif not file.compressed and file.offset >= file.stamp.size:
            file.at_end = True

    def could_be(self, file: Tracked, known: Known) -> bool:
        """Whether the file can have what was read; that a line begins at the offset is seen later.

        The very file may be shorter: a machine that crashed lost what was written last. As it begins
        with all that its identity covers, nothing else was written into it.
        """
        return file.compressed or file.stamp.size >= known.offset or file.inode == known.identity.inode

    def hand_over(self, holder: Tracked, longer: Tracked) -> None:
        """The content of `holder` goes on in `longer`, which is read from now on; `holder` is its copy."""
        identity, offset = holder.identity, holder.offset
        if identity is None:
            return
        self.drop(holder)
        holder.reset()
        self._take(longer, identity)
        longer.offset, longer.strict = offset, False
        holder.state, holder.original, holder.tried = State.COPY, longer, True

    def set_aside(self, file: Tracked, done: bool) -> None:
        """The file can't be read; with `done` it is not tried again as it is."""
        self.drop(file)
        identity = file.identity
        if identity is not None:
            if file.compressed:
                self.rename(file, identity._replace(inode=file.inode, raw_size=file.stamp.size))
            self.progressed(file, done)
            self.live.pop(file.identity or identity, None)
        file.reset()
        file.state, file.tried = State.SET_ASIDE, True

    def release(self, file: Tracked, missing: Missing | None) -> None:
        """The file does not have its content any more; `missing` says what of it nobody had read."""
        self.drop(file)
        identity = file.identity
        if identity is not None and self.live.get(identity) is file:
            del self.live[identity]
            if missing is not None and missing.unread:
                self.missing[identity] = missing
        file.reset()

    def drop(self, file: Tracked) -> None:
        """Closes the file."""
        reader = self.readers.pop(file, None)
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """Closes all files."""
        for file in list(self.readers):
            self.drop(file)

    def _take(self, file: Tracked, identity: Identity) -> None:
        file.lane, file.identity, file.state, file.at_end = self, identity, State.READING, False
        self.live[identity] = file

    def progressed(self, file: Tracked, done: bool = False) -> None:
        """Notes how far the file is read, for the next chunk to carry."""
        if file.identity is None:
            return
        known = self.known[file.identity]
        known.path, known.offset, known.done = file.path, file.offset, done
        self._pending[file.identity] = FileProgress(str(file.identity), file.path, file.offset, done)

    def rename(self, file: Tracked, identity: Identity) -> None:
        """Gives the file's content a more telling identity; the stored row of the former is emptied."""
        old = file.identity
        if old is None or old == identity or identity in self.known:
            return
        known = self.known.pop(old)
        self._forget(old)
        self._pending.pop(old, None)
        if known.stored:
            self._pending[old] = FileProgress(str(old), file.path, 0, done=False)
        self._learn(Known(identity, file.path, known.offset, known.done, stored=False))
        self.live.pop(old, None)
        self.live[identity] = file
        file.identity = identity
        self.progressed(file, known.done)

    def widen(self, file: Tracked, head: Head) -> None:
        """Lets the identity of a file that was short cover what it has now."""
        identity = file.identity
        if identity is None or digest_of(head.data[: identity.size]) != identity.digest:
            return  # It was written over meanwhile; the next scan sees it.
        file.head_full = head.full
        if len(head.data) > identity.size:
            self.rename(file, identity._replace(size=len(head.data), digest=digest_of(head.data)))

    def drain(self) -> tuple[FileProgress, ...]:
        """The progress since the last chunk."""
        changed = tuple(self._pending.values())
        for identity in self._pending:
            if identity in self.known:
                self.known[identity].stored = True
        self._pending.clear()
        return changed

    def _learn(self, known: Known) -> None:
        identity = known.identity
        self.known[identity] = known
        self._by_head[identity.size, identity.digest].add(identity)
        self._head_sizes[identity.size] += 1

    def _forget(self, identity: Identity) -> None:
        self._by_head[identity.size, identity.digest].discard(identity)
        self._head_sizes[identity.size] -= 1
        if not self._head_sizes[identity.size]:
            del self._head_sizes[identity.size]
