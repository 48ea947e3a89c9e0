"""The pager on the stream's own clock: a history is told turn by turn, as by one that ran then."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from monitor.clock import Clock
from monitor.paging.decision import Decision
from monitor.paging.detected import Detector
from monitor.paging.message import Sender
from monitor.paging.outbox.policy import Repeats
from monitor.paging.running import Running
from monitor.paging.settings import PagerSettings
from monitor.slo.alert_log import KeptTransition
from monitor.slo.standing import AlertState, Transition
from monitor.store import lease
from monitor.store.store import Store

__all__ = ["Replay"]

_log = logging.getLogger(__name__)
_TTL_MS, _SEND_TIMEOUT_S = 60_000, 15.0


@dataclass(frozen=True, slots=True)
class Replay:
    """Replays into the store: incidents and decisions are as they would have been, and messages are recorded
    and not sent, unless it `sends`. `clock` is for the lease alone."""

    store: Store
    settings: PagerSettings
    holder: str
    clock: Clock
    detector: Detector
    repeats: Repeats = Repeats.MARK
    sends: bool = False
    senders: Mapping[tuple[str, int], Sender] | None = None

    def run(
        self, before: Iterable[AlertState], did: Iterable[KeptTransition], until_ms: int
    ) -> list[Decision] | None:
        """What the pager decided while alerts that stood as `before` `did` all this, up to `until_ms`; None
        where another process has the pager, which tells of it in its own time.

        Raises StoreBusy, and Deposed where another takes the pager over meanwhile.
        """
        if not self._leads():
            _log.warning("the pager runs elsewhere, and so nothing is replayed through it")
            return None
        try:
            return _Stream(self, before).play(did, until_ms)
        finally:
            lease.release(self.store, lease.PAGER, self.holder)

    def _leads(self) -> bool:
        return lease.acquire(self.store, lease.PAGER, self.holder, self.clock.now_ms(), _TTL_MS)


class _Stream:
    """One replay under way, at `_now_ms`."""

    def __init__(self, of: Replay, before: Iterable[AlertState]) -> None:
        self._of = of
        self._states = {state.key: state for state in before if state.phase.fires}
        self._running: Running | None = None
        self._renewed_ms = of.clock.now_ms()
        self._now_ms = 0
        self._decisions: list[Decision] = []

    def play(self, did: Iterable[KeptTransition], until_ms: int) -> list[Decision]:
        ordered = sorted((kept.transition for kept in did), key=lambda t: t.at_s)
        for at_s, some in groupby(ordered, key=lambda t: t.at_s):
            self._advance(at_s * 1000 - 1)
            for transition in some:
                self._take(transition)
            self._turn(at_s * 1000)
        self._advance(until_ms)
        return self._decisions

    def _take(self, t: Transition) -> None:
        known = self._states.get(t.key)
        if not t.after.fires:
            self._states.pop(t.key, None)
        elif known is None or t.before is not t.after:
            self._states[t.key] = AlertState(t.key, t.after, t.severity, t.at_s, t.at_s)
        else:
            self._states[t.key] = replace(known, severity=t.severity)

    def _advance(self, until_ms: int) -> None:
        """Every turn that is due by then."""
        running = self._at(until_ms)
        while (due_ms := running.next_ms(self._now_ms)) is not None and due_ms <= until_ms:
            self._turn(max(due_ms, self._now_ms + 1))

    def _at(self, now_ms: int) -> Running:
        if self._running is None:
            of, self._now_ms = self._of, now_ms
            self._running = Running(
                of.store,
                of.settings,
                of.holder,
                now_ms,
                repeats=of.repeats,
                # Nothing is late on the stream's own clock.
                detected=lambda: [replace(of.detector.alert(s), quiet=False) for s in self._states.values()],
                senders=of.senders,
                replays=True,
            )
        return self._running

    def _turn(self, now_ms: int) -> None:
        """Until nothing is left to be told at this moment."""
        running, self._now_ms = self._at(now_ms), now_ms
        goes_on = True
        while goes_on:
            self._renew()
            turned = running.turn(now_ms, sends=self._of.sends)
            self._decisions += turned.decisions
            for item in turned.sending:
                running.finished(item, running.send(item, _SEND_TIMEOUT_S))
            goes_on = bool(turned.sending or turned.finished)

    def _renew(self) -> None:
        now_ms = self._of.clock.now_ms()
        if now_ms - self._renewed_ms > _TTL_MS // 3:
            lease.acquire(self._of.store, lease.PAGER, self._of.holder, now_ms, _TTL_MS)
            self._renewed_ms = now_ms
