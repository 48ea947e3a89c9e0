"""The incidents under way: opened, moved on and resolved by what the pager considers and people do.

Pure: alerts and deeds in, changed incidents and entries of the timeline out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from monitor.paging.alert import Alert, Labels, Status
from monitor.paging.decision import Flush
from monitor.paging.incidents.incident import Act, Deed, Entry, Incident, Kind, Phase
from monitor.paging.message import Told
from monitor.paging.oncall.escalation import Level, Step, due, next_ms
from monitor.paging.outbox.item import Item, State, unreached_words
from monitor.store.incident_retention import MONITOR

__all__ = ["MONITOR", "Book"]

_AGAIN_MS = 1_800_000
_SEVERITIES = ("info", "ticket", "page")
_PHASES = {Act.ACKNOWLEDGE: Phase.ACKNOWLEDGED, Act.MITIGATE: Phase.MITIGATED, Act.RESOLVE: Phase.RESOLVED}
_KINDS = {
    Act.ACKNOWLEDGE: Kind.ACKNOWLEDGED,
    Act.MITIGATE: Kind.MITIGATED,
    Act.RESOLVE: Kind.RESOLVED,
    Act.NOTE: Kind.NOTE,
    Act.ASSIGN: Kind.ASSIGNED,
}


class Book:
    """`known` are the open incidents, and those that may open again; `last_id` is the highest ever given.
    An incident is the same where alerts agree in the labels `by`, as far as they have them; without any of
    these it is their group's."""

    def __init__(self, known: Iterable[Incident], last_id: int, by: tuple[str, ...] = ()) -> None:
        self._incidents = {i.id: i for i in sorted(known, key=lambda i: i.id)}
        self._newest = {incident.key: incident.id for incident in self._incidents.values()}
        self._last_id, self._by = last_id, by
        self._changed: dict[int, Incident] = {}
        self._entries: list[Entry] = []

    @property
    def incidents(self) -> list[Incident]:
        """Open, and resolved a while ago at most."""
        return list(self._incidents.values())

    def key(self, alert: Alert, group_labels: Labels) -> Labels:
        """The labels that make alerts the same trouble."""
        own = tuple(pair for pair in alert.labels if pair[0] in self._by)
        return own or group_labels

    def considered(self, flush: Flush) -> None:
        """A group was considered: its alerts open incidents, join them, or have ended."""
        by_key: dict[Labels, list[Told]] = {}
        for told in flush.alerts:
            by_key.setdefault(self.key(told.alert, flush.labels), []).append(told)
        for key, some in by_key.items():
            self._take(key, flush, some)

    def _take(self, key: Labels, flush: Flush, some: list[Told]) -> None:
        incident = self._latest(key)
        if incident is not None:
            incident = self._without_ended(incident, flush.at_ms, some)
            self._set(incident)
        firing = [told.alert for told in some if told.status is Status.FIRING]
        if incident is None or not incident.is_open:
            # What fires on after somebody has resolved its incident is no news.
            known = incident.firing if incident is not None else frozenset()
            news = [alert for alert in firing if alert.fingerprint not in known]
            if not news:
                return
            incident = self._open(key, flush.at_ms, news, incident)
        if flush.group not in incident.groups:
            incident = replace(incident, groups=(*incident.groups, flush.group))
        for alert in firing:
            incident = self._fires(incident, alert, flush)
        incident = self._flaps(incident, flush)
        if not incident.firing:
            self._note(incident.id, flush.at_ms, Kind.RESOLVED, "all alerts have ended")
            incident = replace(incident, phase=Phase.RESOLVED, resolved_ms=flush.at_ms)
        self._set(incident)

    def _without_ended(self, incident: Incident, at_ms: int, some: list[Told]) -> Incident:
        ended = {t.alert.fingerprint for t in some if t.status is Status.RESOLVED} & incident.firing
        for fingerprint in sorted(ended):
            self._note(incident.id, at_ms, Kind.ENDED, incident.evidence[fingerprint])
        return replace(incident, firing=incident.firing - ended)

    def _latest(self, key: Labels) -> Incident | None:
        return self._incidents.get(self._newest.get(key, 0))

    def _open(self, key: Labels, at_ms: int, alerts: list[Alert], last: Incident | None) -> Incident:
        if last is not None and last.resolved_ms is not None and at_ms - last.resolved_ms <= _AGAIN_MS:
            self._note(last.id, at_ms, Kind.REOPENED, f"fires again: {_name(alerts[0])}")
            return replace(
                last,
                phase=Phase.OPEN,
                firing=frozenset(),
                resolved_ms=None,
                acknowledged_ms=None,
                acknowledged_by="",
                mitigated_ms=None,
                paged_ms=None,
                escalated=(),
                reopened=last.reopened + 1,
            )
        self._last_id += 1
        labels = dict(alerts[0].labels)
        title = dict(alerts[0].annotations).get("summary") or _name(alerts[0])
        began_ms = min(alert.starts_ms for alert in alerts)
        self._note(self._last_id, at_ms, Kind.OPENED, title)
        owner = labels.get("owner") or labels.get("team") or ""
        return Incident(self._last_id, key, title, owner, _severity(labels), Phase.OPEN, at_ms, began_ms)

    def _fires(self, incident: Incident, alert: Alert, flush: Flush) -> Incident:
        if alert.fingerprint not in incident.firing:
            suppressed = flush.suppressed.get(alert.fingerprint)
            why = f"; {suppressed.reason}" if suppressed is not None else ""
            self._note(incident.id, flush.at_ms, Kind.ALERT, f"{_worded(alert)}{why}")
            incident = replace(
                incident,
                firing=incident.firing | {alert.fingerprint},
                evidence={**incident.evidence, alert.fingerprint: _name(alert)},
                began_ms=min(incident.began_ms, alert.starts_ms),
            )
        severity = _severity(dict(alert.labels))
        if _SEVERITIES.index(severity) > _SEVERITIES.index(incident.severity):
            self._note(incident.id, flush.at_ms, Kind.SEVERITY, f"{incident.severity} -> {severity}")
            incident = replace(incident, severity=severity)
        return incident

    def _flaps(self, incident: Incident, flush: Flush) -> Incident:
        news = (flush.damped & incident.firing) - incident.flapped
        for fingerprint in sorted(news):
            text = f"{incident.evidence[fingerprint]} comes and goes: its end is told once it is calm"
            self._note(incident.id, flush.at_ms, Kind.FLAPPING, text)
        return replace(incident, flapped=incident.flapped | news) if news else incident

    def finished(self, item: Item, at_ms: int) -> None:
        """A message has arrived, or has been given up."""
        whom = f"{item.slot.receiver}: {item.message.reason.replace('_', ' ')}"
        for incident in self.about(item.slot.group):
            if item.state in (State.DELIVERED, State.REPLAYED):
                kind = Kind.NOTIFIED if item.state is State.DELIVERED else Kind.REPLAYED
                self._note(incident.id, at_ms, kind, whom)
                pages = item.message.firing and item.message.severity == "page"
                if incident.paged_ms is None and pages and incident.is_open:
                    self._set(replace(incident, paged_ms=at_ms))
            elif item.ended_ms is not None:
                self._note(incident.id, at_ms, Kind.NOT_NOTIFIED, f"{whom}: {item.detail or item.state}")

    def about(self, group: str) -> list[Incident]:
        """The incidents that a group of alerts tells of."""
        return [i for i in self._incidents.values() if group in i.groups]

    def of(self, fingerprint: str) -> Incident | None:
        """The open incident of an alert that fires."""
        return next((i for i in self._incidents.values() if i.is_open and fingerprint in i.firing), None)

    def acted(self, incident: int | None, at_ms: int, text: str) -> None:
        """What an action does about an incident, and what came of it."""
        self._note(incident, at_ms, Kind.ACTION, text)

    def fell_back(self, item: Item, receiver: str, at_ms: int) -> None:
        """Somebody else is told, for a message could not reach whom it was for."""
        for incident in self.about(item.slot.group):
            self._note(incident.id, at_ms, Kind.FALLBACK, f"{receiver}: {unreached_words(item)}")

    def do(self, deed: Deed) -> Incident | None:
        """What a person does; None, and nothing happens, where there is no such incident, or it is over and
        only a note can still be made."""
        incident = self._incidents.get(deed.incident)
        if deed.act is Act.NOTE:
            self._note(deed.incident, deed.at_ms, Kind.NOTE, deed.text, deed.who)
            return incident
        if incident is None or not incident.is_open:
            return None
        self._note(incident.id, deed.at_ms, _KINDS[deed.act], deed.text, deed.who)
        if deed.act is Act.ASSIGN:
            incident = replace(incident, commander=deed.text)
        else:
            incident = replace(incident, phase=_PHASES[deed.act])
        if deed.act is Act.MITIGATE:
            incident = replace(incident, mitigated_ms=deed.at_ms)
        elif deed.act is Act.RESOLVE:
            incident = replace(incident, resolved_ms=deed.at_ms)
        if incident.acknowledged_ms is None and deed.act is not Act.ASSIGN:
            incident = replace(incident, acknowledged_ms=deed.at_ms, acknowledged_by=deed.who)
        self._set(incident)
        return incident

    def escalations(
        self,
        levels: Mapping[str, tuple[Level, ...]],
        burn_of: Callable[[Incident], float | None],
        now_ms: int,
    ) -> list[tuple[Incident, Step]]:
        """The levels that are due, by owner; they count as told from here on. `burn_of` says how fast an
        incident burns its budget now."""
        found = []
        for incident in self.incidents:
            if incident.paged_ms is None or incident.severity != "page" or not incident.is_open:
                continue
            acknowledged = incident.acknowledged_ms is not None
            told = frozenset(incident.escalated)
            mine = levels.get(incident.owner, ())
            for step in due(mine, told, incident.paged_ms, acknowledged, burn_of(incident), now_ms):
                self._note(incident.id, now_ms, Kind.ESCALATED, f"{step.receiver}: {step.because}")
                incident = replace(incident, escalated=(*incident.escalated, step.level))
                self._set(incident)
                found.append((incident, step))
        return found

    def next_ms(self, levels: Mapping[str, tuple[Level, ...]]) -> int | None:
        """When the next level is due if nobody acknowledges; None where none is."""
        found = (
            next_ms(levels.get(i.owner, ()), frozenset(i.escalated), i.paged_ms)
            for i in self._incidents.values()
            if i.paged_ms is not None and i.severity == "page" and i.is_open and i.acknowledged_ms is None
        )
        return min((ms for ms in found if ms is not None), default=None)

    def forget(self, now_ms: int) -> None:
        """Those that can't open again."""
        for incident in self.incidents:
            # What fires on though somebody has resolved it must not open another.
            over = incident.resolved_ms is not None and not incident.firing
            if over and (incident.resolved_ms or 0) < now_ms - _AGAIN_MS:
                del self._incidents[incident.id]
                if self._newest.get(incident.key) == incident.id:
                    del self._newest[incident.key]

    def _set(self, incident: Incident) -> None:
        if self._incidents.get(incident.id) != incident:
            self._incidents[incident.id] = self._changed[incident.id] = incident
            self._newest[incident.key] = max(incident.id, self._newest.get(incident.key, 0))

    def say(self, incident: int | None, at_ms: int, text: str) -> None:
        """Something for the timeline of an incident, or of none."""
        self._note(incident, at_ms, Kind.NOTE, text)

    def _note(self, incident: int | None, at_ms: int, kind: Kind, text: str, who: str = MONITOR) -> None:
        self._entries.append(Entry(incident, at_ms, kind, who, text))

    def take_changes(self) -> tuple[list[Incident], list[Entry]]:
        """Incidents that changed since the last call, and what happened."""
        changed, entries = list(self._changed.values()), self._entries
        self._changed, self._entries = {}, []
        return changed, entries


def _name(alert: Alert) -> str:
    return dict(alert.labels).get("alertname") or ", ".join(f"{n}={v}" for n, v in alert.labels) or "alert"


def _worded(alert: Alert) -> str:
    labels, summary = dict(alert.labels), dict(alert.annotations).get("summary", "")
    by = labels.get("detector") or alert.source
    return f"{_name(alert)} ({by})" + (f": {summary}" if summary else "")


def _severity(labels: Mapping[str, str]) -> str:
    """An alert that says none is a page, for nobody said that it can wait."""
    said = labels.get("severity", "page")
    return said if said in _SEVERITIES else "page"
