"""Predictions and labels at once: labels that are up to 30 days late, into a store full of pairs.

Messages come from memory, and all else is the product's: decoding, profiling, joining, committing.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import sqlalchemy as sa

from monitor.clock import StreamClock
from monitor.ingest.several import SeveralSources
from monitor.ingest.source import Ownership, Source
from monitor.job.job import Job
from monitor.job.report import CommittedFlush
from monitor.job.settings import JobSettings
from monitor.profiles.series import SeriesKey
from monitor.records import Carries, Coded, Ints, Partition
from monitor.store import ownership
from monitor.store.engine import reading, writing
from monitor.store.names import series_ids
from monitor.store.pair_codec import KEY_BYTES, PREDICTION, encode_predictions, join_keys, values_of
from monitor.store.store import Store
from tests.bench.figures import Figure, at_least, plain
from tests.bench.rates import sqlite_store
from tests.bench.records import BEGIN_MS, ENDPOINTS, MODELS, VERSIONS, make
from tests.fakes import MemoryLog, MemorySource
from tests.servers import Postgres, PostgresConfig

__all__ = ["NAMES", "Size", "measure"]

NAMES = (
    "pairs_rate_postgres",
    "pairs_job_cpu_postgres",
    "pairs_wal_bytes_per_label",
    "pairs_disk_bytes_per_pair",
    "pairs_rate_sqlite",
    "pairs_disk_bytes_per_pair_sqlite",
)
_DAYS = 30
_DAY_MS = 86_400_000
_FILLED_AT_ONCE = 250_000
# What an operator gives a server of this size; the rest is PostgreSQL's own.
_SERVER = (("shared_buffers", "2GB"), ("max_wal_size", "4GB"))
_SERIES = [SeriesKey(m, v, e) for m in MODELS for v in VERSIONS for e in ENDPOINTS]
_COPY = np.dtype(
    [("fields", ">i2"), ("key_size", ">i4"), ("key", f"V{KEY_BYTES}"), ("day_size", ">i4"), ("day", ">i4")]
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: pairs stored beforehand, and messages of each kind; for SQLite too."""

    filled: int = 10_000_000
    messages: int = 1_000_000
    sqlite_filled: int = 2_000_000
    sqlite_messages: int = 250_000


def _filled_at(number: Ints) -> Ints:
    """The time of the stored prediction of a number, within the 30 days before the stream begins."""
    return BEGIN_MS - 1 - number * 7_919_999 % (_DAYS * _DAY_MS)


