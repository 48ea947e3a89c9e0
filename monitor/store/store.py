"""The store as an object: an engine whose tables are what this program wants."""

from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.engine import migrate, open_engine

__all__ = ["Insert", "Store", "insert"]

Insert = sqlite.Insert | postgresql.Insert


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Thread-safe; the modules beside this one are its operations."""

    engine: sa.Engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Opens and migrates. Raises ConfigError on a bad URL, StoreBusy when it does not answer."""
        engine = open_engine(url)
        migrate(engine)
        return cls(engine)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Closes the connections; a store may not be used afterwards."""
        self.engine.dispose()


def insert(store: Store, table: sa.Table) -> Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the store."""
    return sqlite.insert(table) if store.is_sqlite else postgresql.insert(table)
