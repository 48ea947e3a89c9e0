"""Pagers without one of our improvements each, to be mixed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import patch

from monitor.paging import considering
from monitor.paging.alert import Status
from monitor.paging.decision import Decision
from monitor.paging.dedupe import Now
from monitor.paging.dedupe import told as told_by_ours
from monitor.paging.groups import Group
from monitor.paging.inhibition import Inhibition
from monitor.paging.message import Message
from monitor.paging.pager import Pager
from monitor.paging.reason import Reason
from monitor.paging.receivers.webhook import payload
from monitor.paging.settings import PagerSettings
from monitor.paging.state import Sent, Slot
from tests.paging.differential import ours

__all__ = ["Remembering", "Restarting", "Sweeping", "as_suppressed", "status_of_listed"]


class Remembering(Pager):
    """What was told outlives its group."""

    def _leave(self, group: Group) -> None:
        sent = dict(self._sent)
        super()._leave(group)
        self._sent = sent


class Sweeping(Remembering):
    """A group without alerts goes on until it is swept away."""

    def _leave(self, group: Group) -> None:
        super()._leave(group)
        if group.id not in self._groups:
            self._groups[group.id] = group
            self._reschedule_again(group)

    def _reschedule_again(self, group: Group) -> None:
        due_ms, group.due_ms = group.due_ms, -1
        self._reschedule(group, due_ms)

    def _consider(self, group: Group, receivers: tuple[str, ...], now_ms: int) -> list[Decision]:
        return super()._consider(group, receivers, now_ms) if group.members else []

    def sweep(self) -> None:
        """Takes away what is empty."""
        for group in [g for g in self._groups.values() if not g.members]:
            del self._groups[group.id]


class Restarting(Remembering):
    """A reload begins all groups anew, with all alerts that are still known; those that are `late` come after
    the flushes that follow at once, and a `blind` one knows until then of nothing that inhibits."""

    late: ClassVar[frozenset[str]] = frozenset()
    blind: ClassVar[bool] = False

    def reconfigure(self, settings: PagerSettings, now_ms: int) -> None:
        self._groups.clear()
        for known in self._known.values():
            known.groups.clear()
        self._configure(settings)
        if self.blind:
            self._inhibition = Inhibition(())
        self._take([key for key in self._known if key not in self.late], now_ms)

    def take_late(self, now_ms: int) -> None:
        """What a flush at once didn't wait for."""
        self._configure(self._settings)
        self._take([key for key in self._known if key in self.late], now_ms)

    def _take(self, keys: list[str], now_ms: int) -> None:
        for key in keys:
            known = self._known[key]
            for route in known.routes:
                self._join(route, key, self._alerts[key], known, now_ms)


@contextmanager
def as_suppressed() -> Iterator[None]:
    """What is suppressed is as good as not there."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(Now, "to_tell", lambda self, last: self))
        stack.enter_context(patch.object(considering, "decide", _decide))
        stack.enter_context(patch.object(considering, "told", _told))
        stack.enter_context(patch.object(considering, "noted", lambda last, now: last))
        yield


def _decide(
    last: Sent | None, now: Now, *, send_resolved: bool, repeat_interval_ms: int, acknowledged: bool = False
) -> Reason:
    if not now.firing | now.resolved:
        return Reason.NOTHING_NEW
    if last is None:
        return Reason.FIRST if now.firing else Reason.NEVER_FIRED
    if not now.firing <= last.firing:
        return Reason.NEW_FIRING
    if not now.firing:
        return Reason.ALL_RESOLVED if last.firing else Reason.NOTHING_NEW
    if send_resolved and not now.resolved <= last.resolved:
        return Reason.SOME_RESOLVED
    return Reason.REPEAT if last.at_ms < now.at_ms - repeat_interval_ms else Reason.NOTHING_NEW


def _told(last: Sent | None, slot: Slot, now: Now, *, waits: bool) -> Sent:
    return told_by_ours(last, slot, replace(now, hidden=frozenset()), waits=waits)


@contextmanager
def status_of_listed() -> Iterator[None]:
    """The status of a message is that of the alerts that it lists."""

    def cut(message: Message, max_alerts: int) -> dict[str, Any]:
        listed = message.alerts[:max_alerts] if max_alerts else message.alerts
        fires = any(told.status is Status.FIRING for told in listed)
        return payload(message, max_alerts) | {"status": str(Status.FIRING if fires else Status.RESOLVED)}

    with patch.object(ours, "payload", cut):
        yield
