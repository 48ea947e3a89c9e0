"""A group considered at one moment: for each of its integrations a decision, and what it is then told."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from monitor.paging.alert import Alert, Status
from monitor.paging.decision import Decision, Flush
from monitor.paging.dedupe import Now, decide, noted, told
from monitor.paging.message import Message, Purpose, Told
from monitor.paging.ordering import in_order
from monitor.paging.reason import Reason
from monitor.paging.settings import Integration, PagerSettings
from monitor.paging.state import Sent, Slot
from monitor.paging.suppression import Suppressed

__all__ = ["Considered", "consider", "dedup_key"]

_SEVERITIES = ("page", "ticket", "info")


@dataclass(frozen=True, slots=True)
class Considered:
    """The alerts of a group, by fingerprint: what they are, their status now, and why some aren't told.

    `receivers` are told, each of the `escalated` for the first time; of a group that is `left` only the end
    is told."""

    flush: Flush
    by_fingerprint: Mapping[str, Told]
    receivers: tuple[str, ...]
    escalated: frozenset[str]
    repeat_interval_ms: int
    acknowledged: bool
    left: bool

    def now(self) -> Now:
        """The sets that decisions rest on."""
        sets: dict[tuple[Status, bool], set[str]] = {(s, h): set() for s in Status for h in (False, True)}
        for fingerprint, one in self.by_fingerprint.items():
            hidden = fingerprint in self.flush.suppressed or (self.left and one.status is Status.FIRING)
            sets[one.status, hidden].add(fingerprint)
        return Now(
            self.flush.at_ms,
            frozenset(sets[Status.FIRING, False]),
            frozenset(sets[Status.RESOLVED, False]),
            frozenset(sets[Status.FIRING, True]),
            frozenset(sets[Status.RESOLVED, True]),
        )


def consider(
    group: Considered, settings: PagerSettings, sent: Callable[[Slot], Sent | None]
) -> Iterator[tuple[Decision, Sent | None]]:
    """For each integration a decision, and what its slot was told after it."""
    now = group.now()
    for name in group.receivers:
        receiver = settings.receivers.get(name)
        if receiver is None or not receiver.integrations:
            reason = Reason.NO_RECEIVER if receiver is None else Reason.NO_INTEGRATION
            yield Decision(group.flush, Slot(group.flush.group, name, 0), reason, None), None
            continue
        for integration in receiver.integrations:
            slot = Slot(group.flush.group, name, integration.index)
            yield _one(group, now, settings, slot, integration, sent(slot))


def _one(
    group: Considered,
    now: Now,
    settings: PagerSettings,
    slot: Slot,
    integration: Integration,
    last: Sent | None,
) -> tuple[Decision, Sent | None]:
    on_duty = integration.on_duty is None or integration.on_duty(now.at_ms)
    if not on_duty:
        now = replace(now, firing=frozenset(), hidden=now.hidden | now.firing)
    now = now.to_tell(last)
    reason = decide(
        last,
        now,
        send_resolved=integration.send_resolved,
        repeat_interval_ms=group.repeat_interval_ms,
        acknowledged=group.acknowledged,
    )
    if not reason.sends:
        reason = _why_not(reason, now, group, on_duty=on_duty)
        return Decision(group.flush, slot, reason, None), noted(last, now)
    if reason is Reason.FIRST and slot.receiver in group.escalated:
        reason = Reason.ESCALATED
    message = _message(group, now, settings, slot, integration, reason)
    withdraws = reason is Reason.ALL_RESOLVED and last is not None and last.waiting and not last.before_firing
    after = told(last, slot, now, waits=message is not None)
    return Decision(group.flush, slot, reason, message, withdraws), after


def _why_not(reason: Reason, now: Now, group: Considered, *, on_duty: bool) -> Reason:
    """What keeps all of them from being told, where that is why."""
    if reason is Reason.NOTHING_NEW and now.firing & group.flush.damped:
        return Reason.FLAPPING
    if now.firing or not now.hidden:
        return reason
    if not on_duty:
        return Reason.OFF_DUTY
    first: Suppressed | None = next(iter(group.flush.suppressed.values()), None)
    return reason if first is None else first.reason


def _message(
    group: Considered,
    now: Now,
    settings: PagerSettings,
    slot: Slot,
    integration: Integration,
    reason: Reason,
) -> Message | None:
    """None where nothing is left to be told to an integration that doesn't want to hear of ends."""
    wanted = now.firing | now.resolved if integration.send_resolved else now.firing
    alerts = in_order(group.by_fingerprint[f] for f in wanted)
    if not alerts:
        return None
    listed = alerts if settings.max_alerts is None else alerts[: settings.max_alerts]
    escalated = slot.receiver in group.escalated
    return Message(
        purpose=Purpose.ESCALATION if escalated else Purpose.GROUP,
        receiver=slot.receiver,
        integration=slot.integration,
        group_key=group.flush.key,
        dedup_key=dedup_key(group.flush.key),
        status=Status.FIRING if now.firing else Status.RESOLVED,
        alerts=listed,
        group_labels=group.flush.labels,
        reason=reason.name.lower(),
        at_ms=now.at_ms,
        severity=_severity(one.alert for one in alerts),
        truncated=len(alerts) - len(listed),
        external_url=settings.external_url,
    )


def dedup_key(group_key: str) -> str:
    """What a provider knows all messages about a group by; Alertmanager gives it the same."""
    return hashlib.sha256(group_key.encode()).hexdigest()


def _severity(alerts: Iterable[Alert]) -> str:
    """The worst of them; an alert that says none is a page, for nobody said that it can wait."""
    found = {dict(alert.labels).get("severity", "page") for alert in alerts}
    return next((s for s in _SEVERITIES if s in found), "page")
