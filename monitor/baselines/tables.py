"""Files of rows, read in batches of columns: Parquet, CSV, JSON lines; compressed or not."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from monitor.baselines.arrow_columns import column_of, numbers_in, texts_of
from monitor.errors import SourceError
from monitor.ingest.vectors import reduced, take_vectors
from monitor.records import Column, Floats, Ints

__all__ = ["FORMATS", "Rows", "Table", "is_wanted", "opened_bytes", "unreadable"]

_AT_ONCE = 65_536
_BLOCK_BYTES = 4 << 20
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
FORMATS = "Parquet (.parquet), CSV (.csv) or JSON lines (.jsonl, .ndjson, .json); .gz or .zst where text"


@dataclass(frozen=True, slots=True)
class Rows:
    """`n` rows of a file. `ts_ms` (int64) where they are inference records; `read` is how many bytes of the
    file had been read then."""

    n: int
    columns: Mapping[str, Column]
    read: int
    attributions: Mapping[str, Floats] = field(default_factory=dict)
    ts_ms: Ints | None = None


class Table(Protocol):
    """A file of rows. `names` are its columns, None where only reading tells."""

    path: Path
    names: tuple[str, ...] | None
    typed: bool
    """Whether the file says what is a number: a CSV file does not."""

    def batches(self, columns: Collection[str] | None, as_text: Collection[str]) -> Iterator[Rows]:
        """All rows, of `columns` (None for all); those of `as_text` are texts even where they look like
        numbers. Raises SourceError that names the file and the line."""


def is_wanted(name: str, wanted: Collection[str] | None) -> bool:
    """Whether a column is one of those wanted, None for all, or stands for one of vectors, as `x.norm`."""
    return wanted is None or name in wanted or name.rpartition(".")[0] in wanted


def unreadable(path: Path, why: object) -> SourceError:
    """The error for a file that can't be read."""
    return SourceError(f"{path}: {' '.join(str(why).split())}"[:500])


@contextmanager
def opened_bytes(path: Path) -> Iterator[tuple[Any, Callable[[], int]]]:
    """(the file's bytes, decompressed as its name says; how many bytes of it were read so far)."""
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(open(path, "rb"))
        except OSError as e:
            raise unreadable(path, (e.strerror or str(e)).lower()) from None
        compression = COMPRESSIONS.get(path.suffix)
        stream = (
            raw if compression is None else stack.enter_context(pa.CompressedInputStream(raw, compression))
        )
        yield stream, raw.tell


class CsvTable:
    """A CSV file with a header. Empty fields, NaN and null are nulls; so is NA among numbers."""

    typed = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._convert: dict[str, Any] = {}
        with self._reader(None) as (reader, _):
            self.names: tuple[str, ...] | None = tuple(reader.schema.names)
        twice = {n for n in self.names if self.names.count(n) > 1}
        if twice:
            raise unreadable(path, f"line 1: names the column {sorted(twice)[0]!r} twice; rename one")

    def batches(self, columns: Collection[str] | None, as_text: Collection[str]) -> Iterator[Rows]:
        wanted = [n for n in self.names or () if columns is None or n in columns]
        with self._reader(wanted) as (reader, tell):
            while (batch := self._next(reader)) is not None:
                columns_of = {
                    name: texts_of(array) if name in as_text else numbers_in(array)
                    for name, array in zip(wanted, batch.columns, strict=True)
                }
                yield Rows(batch.num_rows, columns_of, tell())

    @contextmanager
    def _reader(self, columns: list[str] | None) -> Iterator[tuple[Any, Callable[[], int]]]:
        strings = {n: pa.string() for n in (self.names or ())} if columns is not None else {}
        with opened_bytes(self.path) as (stream, tell):
            try:
                # One thread: only then does an error tell its line.
                reader = pa_csv.open_csv(
                    stream,
                    read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
                    parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                    convert_options=pa_csv.ConvertOptions(
                        column_types=strings,
                        include_columns=columns,
                        strings_can_be_null=True,
                        null_values=["", "null", "NULL", "nan", "NaN", "n/a", "N/A", "#N/A"],
                    ),
                )
            except (pa.ArrowInvalid, OSError) as e:
                raise self._broken(e) from None
            with closing(reader):
                yield reader, tell

    def _next(self, reader: Any) -> Any:
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None
        except (pa.ArrowInvalid, OSError) as e:
            raise self._broken(e) from None

    def _broken(self, error: Exception) -> SourceError:
        why = str(error)
        if "Empty CSV" in why:
            return unreadable(self.path, "is empty; a baseline needs rows, and a CSV file a header")
        if "UTF8" in why:
            return unreadable(self.path, f"line {_not_utf8(self.path)}: is not UTF-8; save the file as UTF-8")
        return unreadable(self.path, why.replace("CSV parse error: Row #", "line "))


def _not_utf8(path: Path) -> int:
    """The line of the first byte that is not UTF-8."""
    with opened_bytes(path) as (stream, _):
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


class ParquetTable:
    """A Parquet file."""

    typed = True

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._file() as file:
            self.names: tuple[str, ...] | None = tuple(file.schema_arrow.names)

    @contextmanager
    def _file(self) -> Iterator[Any]:
        try:
            file = pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as e:
            raise unreadable(self.path, f"is no readable Parquet file: {e}") from None
        with closing(file):
            yield file

    def batches(self, columns: Collection[str] | None, as_text: Collection[str]) -> Iterator[Rows]:
        wanted = [n for n in self.names or () if columns is None or n in columns]
        with self._file() as file:
            size, rows, done = self.path.stat().st_size, max(1, file.metadata.num_rows), 0
            found = file.iter_batches(_AT_ONCE, columns=wanted)
            while True:
                try:
                    batch = next(found, None)
                except (pa.ArrowInvalid, OSError) as e:
                    raise unreadable(self.path, f"after row {done}: {e}") from None
                if batch is None:
                    return
                done += batch.num_rows
                columns_of: dict[str, Column] = {}
                for name, array in zip(batch.schema.names, batch.columns, strict=True):
                    columns_of |= _columns(name, array, name in as_text)
                yield Rows(batch.num_rows, columns_of, size * done // rows)


def _columns(name: str, array: Any, as_text: bool) -> dict[str, Column]:
    """The column of an array; those that stand for it where it holds vectors, as in the stream."""
    kind = array.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return {name: _column(array, as_text)}
    rest, vectors = take_vectors(array.to_pylist())
    found: dict[str, Column] = dict(reduced(name, vectors))
    if any(value is not None for value in rest):
        found[name] = column_of(pa.array([None if v is None else [0] for v in rest], pa.list_(pa.int64())))
    return found


def _column(array: Any, as_text: bool) -> Column:
    plain = pa.types.is_nested(array.type) or pa.types.is_null(array.type)
    return texts_of(array.cast(pa.string())) if as_text and not plain else column_of(array)
