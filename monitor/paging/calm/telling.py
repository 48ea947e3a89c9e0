"""A text for a receiver, that is about no group of alerts."""

import hashlib
from collections.abc import Iterator

from monitor.paging.alert import Status
from monitor.paging.message import Message, Purpose
from monitor.paging.receivers.heartbeat import HeartbeatConfig
from monitor.paging.settings import PagerSettings
from monitor.paging.state import Slot

__all__ = ["telling"]


def telling(
    settings: PagerSettings,
    receiver: str,
    purpose: Purpose,
    about: str,
    text: str,
    now_ms: int,
    without: frozenset[str] = frozenset(),
) -> Iterator[tuple[Slot, Message]]:
    """For each integration of the receiver that is on duty, but for kinds `without`, the message. `about`
    names it: what has the same name is the same to a provider."""
    known = settings.receivers.get(receiver)
    for integration in known.integrations if known is not None else ():
        off_duty = integration.on_duty is not None and not integration.on_duty(now_ms)
        if off_duty or integration.kind in without or isinstance(integration.config, HeartbeatConfig):
            continue
        message = Message(
            purpose=purpose,
            receiver=receiver,
            integration=integration.index,
            group_key=about,
            dedup_key=hashlib.sha256(about.encode()).hexdigest(),
            status=Status.FIRING,
            alerts=(),
            group_labels=(),
            reason=str(purpose),
            at_ms=now_ms,
            severity="info",
            external_url=settings.external_url,
            text=text,
        )
        yield Slot(about, receiver, integration.index), message
