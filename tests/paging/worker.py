"""The pager as a process that the tests kill: `python -m tests.paging.worker --store URL --provider URL`.

It pages a PagerDuty at the provider's address, and writes READY when it begins.
"""

import argparse
import logging
import signal
import threading
from collections.abc import Sequence

from monitor.clock import WallClock
from monitor.config.paging import PagingConfig
from monitor.paging.configured import pager_settings
from monitor.paging.task import PagerTask
from monitor.store.store import Store

__all__ = ["READY", "main"]

READY = "the pager has begun"
ROUTING_KEY = "R" * 32


class SkewedClock(WallClock):
    """The wall clock of a machine whose time is off."""

    def __init__(self, skew_ms: int) -> None:
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._skew_ms


def section(url: str) -> PagingConfig:
    """Groups of one alert each, told at once and considered every second."""
    to = {"routing_key": ROUTING_KEY, "url": f"{url}/v2/enqueue"}
    return PagingConfig(
        to="embedded",
        receivers=({"name": "risk", "pagerduty_configs": [to]},),
        route={"receiver": "risk", "group_by": ["model"], "group_wait": "0s", "group_interval": "1s"},
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="worker")
    for name in ("store", "provider", "holder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--skew-ms", type=int, default=0)
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = Store.open(given.store)
    settings = pager_settings(section(given.provider))
    task = PagerTask(store, settings, given.holder, SkewedClock(given.skew_ms))
    task.start()
    print(READY, flush=True)
    stop.wait()
    task.stop()
    store.close()


if __name__ == "__main__":
    main()
