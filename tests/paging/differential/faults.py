"""Mistakes that a pager could have, put in one at a time: each has to be noticed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from monitor.paging import alert as alerts
from monitor.paging import considering, pager
from monitor.paging.alert import Alert, Status
from monitor.paging.decision import Decision
from monitor.paging.groups import Group
from monitor.paging.inhibition import Inhibition
from monitor.paging.message import Message
from monitor.paging.pager import Pager
from monitor.paging.reason import Reason
from monitor.paging.settings import PagerSettings, Route, matches_all
from monitor.paging.state import PagerState, Sent
from monitor.paging.suppression import Silenced

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and a context in which it is."""

    name: str
    within: Callable[[], AbstractContextManager[object]]


def _decides(change: Callable[..., Reason | None]) -> Callable[[], AbstractContextManager[object]]:
    """Reasons are other ones where `change` gives one."""
    right = considering.decide

    def decide(last: Sent | None, now: Any, **given: Any) -> Reason:
        reason = right(last, now, **given)
        return change(reason, last, now, **given) or reason

    return lambda: patch.object(considering, "decide", decide)


def _never_again(reason: Reason, *_: object, **__: object) -> Reason | None:
    return Reason.NOTHING_NEW if reason is Reason.REPEAT else None


def _repeat_each_flush(reason: Reason, last: Sent | None, now: Any, **_: object) -> Reason | None:
    again = reason is Reason.NOTHING_NEW and last is not None and bool(last.firing & now.firing)
    return Reason.REPEAT if again else None


def _smaller_is_news(reason: Reason, last: Sent | None, now: Any, **_: object) -> Reason | None:
    fewer = last is not None and bool(now.firing) and bool(last.firing - now.firing)
    return Reason.NEW_FIRING if fewer and not reason.sends else None


def _no_end_of_some(reason: Reason, *_: object, **__: object) -> Reason | None:
    return Reason.NOTHING_NEW if reason is Reason.SOME_RESOLVED else None


def _no_end_of_all(reason: Reason, *_: object, **__: object) -> Reason | None:
    return Reason.NOTHING_NEW if reason is Reason.ALL_RESOLVED else None


def _never_told_ends(reason: Reason, last: Sent | None, now: Any, **_: object) -> Reason | None:
    return Reason.ALL_RESOLVED if reason is Reason.NEVER_FIRED and now.resolved else None


@contextmanager
def _wait_after_each_flush() -> Iterator[None]:
    right = Pager._consider

    def consider(self: Pager, group: Group, receivers: tuple[str, ...], now_ms: int) -> list[Decision]:
        route = self._routes.get(group.route)
        if route is not None:
            self._reschedule(group, now_ms + route.group_wait_ms)
        return right(self, group, receivers, now_ms)

    with patch.object(Pager, "_consider", consider):
        yield


@contextmanager
def _first_child_ends_it() -> Iterator[None]:
    def match(self: Route, labels: Mapping[str, str]) -> list[Route]:
        if not matches_all(self.matchers, labels):
            return []
        return next((below for child in self.routes if (below := child.match(labels))), [self])

    with patch.object(Route, "match", match):
        yield


@contextmanager
def _inhibits_itself() -> Iterator[None]:
    right = Inhibition.add

    def add(self: Inhibition, fingerprint: str, labels: Mapping[str, str]) -> None:
        right(self, fingerprint, labels)
        for sources in self._sources:
            for some in sources.values():
                some.update(dict.fromkeys(some, False))

    with patch.object(Inhibition, "add", add):
        yield


@contextmanager
def _inhibits_whatever_is_equal() -> Iterator[None]:
    right = Inhibition.__init__

    def init(self: Inhibition, rules: Any) -> None:
        right(self, tuple(replace(rule, equal=()) for rule in rules))

    with patch.object(Inhibition, "__init__", init):
        yield


@contextmanager
def _ended_inhibits() -> Iterator[None]:
    right = Inhibition.inhibiting

    def inhibiting(
        self: Inhibition, labels: Mapping[str, str], known: Mapping[str, Alert], now_ms: int
    ) -> str | None:
        return right(self, labels, {k: replace(a, ends_ms=now_ms + 1) for k, a in known.items()}, now_ms)

    with patch.object(Inhibition, "inhibiting", inhibiting):
        yield


@contextmanager
def _silenced_for_ever() -> Iterator[None]:
    def by(self: Silenced, fingerprint: str, labels: Mapping[str, str], now_ms: int) -> tuple[str, ...]:
        return tuple(s.id for s in self.silences if s.matches(labels) and s.starts_ms <= now_ms)

    with patch.object(Silenced, "by", by):
        yield


@contextmanager
def _silences_forgotten() -> Iterator[None]:
    with patch.object(Pager, "set_silences", lambda self, silences: None):
        yield


