"""The main job as a process that the tests kill, stop and starve.

`python -m tests.exactly_once.worker --name a --bootstrap .. --topic .. --labels .. --group .. --store ..`
"""

import argparse
import logging
import os
import signal
import threading
from collections.abc import Sequence
from unittest import mock

from monitor.clock import WallClock
from monitor.errors import StoreBusy
from monitor.ingest.kafka_confluent import ConfluentSource
from monitor.ingest.source import Ownership, Source
from monitor.job import flushing
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.records import Carries
from monitor.store.dead import Cap
from monitor.store.flush import Committed, Flush, commit
from monitor.store.pairing import Pairing
from monitor.store.store import Store
from tests.exactly_once.oracle import THRESHOLDS_MS
from tests.exactly_once.without_swap import SWAP, unconditional

__all__ = ["PAUSED", "WOKEN", "main"]

PAUSED = "stopped before a commit"
WOKEN = "woke up and committed"
_OPTIONS = {
    "session.timeout.ms": "1500",
    "heartbeat.interval.ms": "300",
    "max.poll.interval.ms": "30000",
    "fetch.min.bytes": "1",
    "fetch.wait.max.ms": "50",
    "reconnect.backoff.max.ms": "500",
}
_log = logging.getLogger("worker")


class _Pause:
    """Stops this process right before its `n`th commit of inferences, or of `labels`, when the flush is
    prepared: a zombie to be."""

    def __init__(self, n: int, labels: bool) -> None:
        self._left = n
        self._labels = labels

    def commit(self, store: Store, flush: Flush, cap: Cap, pairing: Pairing) -> Committed:
        counts = len(flush.labels if self._labels else flush.predictions) > 0
        self._left -= counts
        if self._left or not counts:
            return commit(store, flush, cap, pairing)
        _log.warning(PAUSED)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            return commit(store, flush, cap, pairing)
        finally:
            _log.warning(WOKEN)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="worker")
    for name in ("name", "bootstrap", "topic", "labels", "group", "store"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--pause-at-commit", type=int, default=0)
    parser.add_argument("--pause-at-labels", type=int, default=0)
    parser.add_argument("--without-swap", action="store_true")
    return parser.parse_args(argv)


def _open(url: str, stop: threading.Event) -> Store | None:
    while not stop.is_set():
        try:
            return Store.open(url)
        except StoreBusy as e:
            _log.warning("the store is away: %s", e)
            stop.wait(0.2)
    return None


def _run(given: argparse.Namespace) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = _open(given.store, stop)
    if store is None:
        return

    def open_source(ownership: Ownership) -> Source:
        return ConfluentSource(
            [given.topic, given.labels],
            given.group,
            ownership,
            bootstrap_servers=given.bootstrap,
            options=_OPTIONS,
        )

    settings = JobSettings(
        owner=f"{given.name}:{os.getpid()}",
        thresholds_ms=THRESHOLDS_MS,
        carries={given.labels: Carries.LABELS},
        pairs=True,
        flush_interval_ms=200,
        flush_records=500,
        poll_records=100,
        poll_timeout_s=0.05,
        revoke_timeout_ms=2_000,
    )
    job = Job(store, open_source, settings, WallClock())
    signal.signal(signal.SIGTERM, lambda *_: job.stop())
    if not stop.is_set():
        job.run()


def main(argv: Sequence[str] | None = None) -> None:
    given = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if given.without_swap:
        mock.patch(SWAP, unconditional).start()
    if given.pause_at_commit or given.pause_at_labels:
        pause = _Pause(given.pause_at_commit or given.pause_at_labels, given.pause_at_labels > 0)
        mock.patch.object(flushing, "commit", pause.commit).start()
    _run(given)


if __name__ == "__main__":
    main()
