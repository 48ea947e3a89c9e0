"""Messages that no flush decides on: signs of life, and that somebody has acknowledged."""

from collections.abc import Iterable, Iterator

from monitor.paging.alert import Status
from monitor.paging.considering import dedup_key
from monitor.paging.message import Message, Purpose
from monitor.paging.receivers.heartbeat import HeartbeatConfig
from monitor.paging.settings import Integration, PagerSettings
from monitor.paging.state import GroupState, Sent, Slot

__all__ = ["acknowledgements", "beats"]

# They show who has acknowledged; the others have nothing to show it by.
_ACKNOWLEDGES = frozenset(("pagerduty", "opsgenie"))


def beats(settings: PagerSettings, now_ms: int) -> Iterator[tuple[Slot, Message, int]]:
    """For each dead man's switch its slot, a sign of life, and how often it wants one, ms."""
    for receiver in settings.receivers.values():
        for integration in receiver.integrations:
            if isinstance(integration.config, HeartbeatConfig):
                message = Message(
                    purpose=Purpose.HEARTBEAT,
                    receiver=receiver.name,
                    integration=integration.index,
                    group_key="heartbeat",
                    dedup_key="heartbeat",
                    status=Status.RESOLVED,
                    alerts=(),
                    group_labels=(),
                    reason="heartbeat",
                    at_ms=now_ms,
                    severity="info",
                )
                slot = Slot("heartbeat", receiver.name, integration.index)
                yield slot, message, integration.config.interval_ms


def acknowledgements(
    settings: PagerSettings, group: GroupState, sent: Iterable[Sent], who: str, now_ms: int
) -> Iterator[tuple[Slot, Message]]:
    """For each integration that was told of the group, and can show it, that `who` has acknowledged."""
    for told in sent:
        slot = told.slot
        integration = _integration(settings, slot)
        if slot.group != group.id or not told.firing or integration is None:
            continue
        if integration.kind in _ACKNOWLEDGES:
            message = Message(
                purpose=Purpose.NOTE,
                receiver=slot.receiver,
                integration=slot.integration,
                group_key=group.key,
                dedup_key=dedup_key(group.key),
                status=Status.FIRING,
                alerts=(),
                group_labels=group.labels,
                reason="acknowledged",
                at_ms=now_ms,
                context={"acknowledged_by": who},
            )
            yield Slot(f"{group.id} acknowledged", slot.receiver, slot.integration), message


def _integration(settings: PagerSettings, slot: Slot) -> Integration | None:
    receiver = settings.receivers.get(slot.receiver)
    known = receiver.integrations if receiver is not None else ()
    return next((i for i in known if i.index == slot.integration), None)
