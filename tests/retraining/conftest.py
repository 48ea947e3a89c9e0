"""A store."""

from tests.operations.conftest import store

__all__ = ["store"]
