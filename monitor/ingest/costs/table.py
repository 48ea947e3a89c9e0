"""Exports as rows of text by lower-case column name: CSV, gzipped CSV, Parquet."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from monitor.errors import SourceError

__all__ = ["Row", "rows_of"]

# A row by column, in lower case because exports don't agree on theirs.
Row = Mapping[str, str]


def rows_of(path: Path) -> tuple[frozenset[str], Iterator[tuple[int, Row]]]:
    """The columns, and each row with the number of its line (of its row in Parquet, from 1).

    Raises SourceError, also while rows are read.
    """
    try:
        if path.name.lower().endswith(".parquet"):
            return _parquet(path)
        return _csv(path)
    except OSError as e:
        raise SourceError(f"{path}: {e.strerror or e}") from e


def _csv(path: Path) -> tuple[frozenset[str], Iterator[tuple[int, Row]]]:
    read = _lines(path)
    names = [name.strip().lower() for name in next(read, (0, []))[1]]
    return frozenset(names), (
        (line, dict(zip(names, values, strict=False))) for line, values in read if any(values)
    )


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    line = 0
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as raw:
            lines = csv.reader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
            for values in lines:
                line = lines.line_num
                yield line, values
    except FileNotFoundError as e:
        raise SourceError(f"{path}: {e.strerror}") from e
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as e:
        raise SourceError(f"{path}: after line {line}: {e}; write it as CSV in UTF-8") from e


def _parquet(path: Path) -> tuple[frozenset[str], Iterator[tuple[int, Row]]]:
    # A fifth of a second that CSV need not wait.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as e:
        raise SourceError(f"{path}: no Parquet file: {e}") from e

    def rows() -> Iterator[tuple[int, Row]]:
        number = 0
        try:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, {name.lower(): _text(value) for name, value in row.items()}
        except (OSError, pa.ArrowException) as e:
            raise SourceError(f"{path}: row {number + 1}: {e}") from e

    return frozenset(name.lower() for name in file.schema_arrow.names), rows()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict):
        # Parquet's maps come as pairs.
        return json.dumps(dict(value))
    return str(value)
