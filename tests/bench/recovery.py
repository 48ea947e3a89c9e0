"""How soon the product commits again after `kill -9`, under load.

A steady load is produced; the consuming process is killed once it has committed a few times and started
anew at once. Counted is from starting the process to its first commit, less the broker's rebalance (the
dead member's session has to expire first), which is stated beside it.
"""

import json
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench import children
from tests.bench.broker import PARTITIONS, group
from tests.bench.figures import Figure, at_most, plain
from tests.bench.rates import sqlite_store
from tests.bench.records import Made, make
from tests.servers import Kafka

__all__ = ["NAMES", "Size", "measure", "measure_on"]

NAMES = ("first_flush_after_restart_s", "restart_rebalance_s", "restart_whole_s")


@dataclass(frozen=True, slots=True)
class Size:
    """Kills, the load in records a second, the commits before each kill, and the group's session timeout."""

    kills: int = 5
    per_s: int = 20_000
    flushes: int = 8
    session_timeout_ms: int = 6_000


def measure(size: Size) -> list[Figure]:
    """All figures of this module: medians over the kills."""
    with Kafka() as kafka:
        return measure_on(kafka, size)


def measure_on(kafka: Kafka, size: Size) -> list[Figure]:
    """The same on a broker that runs already."""
    topic = kafka.create_topic(group(), PARTITIONS)
    with sqlite_store() as path:
        given = {
            "bootstrap": kafka.bootstrap,
            "topic": topic,
            "group": group(),
            "store": f"sqlite:///{path}",
            "client": "confluent",
            "options": {"session.timeout.ms": str(size.session_timeout_ms)},
            "until_caught_up": False,
            "flush_told": True,
        }
        with _load(kafka, topic, make(20_000), size.per_s):
            starts = [_start_and_kill(given, size.flushes) for _ in range(size.kills + 1)][1:]
    kafka.delete_topics([topic])
    return _figures(starts)


def _figures(starts: Sequence[tuple[float, dict[str, Any]]]) -> list[Figure]:
    whole = [first["first_commit_s"] - begun for begun, first in starts]
    rebalance = [first["assigned_s"] - first["first_poll_s"] for _, first in starts]
    ours = [a - b for a, b in zip(whole, rebalance, strict=True)]
    return [
        at_most("first_flush_after_restart_s", statistics.median(ours), "s", 5.0),
        plain("restart_rebalance_s", statistics.median(rebalance), "s"),
        plain("restart_whole_s", statistics.median(whole), "s"),
    ]


def _start_and_kill(given: dict[str, Any], flushes: int) -> tuple[float, dict[str, Any]]:
    """Runs the product until it has committed `flushes` times, and kills it: (its start, its first line)."""
    begun = time.time()
    child = children.spawn("tests.bench.consumer_child", given)
    try:
        lines = [_line(child) for _ in range(flushes)]
    finally:
        child.kill()
        child.communicate()
    return begun, lines[0]


def _line(child: subprocess.Popen[str]) -> dict[str, Any]:
    text = child.stdout.readline() if child.stdout else ""
    if not text:
        raise children.ChildFailed(f"the consumer ended: {child.stderr.read() if child.stderr else ''}")
    told: dict[str, Any] = json.loads(text)
    return told


@contextmanager
def _load(kafka: Kafka, topic: str, pool: Sequence[Made], per_s: int) -> Iterator[None]:
    """Produces `per_s` records a second from a thread of its own, as long as the block lasts."""
    stop = threading.Event()
    share = [each.payload for each in pool[: max(PARTITIONS, per_s // 10)]]

    def produce() -> None:
        while not stop.wait(0.1):
            kafka.produce(topic, share, partition=(i % PARTITIONS for i in range(len(share))))

    thread = threading.Thread(target=produce, name="load")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
