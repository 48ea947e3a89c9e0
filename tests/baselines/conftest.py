"""The store fixture of the store's own tests: on SQLite, and on PostgreSQL."""

from tests.store.conftest import store

__all__ = ["store"]
