"""Labels in the files that people have: CSV, Parquet and JSON lines, turned into label messages.

A file is read once, in pieces. What becomes of a row depends on the row alone, so that the same file gives
the same messages. A row that makes no label is passed on as it is: it becomes a dead letter like any other.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec
import zstandard

from monitor.errors import SourceError
from monitor.ingest.checks import BadRecord, parse
from monitor.ingest.label_contract import LABEL_FIELDS
from monitor.ingest.label_values import FROM_ARROW, FROM_TEXT

__all__ = ["FORMATS", "LabelColumns", "Piece", "read_labels"]

FORMATS = "CSV (.csv), Parquet (.parquet) or JSON lines (.jsonl, .ndjson, .json), .gz or .zst where text"
_FIELDS = tuple(f.name for f in LABEL_FIELDS)
_AT_ONCE = 5_000
_MAX_LINE = 1 << 20
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Where the fields of a label stand: `names` gives columns that are called otherwise than their field,
    `model` the model of all labels."""

    names: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None

    def of(self, name: str) -> str:
        return self.names.get(name, name)


class Piece(NamedTuple):
    """Some label messages of a file, in order, and how many bytes of it (as it lies there) were read then."""

    lines: list[bytes]
    read: int


def read_labels(path: Path, columns: LabelColumns) -> Iterator[Piece]:
    """The labels of a file as messages. Raises SourceError that names the file, and the line where there is
    one."""
    suffixes = [s for s in path.suffixes[-2:] if s not in (".gz", ".zst")]
    kind = suffixes[-1] if suffixes else ""
    reader = _READERS.get(kind)
    if reader is None:
        raise SourceError(f"{path}: is of no known kind; give {FORMATS}")
    try:
        yield from reader(path, columns)
    except UnicodeDecodeError as e:
        raise SourceError(f"{path}: is not UTF-8 ({e.reason}); save it as UTF-8") from None
    except (OSError, EOFError, zstandard.ZstdError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise SourceError(f"{path}: can't be read: {reason.lower()}") from None


def _opened(path: Path, stack: ExitStack) -> tuple[BinaryIO, Callable[[], int]]:
    """(the bytes without compression, how many of those on disk were read so far)."""
    raw = stack.enter_context(path.open("rb"))
    if path.suffix == ".gz":
        return cast(BinaryIO, stack.enter_context(gzip.open(raw))), raw.tell
    if path.suffix == ".zst":
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return cast(BinaryIO, stack.enter_context(io.BufferedReader(reader))), raw.tell
    return raw, raw.tell


def _sources(path: Path, columns: LabelColumns, present: Sequence[str]) -> dict[str, str]:
    """The column of each field that the file has. Raises SourceError for those that must be there."""
    missing = [name for name in columns.names.values() if name not in present]
    listed = ", ".join(present[:20]) + (", .." if len(present) > 20 else "")
    if missing:
        raise SourceError(f"{path}: has no column {missing[0]}; it has {listed}")
    found = {name: columns.of(name) for name in _FIELDS if columns.of(name) in present}
    if columns.model is not None:
        found.pop("model", None)
    if "label" not in found:
        raise SourceError(f"{path}: has no column label; name it with --label-column; it has {listed}")
    if "id" not in found and "key" not in found:
        raise SourceError(
            f"{path}: has no column id or key; name one with --id-column or --key-column; it has {listed}"
        )
    return found


def _csv(path: Path, columns: LabelColumns) -> Iterator[Piece]:
    with ExitStack() as stack:
        opened, read = _opened(path, stack)
        rows = csv.reader(io.TextIOWrapper(opened, "utf-8-sig", newline=""), strict=True)
        try:
            header = next(rows, None)
            if not header:
                raise SourceError(f"{path}: is empty; a CSV file has a header")
            twice = {name for name in header if header.count(name) > 1}
            if twice:
                raise SourceError(f"{path}: names the column {min(twice)} twice; rename one")
            fields = [
                (name, header.index(column), FROM_TEXT[name])
                for name, column in _sources(path, columns, header).items()
            ]
            yield from _pieces(_csv_rows(path, rows, fields, len(header)), columns.model, read)
        except csv.Error as e:
            raise SourceError(f"{path}: line {rows.line_num}: {e}") from None


def _csv_rows(
    path: Path, rows: Any, fields: list[tuple[str, int, Any]], width: int
) -> Iterator[dict[str, Any]]:
    for row in rows:
        if len(row) != width:
            if not row:
                continue
            raise SourceError(
                f"{path}: line {rows.line_num}: has {len(row)} fields where the header has {width}"
            )
        yield {name: value for name, i, convert in fields if (value := convert(row[i])) is not None}


def _parquet(path: Path, columns: LabelColumns) -> Iterator[Piece]:
    import pyarrow as pa  # a third of a second that nobody else need wait
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            sources = _sources(path, columns, file.schema_arrow.names)
            total, done = max(1, file.metadata.num_rows), 0
            size = path.stat().st_size
            for batch in file.iter_batches(_AT_ONCE, columns=sorted(set(sources.values()))):
                values = {
                    name: FROM_ARROW[name](batch.column(batch.schema.get_field_index(column)))
                    for name, column in sources.items()
                }
                done += batch.num_rows
                rows = (
                    {n: v for n, v in zip(values, row, strict=True) if v is not None}
                    for row in zip(*values.values(), strict=True)
                )
                read = size * done // total
                yield from _pieces(rows, columns.model, lambda read=read: read)  # type: ignore[misc]  # binds it
    except pa.ArrowException as e:
        raise SourceError(f"{path}: is no readable Parquet file: {e}"[:500]) from None


def _json_lines(path: Path, columns: LabelColumns) -> Iterator[Piece]:
    renamed = {column: name for name, column in columns.names.items() if name != column}
    with ExitStack() as stack:
        opened, read = _opened(path, stack)
        lines: list[bytes] = []
        number = 0
        while line := opened.readline(_MAX_LINE + 1):
            number += 1
            if len(line) > _MAX_LINE:
                raise SourceError(f"{path}: line {number}: has more than {_MAX_LINE:,} bytes")
            line = line.removeprefix(b"\xef\xbb\xbf").strip()
            if number == 1 and line.startswith(b"["):
                raise SourceError(f"{path}: is a JSON array; write one object a line")
            if not line:
                continue
            plain = not renamed and columns.model is None
            lines.append(line if plain else _renamed(line, renamed, columns.model))
            if len(lines) == _AT_ONCE:
                yield Piece(lines, read())
                lines = []
        if lines:
            yield Piece(lines, read())


def _renamed(line: bytes, renamed: Mapping[str, str], model: str | None) -> bytes:
    """The label with its fields called as in the contract; what is no object stays as it is."""
    try:
        label = parse(line)
    except BadRecord:
        return line
    if not isinstance(label, dict):
        return line
    given = {renamed.get(name, name): value for name, value in label.items() if name not in renamed.values()}
    return _encode(given if model is None else given | {"model": model})


def _pieces(rows: Iterator[dict[str, Any]], model: str | None, read: Callable[[], int]) -> Iterator[Piece]:
    lines: list[bytes] = []
    for row in rows:
        lines.append(_encode(row if model is None else row | {"model": model}))
        if len(lines) == _AT_ONCE:
            yield Piece(lines, read())
            lines = []
    if lines:
        yield Piece(lines, read())


_READERS: dict[str, Callable[[Path, LabelColumns], Iterator[Piece]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), _json_lines),
}