def fill(store: Store, n: int) -> None:
    """Stores `n` predictions that wait for their labels, as flushes would have left them."""
    writer = ownership.claim(store, Partition("filled", 0), "bench", BEGIN_MS).writer
    ids = np.array(series_ids(store, _SERIES), np.int64)
    for first in range(0, n, _FILLED_AT_ONCE):
        number = np.arange(first, min(n, first + _FILLED_AT_ONCE))
        keys = join_keys([f"p-{i}" for i in number.tolist()])
        at = _filled_at(number)
        head = np.zeros(len(number), PREDICTION)
        head["writer"], head["offset"], head["ts_ms"] = writer, number, at
        head["who"] = np.ascontiguousarray(keys).view("<u8")[:, 0]
        head["score"] = (number * 31 % 1000) / 1000
        head["series"] = ids[number % len(ids)]
        codes = 1 + (head["score"] > 0.5).astype(np.int32)
        sizes, data = encode_predictions(
            head, np.zeros((len(number), 0), np.int64), values_of(Coded(codes, [None, "no", "yes"]))
        )
        _insert(store, keys, at // _DAY_MS, sizes, data)
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE pairs")
            connection.exec_driver_sql("CHECKPOINT")


def _insert(store: Store, keys: Any, days: Ints, sizes: Ints, data: Any) -> None:
    raw, ends = data.tobytes(), np.cumsum(sizes).tolist()
    blobs = [raw[end - size : end] for size, end in zip(sizes.tolist(), ends, strict=True)]
    with writing(store.engine) as connection:
        if store.is_sqlite:
            rows = zip((k.tobytes() for k in keys), days.tolist(), blobs, strict=True)
            connection.exec_driver_sql(
                "INSERT INTO pairs (key, day, predictions) VALUES (?, ?, ?)", list(rows)
            )
            return
        driver: Any = connection.connection.driver_connection
        heads = np.zeros(len(keys), _COPY)
        heads["fields"], heads["key_size"], heads["day_size"] = 3, KEY_BYTES, 4
        heads["key"], heads["day"] = np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").ravel(), days
        lead = heads.tobytes()
        step, size = _COPY.itemsize, sizes.astype(">i4").tobytes()
        with driver.cursor().copy("COPY pairs (key, day, predictions) FROM STDIN (FORMAT binary)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            copy.write(
                b"".join(
                    lead[i * step : (i + 1) * step] + size[4 * i : 4 * i + 4] + blob
                    for i, blob in enumerate(blobs)
                )
            )
            copy.write(b"\xff\xff")


def _predictions(n: int) -> Iterator[bytes]:
    """Records of 20 series without segments."""
    for made in make(min(n, 200_000)):
        record = json.loads(made.payload)
        del record["segment"]
        yield json.dumps(record, separators=(",", ":")).encode()


def _labels(n: int, filled: int) -> Iterator[bytes]:
    chosen = np.random.default_rng(3).permutation(filled)[:n]
    for i, number in enumerate(chosen.tolist()):
        label = "yes" if number % 3 else "no"
        yield b'{"id":"p-%d","label":"%s","ts":%d}' % (number, label.encode(), BEGIN_MS + i // 25)


class _Bench:
    """A job on two logs in memory."""

    def __init__(self, store: Store, messages: int, filled: int) -> None:
        self.matched = self.labels = self.records = self.bytes = 0
        self.flushes: list[tuple[int, float]] = []
        predictions = list(_predictions(messages))
        self._logs = [MemoryLog("records"), MemoryLog("labels")]
        for i in range(messages):
            payload = predictions[i % len(predictions)]
            if i >= len(predictions):  # another id
                payload = payload.replace(b'{"id":"', b'{"id":"%d-' % (i // len(predictions)), 1)
            self._logs[0].append(0, payload)
        for payload in _labels(messages, filled):
            self._logs[1].append(0, payload)
        settings = JobSettings(
            owner="bench",
            carries={"labels": Carries.LABELS},
            pairs=True,
            poll_timeout_s=0.0,
            lateness_ms=90 * _DAY_MS,
        )
        self.job = Job(store, self._open, settings, StreamClock(BEGIN_MS + 600_000), observers=(self,))

    def _open(self, owner: Ownership) -> Source:
        sources = [MemorySource(log, owner) for log in self._logs]
        for source, log in zip(sources, self._logs, strict=True):
            source.later(lambda source=source, log=log: source.give([Partition(log.topic, 0)]))  # type: ignore[misc]  # bound
        return SeveralSources(sources)

    def committed(self, flush: CommittedFlush) -> None:
        self.matched += flush.matched
        self.labels += flush.labels
        self.records += flush.records
        self.bytes += flush.bytes_written
        self.flushes.append((flush.records + flush.labels, flush.flush_s))

    def run(self) -> tuple[float, float]:
        """(seconds, processor seconds of this process)."""
        process = psutil.Process()
        cpu, begun = process.cpu_times(), time.perf_counter()
        self.job.run(until_caught_up=True)
        after = process.cpu_times()
        return time.perf_counter() - begun, after.user + after.system - cpu.user - cpu.system

    def check(self, messages: int) -> None:
        if (self.records, self.labels, self.matched) != (messages, messages, messages):
            raise RuntimeError(
                f"{self.records} records, {self.labels} labels, {self.matched} matched of {messages}"
            )


def measure(size: Size) -> list[Figure]:
    """All figures of this module; those of PostgreSQL only where it is installed."""
    figures = _sqlite(size)
    if Postgres.missing() is None:
        with Postgres(PostgresConfig(fsync=True, settings=_SERVER)) as server:
            figures += _postgres(server, size)
    return figures


@contextmanager
def _opened(url: str, filled: int) -> Iterator[Store]:
    store = Store.open(url)
    try:
        fill(store, filled)
        yield store
    finally:
        store.close()


def _postgres(server: Postgres, size: Size) -> list[Figure]:
    database = server.create_database("bench")
    with _opened(server.url(database), size.filled) as store:
        bench = _Bench(store, size.messages, size.filled)
        before = _wal_bytes(store)
        seconds, cpu_s = bench.run()
        bench.check(size.messages)
        wal = _wal_bytes(store) - before
        with reading(store.engine) as connection:
            disk = connection.scalar(sa.text("SELECT pg_total_relation_size('pairs')"))
    server.drop_database(database)
    return [
        at_least("pairs_rate_postgres", size.messages / seconds, "predictions/s and labels/s", 25_000),
        plain("pairs_job_cpu_postgres", cpu_s / size.messages * 1e6, "us a prediction and a label"),
        plain("pairs_wal_bytes_per_label", wal / size.messages, "bytes"),
        plain("pairs_disk_bytes_per_pair", disk / (size.filled + size.messages), "bytes"),
    ]


def _wal_bytes(store: Store) -> int:
    with reading(store.engine) as connection:
        return int(connection.scalar(sa.text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")))


def _sqlite(size: Size) -> list[Figure]:
    with sqlite_store() as path, _opened(f"sqlite:///{path}", size.sqlite_filled) as store:
        bench = _Bench(store, size.sqlite_messages, size.sqlite_filled)
        seconds, _ = bench.run()
        bench.check(size.sqlite_messages)
        disk = path.stat().st_size
    pairs = size.sqlite_filled + size.sqlite_messages
    return [
        plain("pairs_rate_sqlite", size.sqlite_messages / seconds, "predictions/s and labels/s"),
        plain("pairs_disk_bytes_per_pair_sqlite", disk / pairs, "bytes"),
    ]
