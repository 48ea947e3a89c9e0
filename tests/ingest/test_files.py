"""What is particular to a directory: rotation, compression, growth, damage, and files that look alike."""

import gzip
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from monitor.clock import StreamClock
from monitor.errors import ConfigError, SourceError
from monitor.ingest.files import DirectorySource
from monitor.ingest.source import FileProgress
from monitor.records import Partition
from tests.ingest.ownership import MemoryOwnership, Progress
from tests.ingest.reading import drain, values_of

SETTLE_MS = 1_000


def lines(first: int, count: int, name: str = "r") -> bytes:
    return b"".join(b'{"id":"%s-%06d"}\n' % (name.encode(), i) for i in range(first, first + count))


def split(data: bytes) -> list[bytes]:
    return data.splitlines()


class Reader:
    """One process that reads a directory, and what it stored; `restart` is a new process after a crash."""

    def __init__(self, path: Path, **settings: object) -> None:
        self.path = path
        self.settings = {"lanes": 2, "settle_ms": SETTLE_MS, **settings}
        self.progress = Progress()
        self.clock = StreamClock(1_000)
        self.seen: list[bytes] = []
        self._open()

    def _open(self) -> None:
        self.ownership = MemoryOwnership(self.progress)
        self.source = DirectorySource(self.path, self.ownership, clock=self.clock, **self.settings)  # type: ignore[arg-type]

    def read(self, flush: bool = True) -> list[bytes]:
        """All that there is to read now."""
        found = values_of(drain(self.source, self.ownership))
        if flush:
            self.ownership.flush()
            self.seen += found
        return found

    def restart(self) -> None:
        """Forgets everything but what was committed, as after a SIGKILL."""
        self.ownership.pending.clear()
        self.source.close()
        self._open()

    def settle(self) -> None:
        self.source.poll(1, 0.0)
        self.clock.advance_to(self.clock.now_ms() + SETTLE_MS)

    @property
    def files(self) -> dict[str, FileProgress]:
        """The rows that say something, by file name."""
        rows = [f for by_identity in self.progress.files.values() for f in by_identity.values()]
        return {Path(f.path).name: f for f in rows if f.offset or f.done}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    opened = Reader(tmp_path)
    yield opened
    opened.source.close()


