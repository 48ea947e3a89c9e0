"""The pager: alerts in, decisions out. All state is in memory, and all time is an argument.

It keeps Alertmanager's semantics, and does better where that is known to lose something: an end always
follows what was told as firing, what is no longer suppressed is told again, and nothing is forgotten.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from monitor.paging.alert import Alert, Status, fingerprint, labels_text, merged
from monitor.paging.considering import Considered, consider
from monitor.paging.decision import Decision, Flush
from monitor.paging.dedupe import delivered, doubted, failed
from monitor.paging.flapping import began, calms_ms
from monitor.paging.groups import Group, grouped
from monitor.paging.inhibition import Inhibition
from monitor.paging.message import Told
from monitor.paging.settings import PagerSettings, Route
from monitor.paging.silence import Silence
from monitor.paging.state import Changes, GroupState, Kind, PagerState, Sent, Slot, Starts, written
from monitor.paging.suppression import Silenced, Suppressed, alert_suppressed, route_suppressed

__all__ = ["Pager"]

# As Alertmanager's collection of garbage: till then a late report is merged with what it knew.
_KEPT_MS = 1_800_000


@dataclass(slots=True)
class _Known:
    """What follows from an alert's labels alone, and the groups that it is in."""

    labels: dict[str, str]
    routes: list[Route]
    groups: set[str] = field(default_factory=set)


