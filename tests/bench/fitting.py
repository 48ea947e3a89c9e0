"""Fitting a baseline from a file: rows per second, and memory that does not grow with the rows."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench import children
from tests.bench.figures import Figure, at_most, plain

__all__ = ["NAMES", "Size", "measure"]

NAMES = ("fit_rate_parquet", "fit_peak", "fit_peak_flat")
_GROUP = 100_000


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of the file, and how many times it is given for the longer fit."""

    rows: int = 2_000_000
    times: int = 3


def measure(size: Size) -> list[Figure]:
    """All figures of this module: ten numbers and a category a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        _write(path, size.rows)
        once, often = (
            children.run("tests.bench.fitting_child", {"files": [str(path)] * n}) for n in (1, size.times)
        )
    return [
        plain("fit_rate_parquet", size.rows / once["seconds"], "rows/s"),
        plain("fit_peak", once["peak_mib"], "MiB"),
        at_most("fit_peak_flat", often["peak_mib"] / once["peak_mib"], "ratio", 1.2),
    ]


def _write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    writer: pq.ParquetWriter | None = None
    for first in range(0, rows, _GROUP):
        n = min(_GROUP, rows - first)
        columns = {f"f{i}": rng.lognormal(size=n) for i in range(10)}
        table = pa.table({**columns, "c": rng.choice(list("abcdefgh"), n)})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
