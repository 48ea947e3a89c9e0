"""A pager over a store on simulated time, turn by turn as something is due; providers in memory."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.paging.alert import Alert
from monitor.paging.inbox import post
from monitor.paging.message import Message, Purpose
from monitor.paging.running import Running
from monitor.paging.settings import Integration, PagerSettings, Receiver
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert

__all__ = ["MINUTE_MS", "Turning", "receivers", "trouble"]

MINUTE_MS = 60_000


def receivers(*names: str, kind: str = "webhook") -> dict[str, Receiver]:
    return {name: Receiver(name, (Integration(kind, 0, None),)) for name in names}


def trouble(name: str, at_ms: int, severity: str = "page", **labels: str) -> Alert:
    given = {"alertname": name, "severity": severity, "owner": "risk"} | labels
    return alert(given, at_ms, resolve_timeout_ms=10**10)


@dataclass
class Turning:
    store: Store
    settings: PagerSettings
    now_ms: int = 0
    providers: Mapping[tuple[str, int], Provider] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.providers = {(name, 0): Provider() for name in self.settings.receivers}
        self.start()

    def start(self) -> None:
        """As a new process."""
        self.running = Running(
            self.store, self.settings, "a", self.now_ms, senders=self.providers, rng=random.Random(1)
        )

    def turn(self) -> None:
        """Turns until nothing is left to be sent now."""
        while sending := self.running.turn(self.now_ms).sending:
            for item in sending:
                self.running.finished(item, self.running.send(item, 1))

    def run(self, until_ms: int, step_ms: int = 10 * MINUTE_MS) -> None:
        """To `until_ms`, a turn whenever something is due, and every `step_ms` anyhow."""
        self.turn()
        while self.now_ms < until_ms:
            due_ms = self.running.next_ms(self.now_ms) or until_ms
            soon_ms = min(until_ms, self.now_ms + step_ms)
            self.now_ms = min(soon_ms, max(due_ms, self.now_ms + 1))
            self.turn()

    def put(self, *alerts: Alert) -> None:
        post(self.store, alerts, self.now_ms)

    def end(self, *alerts: Alert) -> None:
        self.put(*(replace(a, ends_ms=self.now_ms, updated_ms=self.now_ms, timeout=False) for a in alerts))

    def told(self, receiver: str, purpose: Purpose = Purpose.GROUP) -> list[Message]:
        return [m for m in self.providers[receiver, 0].seen if m.purpose is purpose]
