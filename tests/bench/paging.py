"""From the first bad record to the page, through a real broker; and a storm of alerts."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from monitor.config import load_config
from monitor.paging.alert import Alert, labels_of
from monitor.paging.inbox import post
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.running import Running
from monitor.paging.settings import Integration, PagerSettings, Receiver, Route
from monitor.service import Service
from monitor.store.store import Store
from tests.bench.figures import Figure, at_most, plain
from tests.builders import encode, record
from tests.paging.collector import Collector, collecting
from tests.servers import Kafka

__all__ = ["NAMES", "Size", "measure", "storm"]

NAMES = (
    "page_beyond_waits_s",
    "page_total_s",
    "storm_decided_s",
    "storm_turns_s",
    "storm_messages",
    "storm_rss_mib",
)
_CONFIG = """
store: sqlite:///{directory}/m.db
source: {{kafka: {{bootstrap_servers: "{servers}", topics: [{topic}]}}}}
web: {{port: 0}}
models: {{fraud: {{owner: risk}}}}
paging: {{to: embedded, receivers: [{{name: risk, webhook_configs: [{{url: "{url}"}}]}}]}}
"""
# What the defaults ask to be waited for: the window's end, records out of order, others of the same trouble.
_WINDOW_S, _DISORDER_S, _GROUP_WAIT_S = 60, 10, 30


@dataclass(frozen=True, slots=True)
class Size:
    """How long all is well before it is not, and how many alerts a storm has, of how many models."""

    good_s: float = 75.0
    alerts: int = 10_000
    models: int = 100


def measure(size: Size) -> list[Figure]:
    """All figures of this module; those of a broker only where it is installed."""
    figures = storm(size)
    if Kafka.missing() is None:
        figures += _page(size)
    return figures


def _page(size: Size) -> list[Figure]:
    with TemporaryDirectory() as directory, collecting() as collector, Kafka() as kafka:
        topic = kafka.create_topic("page", 1)
        path = Path(directory) / "monitor.yaml"
        path.write_text(
            _CONFIG.format(directory=directory, servers=kafka.bootstrap, topic=topic, url=collector.url)
        )
        service = Service(load_config(path))
        with _running(service):
            begun_s = _fail_after(size.good_s, kafka, topic, collector)
        paged_s = time.time()
    waits_s = _WINDOW_S - begun_s % _WINDOW_S + _DISORDER_S + _GROUP_WAIT_S
    total_s = paged_s - begun_s
    return [
        at_most("page_beyond_waits_s", total_s - waits_s, "s", 15),
        plain("page_total_s", total_s, "s"),
    ]


@contextmanager
def _running(service: Service) -> Iterator[None]:
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield
    finally:
        service.stop()
        thread.join(30)


def _fail_after(good_s: float, kafka: Kafka, topic: str, collector: Collector) -> float:
    """Logs a hundred requests a second until a page has come: when the first that failed was logged."""
    number, begun_s = itertools.count(), time.time()
    first_bad_s = 0.0
    while not collector.posted:
        now_s = time.time()
        bad = now_s - begun_s > good_s
        first_bad_s = first_bad_s or (now_s if bad else 0.0)
        status, at_ms = 503 if bad else 200, int(now_s * 1000)
        kafka.produce(
            topic, [encode(record(id=f"r{next(number)}", ts=at_ms + i, status=status)) for i in range(10)]
        )
        if bad and now_s - first_bad_s > 300:
            raise RuntimeError("no page within five minutes")
        time.sleep(max(0.0, 0.1 - (time.time() - now_s)))
    return first_bad_s


class _Counting:
    dedups = True

    def __init__(self) -> None:
        self.messages = 0

    def send(self, message: Message, timeout_s: float) -> Delivery:
        self.messages += 1
        return Delivery(Result.DELIVERED)


def storm(size: Size) -> list[Figure]:
    """The alerts in a minute, from the inbox to the sender, over SQLite."""
    by = ("model", "objective")
    root = Route("{}", "{}", "team", (), by, 30_000, 300_000, 4 * 3_600_000)
    receivers = {"team": Receiver("team", (Integration("webhook", 0, None),))}
    settings = PagerSettings(root, receivers, max_alerts=100, incident_by=by)
    alerts = [
        Alert(
            labels_of({"model": f"m{i % size.models}", "objective": "availability", "instance": f"i{i}"}),
            (("summary", "it fails"),),
            i * 60_000 // size.alerts,
            10**9,
            i * 60_000 // size.alerts,
        )
        for i in range(size.alerts)
    ]
    sender = _Counting()
    with TemporaryDirectory() as directory:
        store = Store.open(f"sqlite:///{directory}/m.db")
        running = Running(store, settings, "bench", 0, senders={("team", 0): sender})
        before = psutil.Process().memory_info().rss
        begun_s, longest_s = time.perf_counter(), 0.0
        at = 0
        for now_ms in range(0, 120_000, 1_000):
            coming = [a for a in alerts[at : at + size.alerts] if a.updated_ms <= now_ms]
            at += len(coming)
            for first in range(0, len(coming), 64):
                post(store, coming[first : first + 64], now_ms)
            turn_s = time.perf_counter()
            did = running.turn(now_ms)
            longest_s = max(longest_s, time.perf_counter() - turn_s)
            for item in did.sending:
                running.finished(item, running.send(item, 1))
        seconds = time.perf_counter() - begun_s
        rss = psutil.Process().memory_info().rss - before
        store.close()
    return [
        at_most("storm_decided_s", longest_s, "s, the longest turn", 1),
        plain("storm_turns_s", seconds, "s for all of two minutes"),
        at_most("storm_messages", sender.messages, "messages", size.models),
        plain("storm_rss_mib", rss / 2**20, "MiB more"),
    ]
