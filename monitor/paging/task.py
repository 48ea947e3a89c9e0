"""The pager as a thread of its own, on the replica that has the lease."""

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from monitor.clock import Clock
from monitor.errors import MonitorError, StoreBusy
from monitor.paging.alert import Alert
from monitor.paging.did import Did
from monitor.paging.message import Delivery, Result
from monitor.paging.outbox.item import Item, State
from monitor.paging.outbox.policy import Repeats
from monitor.paging.running import Deposed, Running
from monitor.paging.settings import PagerSettings
from monitor.store import lease, paging
from monitor.store.incident_retention import IncidentRetention, drop_incidents
from monitor.store.store import Store

__all__ = ["PagerTask"]

_log = logging.getLogger(__name__)


class PagerTask:
    """Turns of the pager, each when something is due, came in (`wake`), or half a second has passed.

    Two replicas on one store take turns by lease; whoever loses it writes and sends no more.
    """

    _TTL_MS = 15_000
    _IDLE_S = 0.5
    _SEND_TIMEOUT_S = 15.0
    # Receivers that hang keep two threads each, so that thirty may before another has to wait.
    _SENDERS = 64
    _KEPT_MS = 5 * 86_400_000

    def __init__(
        self,
        store: Store,
        settings: PagerSettings,
        holder: str,
        clock: Clock,
        *,
        repeats: Repeats = Repeats.MARK,
        detected: Callable[[], Iterable[Alert]] | None = None,
        told: Callable[[Did], None] | None = None,
        retention: IncidentRetention = IncidentRetention(),  # noqa: B008  frozen
    ) -> None:
        self._store, self._settings, self._holder, self._clock = store, settings, holder, clock
        self._repeats, self._detected, self._told = repeats, detected, told
        self._retention = retention
        self._running: Running | None = None
        self._renew_ms = self._drop_ms = 0
        self._new_settings: PagerSettings | None = None
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pager", daemon=True)
        self._pool = ThreadPoolExecutor(self._SENDERS, thread_name_prefix="send")

    def start(self) -> None:
        """Begins; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Something came in: the next turn is now."""
        self._wake.set()

    def reconfigure(self, settings: PagerSettings) -> None:
        """Goes by other settings from the next turn on; timers go on."""
        self._new_settings = settings
        self._wake.set()

    def stop(self) -> None:
        """Ends after the turn under way, waits for what is being sent, and lets another take over."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(self._SEND_TIMEOUT_S)
        self._pool.shutdown(wait=True)
        try:
            if self._running is not None:
                self._turn(self._running, sends=False)
            lease.release(self._store, lease.PAGER, self._holder)
        except MonitorError as e:
            _log.warning("the pager's lease is not released", extra={"reason": str(e)})

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                running = self._lead()
                if running is not None:
                    self._turn(running)
            except Deposed:
                self._running = None
                _log.warning("another process has taken the pager over")
            except StoreBusy as e:
                _log.warning("the pager waits for the store", extra={"reason": str(e)})
            except Exception:
                # Whatever it is, a pager that is dead is worse: what is written down is taken up again.
                self._running = None
                _log.exception("the pager starts anew")
            self._wake.wait(self._wait_s())

    def _wait_s(self) -> float:
        now_ms = self._clock.now_ms()
        due_ms = self._running.next_ms(now_ms) if self._running is not None else None
        if due_ms is None:
            return self._IDLE_S
        # What is due but waits for a message under way is woken by its end.
        return min(self._IDLE_S, max(0.02, (due_ms - now_ms) / 1000))

    def _lead(self) -> Running | None:
        """What runs here, None while another replica has the lease."""
        now_ms = self._clock.now_ms()
        if now_ms >= self._renew_ms or self._running is None:
            if not lease.acquire(self._store, lease.PAGER, self._holder, now_ms, self._TTL_MS):
                self._running = None
                return None
            self._renew_ms = now_ms + self._TTL_MS // 3
        if self._new_settings is not None:
            self._settings, self._new_settings = self._new_settings, None
            if self._running is not None:
                self._running.reconfigure(self._settings, now_ms)
        if self._running is None:
            self._running = Running(
                self._store,
                self._settings,
                self._holder,
                now_ms,
                repeats=self._repeats,
                detected=self._detected,
            )
        if now_ms >= self._drop_ms:
            self._drop_ms = now_ms + 3_600_000
            paging.drop_ended(self._store, now_ms - self._KEPT_MS)
            while drop_incidents(self._store, self._retention, now_ms):
                pass
        return self._running

    def _turn(self, running: Running, *, sends: bool = True) -> None:
        did = running.turn(self._clock.now_ms(), sends=sends)
        for item in did.sending:
            self._pool.submit(self._send, running, item)
        _log_turn(did)
        if self._told is not None:
            self._told(did)

    def _send(self, running: Running, item: Item) -> None:
        try:
            delivery = running.send(item, self._SEND_TIMEOUT_S)
        except Exception as e:
            _log.exception("a receiver failed", extra={"receiver": item.slot.receiver})
            delivery = Delivery(Result.DOUBTFUL, f"failed within: {type(e).__name__}")
        running.finished(item, delivery)
        self._wake.set()


def _log_turn(did: Did) -> None:
    for decision in did.decisions:
        _log.log(
            logging.INFO if decision.reason.sends else logging.DEBUG,
            "decided",
            extra={
                "group": decision.flush.key,
                "receiver": decision.slot.receiver,
                "reason": str(decision.reason),
                "alerts": len(decision.flush.alerts),
                "suppressed": len(decision.flush.suppressed),
            },
        )
    for item in did.finished:
        _log.log(
            logging.INFO if item.state is State.DELIVERED else logging.WARNING,
            "notification",
            extra={
                "group": item.message.group_key,
                "receiver": item.slot.receiver,
                "integration": item.slot.integration,
                "state": str(item.state),
                "attempts": item.attempts,
                "detail": item.detail,
            },
        )
