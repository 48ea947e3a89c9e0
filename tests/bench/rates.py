"""How fast records get from a real broker into the store, beside the floor of the same bytes.

Each round runs the floors and the product one after the other on the same topic, each in a process of its
own, so that what else the machine does falls on both; a ratio is the median of the rounds' ratios, a rate
the best round's. The same by processor seconds of the process, all its threads together, is stated beside
it: other load disturbs that least.
"""

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import children
from tests.bench.broker import filled_topic, group
from tests.bench.figures import Figure, at_least, plain
from tests.bench.records import make
from tests.servers import Kafka, Postgres, PostgresConfig

__all__ = ["NAMES", "Size", "measure", "measure_on", "product", "sqlite_store"]

NAMES = (
    "rate_sqlite",
    "rate_vs_decode",
    "cpu_vs_decode",
    "records_per_cpu_second",
    "reference_consume",
    "reference_orjson",
    "reference_msgspec",
    "reference_polars",
    "rate_kafka_python",
    "rate_postgres",
    "postgres_vs_sqlite",
    "bytes_per_record",
    "disk_bytes_per_record",
    "memory_from_kafka",
)
_DECODERS = ("orjson", "msgspec", "polars")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: records in the topic, distinct ones, rounds, records for kafka-python (or 0)."""

    records: int = 2_000_000
    pool: int = 200_000
    rounds: int = 3
    slow_records: int = 200_000


@contextmanager
def sqlite_store() -> Iterator[Path]:
    """The path of a SQLite store that does not exist yet, in a directory that is removed."""
    folder = Path(tempfile.mkdtemp(prefix="monitor-bench-"))
    try:
        yield folder / "monitor.db"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def product(kafka: Kafka, topic: str, store: str, client: str = "confluent", **more: Any) -> dict[str, Any]:
    """Runs the product over the topic until it is caught up; what its process answered."""
    given = {"bootstrap": kafka.bootstrap, "topic": topic, "group": group(), "store": store, "client": client}
    return children.run("tests.bench.consumer_child", {**given, **more})


def _rate(answer: Mapping[str, Any]) -> float:
    return float(answer["records"] / answer["seconds"])


def _per_cpu_s(answer: Mapping[str, Any]) -> float:
    return float(answer["records"] / answer["cpu_s"])


def _floor(kafka: Kafka, topic: str, records: int, decoder: str) -> dict[str, Any]:
    given = {"bootstrap": kafka.bootstrap, "topic": topic, "group": group(), "records": records}
    return children.run("tests.bench.reference_child", {**given, "decoder": decoder})


def _into_sqlite(kafka: Kafka, topic: str, client: str = "confluent") -> dict[str, Any]:
    with sqlite_store() as path:
        answer = product(kafka, topic, f"sqlite:///{path}", client)
        answer["disk_bytes"] = sum(each.stat().st_size for each in path.parent.iterdir())
    return answer


def _into_postgres(kafka: Kafka, topic: str, postgres: Postgres) -> float:
    database = postgres.create_database("bench")
    try:
        return _rate(product(kafka, topic, postgres.url(database)))
    finally:
        postgres.drop_database(database)


@dataclass(frozen=True, slots=True)
class _Round:
    """The rates of one round, in records a second, what the product's process answered, and the floor's
    processor seconds over its own."""

    floors: Mapping[str, float]
    sqlite: float
    postgres: float | None
    answer: Mapping[str, Any]
    cpu_ratio: float


def _round(kafka: Kafka, postgres: Postgres | None, topic: str, records: int) -> _Round:
    floors = {name: _floor(kafka, topic, records, name) for name in ("nothing", *_DECODERS)}
    answer = _into_sqlite(kafka, topic)
    if answer["records"] != records:
        raise children.ChildFailed(f"{answer['records']} of {records} records were committed")
    into_postgres = None if postgres is None else _into_postgres(kafka, topic, postgres)
    rates = {name: _rate(floor) for name, floor in floors.items()}
    cpu_ratio = min(floors[name]["cpu_s"] for name in _DECODERS) / answer["cpu_s"]
    return _Round(rates, _rate(answer), into_postgres, answer, cpu_ratio)


def measure(size: Size) -> list[Figure]:
    """All figures of this module; those of PostgreSQL only where it is installed."""
    with ExitStack() as stack:
        kafka = stack.enter_context(Kafka())
        postgres = None
        if Postgres.missing() is None:
            postgres = stack.enter_context(Postgres(PostgresConfig(fsync=True)))
        return measure_on(kafka, postgres, size)


def measure_on(kafka: Kafka, postgres: Postgres | None, size: Size) -> list[Figure]:
    """The same on servers that run already."""
    pool = make(min(size.pool, size.records))
    topic = filled_topic(kafka, pool, size.records)
    rounds = [_round(kafka, postgres, topic, size.records) for _ in range(size.rounds)]
    kafka.delete_topics([topic])
    figures = _figures(rounds)
    if size.slow_records:
        few = filled_topic(kafka, pool, size.slow_records)
        slow = _rate(_into_sqlite(kafka, few, "kafka-python"))
        kafka.delete_topics([few])
        figures.append(plain("rate_kafka_python", slow, "records/s"))
    return figures


def _figures(rounds: list[_Round]) -> list[Figure]:
    ratio = statistics.median(r.sqlite / max(r.floors[name] for name in _DECODERS) for r in rounds)
    answer = rounds[-1].answer
    found = [
        at_least("rate_sqlite", max(r.sqlite for r in rounds), "records/s", 100_000),
        at_least("rate_vs_decode", ratio, "ratio", 0.5),
        plain("cpu_vs_decode", statistics.median(r.cpu_ratio for r in rounds), "ratio"),
        plain("records_per_cpu_second", max(_per_cpu_s(r.answer) for r in rounds), "records/s"),
        plain("reference_consume", max(r.floors["nothing"] for r in rounds), "records/s"),
        *(plain(f"reference_{name}", max(r.floors[name] for r in rounds), "records/s") for name in _DECODERS),
        plain("bytes_per_record", answer["bytes_written"] / answer["records"], "bytes"),
        plain("disk_bytes_per_record", answer["disk_bytes"] / answer["records"], "bytes"),
        plain("memory_from_kafka", max(r.answer["peak_mib"] for r in rounds), "MiB"),
    ]
    both = [(r.postgres, r.sqlite) for r in rounds if r.postgres is not None]
    if both:
        found.append(plain("rate_postgres", max(p for p, _ in both), "records/s"))
        found.append(at_least("postgres_vs_sqlite", statistics.median(p / s for p, s in both), "ratio", 0.8))
    return found
