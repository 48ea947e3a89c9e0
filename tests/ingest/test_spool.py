"""The spool: what `append` promised is there after anything, and nothing grows without bound."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.errors import SourceError, StoreBusy
from monitor.ingest.decode import Decoder
from monitor.ingest.files import DirectorySource
from monitor.ingest.source import FileProgress
from monitor.ingest.spool import Spool, SpoolFull
from tests.ingest.ownership import MemoryOwnership
from tests.ingest.reading import drain, values_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock() -> StreamClock:
    return StreamClock(1_775_000_000_000)


@pytest.fixture
def spool(tmp_path: Path, clock: StreamClock) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool", clock=clock, max_bytes=10_000)
    yield opened
    opened.close()


def read(path: Path) -> tuple[list[bytes], list[FileProgress]]:
    """What a job that follows the spool reads, and the progress that it stores."""
    ownership = MemoryOwnership()
    source = DirectorySource(path, ownership, clock=StreamClock(1))
    values = values_of(drain(source, ownership))
    source.close()
    rows = [row for lane in ownership.progress.files.values() for row in lane.values()]
    return values, rows


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir())


class TestAppend:
    def test_what_is_appended_is_read(self, spool: Spool, tmp_path: Path) -> None:
        spool.append([b'{"id":1}', b'{"id":2}'])
        spool.append([b'{"id":3}'])
        spool.append([])
        assert read(tmp_path / "spool")[0] == [b'{"id":1}', b'{"id":2}', b'{"id":3}']

    def test_a_newline_inside_a_record_is_refused(self, spool: Spool, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="compact it first"):
            spool.append([b"{}", b'{\n"id":1}'])
        assert files(tmp_path / "spool") == []

    def test_callers_at_the_same_time_share_a_sync(
        self, tmp_path: Path, clock: StreamClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool = Spool(tmp_path, clock=clock, max_bytes=1 << 20)
        first, go_on = threading.Event(), threading.Event()
        syncs: list[int] = []
        real = os.fdatasync

        def slow(descriptor: int) -> None:
            syncs.append(os.fstat(descriptor).st_size)
            first.set()
            assert go_on.wait(10)
            real(descriptor)

        monkeypatch.setattr(os, "fdatasync", slow)
        with ThreadPoolExecutor(33) as pool:
            calls = [pool.submit(spool.append, [b"0"])]
            assert first.wait(10)
            calls += [pool.submit(spool.append, [b"%d" % i]) for i in range(1, 33)]
            wait_until_queued(spool, 32)
            go_on.set()
            for call in calls:
                call.result(10)
        assert len(syncs) == 2
        assert sorted(map(int, read(tmp_path)[0])) == list(range(33))
        spool.close()

    def test_each_caller_gets_its_records_whole_and_in_order(
        self, tmp_path: Path, clock: StreamClock
    ) -> None:
        spool = Spool(tmp_path, clock=clock, max_bytes=10 << 20, max_file_bytes=1_000)

        def post(caller: int) -> None:
            for request in range(20):
                spool.append([b"%d.%d.%d" % (caller, request, i) for i in range(5)])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(post, range(8)))
        spool.close()
        found = [value.split(b".") for path in files(tmp_path) for value in path.read_bytes().split()]
        for caller in range(8):
            mine = [(int(r), int(i)) for c, r, i in found if int(c) == caller]
            assert mine == [(r, i) for r in range(20) for i in range(5)]
        assert len(files(tmp_path)) > 1

    def test_after_close_nothing_is_taken(self, spool: Spool) -> None:
        spool.close()
        with pytest.raises(StoreBusy, match="is closed"):
            spool.append([b"{}"])


class TestRotation:
    def test_names_sort_by_time(self, tmp_path: Path, clock: StreamClock) -> None:
        spool = Spool(tmp_path, clock=clock, max_bytes=1 << 20, max_file_bytes=10)
        for i in range(12):
            spool.append([b'{"number":%d}' % i])
            clock.advance_to(clock.now_ms() + 700)
        spool.close()
        assert [path.read_bytes() for path in files(tmp_path)] == [b'{"number":%d}\n' % i for i in range(12)]

    def test_an_old_file_is_left_for_the_next(self, spool: Spool, tmp_path: Path, clock: StreamClock) -> None:
        spool.append([b"1"])
        clock.advance_to(clock.now_ms() + 60_000)
        spool.append([b"2"])
        assert len(files(tmp_path / "spool")) == 2

    def test_a_file_that_somebody_deleted_is_not_written_on(self, spool: Spool, tmp_path: Path) -> None:
        spool.append([b"1"])
        files(tmp_path / "spool")[0].unlink()
        spool.append([b"2"])
        assert read(tmp_path / "spool")[0] == [b"2"]


class TestPrune:
    def test_files_read_to_their_end_go(self, spool: Spool, tmp_path: Path, clock: StreamClock) -> None:
        spool.append([b"1"])
        clock.advance_to(clock.now_ms() + 60_000)
        spool.append([b"2"])
        _, rows = read(tmp_path / "spool")
        assert spool.prune(rows) == 1
        assert [path.read_bytes() for path in files(tmp_path / "spool")] == [b"2\n"]
        clock.advance_to(clock.now_ms() + 60_000)
        assert spool.prune(rows) == 1
        assert files(tmp_path / "spool") == []
        spool.append([b"3"])
        assert read(tmp_path / "spool")[0] == [b"3"]

    def test_a_file_with_something_unread_stays(
        self, spool: Spool, tmp_path: Path, clock: StreamClock
    ) -> None:
        spool.append([b"1"])
        _, rows = read(tmp_path / "spool")
        spool.append([b"2"])
        clock.advance_to(clock.now_ms() + 60_000)
        assert spool.prune(rows) == 0
        assert spool.prune([]) == 0

    def test_a_file_that_another_process_writes_stays(
        self, spool: Spool, tmp_path: Path, clock: StreamClock
    ) -> None:
        other = Spool(tmp_path / "spool", clock=clock, max_bytes=10_000)
        other.append([b"1"])
        _, rows = read(tmp_path / "spool")
        clock.advance_to(clock.now_ms() + 60_000)
        assert spool.prune(rows) == 0
        other.close()
        assert spool.prune(rows) == 1


class TestFull:
    def test_more_than_max_bytes_is_refused_and_room_comes_back(
        self, spool: Spool, tmp_path: Path, clock: StreamClock
    ) -> None:
        spool.append([b"x" * 8_000])
        with pytest.raises(SpoolFull, match=r"is full \(10000 bytes\): is the job running\?"):
            spool.append([b"y" * 3_000])
        spool.append([b"z" * 1_000])
        values, rows = read(tmp_path / "spool")
        assert [len(v) for v in values] == [8_000, 1_000]
        clock.advance_to(clock.now_ms() + 60_000)
        spool.prune(rows)
        spool.append([b"y" * 3_000])

    def test_what_other_processes_wrote_counts(
        self, spool: Spool, tmp_path: Path, clock: StreamClock
    ) -> None:
        other = Spool(tmp_path / "spool", clock=clock, max_bytes=10_000)
        other.append([b"x" * 9_000])
        with pytest.raises(SpoolFull):
            spool.append([b"y" * 2_000])
        other.close()

    def test_a_torn_line_is_taken_back_when_the_disk_is_full(
        self, tmp_path: Path, clock: StreamClock
    ) -> None:
        spool = Spool(tmp_path, clock=clock, max_bytes=10 << 20)
        spool.append([b"1" * 4_000])
        with file_size_limit(10_000), pytest.raises(SpoolFull, match="took nothing"):
            spool.append([b"2" * 4_000, b"3" * 4_000])
        spool.append([b"4" * 4_000])
        spool.close()
        written = [path.read_bytes() for path in files(tmp_path)]
        # The second record was not acknowledged, but may have been read: it stays, the torn third goes.
        assert written == [b"1" * 4_000 + b"\n" + b"2" * 4_000 + b"\n", b"4" * 4_000 + b"\n"]

    def test_a_failed_sync_is_told_to_all_and_a_new_file_begun(
        self, spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool.append([b"1"])

        def fail(descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fail)
            with pytest.raises(StoreBusy, match="Input/output error; free or mend its disk"):
                spool.append([b"2"])
        spool.append([b"3"])
        assert len(files(tmp_path / "spool")) == 2

    def test_a_directory_that_can_not_be_made(self, tmp_path: Path, clock: StreamClock) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(SourceError, match="can't be written"):
            Spool(tmp_path / "file" / "spool", clock=clock, max_bytes=1)


class TestCrash:
    def test_a_torn_line_of_a_dead_writer_becomes_a_dead_letter_of_its_own(
        self, tmp_path: Path, clock: StreamClock
    ) -> None:
        (tmp_path / "20260101T000000.000-000001-1-aa.spool.jsonl").write_bytes(b'{"id":"1"}\n{"id":"2","mod')
        before, _ = read(tmp_path)
        assert before == [b'{"id":"1"}']
        spool = Spool(tmp_path, clock=clock, max_bytes=10_000)
        spool.append([b'{"id":"3"}'])
        values, _ = read(tmp_path)
        assert sorted(values) == [b'{"id":"1"}', b'{"id":"2","mod', b'{"id":"3"}']
        spool.close()

    def test_the_fragment_is_bad_json_to_the_decoder(self, tmp_path: Path) -> None:
        path = tmp_path / "a.spool.jsonl"
        path.write_bytes(b'{"id":"1","ts":1775000000000,"model":"m"}\n{"id":"2","mod\n')
        ownership = MemoryOwnership()
        source = DirectorySource(tmp_path, ownership, clock=StreamClock(1_775_000_000_000))
        (chunk,) = drain(source, ownership)
        decoded = Decoder().decode(chunk)
        assert len(decoded.batch) == 1
        assert [letter.where for letter in decoded.dead] == [f"{path}@42"]
        assert decoded.dead[0].reason == "bad_json"
        source.close()

    def test_the_file_of_a_living_writer_is_left_alone(self, tmp_path: Path, clock: StreamClock) -> None:
        path = tmp_path / "a.spool.jsonl"
        with path.open("ab", buffering=0) as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            writer.write(b"half")
            Spool(tmp_path, clock=clock, max_bytes=10_000).close()
            assert path.read_bytes() == b"half"
        Spool(tmp_path, clock=clock, max_bytes=10_000).close()
        assert path.read_bytes() == b"half\n"

    def test_what_was_acknowledged_survives_kill_9(self, tmp_path: Path, clock: StreamClock) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        spool = Spool(tmp_path, clock=clock, max_bytes=100 << 20)
        spool.append([b"after"])
        values, _ = read(tmp_path)
        assert {line.strip() for line in acknowledged if line.endswith(b"\n")} <= set(values)
        assert b"after" in values
        spool.close()


WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from monitor.clock import WallClock
from monitor.ingest.spool import Spool
spool = Spool(sys.argv[1], clock=WallClock(), max_bytes=100 << 20, max_file_bytes=2000)
def post(caller):
    for i in range(1_000_000):
        record = b"%d.%d" % (caller, i)
        spool.append([record])
        sys.stdout.buffer.raw.write(record + b"\\n")
with ThreadPoolExecutor(4) as pool:
    list(pool.map(post, range(4)))
"""


def wait_until_queued(spool: Spool, count: int) -> None:
    until = threading.Event()
    for _ in range(1_000):
        with spool._turn:
            if len(spool._queue) == count:
                return
        until.wait(0.01)
    raise AssertionError("the callers never queued")


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """What a full disk is like: a write is cut short, and the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
