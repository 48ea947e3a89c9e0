"""Prints rows as a table for people, or as JSON or CSV for programs."""

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["Format", "render"]

Row = Mapping[str, Any]
_WIDE = 10_000


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def render(
    rows: Sequence[Row],
    format: Format = Format.TABLE,
    columns: Sequence[str] | None = None,
    out: TextIO | None = None,
) -> None:
    """Prints the rows to `out` (standard output); `columns` are those of the rows, as they first come.

    JSON is one plain array, a row a line; what is None or not finite is null there, and empty in CSV.
    """
    out = sys.stdout if out is None else out
    if columns is None:
        columns = list(dict.fromkeys(name for row in rows for name in row))
    if format is Format.JSON:
        _json(rows, columns, out)
    elif format is Format.CSV:
        _csv(rows, columns, out)
    else:
        _table(rows, columns, out)


def _json(rows: Sequence[Row], columns: Sequence[str], out: TextIO) -> None:
    lines = (json.dumps({c: _plain(row.get(c)) for c in columns}, ensure_ascii=False) for row in rows)
    body = ",\n  ".join(lines)
    out.write(f"[\n  {body}\n]\n" if body else "[]\n")


def _csv(rows: Sequence[Row], columns: Sequence[str], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = (_plain(row.get(c)) for c in columns)
        writer.writerow(
            [json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for v in values]
        )


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value)


def _table(rows: Sequence[Row], columns: Sequence[str], out: TextIO) -> None:
    if not rows:
        out.write("nothing found\n")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        numeric = all(_is_number(row.get(name)) for row in rows)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in columns))
    # Into a file or pipe a row stays a line; only a terminal has an edge to wrap at.
    console = Console(file=out, width=None if out.isatty() else _WIDE, highlight=False)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        out.write(line.rstrip() + "\n")


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    value = _plain(value)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return ", ".join(f"{k}={_cell(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    # Names come from the stream: one with control characters must not steer the terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))


def _number(value: float) -> str:
    """Four significant digits at least, and no exponent for what people read as a number."""
    if value == 0 or 1e-4 <= abs(value) < 1e15:
        digits = 4 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3e}"