class TestGrowth:
    def test_only_whole_lines_of_a_growing_file_are_read(self, reader: Reader, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"one\ntwo\nthr")
        assert reader.read() == [b"one", b"two"]
        assert all(lag.behind == 0 for lag in reader.source.lags().values())
        with path.open("ab") as file:
            file.write(b"ee\n")
        assert reader.read() == [b"three"]

    def test_a_file_grown_while_nobody_read_is_read_on(self, reader: Reader, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines(0, 3))
        assert len(reader.read()) == 3
        with path.open("ab") as file:
            file.write(lines(3, 500))
        reader.restart()
        assert reader.read() == split(lines(3, 500))

    def test_what_was_not_committed_is_read_again(self, reader: Reader, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(lines(0, 10))
        assert len(reader.read(flush=False)) == 10
        reader.restart()
        assert len(reader.read()) == 10
        reader.restart()
        assert reader.read() == []

    def test_without_follow_the_last_line_needs_no_newline(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(b"one\ntwo")
        once = Reader(tmp_path, follow=False)
        assert once.read() == [b"one", b"two"]
        (tmp_path / "b.jsonl").write_bytes(b"later\n")
        assert once.read() == []
        once.restart()
        assert once.read() == [b"later"]

    def test_without_follow_a_file_that_grew_after_its_torn_end_is_not_read_twice(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"one\ntwo")
        once = Reader(tmp_path, follow=False)
        once.read()
        path.write_bytes(b"one\ntwo\nthree\n")
        once.restart()
        assert once.read() == [b"three"]

    def test_blank_lines_are_passed_over_and_offsets_stay_true(self, reader: Reader, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(b"\n\none\n\n \n\r\ntwo\n\n")
        chunks = drain(reader.source, reader.ownership)
        assert values_of(chunks) == [b"one", b"two"]
        assert [origin for chunk in chunks for origin in chunk.origins] == [
            (str(tmp_path / "a.jsonl"), 2),
            (str(tmp_path / "a.jsonl"), 11),
        ]
        assert chunks[0].where(0) == f"{tmp_path / 'a.jsonl'}@2"

    def test_older_files_come_first(self, tmp_path: Path) -> None:
        for name, age in (("b", 300), ("a", 200), ("c", 100)):
            path = tmp_path / f"{name}.jsonl"
            path.write_bytes(lines(0, 2, name))
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
        one_lane = Reader(tmp_path, lanes=1)
        assert one_lane.read() == split(lines(0, 2, "b") + lines(0, 2, "a") + lines(0, 2, "c"))


class TestRotation:
    def test_a_renamed_file_is_read_on_and_its_successor_from_its_start(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(lines(0, 5))
        reader.read()
        with path.open("ab") as file:
            file.write(lines(5, 5))
        path.rename(tmp_path / "app.jsonl.1")
        path.write_bytes(lines(10, 5))
        assert sorted(reader.read()) == split(lines(5, 10))

    def test_a_renamed_file_is_known_after_a_restart(self, reader: Reader, tmp_path: Path) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(lines(0, 5))
        reader.read()
        path.rename(tmp_path / "app.jsonl.1")
        path.write_bytes(lines(5, 5))
        reader.restart()
        assert reader.read() == split(lines(5, 5))

    def test_a_rotated_file_that_settled_gives_its_torn_last_line(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(b"one\ntwo\nthr")
        assert reader.read() == [b"one", b"two"]
        path.rename(tmp_path / "app.jsonl.1")
        assert reader.source.poll(10, 0.1) == []
        assert any(lag.behind for lag in reader.source.lags().values())
        reader.settle()
        assert reader.read() == [b"thr"]

    def test_copytruncate_reads_the_rest_from_the_copy(self, reader: Reader, tmp_path: Path) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(lines(0, 5))
        reader.read()
        with path.open("ab") as file:
            file.write(lines(5, 5))
        (tmp_path / "app.jsonl.1").write_bytes(path.read_bytes())
        path.write_bytes(b"")
        assert reader.read() == split(lines(5, 5))
        path.write_bytes(lines(10, 2))
        assert reader.read() == split(lines(10, 2))
        assert reader.source.problems == {}

    def test_a_copy_seen_before_the_original_is_truncated_is_not_read(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(lines(0, 500))
        reader.read()
        (tmp_path / "app.jsonl.1").write_bytes(path.read_bytes())
        assert reader.read() == []
        path.write_bytes(lines(500, 3))
        assert reader.read() == split(lines(500, 3))

    def test_a_truncated_file_starts_anew(self, reader: Reader, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines(0, 5))
        reader.read()
        path.write_bytes(lines(5, 3))
        assert reader.read() == split(lines(5, 3))

    def test_a_file_written_over_with_something_longer_starts_anew(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines(0, 5))
        reader.read()
        path.write_bytes(lines(100, 50))
        assert reader.read() == split(lines(100, 50))
        path.write_bytes(lines(200, 80))
        reader.restart()
        assert reader.read() == split(lines(200, 80))

    def test_a_truncated_file_that_begins_with_the_same_line_starts_anew(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"header\n")
        reader.read()
        with path.open("ab") as file:
            file.write(lines(0, 5))
        reader.read()
        path.write_bytes(b"header\n")
        assert reader.read() == [b"header"]
        with path.open("ab") as file:
            file.write(lines(5, 9))
        assert reader.read() == split(lines(5, 9))
        reader.restart()
        assert reader.read() == []

    def test_a_file_that_lost_its_end_in_a_crash_is_not_read_again(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines(0, 1_000))
        reader.read()
        os.truncate(path, len(lines(0, 900)) + 5)
        reader.restart()
        assert reader.read() == []
        assert reader.source.problems == {"lost_end": 1}
        with path.open("ab") as file:
            file.write(b"\n" + lines(2_000, 2))
        assert reader.read() == [lines(900, 1)[:5], *split(lines(2_000, 2))]

    def test_what_is_lost_by_truncation_is_counted(
        self, reader: Reader, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"one\ntorn")
        reader.read()
        path.write_bytes(b"new\n")
        assert reader.read() == [b"new"]
        reader.settle()
        reader.read()
        assert reader.source.problems == {"truncated_unread": 1}
        assert "up to 4 bytes" in caplog.text

    def test_a_file_deleted_before_it_was_read_is_counted(
        self, reader: Reader, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines(0, 100))
        reader.source.poll(10, 0.0)
        reader.source.pause(list(reader.source.lags()))
        for file in list(next(iter(reader.source._readers.values())).lane.readers):
            file.lane.drop(file)  # type: ignore[union-attr]
        path.unlink()
        reader.source.poll(10, 0.1)
        reader.settle()
        reader.read()
        assert reader.source.problems == {"deleted_unread": 1}
        assert str(path) in caplog.text

    def test_a_file_read_wholly_may_be_deleted(self, reader: Reader, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(lines(0, 5))
        reader.read()
        (tmp_path / "a.jsonl").unlink()
        reader.settle()
        reader.read()
        assert reader.source.problems == {}


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("suffix", PACKERS)
class TestCompression:
    def test_all_members_are_read_and_the_file_is_done(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        pack = PACKERS[suffix]
        (tmp_path / f"a.jsonl.{suffix}").write_bytes(pack(lines(0, 900)[:-5]) + pack(lines(0, 900)[-5:]))
        assert reader.read() == split(lines(0, 900))
        assert reader.files[f"a.jsonl.{suffix}"].done
        assert reader.files[f"a.jsonl.{suffix}"].offset == len(lines(0, 900))
        reader.restart()
        assert reader.read() == []

    def test_a_torn_last_line_is_a_line(self, reader: Reader, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"a.jsonl.{suffix}").write_bytes(PACKERS[suffix](b"one\ntwo"))
        assert reader.read() == [b"one", b"two"]

    def test_reading_goes_on_inside_a_compressed_file(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        (tmp_path / f"a.jsonl.{suffix}").write_bytes(PACKERS[suffix](lines(0, 1000)))
        reader.ownership.take(reader.source.poll(100, 1.0))
        reader.ownership.flush()
        reader.restart()
        (chunk,) = reader.source.poll(1, 1.0)
        assert chunk.values[0] == split(lines(0, 1000))[100]

    def test_a_file_compressed_after_it_was_read_is_not_read_again(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / "app.jsonl.1"
        path.write_bytes(lines(0, 1000))
        reader.read()
        (tmp_path / f"app.jsonl.1.{suffix}").write_bytes(PACKERS[suffix](path.read_bytes()))
        assert reader.read() == []
        path.unlink()
        assert reader.read() == []
        reader.restart()
        assert reader.read() == []
        assert reader.source.problems == {}

    def test_a_file_compressed_while_nobody_looked_is_read_on(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / "app.jsonl"
        path.write_bytes(lines(0, 700))
        reader.read()
        path.unlink()
        (tmp_path / f"app.jsonl.{suffix}").write_bytes(PACKERS[suffix](lines(0, 1000)))
        reader.restart()
        assert reader.read() == split(lines(700, 300))
        reader.restart()
        assert reader.read() == []

    def test_a_file_still_being_compressed_waits(self, reader: Reader, tmp_path: Path, suffix: str) -> None:
        whole = PACKERS[suffix](lines(0, 3000))
        path = tmp_path / f"a.jsonl.{suffix}"
        path.write_bytes(whole[: len(whole) // 2])
        first = values_of([c for _ in range(5) for c in reader.source.poll(10_000, 0.05)])
        assert any(lag.behind for lag in reader.source.lags().values())
        path.write_bytes(whole)
        rest = values_of(drain(reader.source, reader.ownership))
        assert first + rest == split(lines(0, 3000))

    def test_a_file_that_stays_torn_is_set_aside(
        self, reader: Reader, tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        whole = PACKERS[suffix](os.urandom(30_000).hex().encode() + b"\n" + lines(0, 30))
        (tmp_path / f"bad.jsonl.{suffix}").write_bytes(whole[:-100])
        (tmp_path / "good.jsonl").write_bytes(lines(0, 5, "good"))
        first = values_of(reader.source.poll(100, 0.1))
        reader.settle()
        assert set(split(lines(0, 5, "good"))) <= {*first, *reader.read()}
        assert reader.source.problems == {"damaged": 1}
        assert f"bad.jsonl.{suffix}" in caplog.text
        assert "in the middle" in caplog.text

    def test_what_comes_before_the_damage_is_read(self, reader: Reader, tmp_path: Path, suffix: str) -> None:
        noise = b"".join(os.urandom(40).hex().encode() + b"\n" for _ in range(8_000))
        whole = bytearray(PACKERS[suffix](noise))
        whole[len(whole) // 2 : len(whole) // 2 + 64] = bytes(64)
        (tmp_path / f"bad.jsonl.{suffix}").write_bytes(whole)
        found = reader.read()
        assert found[:3_000] == split(noise)[:3_000]
        assert reader.source.problems == {"damaged": 1}
        reader.restart()
        reader.read()

    def test_a_file_mended_after_it_was_set_aside_is_read_on(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        noise = b"".join(os.urandom(40).hex().encode() + b"\n" for _ in range(8_000))
        whole = PACKERS[suffix](noise)
        path = tmp_path / f"a.jsonl.{suffix}"
        path.write_bytes(whole[: len(whole) // 2])
        first = values_of([c for _ in range(3) for c in reader.source.poll(10_000, 0.1)])
        reader.settle()
        assert reader.read() == []
        assert reader.source.problems == {"damaged": 1}
        path.write_bytes(whole)
        assert first + reader.read() == split(noise)

    def test_members_added_after_the_end_are_read(self, reader: Reader, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.jsonl.{suffix}"
        path.write_bytes(PACKERS[suffix](lines(0, 5)))
        assert len(reader.read()) == 5
        with path.open("ab") as file:
            file.write(PACKERS[suffix](lines(5, 5)))
        assert reader.read() == split(lines(5, 5))
        with path.open("ab") as file:
            file.write(PACKERS[suffix](lines(10, 5)))
        reader.restart()
        assert reader.read() == split(lines(10, 5))

    def test_memory_stays_bounded_when_a_little_input_is_a_lot_of_output(
        self, reader: Reader, tmp_path: Path, suffix: str
    ) -> None:
        bomb = PACKERS[suffix](b"x" * (200 << 20) + b"\n" + b"after\n")
        (tmp_path / f"a.jsonl.{suffix}").write_bytes(bomb)
        assert [len(value) for value in reader.read()] == [(1 << 20) + 1, len(b"after")]


class TestLookalikes:
    def test_files_with_the_same_first_line_are_different_files(self, reader: Reader, tmp_path: Path) -> None:
        for name in "abc":
            (tmp_path / f"{name}.jsonl").write_bytes(b"header\n" + lines(0, 300, name))
        assert len(reader.read()) == 3 * 301
        reader.restart()
        assert reader.read() == []

    def test_files_that_begin_alike_and_grow_apart(self, reader: Reader, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.jsonl").write_bytes(b"header\n")
        assert reader.read() == [b"header"]
        for name in "ab":
            with (tmp_path / f"{name}.jsonl").open("ab") as file:
                file.write(lines(0, 3, name))
        assert sorted(reader.read()) == sorted([*split(lines(0, 3, "a") + lines(0, 3, "b")), b"header"])
        reader.restart()
        assert reader.read() == []

    def test_a_file_after_a_deleted_one_with_the_same_first_line(
        self, reader: Reader, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"header\n")
        reader.read()
        with path.open("ab") as file:
            file.write(b"1\n2\n")
        reader.read()
        path.unlink()
        (tmp_path / "b.jsonl").write_bytes(b"header\n3\n4\n")
        reader.restart()
        assert reader.read() == [b"header", b"3", b"4"]

    def test_files_that_differ_only_after_the_head(self, reader: Reader, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.jsonl").write_bytes(lines(0, 1_000) + lines(0, 10, name))
        assert len(reader.read()) == 2 * 1_010

    def test_a_copy_is_read_once(self, reader: Reader, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.jsonl").write_bytes(lines(0, 1_000))
        (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(lines(0, 1_000)))
        assert len(reader.read()) == 1_000
        reader.restart()
        assert reader.read() == []

    def test_a_copy_that_goes_on_is_read_on(self, reader: Reader, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(lines(0, 10))
        reader.read()
        (tmp_path / "b.jsonl").write_bytes(lines(0, 15))
        assert reader.read() == split(lines(10, 5))

    def test_a_name_outside_the_pattern_is_not_read(self, reader: Reader, tmp_path: Path) -> None:
        for name in (".a.jsonl.swp", "a.jsonl.tmp", "a.jsonl~", "facts.json", "README"):
            (tmp_path / name).write_bytes(b"no\n")
        (tmp_path / "dir.jsonl").mkdir()
        assert reader.read() == []

    @pytest.mark.parametrize("magic", [b"BZh91AY", b"\xfd7zXZ\0", b"PK\x03\x04zip"])
    def test_a_kind_that_can_not_be_read_is_told(
        self, reader: Reader, tmp_path: Path, magic: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "a.jsonl.x").write_bytes(magic + bytes(100))
        reader.read()
        assert reader.source.problems == {"damaged": 1}
        assert "gzip, zstd and plain files can be read" in caplog.text


class TestLongLines:
    def test_a_long_line_is_cut_to_one_byte_more_than_allowed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"a\n" + b"x" * 5_000_000 + b"\nb\n" + b"y" * 101 + b"\n" + b"z" * 100 + b"\nc\n")
        short = Reader(tmp_path, max_record_bytes=100)
        assert short.read() == [b"a", b"x" * 101, b"b", b"y" * 101, b"z" * 100, b"c"]
        assert short.files["a.jsonl"].offset == path.stat().st_size

    def test_a_long_line_that_grows_is_not_read_from_its_start_each_time(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"first\n")
        short = Reader(tmp_path, max_record_bytes=100)
        short.read()
        for _ in range(5):
            with path.open("ab") as file:
                file.write(b"x" * 100_000)
            assert short.read() == []
        with path.open("ab") as file:
            file.write(b"\nlast\n")
        assert short.read() == [b"x" * 101, b"last"]
        short.restart()
        assert short.read() == []


class TestLanes:
    def test_a_lane_is_told_by_the_first_line(self, tmp_path: Path) -> None:
        for name in "abcdefgh":
            (tmp_path / f"{name}.jsonl").write_bytes(lines(0, 3, name))
        first, second = Reader(tmp_path, lanes=4, owned=[0, 1]), Reader(tmp_path, lanes=4, owned=[2, 3])
        found = [*first.read(), *second.read()]
        assert len(found) == len(set(found)) == 24
        assert set(first.source.lags()) == {Partition(tmp_path.name, 0), Partition(tmp_path.name, 1)}

    @pytest.mark.parametrize("lanes", [1, 3, 8])
    def test_another_number_of_lanes_is_refused(self, reader: Reader, tmp_path: Path, lanes: int) -> None:
        for name in "abcdefgh":
            (tmp_path / f"{name}.jsonl").write_bytes(lines(0, 3, name))
        reader.read()
        reader.settings["lanes"] = lanes
        reader.restart()
        with pytest.raises(SourceError, match=f"read with 2 lanes and is now set to {lanes}"):
            reader.source.poll(10, 0.0)

    def test_restart_reads_on_from_what_is_stored(self, reader: Reader, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(lines(0, 10))
        reader.read(flush=False)
        reader.source.restart(list(reader.source.lags()))
        assert reader.read() == split(lines(0, 10))

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [({"lanes": 0}, "lanes: 0 is not at least 1"), ({"owned": [2]}, "owned: there is no lane 2 of 2")],
    )
    def test_settings_without_sense(self, tmp_path: Path, settings: dict[str, object], problem: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Reader(tmp_path, **settings)
        assert caught.value.problems == [problem]

    def test_a_missing_directory(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="is no directory; create it"):
            Reader(tmp_path / "nowhere")


class TestCost:
    def test_known_files_are_not_opened_again(
        self, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for i in range(300):
            (tmp_path / f"{i}.jsonl").write_bytes(lines(i, 1))
        assert len(reader.read()) == 300
        opened: list[str] = []

        def count(path: str) -> None:
            opened.append(path)
            raise OSError("no file is to be opened")

        monkeypatch.setattr("monitor.ingest.file_identity.open_stream", count)
        monkeypatch.setattr("monitor.ingest.file_reading.open_stream", count)
        reader.read()
        assert opened == []

    def test_a_reader_holds_few_files_open(self, reader: Reader, tmp_path: Path) -> None:
        for i in range(200):
            (tmp_path / f"{i}.jsonl").write_bytes(lines(i * 10, 10))
        before = len(os.listdir("/proc/self/fd"))
        reader.source.poll(100, 0.1)
        assert len(os.listdir("/proc/self/fd")) - before <= 40
        assert len(reader.read()) == 1_900

    def test_nothing_new_is_told_quickly(self, reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        assert reader.source.poll(10, 0.0) == []
        assert reader.source.poll(10, 0.02) == []
