"""What is in a directory, and what was wrong with it."""

import logging
import os
from collections import Counter
from collections.abc import Callable

from monitor.errors import SourceError
from monitor.ingest.file_tracked import Stamp

__all__ = ["Problems", "list_files"]

_log = logging.getLogger(__name__)
_UNFINISHED = (".tmp", ".part", ".swp", "~")


def list_files(path: str, matches: Callable[[str], object]) -> dict[tuple[int, int], tuple[str, Stamp]]:
    """Path and stamp of the files whose name `matches`, by device and inode; one stat each.

    Hidden files are left out, and names that tell of a file that is not yet whole. Raises SourceError
    where the directory can't be listed.
    """
    entries: dict[tuple[int, int], tuple[str, Stamp]] = {}
    try:
        with os.scandir(path) as found:
            for entry in found:
                name = entry.name
                if name[0] == "." or name.endswith(_UNFINISHED) or not matches(name):
                    continue
                try:
                    stat = entry.stat()
                    if not entry.is_file():
                        continue
                except FileNotFoundError:
                    continue  # It went between the listing and the look.
                stamp = Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
                entries[stat.st_dev, stat.st_ino] = entry.path, stamp
    except OSError as e:
        raise SourceError(
            f"directory {path} can't be listed: {e.strerror}; correct its path or permissions"
        ) from e
    return entries


class Problems:
    """Counts and logs what went wrong with files; `counts` is by kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def report(self, kind: str, path: str, offset: int, reason: str) -> None:
        self.counts[kind] += 1
        extra = {"kind": kind, "path": path, "offset": offset, "reason": reason}
        _log.error("%s at byte %d: %s", path, offset, reason, extra=extra)