class Pager:
    """Begins where `state` left off. Not thread-safe."""

    def __init__(
        self, settings: PagerSettings, state: PagerState | None = None, silences: Sequence[Silence] = ()
    ) -> None:
        state = state or PagerState()
        self._alerts = dict(state.alerts)
        self._sent = dict(state.sent)
        self._starts = dict(state.starts)
        self._groups = {key: grouped(g) for key, g in state.groups.items()}
        self._fingerprints = {a.labels: key for key, a in self._alerts.items()}
        self._known: dict[str, _Known] = {}
        self._dirty: dict[tuple[Kind, str], None] = {}
        self._due = [(g.due_ms, g.id) for g in self._groups.values()]
        heapq.heapify(self._due)
        self._expiring: list[tuple[int, str]] = []
        self._silenced = Silenced(silences)
        self._configure(settings)
        for group in self._groups.values():
            for member in group.members:
                self._known[member].groups.add(group.id)
        for key in self._alerts:
            self._expire(key)

    def _configure(self, settings: PagerSettings) -> None:
        self._settings = settings
        self._routes = {route.id: route for route in _every(settings.route)}
        self._inhibition = Inhibition(settings.inhibit_rules)
        self._silenced = Silenced(self._silenced.silences)
        before, self._known = self._known, {}
        for key, alert in self._alerts.items():
            known = self._know(key, alert)
            known.groups = before[key].groups if key in before else set()

    @property
    def settings(self) -> PagerSettings:
        return self._settings

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All that are known, by fingerprint."""
        return MappingProxyType(self._alerts)

    @property
    def sent(self) -> list[Sent]:
        """What each slot was told last."""
        return list(self._sent.values())

    @property
    def groups(self) -> list[GroupState]:
        """All that have alerts."""
        return [group.kept() for group in self._groups.values()]

    @property
    def next_ms(self) -> int | None:
        """When the next group is to be considered; None while there is none."""
        while self._due and not self._is_due(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _is_due(self, due_ms: int, group: str) -> bool:
        return group in self._groups and self._groups[group].due_ms == due_ms

    def state(self) -> PagerState:
        """All that is to be remembered."""
        groups = {key: group.kept() for key, group in self._groups.items()}
        return PagerState(dict(self._alerts), groups, dict(self._sent), dict(self._starts))

    def put(self, alerts: Iterable[Alert], now_ms: int) -> None:
        """Takes reports of alerts in their order, and puts each into its groups."""
        for alert in alerts:
            self._put(alert, now_ms)

    def _put(self, alert: Alert, now_ms: int) -> None:
        key = self._fingerprints.get(alert.labels)
        if key is None:
            key = self._fingerprints[alert.labels] = fingerprint(alert.labels)
        old = self._alerts.get(key)
        alert = merged(old, alert)
        if alert == old:
            return
        self._alerts[key] = alert
        self._dirty[Kind.ALERT, key] = None
        self._note_start(key, old, alert, now_ms)
        known = self._known.get(key) or self._know(key, alert)
        for route in known.routes:
            self._join(route, key, alert, known, now_ms)
        self._expire(key)

    def _know(self, key: str, alert: Alert) -> _Known:
        labels = dict(alert.labels)
        known = self._known[key] = _Known(labels, self._settings.route.match(labels))
        self._inhibition.add(key, labels)
        return known

    def _note_start(self, key: str, old: Alert | None, alert: Alert, now_ms: int) -> None:
        damping = self._settings.damping
        fires = alert.status_at(now_ms) is Status.FIRING
        if damping is None or not fires or (old is not None and old.status_at(now_ms) is Status.FIRING):
            return
        self._starts[key] = began(self._starts.get(key), key, now_ms, damping)
        self._dirty[Kind.STARTS, key] = None

    def _join(self, route: Route, key: str, alert: Alert, known: _Known, now_ms: int) -> None:
        labels = route.group_labels(alert.labels)
        text = labels_text(labels)
        name = f"{route.id}:{text}"
        group = self._groups.get(name)
        if group is None:
            group = Group(
                name,
                f"{route.key}:{text}",
                route.id,
                labels,
                {},
                now_ms + route.group_wait_ms,
                route.receiver,
                route.group_interval_ms,
            )
            self._groups[name] = group
            heapq.heappush(self._due, (group.due_ms, name))
        group.members[key] = None
        known.groups.add(name)
        # What fires for longer than the wait already waits no more.
        if not group.flushed and alert.starts_ms + route.group_wait_ms < now_ms:
            self._reschedule(group, now_ms)
        self._dirty[Kind.GROUP, name] = None

    def _reschedule(self, group: Group, due_ms: int) -> None:
        if group.due_ms != due_ms:
            group.due_ms = due_ms
            heapq.heappush(self._due, (due_ms, group.id))

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Those that were set."""
        return self._silenced.silences

    def set_silences(self, silences: Sequence[Silence]) -> None:
        """All silences that there are."""
        self._silenced = Silenced(silences)

    def reconfigure(self, settings: PagerSettings, now_ms: int) -> None:
        """Other settings from now on. Timers go on. An alert goes where it belongs now; a group that has no
        alert left to it keeps those it had, and only waits for their end, which is told where they were."""
        self._configure(settings)
        for group in self._groups.values():
            route = self._routes.get(group.route)
            if route is not None:
                group.receiver, group.group_interval_ms = route.receiver, route.group_interval_ms
            self._part(group, [] if route is None else [m for m in group.members if self._belongs(m, group)])
        for key, known in self._known.items():
            alert = self._alerts[key]
            if known.groups or alert.status_at(now_ms) is Status.FIRING:
                for route in known.routes:
                    self._join(route, key, alert, known, now_ms)

    def _belongs(self, key: str, group: Group) -> bool:
        labels = self._alerts[key].labels
        return any(
            r.id == group.route and r.group_labels(labels) == group.labels for r in self._known[key].routes
        )

    def _part(self, group: Group, staying: Sequence[str]) -> None:
        group.left = not staying
        for key in set(group.members).difference(staying) if staying else ():
            del group.members[key]
            self._known[key].groups.discard(group.id)
        self._dirty[Kind.GROUP, group.id] = None

    def acknowledge(self, group: str, at_ms: int | None) -> None:
        """Holds repeats of a group back until everything in it has ended; None takes that back. Nothing
        happens for a group that is gone."""
        if group in self._groups:
            self._groups[group].acknowledged_ms = at_ms
            self._dirty[Kind.GROUP, group] = None

    def escalate(self, group: str, receiver: str, now_ms: int) -> list[Decision]:
        """Tells `receiver` of a group too, now and from now on; what it is told to the others doesn't
        change. Nothing for a group that is gone, or whose receiver it is already."""
        found = self._groups.get(group)
        if found is None or receiver in (found.receiver, *found.receivers):
            return []
        found.receivers = (*found.receivers, receiver)
        self._dirty[Kind.GROUP, group] = None
        return self._consider(found, (receiver,), now_ms)

    def flush(self, now_ms: int, busy: frozenset[str] = frozenset()) -> list[Decision]:
        """Considers all groups that are due, the longest due first; those that are `busy`, for something of
        them is being sent, stay due."""
        found: list[Decision] = []
        put_off = []
        while (due_ms := self.next_ms) is not None and due_ms <= now_ms:
            group = self._groups[heapq.heappop(self._due)[1]]
            if group.id in busy:
                put_off.append((due_ms, group.id))
                continue
            late = now_ms - due_ms >= group.group_interval_ms
            self._reschedule(group, (now_ms if late else due_ms) + group.group_interval_ms)
            group.flushed, group.considered_ms = True, now_ms
            self._dirty[Kind.GROUP, group.id] = None
            found += self._consider(group, (group.receiver, *group.receivers), now_ms)
            self._leave(group)
        for entry in put_off:
            heapq.heappush(self._due, entry)
        self._forget(now_ms)
        return found

    def _consider(self, group: Group, receivers: tuple[str, ...], now_ms: int) -> list[Decision]:
        told = {key: Told(self._alerts[key], self._status(key, now_ms)) for key in group.members}
        route = self._routes.get(group.route)
        suppressed = self._suppressed(group, route, now_ms)
        damped = frozenset(key for key, one in told.items() if one.status is not one.alert.status_at(now_ms))
        flush = Flush(
            group.id, group.key, group.labels, group.route, now_ms, tuple(told.values()), suppressed, damped
        )
        considered = Considered(
            flush,
            told,
            receivers,
            frozenset(group.receivers),
            route.repeat_interval_ms if route is not None else 0,
            group.acknowledged_ms is not None,
            group.left,
        )
        found = []
        for decision, sent in consider(considered, self._settings, lambda slot: self._sent.get(slot.key)):
            self._keep_sent(decision.slot, sent)
            found.append(decision)
        return found

    def _status(self, key: str, now_ms: int) -> Status:
        """An alert that flaps fires on until it has calmed down."""
        alert = self._alerts[key]
        calm_ms = calms_ms(alert, self._starts.get(key), self._settings.damping, now_ms)
        return alert.status_at(now_ms) if calm_ms is None else Status.FIRING

    def _suppressed(self, group: Group, route: Route | None, now_ms: int) -> dict[str, Suppressed]:
        whole = None if route is None else route_suppressed(self._settings, route, now_ms)
        if whole is not None:
            return dict.fromkeys(group.members, whole)
        found = ((key, self.suppressed(key, now_ms)) for key in group.members)
        return {key: why for key, why in found if why is not None}

    def suppressed(self, key: str, now_ms: int) -> Suppressed | None:
        """Why the alert of a fingerprint is told to nobody, whatever its route. Raises KeyError for one
        that isn't known."""
        return alert_suppressed(
            self._alerts[key],
            key,
            self._known[key].labels,
            self._settings,
            self._inhibition,
            self._silenced,
            self._alerts,
            now_ms,
        )

    def _keep_sent(self, slot: Slot, sent: Sent | None) -> None:
        if self._sent.get(slot.key) != sent:
            if sent is None:
                self._sent.pop(slot.key, None)
            else:
                self._sent[slot.key] = sent
            self._dirty[Kind.SENT, slot.key] = None

    def delivered(self, slot: Slot, at_ms: int, *, replayed: bool = False) -> None:
        """What the slot was to be told has arrived, or would have in a replay."""
        self._settle(slot, lambda sent: delivered(sent, at_ms, replayed=replayed))

    def forget_replayed(self) -> None:
        """What was told in a replay alone has been told to nobody."""
        for sent in [s for s in self._sent.values() if s.replayed]:
            self._keep_sent(sent.slot, None)

    def doubted(self, slot: Slot) -> None:
        """What the slot was to be told may have arrived; it is tried again."""
        self._settle(slot, doubted)

    def failed(self, slot: Slot) -> None:
        """What the slot was to be told has not arrived and won't be tried again: the next flush decides
        anew, on what has ended too."""
        if (group := self._groups.get(slot.group)) is not None:
            group.considered_ms = None
            self._dirty[Kind.GROUP, group.id] = None
        self._settle(slot, failed)

    def _settle(self, slot: Slot, after: Callable[[Sent], Sent | None]) -> None:
        if (sent := self._sent.get(slot.key)) is None:
            return
        sent = after(sent)
        group = self._groups.get(slot.group)
        over = sent is not None and not sent.waiting and group is None
        self._keep_sent(slot, None if over else sent)
        if group is not None:
            self._leave(group)

    def _slots(self, group: Group) -> Iterator[Slot]:
        for receiver in (group.receiver, *group.receivers):
            known = self._settings.receivers.get(receiver)
            for integration in known.integrations if known is not None else ():
                yield Slot(group.id, receiver, integration.index)

    def _leave(self, group: Group) -> None:
        """What had ended when the group was considered leaves it, once everybody has been told; a group
        without alerts is gone."""
        told = [self._sent.get(slot.key) for slot in self._slots(group)]
        if group.considered_ms is None or any(sent is not None and sent.waiting for sent in told):
            return
        at_ms = group.considered_ms
        # The end may have been reported in the same millisecond, after they were told that it fires.
        untold = frozenset().union(*(sent.firing for sent in told if sent is not None))
        for key in [k for k in group.members if self._has_left(k, at_ms, told=k not in untold)]:
            del group.members[key]
            self._known[key].groups.discard(group.id)
            self._expire(key)
            self._dirty[Kind.GROUP, group.id] = None
        if not group.members:
            del self._groups[group.id]
            for slot in self._slots(group):
                self._keep_sent(slot, None)

    def _has_left(self, key: str, at_ms: int, *, told: bool) -> bool:
        """Whether it had ended at `at_ms`, and nobody has reported it since."""
        updated_ms = self._alerts[key].updated_ms
        since = updated_ms > at_ms or (updated_ms == at_ms and not told)
        return self._status(key, at_ms) is Status.RESOLVED and not since

    def _expire(self, key: str) -> None:
        if not self._known[key].groups:
            heapq.heappush(self._expiring, (self._alerts[key].ends_ms + self._kept_ms, key))

    @property
    def _kept_ms(self) -> int:
        """For how long an alert is known after its end: to see that one flaps, for as long as it may."""
        damping = self._settings.damping
        return _KEPT_MS if damping is None else max(_KEPT_MS, damping.window_ms)

    def _forget(self, now_ms: int) -> None:
        while self._expiring and self._expiring[0][0] <= now_ms:
            _, key = heapq.heappop(self._expiring)
            alert = self._alerts.get(key)
            if alert is None or self._known[key].groups or alert.ends_ms + self._kept_ms > now_ms:
                continue
            self._inhibition.remove(key, self._known[key].labels)
            self._silenced.forget(key)
            del self._alerts[key], self._known[key], self._fingerprints[alert.labels]
            self._dirty[Kind.ALERT, key] = None
            if self._starts.pop(key, None) is not None:
                self._dirty[Kind.STARTS, key] = None

    def take_changes(self) -> Changes:
        """What has changed since the last call, as documents for the store."""
        changed: dict[tuple[Kind, str], bytes] = {}
        gone = []
        for kind, key in self._dirty:
            value = self._value(kind, key)
            if value is None:
                gone.append((kind, key))
            else:
                changed[kind, key] = written(value)
        self._dirty.clear()
        return Changes(changed, tuple(gone))

    def _value(self, kind: Kind, key: str) -> Alert | GroupState | Sent | Starts | None:
        if kind is Kind.GROUP:
            group = self._groups.get(key)
            return None if group is None else group.kept()
        if kind is Kind.ALERT:
            return self._alerts.get(key)
        return self._sent.get(key) if kind is Kind.SENT else self._starts.get(key)


def _every(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _every(child)
