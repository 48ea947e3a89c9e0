"""Exchanging halves with PostgreSQL: arrays in the wire's own form, built and read at once.

Binding tens of thousands of values one by one would take longer than the database does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
import sqlalchemy as sa
from psycopg import pq
from psycopg.adapt import Dumper

from monitor.errors import StoreBusy, StoreError
from monitor.profiles.counting import spans
from monitor.records import Ints
from monitor.store.pair_codec import KEY_BYTES, Bytes
from monitor.store.pairs import Exchanged, Incoming

__all__ = ["exchange_postgres"]

_BYTEA, _INT4 = 17, 23

# The day of a row is that of its newest prediction, and of its newest label only while there is none.
_UPSERT = """
INSERT INTO pairs AS p (key, day, predictions, labels)
SELECT * FROM unnest(%s::bytea[], %s::int[], %s::bytea[], %s::bytea[])
ON CONFLICT (key) DO UPDATE SET
  day = CASE WHEN (p.predictions IS NULL) = (excluded.predictions IS NULL) THEN greatest(p.day, excluded.day)
             WHEN p.predictions IS NULL THEN excluded.day ELSE p.day END,
  predictions = CASE WHEN excluded.predictions IS NULL THEN p.predictions
                     ELSE coalesce(p.predictions, ''::bytea) || excluded.predictions END,
  labels = CASE WHEN excluded.labels IS NULL THEN p.labels
                ELSE coalesce(p.labels, ''::bytea) || excluded.labels END
RETURNING p.key, p.predictions, p.labels
"""


class _Array:
    """An array as it travels."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _BytesArray(_Array):
    """bytea[]"""


class _IntArray(_Array):
    """int4[]"""


class _BytesArrayDumper(Dumper):
    format = pq.Format.BINARY
    oid = 1001

    def dump(self, obj: Any) -> bytes:
        data: bytes = obj.data
        return data


class _IntArrayDumper(_BytesArrayDumper):
    oid = 1007


def _bytes_array(sizes: Ints, data: Bytes) -> _BytesArray:
    """The parts of `data` as bytea[]; an empty one is NULL."""
    n = len(sizes)
    begins = np.cumsum(sizes) - sizes + 4 * np.arange(n)
    out = np.empty(int(sizes.sum()) + 4 * n, np.uint8)
    out[spans(begins, np.full(n, 4))] = np.where(sizes > 0, sizes, -1).astype(">i4").view(np.uint8)
    out[spans(begins + 4, sizes)] = data
    return _BytesArray(_header(n, _BYTEA) + out.tobytes())


def _int_array(values: Ints) -> _IntArray:
    items = np.empty(len(values), np.dtype([("size", ">i4"), ("value", ">i4")]))
    items["size"], items["value"] = 4, values
    return _IntArray(_header(len(values), _INT4) + items.tobytes())


def _header(n: int, oid: int) -> bytes:
    """One dimension, with nulls, of `n` items from 1."""
    return np.array([1, 1, oid, n, 1], ">i4").tobytes()


def exchange_postgres(connection: sa.Connection, new: Incoming) -> Exchanged:
    """Implements pairs.exchange. Raises StoreBusy, also where a deadlock was broken at our expense."""
    given: Sequence[_Array] = (
        _bytes_array(np.full(len(new), KEY_BYTES), new.keys.ravel()),
        _int_array(new.days),
        _bytes_array(new.prediction_sizes, new.prediction_data),
        _bytes_array(new.label_sizes, new.label_data),
    )
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise StoreError("the store's connection is closed")
    try:
        with driver.cursor(binary=True) as cursor:
            cursor.adapters.register_dumper(_BytesArray, _BytesArrayDumper)
            cursor.adapters.register_dumper(_IntArray, _IntArrayDumper)
            rows = cursor.execute(_UPSERT, given).fetchall()
    except (psycopg.OperationalError, psycopg.InterfaceError) as e:
        raise StoreBusy(f"the store did not answer: {_first_line(e)}") from e
    except psycopg.Error as e:
        raise StoreError(f"the store refused: {_first_line(e)}") from e
    keys, predictions, labels = zip(*rows, strict=True)
    if b"".join(keys) != new.keys.tobytes():
        raise StoreError("the store answered in another order than it was asked in")
    return Exchanged(predictions, labels)


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().split("\n")[0][:300]