@contextmanager
def _nobody_is_muted() -> Iterator[None]:
    with patch.object(pager, "route_suppressed", lambda settings, route, now_ms: None):
        yield


@contextmanager
def _latest_start_wins() -> Iterator[None]:
    right = alerts.merged

    def merged(old: Alert | None, new: Alert) -> Alert:
        return replace(right(old, new), starts_ms=new.starts_ms)

    with patch.object(pager, "merged", merged):
        yield


@contextmanager
def _first_words_win() -> Iterator[None]:
    right = alerts.merged

    def merged(old: Alert | None, new: Alert) -> Alert:
        found = right(old, new)
        return found if old is None else replace(found, annotations=old.annotations)

    with patch.object(pager, "merged", merged):
        yield


@contextmanager
def _old_ones_wait_too() -> Iterator[None]:
    right = Pager._join

    def join(self: Pager, route: Route, key: str, one: Alert, known: Any, now_ms: int) -> None:
        right(self, route, key, replace(one, starts_ms=now_ms), known, now_ms)

    with patch.object(Pager, "_join", join):
        yield


@contextmanager
def _timers_begin_anew() -> Iterator[None]:
    right = Pager.__init__

    def init(
        self: Pager, settings: PagerSettings, state: PagerState | None = None, silences: Any = ()
    ) -> None:
        right(self, settings, state, silences)
        for group in self._groups.values():
            self._reschedule(group, group.due_ms + group.group_interval_ms)

    with patch.object(Pager, "__init__", init):
        yield


@contextmanager
def _reload_tells_again() -> Iterator[None]:
    right = Pager.reconfigure

    def reconfigure(self: Pager, settings: PagerSettings, now_ms: int) -> None:
        right(self, settings, now_ms)
        self._sent.clear()

    with patch.object(Pager, "reconfigure", reconfigure):
        yield


@contextmanager
def _refused_is_delivered() -> Iterator[None]:
    def failed(self: Pager, slot: Any) -> None:
        self.delivered(slot, self._sent[slot.key].at_ms if slot.key in self._sent else 0)

    with patch.object(Pager, "failed", failed):
        yield


@contextmanager
def _ends_to_all() -> Iterator[None]:
    right = considering._message

    def message(
        group: Any, now: Any, settings: Any, slot: Any, integration: Any, reason: Any
    ) -> Message | None:
        return right(group, now, settings, slot, replace(integration, send_resolved=True), reason)

    with patch.object(considering, "_message", message):
        yield


@contextmanager
def _one_group_for_all() -> Iterator[None]:
    with patch.object(Route, "group_labels", lambda self, labels: ()):
        yield


@contextmanager
def _unordered() -> Iterator[None]:
    with patch.object(
        considering, "in_order", lambda some: tuple(sorted(some, key=lambda t: t.alert.labels))
    ):
        yield


@contextmanager
def _never_ends_by_itself() -> Iterator[None]:
    def status_at(self: Alert, now_ms: int) -> Status:
        over = self.ends_ms <= now_ms and not self.timeout
        return Status.RESOLVED if over else Status.FIRING

    with ExitStack() as stack:
        stack.enter_context(patch.object(Alert, "status_at", status_at))
        yield


FAULTS = (
    Fault("repeat_interval is forgotten", _decides(_never_again)),
    Fault("each flush is told", _decides(_repeat_each_flush)),
    Fault("a smaller set that fires is news", _decides(_smaller_is_news)),
    Fault("the end of some is lost", _decides(_no_end_of_some)),
    Fault("the end of all is lost", _decides(_no_end_of_all)),
    Fault("what was never told ends", _decides(_never_told_ends)),
    Fault("group_wait again after each flush", _wait_after_each_flush),
    Fault("`continue` is ignored", _first_child_ends_it),
    Fault("both sides of a rule inhibit each other", _inhibits_itself),
    Fault("`equal` is ignored", _inhibits_whatever_is_equal),
    Fault("what has ended inhibits", _ended_inhibits),
    Fault("a silence never ends", _silenced_for_ever),
    Fault("silences are ignored", _silences_forgotten),
    Fault("mute and active times are ignored", _nobody_is_muted),
    Fault("the latest start wins", _latest_start_wins),
    Fault("the first annotations win", _first_words_win),
    Fault("what fires for long waits too", _old_ones_wait_too),
    Fault("timers are restarted", _timers_begin_anew),
    Fault("a reload forgets what was told", _reload_tells_again),
    Fault("what is refused counts as told", _refused_is_delivered),
    Fault("ends go to those who don't want them", _ends_to_all),
    Fault("group_by is ignored", _one_group_for_all),
    Fault("alerts come in another order", _unordered),
    Fault("resolve_timeout is ignored", _never_ends_by_itself),
)
