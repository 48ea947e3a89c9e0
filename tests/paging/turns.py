"""The pager over a store, turn by turn on simulated time, with providers in memory."""

import random
from collections.abc import Mapping
from typing import Any

from monitor.paging.alert import Alert
from monitor.paging.inbox import post
from monitor.paging.incidents import asking
from monitor.paging.message import Message
from monitor.paging.running import Running
from monitor.paging.settings import PagerSettings
from monitor.store.store import Store

__all__ = ["MINUTE_MS", "Turns"]

MINUTE_MS = 60_000
_STEP_MS = 5_000


class Turns:
    """`start` again forgets all that is not in the store."""

    def __init__(
        self, store: Store, settings: PagerSettings, providers: Mapping[tuple[str, int], Any]
    ) -> None:
        self.store, self.settings, self.providers, self.now_ms = store, settings, providers, 0
        self.start()

    def start(self) -> None:
        self.running = Running(
            self.store, self.settings, "a", self.now_ms, senders=self.providers, rng=random.Random(1)
        )

    def run(self, minutes: float) -> None:
        until_ms = self.now_ms + round(minutes * MINUTE_MS)
        while self.now_ms < until_ms:
            self.turn()

    def turn(self, *, heard: bool = True) -> None:
        """One turn; what is sent arrives, and the answers are `heard`."""
        for item in self.running.turn(self.now_ms).sending:
            delivery = self.running.send(item, 1)
            if heard:
                self.running.finished(item, delivery)
        self.now_ms += _STEP_MS

    def put(self, alert: Alert) -> None:
        post(self.store, [alert], self.now_ms)

    def seen(self, name: str, integration: int = 0) -> list[Message]:
        found: list[Message] = self.providers[name, integration].seen
        return found

    def said(self, kind: str) -> list[str]:
        """What the timelines say of a kind, in order."""
        return [entry.text for entry in reversed(asking.entries(self.store)) if entry.kind == kind]
