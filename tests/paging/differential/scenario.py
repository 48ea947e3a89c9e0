"""A scenario as data: a route, receivers and rules of its own, and what happens when.

All times are ms after the scenario's beginning. Its alerts carry the label `scenario`, so that hundreds run
side by side in one Alertmanager.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

__all__ = [
    "Expire",
    "Failing",
    "Interval",
    "Moment",
    "MomentKind",
    "Push",
    "Reported",
    "Scenario",
    "Silenced",
    "Step",
    "Target",
]


@dataclass(frozen=True, slots=True)
class Reported:
    """An alert in a POST; without a start or an end where they are None."""

    labels: Mapping[str, str]
    starts_ms: int | None = None
    ends_ms: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Push:
    """Alerts reported together."""

    at_ms: int
    alerts: tuple[Reported, ...]


@dataclass(frozen=True, slots=True)
class Silenced:
    """A silence is set; `name` is the scenario's own for it, `matchers` are (name, operator, value)."""

    at_ms: int
    name: str
    matchers: tuple[tuple[str, str, str], ...]
    starts_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Expire:
    """The silence of this name ends now."""

    at_ms: int
    name: str


Step: TypeAlias = Push | Silenced | Expire


class MomentKind(StrEnum):
    """What happens to the whole pager."""

    TERMINATED = "terminated"  # SIGTERM, and started again
    KILLED = "killed"  # SIGKILL, and started again
    RELOADED = "reloaded"


@dataclass(frozen=True, slots=True)
class Moment:
    at_ms: int
    kind: MomentKind


@dataclass(frozen=True, slots=True)
class Target:
    """One webhook of a receiver."""

    send_resolved: bool = True
    max_alerts: int = 0


@dataclass(frozen=True, slots=True)
class Failing:
    """A webhook answers `status` in [from_ms, to_ms); 0: it takes the request and hangs up."""

    receiver: str
    index: int
    from_ms: int
    to_ms: int
    status: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A time interval that holds for `minutes` whole minutes, from `begin` minutes after the minute that
    turns at the scenario's `turn_ms`."""

    name: str
    begin: int
    minutes: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`route` is the YAML of the route below the root without its matcher on `scenario`; receivers and
    intervals are named by the scenario itself, with its name before theirs in the file. `route_after` is what
    a reload brings. `turn_ms`: a minute of the clock turns then, None where that doesn't matter."""

    name: str
    route: Mapping[str, Any]
    receivers: Mapping[str, tuple[Target, ...]]
    steps: tuple[Step, ...]
    length_ms: int
    inhibit: tuple[Mapping[str, Any], ...] = ()
    intervals: tuple[Interval, ...] = ()
    failing: tuple[Failing, ...] = ()
    moment: Moment | None = None
    route_after: Mapping[str, Any] | None = None
    resolve_timeout_ms: int = 18_000
    turn_ms: int | None = None
    tags: frozenset[str] = frozenset()
