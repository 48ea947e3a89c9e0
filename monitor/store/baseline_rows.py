"""A few of the rows that a baseline was fitted on."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard

from monitor.store.engine import reading
from monitor.store.schema import baseline_rows
from monitor.store.store import Store

__all__ = ["packed", "rows_of"]


def packed(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as they are stored: JSON, compressed."""
    return zstandard.compress(msgspec.json.encode(rows))


def rows_of(store: Store, baseline: int) -> list[dict[str, Any]]:
    """The rows kept of a baseline, by feature, without nulls; none of one that was fitted on no files."""
    query = sa.select(baseline_rows.c.rows).where(baseline_rows.c.baseline == baseline)
    with reading(store.engine) as connection:
        held = connection.scalar(query)
    return [] if held is None else msgspec.json.decode(zstandard.decompress(held), type=list[dict[str, Any]])
