"""What an objective is: a share of good events, or of good slices of time, over a period.

Nothing here knows how events are counted (`counting`), when an alert fires (`rule`, `alerting`), or how a
file writes all this down (`settings`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from monitor.profiles.layout import Service
from monitor.slo.period import Period
from monitor.slo.rule import Rule

__all__ = [
    "Action",
    "Bound",
    "Budgeting",
    "Correct",
    "Fresh",
    "Happened",
    "Meter",
    "Objective",
    "OnTrial",
    "Outcomes",
    "Policy",
    "Source",
    "Subject",
    "Traffic",
    "Under",
    "Watch",
]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Requests served; bad are those that ended as one of `bad`."""

    bad: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Under:
    """Online requests with a latency; good are those of at most `limit_ms`, which is counted exactly."""

    limit_ms: float


@dataclass(frozen=True, slots=True)
class Correct:
    """Labelled predictions of a class; good are those that were right."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Slices of time in which the indicator `sli` has a value; good are those within the bounds."""

    sli: str
    at_least: float | None = None
    at_most: float | None = None
    feature: str | None = None

    def good(self, value: float) -> bool:
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Slices of time since the first record; good are those at whose end the newest record is at most
    `at_most_s` old."""

    at_most_s: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Slices of time in which traffic is usual at that hour; good are those that have at least `share` of
    the usual requests, and more than none."""

    share: float


@dataclass(frozen=True, slots=True)
class OnTrial:
    """Slices of time in which a version on trial was live; good are those at whose end it is not worse than
    the one before: slower by more than `slower` (a share), or failing by more than `failing` (points of a
    share)."""

    slower: float
    failing: float = 0.005


@dataclass(frozen=True, slots=True)
class Happened:
    """Things that happened in operations, each with a value of the measure `measure`, such as trainings by
    how long they took; good are those within the bounds."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None


Source: TypeAlias = Outcomes | Under | Correct | Bound | Fresh | Traffic | OnTrial | Happened


class Budgeting(StrEnum):
    """What the budget is a share of."""

    EVENTS = "events"
    SLICES = "slices"


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted, of which part of a model, apart for each value of what `by` names.

    `slice_s` is the length of a slice where slices are counted: those of the source itself (Bound, Fresh,
    Traffic), or, with a `slice_target`, slices of events, good where at least that share of their events
    is. `delay_s` is how long a slice has to wait before it counts, as for labels to come.
    """

    model: str
    source: Source
    version: str | None = None
    endpoint: str | None = None
    segment: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    slice_s: int | None = None
    slice_target: float | None = None
    delay_s: int = 0

    @property
    def budgeting(self) -> Budgeting:
        return Budgeting.EVENTS if self.slice_s is None else Budgeting.SLICES


@dataclass(frozen=True, slots=True)
class Subject:
    """The part of a model that one figure is about; None and empty where it is summed over."""

    model: str
    version: str | None = None
    endpoint: str | None = None
    segment: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [self.model]
        parts += [f"version {self.version}"] if self.version is not None else []
        parts += [f"endpoint {self.endpoint}"] if self.endpoint is not None else []
        return " ".join((*parts, *(f"{label} {value}" for label, value in self.segment)))

    def labels(self) -> dict[str, str]:
        """As labels of a metric or an alert."""
        named = {"model": self.model, "version": self.version, "endpoint": self.endpoint}
        return {k: v for k, v in named.items() if v is not None} | dict(self.segment)


class Action(StrEnum):
    """What a policy asks for."""

    TICKET = "ticket"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True)
class Policy:
    """Once no more than `left` (a share) of the budget is left: `action`."""

    name: str
    left: float
    action: Action


@dataclass(frozen=True, slots=True)
class Watch:
    """Rules on a meter that no objective stands behind, such as a total outage; one for each model."""

    name: str
    meter: Meter
    rules: tuple[Rule, ...]
    owner: str | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """A target (a share, above 0 and below 1) for a meter over a period, and the rules that alert on it.

    `weight` is its share in the health of its model.
    """

    name: str
    meter: Meter
    target: float
    period: Period
    rules: tuple[Rule, ...]
    policies: tuple[Policy, ...]
    owner: str | None = None
    description: str = ""
    weight: float = 1.0

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target
