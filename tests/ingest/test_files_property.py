"""Whatever is written, rotated, compressed, read and crashed in whatever order: each line comes once."""

import gzip
import os
import tempfile
from pathlib import Path

import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.clock import StreamClock
from monitor.ingest.file_lines import LineReader
from monitor.ingest.file_streams import open_stream
from monitor.ingest.files import DirectorySource
from tests.ingest.ownership import MemoryOwnership, Progress
from tests.ingest.reading import drain

LOGS = 2


class World:
    """Logs that processes write and rotate, and a reader that may crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress = Progress()
        self.clock = StreamClock(1)
        self.written: list[bytes] = []
        self.rotated: list[Path] = []
        self._names = 0
        self._open()

    def _open(self) -> None:
        self.ownership = MemoryOwnership(self.progress)
        self.source = DirectorySource(self.path, self.ownership, clock=self.clock, lanes=3, settle_ms=1)

    def log(self, number: int) -> Path:
        return self.path / f"app{number}.jsonl"

    def write(self, number: int, count: int, header: bool) -> None:
        """Appends lines; a header is the same line in every file."""
        with self.log(number).open("ab") as file:
            if header and file.tell() == 0:
                file.write(b'{"header":%d}\n' % number)
                self.written.append(b'{"header":%d}' % number)
            for _ in range(count):
                line = b'{"id":%d,"pad":"%s"}' % (len(self.written), b"x" * (len(self.written) % 300))
                self.written.append(line)
                file.write(line + b"\n")

    def tear(self, number: int) -> None:
        """Writes a line in two parts, with a poll between them."""
        line = b'{"id":%d,"torn":true}' % len(self.written)
        with self.log(number).open("ab", buffering=0) as file:
            file.write(line[:7])
            self.poll(3)
            file.write(line[7:] + b"\n")
        self.written.append(line)

    def rotate(self, number: int, how: str) -> None:
        path = self.log(number)
        if not path.exists() or not path.stat().st_size:
            return
        self._names += 1
        target = self.path / f"{path.name}.{self._names}"
        if how == "rename":
            path.rename(target)
        else:
            target.write_bytes(path.read_bytes())
            if how == "seen copy":
                self.poll(3)
            path.write_bytes(b"")
        self.rotated.append(target)

    def compress(self, suffix: str, seen: bool) -> None:
        if not self.rotated:
            return
        path = self.rotated.pop(0)
        pack = gzip.compress if suffix == "gz" else zstandard.ZstdCompressor().compress
        packed = pack(path.read_bytes())
        target = path.with_name(f"{path.name}.{suffix}")
        if seen:
            target.write_bytes(packed[: len(packed) // 2])
            self.poll(3)
        target.write_bytes(packed)
        if seen:
            self.poll(3)
        path.unlink()

    def poll(self, most: int) -> None:
        self.ownership.take(self.source.poll(most, 0.03))

    def commit(self) -> None:
        self.ownership.flush()

    def crash(self) -> None:
        self.ownership.pending.clear()
        self.source.close()
        self._open()

    def finish(self) -> list[bytes]:
        for _ in range(2):
            drain(self.source, self.ownership, 7)
            self.clock.advance_to(self.clock.now_ms() + 10)
        self.commit()
        self.source.close()
        return [value for read in self.progress.records.values() for _, value in read]


NUMBERS = st.integers(0, LOGS - 1)
STEPS = st.one_of(
    st.tuples(st.just("write"), NUMBERS, st.integers(1, 30), st.booleans()),
    st.tuples(st.just("tear"), NUMBERS),
    st.tuples(st.just("rotate"), NUMBERS, st.sampled_from(["rename", "copy", "seen copy"])),
    st.tuples(st.just("compress"), st.sampled_from(["gz", "zst"]), st.booleans()),
    st.tuples(st.just("poll"), st.integers(1, 20)),
    st.just(("commit",)),
    st.just(("crash",)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_each_line_is_read_once(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        for name, *arguments in steps:
            getattr(world, str(name))(*arguments)
        assert sorted(world.finish()) == sorted(world.written)


def as_line(text: bytes) -> bytes:
    return b"{" + text.replace(b"\n", b"")


@settings(max_examples=200, deadline=None)
@example([b"{*M\x18"], [1], 1, 0)  # but for its first byte the begin of a zstd frame to skip
@given(
    st.lists(st.sampled_from([b"", b" "]) | st.binary(max_size=12).map(as_line), max_size=40),
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
    st.integers(1, 10),
    st.integers(0, 400),
)
def test_every_offset_is_one_to_resume_from(
    texts: list[bytes], limits: list[int], most_bytes: int, cut: int
) -> None:
    """Any split of polls gives the same lines; reading on at the end of any of them gives the rest."""
    data = b"\n".join(texts) + b"\n"
    data = data[: cut or None]
    whole = data[: data.rfind(b"\n") + 1]
    expected = [text[: most_bytes + 1] for text in whole.split(b"\n") if text.strip()]
    handle, path = tempfile.mkstemp()
    os.write(handle, data)
    os.close(handle)
    try:
        reader = LineReader(open_stream(path), 0, most_bytes)
        found: list[bytes] = []
        while not reader.at_end:
            lines = reader.take(limits[len(found) % len(limits)])
            assert [
                data[o : o + len(v)] for v, o in zip(lines.values, lines.offsets, strict=True)
            ] == lines.values
            found += lines.values
            again = LineReader(open_stream(path), lines.end, most_bytes, strict=True)
            rest = again.take(1000).values
            again.close()
            assert found + rest == expected
        reader.close()
        assert found == expected
        assert reader.tail_bytes == len(data) - len(whole)
    finally:
        os.unlink(path)
