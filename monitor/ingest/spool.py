"""A spool on disk: where records that were posted stay until the job has read them.

Every process writes files of its own, named so that they sort by time, and holds a lock on the one it
writes. A file is only ever appended to, so the reader may follow it. What a dead writer left torn is
ended with a newline by the next writer that starts: the record's sender was never told that it is kept,
and the fragment becomes a dead letter.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from monitor.clock import Clock
from monitor.errors import SourceError, StoreBusy
from monitor.ingest.source import FileProgress

__all__ = ["DurableLog", "Spool", "SpoolFull"]

_SUFFIX = ".spool.jsonl"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOOK_EVERY_MS = 1_000


class DurableLog(Protocol):
    """Where posted records go. Safe to call from many threads."""

    def append(self, lines: Sequence[bytes]) -> None:
        """Returns once the records are durable; blocks until then.

        Raises StoreBusy when they may not be: send them again. ValueError for a record with a newline.
        """

    def close(self) -> None:
        """Gives up what is held; later calls of `append` fail."""


class SpoolFull(StoreBusy):
    """The spool or its disk is full: nothing is taken until the job has read some of it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """What one caller of `append` wants written, and what became of it."""

    data: bytes
    done: bool = False
    # Only a sync that came back takes this away, whatever else happens to the thread that writes.
    error: StoreBusy | None = field(default_factory=lambda: StoreBusy("the write was interrupted"))


