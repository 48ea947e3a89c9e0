"""The state: one SQL store, SQLite or PostgreSQL, through SQLAlchemy Core."""

from monitor.store.store import Store

__all__ = ["Store"]
