"""Alerts and groups as the API shows them: what the pager knows, and what waits for it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from monitor.paging.alert import Status
from monitor.paging.api_times import shown
from monitor.paging.inbox import reports
from monitor.paging.inhibition import Inhibition
from monitor.paging.keeping import kept_silences, kept_state
from monitor.paging.matching import parse_matcher, regex
from monitor.paging.message import Told
from monitor.paging.ordering import in_order, labels_before
from monitor.paging.pager import Pager
from monitor.paging.settings import Matcher, PagerSettings
from monitor.paging.state import GroupState
from monitor.paging.suppression import Silenced
from monitor.store.paging import read_inbox
from monitor.store.store import Store
from monitor.web.alertmanager_answers import told

__all__ = ["AlertQuestion", "Standing", "filters_of", "read_pager", "read_standing"]

_MOST_BATCHES = 100_000
_YES = frozenset(("true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"))


@dataclass(frozen=True, slots=True)
class AlertQuestion:
    """Which alerts are wanted. `receiver` is a compiled regular expression, None for any."""

    filters: tuple[Matcher, ...]
    active: bool
    silenced: bool
    inhibited: bool
    receiver: Any = None

    @classmethod
    def of(cls, parameters: QueryParams) -> "AlertQuestion":
        """As the query of a request asks. Raises Answer."""
        receiver = _last(parameters, "receiver")
        try:
            pattern = None if receiver is None else regex(receiver)
        except ValueError as e:
            raise told(400, f"failed to parse receiver param: {e}") from None
        active, silenced, inhibited = (_is_on(parameters, n) for n in ("active", "silenced", "inhibited"))
        return cls(filters_of(parameters), active, silenced, inhibited, pattern)

    def wants_receiver(self, name: str) -> bool:
        return self.receiver is None or self.receiver.fullmatch(name) is not None


def filters_of(parameters: QueryParams) -> tuple[Matcher, ...]:
    """The matchers of `filter=`. Raises Answer."""
    try:
        return tuple(map(parse_matcher, parameters.getlist("filter")))
    except ValueError as e:
        raise told(400, f"bad matcher format: {e}") from None


def _last(parameters: QueryParams, name: str) -> str | None:
    given = parameters.getlist(name)
    return (given[-1] or None) if given else None


def _is_on(parameters: QueryParams, name: str) -> bool:
    given = _last(parameters, name)
    return given is None or given.lower() in _YES


class Standing:
    """What there is at one moment."""

    def __init__(self, pager: Pager, now_ms: int) -> None:
        self._alerts, self._now_ms = pager.alerts, now_ms
        self._groups = [group for group in pager.groups if not group.left]
        self._settings: PagerSettings = pager.settings
        self._silenced = Silenced(pager.silences)
        self._inhibition = Inhibition(self._settings.inhibit_rules)
        self._labels = {key: dict(alert.labels) for key, alert in self._alerts.items()}
        for key, labels in self._labels.items():
            self._inhibition.add(key, labels)

    def alerts(self, question: AlertQuestion) -> list[dict[str, Any]]:
        """Those that haven't ended, by fingerprint."""
        found = []
        for key in sorted(self._alerts):
            receivers = [route.receiver for route in self._settings.route.match(self._labels[key])]
            if any(map(question.wants_receiver, receivers)) and (status := self._wanted(key, question)):
                found.append(self._shown(key, status, receivers))
        return found

    def groups(self, question: AlertQuestion) -> list[dict[str, Any]]:
        """Those with an alert that hasn't ended, by their labels and receiver."""
        receivers: defaultdict[str, list[str]] = defaultdict(list)
        members: list[tuple[GroupState, dict[str, dict[str, Any]]]] = []
        for group in self._groups:
            if not question.wants_receiver(group.receiver):
                continue
            wanted = {key: status for key in group.members if (status := self._wanted(key, question))}
            if wanted:
                members.append((group, wanted))
            for key in wanted:
                receivers[key].append(group.receiver)
        members.sort(key=lambda found: (labels_before(found[0].labels), found[0].receiver, found[0].id))
        return [
            {
                "alerts": [
                    self._shown(key, wanted[key], sorted(receivers[key])) for key in self._order(wanted)
                ],
                "labels": dict(group.labels),
                "receiver": {"name": group.receiver},
            }
            for group, wanted in members
        ]

    def _order(self, keys: Mapping[str, object]) -> Iterator[str]:
        by_labels = {self._alerts[key].labels: key for key in keys}
        for one in in_order(Told(self._alerts[key], Status.FIRING) for key in keys):
            yield by_labels[one.alert.labels]

    def _wanted(self, key: str, question: AlertQuestion) -> dict[str, Any] | None:
        """The alert's status, None where it isn't asked for."""
        if self._alerts[key].ends_ms < self._now_ms or not _matches(question.filters, self._labels[key]):
            return None
        status = self._status(key)
        if (
            (not question.active and status["state"] == "active")
            or (not question.silenced and status["silencedBy"])
            or (not question.inhibited and status["inhibitedBy"])
        ):
            return None
        return status

    def _status(self, key: str) -> dict[str, Any]:
        labels = self._labels[key]
        silenced = sorted(self._silenced.by(key, labels, self._now_ms))
        source = self._inhibition.inhibiting(labels, self._alerts, self._now_ms)
        inhibited = [] if source is None else [source]
        state = "suppressed" if silenced or inhibited else "active"
        return {"inhibitedBy": inhibited, "silencedBy": silenced, "state": state}

    def _shown(self, key: str, status: dict[str, Any], receivers: Sequence[str]) -> dict[str, Any]:
        alert = self._alerts[key]
        more = {"generatorURL": alert.generator_url} if alert.generator_url else {}
        return {
            "annotations": dict(alert.annotations),
            "endsAt": shown(alert.ends_ms),
            "fingerprint": key,
            "receivers": [{"name": name} for name in receivers],
            "startsAt": shown(alert.starts_ms),
            "status": status,
            "updatedAt": shown(alert.updated_ms),
            **more,
            "labels": self._labels[key],
        }

    def count(self) -> Mapping[str, int]:
        """How many alerts that haven't ended are active, and how many are suppressed."""
        found = {"active": 0, "suppressed": 0, "unprocessed": 0}
        for key, alert in self._alerts.items():
            if alert.ends_ms >= self._now_ms:
                found[self._status(key)["state"]] += 1
        return found


def _matches(filters: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """As Alertmanager's filters: `!=""` holds for every label that is there."""
    return all((not m.equal and not m.value and m.name in labels) or m.matches(labels) for m in filters)


def read_standing(store: Store, settings: PagerSettings, now_ms: int) -> Standing:
    """As the store has it, reports that the pager hasn't taken yet included. Raises StoreBusy."""
    return Standing(read_pager(store, settings), now_ms)


def read_pager(store: Store, settings: PagerSettings) -> Pager:
    """A copy of the pager, with the reports that it hasn't taken yet. Raises StoreBusy."""
    # What is taken between the two reads is then seen twice, which changes nothing; not never.
    waiting = read_inbox(store, _MOST_BATCHES)
    pager = Pager(settings, kept_state(store), kept_silences(store))
    for batch in waiting:
        pager.put(reports(batch.document), batch.received_ms)
    return pager