class Spool:
    """Appends records to files below `path`; a `DurableLog`.

    Callers that come at the same time share one write and one sync. A file is left for the next one
    when it has `max_file_bytes` or is `max_file_age_ms` old; all files together, those of other
    processes too, have at most `max_bytes`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock,
        max_bytes: int,
        max_file_bytes: int = 64 << 20,
        max_file_age_ms: int = 60_000,
    ) -> None:
        """Makes the directory. Raises SourceError where it can't be written."""
        self._path = os.path.abspath(path)
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes
        self._max_file_age_ms = max_file_age_ms
        self._turn = threading.Condition()
        self._queue: list[_Waiting] = []
        self._writing = False
        self._closed = False
        self._file: _File | None = None
        self._count = 0
        self._used = 0
        self._looked_ms = 0
        try:
            os.makedirs(self._path, exist_ok=True)
            for path, _ in self._sizes():
                _end_torn_line(path)
        except OSError as e:
            raise SourceError(
                f"the spool {self._path} can't be written: {e.strerror}; correct ingest.spool or permissions"
            ) from e

    def append(self, lines: Sequence[bytes]) -> None:
        """See DurableLog. Raises SpoolFull where there is no room."""
        if not lines:
            return
        if any(b"\n" in line for line in lines):
            raise ValueError("a record with a newline in it would be read as two; compact it first")
        mine = _Waiting(b"\n".join(lines) + b"\n")
        with self._turn:
            if self._closed:
                raise StoreBusy(f"the spool {self._path} is closed")
            self._queue.append(mine)
            while self._writing and not mine.done:
                self._turn.wait()
            if not mine.done:
                self._writing = True
                batch, self._queue = self._queue, []
        if not mine.done:
            self._lead(batch)
        if mine.error is not None:
            raise type(mine.error)(str(mine.error))

    def prune(self, read: Iterable[FileProgress]) -> int:
        """Deletes the files that `read`, from the store, says were read to their end; returns how many.

        A file that is being written is left for the next one first when its time has come.
        """
        offsets = {os.path.basename(f.path): f.offset for f in read}
        with self._turn:
            while self._writing:
                self._turn.wait()
            self._writing = True
        try:
            self._leave_old_file()
            done = [path for path, size in self._sizes() if size <= offsets.get(os.path.basename(path), -1)]
            deleted = sum(_delete_unless_locked(path) for path in done)
            self._looked_ms = 0
            return deleted
        finally:
            self._pass_on([])

    def close(self) -> None:
        """See DurableLog. Waits for a write under way."""
        with self._turn:
            while self._writing:
                self._turn.wait()
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None

    def _lead(self, batch: list[_Waiting]) -> None:
        """Writes for all who wait. What goes wrong is theirs to raise."""
        try:
            room = self._room()
            fits: list[_Waiting] = []
            for each in batch:
                room -= len(each.data)
                if room < 0:
                    each.error = SpoolFull(
                        f"the spool {self._path} is full ({self._max_bytes} bytes): is the job running?"
                    )
                else:
                    fits.append(each)
            if fits:
                self._write(fits)
            for each in fits:
                each.error = None
        except OSError as e:
            self._refuse(batch, e)
        finally:
            self._pass_on(batch)

    def _pass_on(self, batch: list[_Waiting]) -> None:
        with self._turn:
            self._writing = False
            for each in batch:
                each.done = True
            self._turn.notify_all()

    def _write(self, batch: list[_Waiting]) -> None:
        self._leave_old_file()
        if self._file is None:
            self._file = self._next_file()
        data = b"".join(each.data for each in batch)
        try:
            self._file.append(data)
        except OSError:
            # After an error nobody knows what is on disk: what comes next goes to a file of its own.
            self._file.close()
            self._file = None
            raise
        self._used += len(data)

    def _refuse(self, batch: list[_Waiting], error: OSError) -> None:
        kind = SpoolFull if error.errno in _FULL else StoreBusy
        for each in batch:
            each.error = kind(f"the spool {self._path} took nothing: {error.strerror}; free or mend its disk")

    def _leave_old_file(self) -> None:
        file = self._file
        if file is None:
            return
        old = self._clock.now_ms() - file.begun_ms >= self._max_file_age_ms
        if old or file.size >= self._max_file_bytes or not os.path.exists(file.path):
            file.close()
            self._file = None

    def _next_file(self) -> "_File":
        now_ms = self._clock.now_ms()
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
        self._count += 1
        name = f"{stamp}.{now_ms % 1000:03d}-{self._count:06d}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        file = _File(os.path.join(self._path, name), now_ms)
        # Without this the file itself may be gone after a power cut, with all that was synced into it.
        _sync_directory(self._path)
        return file

    def _room(self) -> int:
        """Bytes that may still be written. Other processes write too, so it is counted anew now and then."""
        now_ms = self._clock.now_ms()
        if abs(now_ms - self._looked_ms) >= _LOOK_EVERY_MS or self._used >= self._max_bytes:
            self._used = sum(size for _, size in self._sizes())
            self._looked_ms = now_ms
        return self._max_bytes - self._used

    def _sizes(self) -> list[tuple[str, int]]:
        sizes: list[tuple[str, int]] = []
        with os.scandir(self._path) as found:
            for entry in found:
                if entry.name.endswith(_SUFFIX):
                    with contextlib.suppress(FileNotFoundError):
                        sizes.append((entry.path, entry.stat().st_size))
        return sizes


class _File:
    """The file being written, locked as long as it is."""

    def __init__(self, path: str, begun_ms: int) -> None:
        self.path = path
        self.begun_ms = begun_ms
        self.size = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def append(self, data: bytes) -> None:
        """Writes and syncs. After an OSError the file ends with a whole line."""
        written = 0
        view = memoryview(data)
        try:
            while written < len(data):
                written += os.write(self._descriptor, view[written:])
            os.fdatasync(self._descriptor)
        except OSError:
            # Whole lines stay, for the reader may have read them already; a torn one it has not.
            torn = written - (data.rfind(b"\n", 0, written) + 1)
            if torn:
                os.ftruncate(self._descriptor, self.size + written - torn)
            raise
        self.size += written

    def close(self) -> None:
        os.close(self._descriptor)


def _end_torn_line(path: str) -> None:
    """Ends the last line of a file whose writer is gone. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return
    try:
        size = os.fstat(descriptor).st_size
        if _locked(descriptor) or not size or os.pread(descriptor, 1, size - 1) == b"\n":
            return
        os.write(descriptor, b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delete_unless_locked(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if _locked(descriptor):
            return False
        os.unlink(path)
        return True
    except FileNotFoundError:
        return False
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
