"""Pagers in processes of their own over one store, a PagerDuty that counts, and alerts that come and go.

At length: `python -m tests.paging.killing [--kills 50] [--seeds 1]`; exits 1 where one was lost or doubled.
"""

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from monitor.clock import WallClock
from monitor.paging.alert import Alert, labels_of
from monitor.paging.inbox import post
from monitor.store.paging import open_outbox, read_inbox
from monitor.store.store import Store
from tests.exactly_once.cluster import ROOT
from tests.paging.providers import Asked, Pagerduty, Reply
from tests.paging.worker import READY
from tests.waiting import until

__all__ = ["PLACES", "Counting", "Pagers", "kill_at_random", "main"]

PLACES = ("pager.before_commit", "pager.after_commit")
_FOR_EVER_MS = 86_400_000


class Counting(Pagerduty):
    """Counts how often each dedup key was opened; `before` and `after` an event is taken a test may act."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Counter[str] = Counter()
        self.models: set[str] = set()
        self.before: Callable[[], Reply | None] = lambda: None
        self.after: Callable[[], Reply | None] = lambda: None

    def answer(self, asked: Asked) -> Reply:
        if (reply := self.before()) is not None:
            return reply
        event = asked.json
        key = event["dedup_key"]
        self.opened[key] += event["event_action"] == "trigger" and key not in self.alerts
        self.models.add(event["payload"]["component"])
        return super().answer(asked) if (reply := self.after()) is None else self._taken(asked, reply)

    def _taken(self, asked: Asked, reply: Reply) -> Reply:
        super().answer(asked)
        return reply


class Pagers:
    """Processes by name; each started anew takes the lease of its name at once."""

    def __init__(self, url: str, provider: Counting, folder: Path) -> None:
        self.store, self._url, self.provider, self._folder = Store.open(url), url, provider, folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._starts: Counter[str] = Counter()
        self.fired: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.kill(name)
        self.store.close()

    def start(self, name: str = "a", *, skew_ms: int = 0, failpoint: str = "") -> None:
        options = {"store": self._url, "provider": self.provider.url, "holder": name, "skew-ms": skew_ms}
        command = [sys.executable, "-m", "tests.paging.worker"]
        for option, value in options.items():
            command += [f"--{option}", str(value)]
        self._starts[name] += 1
        with (self._folder / f"{name}-{self._starts[name]}.log").open("w") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "MONITOR_FAILPOINT": failpoint},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def kill(self, name: str = "a") -> None:
        self._running[name].kill()
        self._running.pop(name).wait()

    def died(self, name: str = "a") -> bool:
        return self._running[name].poll() is not None

    def is_ready(self, name: str = "a") -> bool:
        """Whether the one that was started last has begun its turns."""
        return READY in (self._folder / f"{name}-{self._starts[name]}.log").read_text()

    def fire(self, model: str) -> None:
        self.fired.add(model)
        now_ms = WallClock().now_ms()
        labels = labels_of({"alertname": "Burn", "model": model})
        post(self.store, [Alert(labels, (), now_ms, now_ms + _FOR_EVER_MS, now_ms)], now_ms)

    def end(self, model: str) -> None:
        now_ms = WallClock().now_ms()
        labels = labels_of({"alertname": "Burn", "model": model})
        post(self.store, [Alert(labels, (), now_ms - 60_000, now_ms, now_ms)], now_ms)

    def told(self) -> bool:
        """Whether nothing waits."""
        return not read_inbox(self.store, 1) and not open_outbox(self.store)

    def settled(self) -> bool:
        """Whether all that fired was told, and is over at the provider."""
        return self.told() and len(self.provider.opened) == len(self.fired) and not self.provider.alerts

    def check(self) -> None:
        """Raises AssertionError unless each trouble was one page, and is over."""
        until(self.settled)
        assert set(self.provider.opened.values()) == {1}
        assert len(self.provider.opened) == len(self.fired)


def kill_at_random(pagers: Pagers, times: int, seed: int) -> int:
    """Kills the pager `times` times while alerts come and go: at a random moment, at a place in its turn, or
    while it sends. Returns how often it was the last."""
    rng, sending = random.Random(seed), 0
    firing: set[str] = set()
    for number in range(times):
        how = rng.choice(["moment", "place", "before", "after"])
        for model in [f"m{number}.{i}" for i in range(rng.randint(2, 6))]:
            pagers.fire(model)
            firing.add(model)
        # What ends before anybody was told of it is rightly told to nobody.
        ended = sorted(pagers.provider.models & firing)
        for model in rng.sample(ended, len(ended) // 2):
            pagers.end(model)
            firing.remove(model)
        pagers.start(failpoint=f"{rng.choice(PLACES)}:{rng.choice((1, 1, 2, 3))}" if how == "place" else "")
        sending += _end(pagers, how, rng)
    pagers.start()
    until(lambda: pagers.provider.models >= pagers.fired)
    for model in sorted(firing):
        pagers.end(model)
    return sending


def _end(pagers: Pagers, how: str, rng: random.Random) -> bool:
    """Waits until the pager dies of what was prepared, or has told everything; whether it died sending."""
    if how == "moment":
        until(lambda: pagers.died() or pagers.is_ready())
        die_ms = WallClock().now_ms() + rng.randint(0, 900)
        until(lambda: WallClock().now_ms() >= die_ms)
    elif how != "place":
        setattr(pagers.provider, how, _strike(pagers, rng.randint(0, 3)))
    if how != "moment":
        until(lambda: pagers.died() or (pagers.told() and pagers.provider.models >= pagers.fired))
    sending = pagers.died() and how in ("before", "after")
    pagers.provider.before = pagers.provider.after = lambda: None
    pagers.kill()
    return sending


def _strike(pagers: Pagers, spared: int) -> Callable[[], Reply | None]:
    """Kills the pager at the event after so many."""
    left = itertools.count(spared, -1)

    def strike() -> Reply | None:
        if next(left) > 0:
            return None
        pagers.signal("a", signal.SIGKILL)
        return Reply(drops=True)

    return strike


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.paging.killing", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given, wrong = parser.parse_args(argv), 0
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as name, Counting() as provider:
            folder = Path(name)
            with Pagers(f"sqlite:///{folder}/p.db", provider, folder) as pagers:
                try:
                    sending = kill_at_random(pagers, given.kills, seed)
                    pagers.check()
                    verdict = f"{len(pagers.fired)} alerts, {len(pagers.fired)} pages, all over"
                    verdict += f"; {sending} kills while sending"
                except AssertionError as e:
                    wrong += 1
                    missing = sorted(pagers.fired - provider.models)
                    verdict = f"FAILED: {e}; never told: {missing}; still open: {len(provider.alerts)}"
        print(f"{given.kills} kills of a pager, seed {seed}: {verdict}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
