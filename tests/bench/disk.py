"""How much a store grows: a day of a steady stream, 10 requests/s and series from 4 partitions, all tiers."""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from monitor.store.store import Store
from tests.bench.figures import Figure, plain
from tests.bench.history import SERIES, History, fill
from tests.bench.rates import sqlite_store

__all__ = ["NAMES", "Size", "measure"]

NAMES = ("disk_bytes_per_series_day", "disk_bytes_per_series_year_of_days")
_UNTIL_S = 1_750_032_000  # a midnight


@dataclass(frozen=True, slots=True)
class Size:
    """Days by the minute that are written."""

    days: float = 1.0


def measure(size: Size) -> list[Figure]:
    """All figures of this module; the second is what stays when only days are kept."""
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        empty = _bytes(store, path)
        for tier_s in (60, 3600, 86_400):
            fill(store, History(tier_s, max(size.days, tier_s / 86_400), _UNTIL_S))
        day = _bytes(store, path) - empty
        store.close()
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        empty = _bytes(store, path)
        fill(store, History(86_400, 365.0, _UNTIL_S))
        year = _bytes(store, path) - empty
        store.close()
    return [
        plain("disk_bytes_per_series_day", day / len(SERIES) / size.days, "bytes"),
        plain("disk_bytes_per_series_year_of_days", year / len(SERIES), "bytes"),
    ]


def _bytes(store: Store, path: Path) -> int:
    """The file's size once the write-ahead log is in it."""
    with store.engine.connect() as connection:
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return path.stat().st_size
