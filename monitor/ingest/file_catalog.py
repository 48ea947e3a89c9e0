"""Finds out what is in a directory: which file has which content, what is new, gone, renamed or a copy.

A scan costs one stat a file. A file is opened when it is new or changed, never because it is there.
"""

import fnmatch
import logging
import re
from collections.abc import Generator, Mapping

from monitor.ingest.file_identity import Comparison, Head, compare, digest_of, lane_of, read_head
from monitor.ingest.file_lane import Lane, Missing
from monitor.ingest.file_lines import end_of_lines
from monitor.ingest.file_listing import Problems, list_files
from monitor.ingest.file_streams import Damaged
from monitor.ingest.file_tracked import Stamp, State, Tracked

__all__ = ["Catalog"]

_log = logging.getLogger(__name__)
_COMPARE_STEPS = 16


class Catalog:
    """The files of a directory and where each stands. `settle_ms` is how long a file is left to change."""

    def __init__(self, path: str, pattern: str, lanes: int, follow: bool, settle_ms: int) -> None:
        self.path = path
        self.files: dict[tuple[int, int], Tracked] = {}
        self.active: list[Tracked] = []
        self.problems = Problems()
        self._matches = re.compile(fnmatch.translate(pattern)).match
        self._lane_count = lanes
        self._follow = follow
        self._settle_ms = settle_ms
        self._lanes: Mapping[int, Lane] = {}
        self._comparisons: dict[Tracked, Generator[None, None, Comparison]] = {}
        self._now_ms = 0

    def own(self, lanes: Mapping[int, Lane]) -> None:
        """Says which lanes are ours now; the files of a lane that is new start from what it knows."""
        self._lanes = dict(lanes)
        for file in self.files.values():
            if file.lane is None or file.lane not in lanes.values():
                file.reset()
        self._comparisons.clear()

    def scan(self, now_ms: int, skip_present: bool = False) -> None:
        """Brings `files` up to date. Raises SourceError where the directory can't be listed.

        `skip_present`: what is there now is older than the start; of lanes that know nothing it is
        taken as read.
        """
        self._now_ms = now_ms
        entries = list_files(self.path, self._matches)
        for key in self.files.keys() - entries.keys():
            self._vanished(key)
        for key, (path, stamp) in entries.items():
            file = self.files.get(key)
            if file is None:
                self.files[key] = Tracked(path, key[1], stamp, now_ms, skip=skip_present)
            else:
                self._seen(file, path, stamp)
        self._settle()
        waiting = [f for f in self.files.values() if f.state is State.WAITING and self._worth_a_try(f)]
        for file in sorted(waiting, key=lambda f: (f.stamp.mtime_ns, f.path)):
            self._identify(file)
        self._give_up_missing()
        self.active = [f for f in self.files.values() if self.left(f)]

    def left(self, file: Tracked) -> int:
        """Bytes of a file that are still to be read: 0 only when there will be no more lines as it is."""
        if file.state is State.COMPARING or file.torn or file.recheck:
            return max(1, file.stamp.size)
        if file.state is not State.READING or file.lane is None:
            return 0
        if not file.compressed:
            return file.unread if file.rotated or not file.at_end else 0
        reader = file.lane.readers.get(file)
        return max(1, file.stamp.size - (reader.stream.raw_offset if reader is not None else 0))

    def work(self) -> bool:
        """Goes on comparing files that begin alike; False when there is nothing to compare."""
        if not self._comparisons:
            return False
        file, comparison = next(iter(self._comparisons.items()))
        try:
            for _ in range(_COMPARE_STEPS):
                next(comparison)
        except StopIteration as verdict:
            del self._comparisons[file]
            self._judge(file, verdict.value)
        except (Damaged, OSError) as e:
            del self._comparisons[file]
            file.reset()
            self.set_aside(file, e)
        return True

    def _seen(self, file: Tracked, path: str, stamp: Stamp) -> None:
        file.renamed |= path != file.path
        file.path = path
        if stamp == file.stamp:
            return
        missing = self._missing(file, "truncated_unread")
        file.stamp, file.changed_ms, file.settled = stamp, self._now_ms, False
        if file.state in (State.READING, State.FINISHED):
            self._changed(file, missing)
        elif file.compressed and file.original is not None:
            # A copy that is still being compressed changes all the time: look again when it is settled.
            file.recheck = True
        else:
            self._comparisons.pop(file, None)
            file.reset()

    def _changed(self, file: Tracked, missing: Missing) -> None:
        """More of the same, or something else in the same place?"""
        try:
            same = self._is_same(file)
        except (Damaged, OSError) as e:
            self.set_aside(file, e)
            return
        lane = file.lane
        if not same and lane is not None:
            lane.release(file, missing)
        elif file.state is State.READING:
            file.at_end = False
        elif file.identity is not None and file.stamp.size != file.identity.raw_size:
            file.state, file.at_end = State.READING, False

    def written_over(self, file: Tracked) -> None:
        """The file was truncated and has something else now; the next scan finds out what."""
        if file.lane is not None:
            file.lane.release(file, self._missing(file, "truncated_unread"))

    def _missing(self, file: Tracked, kind: str) -> Missing:
        return Missing(file.path, file.offset, file.unread, self._now_ms, kind)

    def _is_same(self, file: Tracked) -> bool:
        """Whether the file still begins as its identity says. Raises Damaged and OSError."""
        if file.identity is None or (not file.compressed and file.stamp.size < file.offset):
            return False
        head = read_head(file.path, self.finished(file))
        return digest_of(head.data[: file.identity.size]) == file.identity.digest

    def _vanished(self, key: tuple[int, int]) -> None:
        file = self.files[key]
        lane = file.lane
        self._comparisons.pop(file, None)
        if lane is not None and file in lane.readers and not file.at_end:
            file.gone = True  # It is open: what is left can be read to its end.
            return
        if lane is not None:
            lane.release(file, self._missing(file, "deleted_unread"))
        del self.files[key]

    def _settle(self) -> None:
        """What follows from time gone by, and from what became of other files."""
        for file in self.files.values():
            if not self._follow or self._now_ms - file.changed_ms >= self._settle_ms:
                file.settled = True
                if file.left_over and self.finished(file):
                    file.at_end = False
            original = file.original
            if original is None:
                continue
            if original.identity is None or original.gone or (file.recheck and file.settled):
                self._comparisons.pop(file, None)
                file.reset()

    def _worth_a_try(self, file: Tracked) -> bool:
        return not file.tried or (file.settled and not file.tried_settled)

    def finished(self, file: Tracked) -> bool:
        """Whether the file gets no longer, so that a torn end is its end."""
        return file.settled and (not self._follow or file.compressed or file.rotated)

    def _identify(self, file: Tracked) -> None:
        """Finds the lane and the content of a file, as far as that can be told."""
        file.tried, file.tried_settled = True, file.settled
        try:
            head = read_head(file.path, self.finished(file))
        except (Damaged, OSError) as e:
            self.set_aside(file, e)
            return
        file.compressed, file.torn = head.compressed, head.torn
        if not head.data:
            return
        file.first_line, file.head_full = head.first_line, head.full or head.compressed
        lane = self._lanes.get(lane_of(head.first_line, self._lane_count))
        if lane is None:
            file.state = State.FOREIGN
        else:
            self._place(lane, file, head)

    def _place(self, lane: Lane, file: Tracked, head: Head) -> None:
        for known in lane.matches(file, head):
            holder = lane.live.get(known.identity)
            if holder is not None and holder not in file.unlike:
                self._begin_comparison(file, holder)
                return
            if holder is None and lane.could_be(file, known):
                lane.adopt(file, known)
                if file.at_end and file.offset > file.stamp.size:
                    self._lost_end(lane, file)
                return
        rival = next(lane.rivals(file, head), None)
        if rival is not None:
            self._begin_comparison(file, rival)
            return
        lane.name(file, head)
        if file.skip and lane.fresh:
            self._skip(lane, file)

    def _skip(self, lane: Lane, file: Tracked) -> None:
        """Takes what is in the file as read."""
        if file.compressed:
            file.state, file.at_end = State.FINISHED, True
        else:
            file.offset = end_of_lines(file.path)
            file.at_end = file.offset >= file.stamp.size
        lane.progressed(file, done=file.compressed)

    def _lost_end(self, lane: Lane, file: Tracked) -> None:
        """Goes on at the end that the file has now."""
        reason = f"the file was read to byte {file.offset} and has only {file.stamp.size} now"
        self.problems.report("lost_end", file.path, file.offset, reason)
        file.offset = end_of_lines(file.path)
        lane.progressed(file)

    def _begin_comparison(self, file: Tracked, original: Tracked) -> None:
        file.state, file.original = State.COMPARING, original
        self._comparisons[file] = compare(file.path, original.path)

    def _judge(self, file: Tracked, verdict: Comparison) -> None:
        original, file.original = file.original, None
        if original is None or original.lane is None or verdict is Comparison.UNKNOWN:
            file.reset()
        elif verdict is Comparison.DIFFERENT:
            file.unlike.add(original)
            file.state = State.WAITING
            self._identify(file)
        elif verdict is Comparison.COPY:
            file.state, file.original = State.COPY, original
            _log.info("%s is a copy", file.path, extra={"path": file.path, "original": original.path})
        else:
            original.lane.hand_over(original, file)

    def set_aside(self, file: Tracked, error: Damaged | OSError) -> None:
        """Leaves out a file that can't be read, until it changes; the others go on."""
        if isinstance(error, FileNotFoundError):
            return  # The next scan sees that it went.
        damaged = isinstance(error, Damaged)
        self.problems.report("damaged" if damaged else "unreadable", file.path, file.offset, str(error))
        if file.lane is not None:
            file.lane.set_aside(file, done=damaged)
        else:
            file.reset()
            file.state, file.tried = State.SET_ASIDE, True

    def _give_up_missing(self) -> None:
        for lane in self._lanes.values():
            due = [
                i
                for i, gone in lane.missing.items()
                if not self._follow or self._now_ms - gone.since_ms >= self._settle_ms
            ]
            for identity in due:
                gone = lane.missing.pop(identity)
                reason = f"the file went with up to {gone.unread} bytes that nobody had read"
                self.problems.report(gone.kind, gone.path, gone.offset, reason)
