"""What goes out, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from monitor.paging.alert import Alert, Labels, Status

__all__ = ["NOT_SENT", "Delivery", "Links", "Message", "Purpose", "Result", "Sender", "Told"]


class Purpose(StrEnum):
    """Why a message is sent."""

    GROUP = "group"  # alerts of a group, as Alertmanager sends them
    ESCALATION = "escalation"  # nobody acknowledged in time
    FALLBACK = "fallback"  # another receiver could not be reached
    DIGEST = "digest"  # what isn't urgent, together
    BUDGET = "budget"  # a team is paged too often
    NOTE = "note"  # somebody acknowledged, or a silence is about to end
    TEST = "test"
    HEARTBEAT = "heartbeat"
    ACTION = "action"  # no message to people: something is asked to be done


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, and its status when the message was made."""

    alert: Alert
    status: Status


@dataclass(frozen=True, slots=True)
class Links:
    """Where a reader can go on; empty where there is nothing to go to."""

    incident: str = ""
    acknowledge: str = ""
    runbook: str = ""
    dashboard: str = ""
    traces: str = ""
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What one integration of a receiver is to tell.

    `dedup_key` is the same for all that is sent about one group to one integration, so that a provider that
    knows it shows one page, and a resolve ends it. `reason` is the decision's, by name. `doubtful`: it was
    sent before and may have arrived. `context` is what templates may show besides: budget left, burn,
    version, deployment, runbook steps. JSON values only, for messages wait in the store.
    """

    purpose: Purpose
    receiver: str
    integration: int
    group_key: str
    dedup_key: str
    status: Status
    alerts: tuple[Told, ...]
    group_labels: Labels
    reason: str
    at_ms: int
    incident: int | None = None
    severity: str = "page"
    truncated: int = 0
    doubtful: bool = False
    external_url: str = ""
    text: str = ""
    links: Links = Links()
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def firing(self) -> tuple[Told, ...]:
        return tuple(t for t in self.alerts if t.status is Status.FIRING)

    @property
    def resolved(self) -> tuple[Told, ...]:
        return tuple(t for t in self.alerts if t.status is Status.RESOLVED)

    @property
    def common_labels(self) -> Labels:
        """What all of its alerts have in common."""
        return _common([t.alert.labels for t in self.alerts])

    @property
    def common_annotations(self) -> Labels:
        return _common([t.alert.annotations for t in self.alerts])


def _common(each: list[Labels]) -> Labels:
    if not each:
        return ()
    # One that isn't there is the empty one, for Alertmanager too.
    rest = [dict(pairs) for pairs in each[1:]]
    return tuple((n, v) for n, v in each[0] if all(pairs.get(n, "") == v for pairs in rest))


class Result(StrEnum):
    """What became of an attempt, and so what may be done next."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"  # it did not arrive, and may later: try again
    DOUBTFUL = "doubtful"  # it may have arrived: try again only where that is not seen twice, or is said
    REPLAYED = "replayed"  # it was not sent, for it is about what is long over
    PERMANENT = "permanent"  # it did not arrive and won't: somebody has to correct something


@dataclass(frozen=True, slots=True)
class Delivery:
    """`detail` is for people and holds no secret. `retry_after_ms` is what the provider asked for."""

    result: Result
    detail: str = ""
    retry_after_ms: int | None = None


NOT_SENT = Delivery(Result.REPLAYED, "replayed: not sent")


class Sender(Protocol):
    """An integration that can be told something.

    `send` blocks for `timeout_s` at most, raises nothing, and may be called from any thread; `dedups` says
    whether the provider shows messages of the same `dedup_key` once.
    """

    @property
    def dedups(self) -> bool: ...

    def send(self, message: Message, timeout_s: float) -> Delivery: ...
