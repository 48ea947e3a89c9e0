"""How things stand: what evaluation says of objectives and alerts. Values only; `budget` and `alerting` make
them, the store keeps some of them, and whoever shows or sends them reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.store.objectives import Exclusion

__all__ = [
    "AlertKey",
    "AlertState",
    "Burning",
    "Excluded",
    "Exclusion",
    "Health",
    "Phase",
    "Standing",
    "Transition",
    "Why",
]


@dataclass(frozen=True, slots=True)
class Excluded:
    """What an exclusion took out of a figure: `bad` of `total` events in `seconds` of its period."""

    exclusion: Exclusion
    seconds: int
    bad: float
    total: float


@dataclass(frozen=True, slots=True)
class Burning:
    """The burn rate over the last `window_s`: bad share over budget. None without events.

    `coverage` is the share of the window since the first event ever: below 1 at a cold start; `seen` the
    share of it that has events.
    """

    window_s: int
    burn: float | None
    bad: float
    total: float
    coverage: float
    seen: float


@dataclass(frozen=True, slots=True)
class Standing:
    """An objective's subject at `now_s`: compliance and budget over the period [from_s, to_s) as far as it
    has come, and what burns.

    `compliance` and `left` (1: untouched; below 0: overspent) are None without events: `why` then says so.
    For a calendar period the budget is a share of the events so far. `exhausted_s` is when the budget ends if
    it goes on burning as over the window that the projection names, None where it does not. `missing` is the
    share of the period so far before the first event, `coverage` that of the whole period which is over and
    not before it, `estimate` that sampled records were scaled up.
    """

    objective: str
    subject: Subject
    now_s: int
    from_s: int
    to_s: int
    target: float
    bad: float
    total: float
    compliance: float | None
    left: float | None
    burning: tuple[Burning, ...]
    exhausted_s: int | None
    excluded: tuple[Excluded, ...]
    missing: float
    alerts: tuple["AlertState", ...] = ()
    why: str | None = None
    coverage: float = 1.0

    @property
    def left_of_whole(self) -> float | None:
        """What is left of the budget of a whole period, which policies go by; None without events."""
        return None if self.left is None else 1 - (1 - self.left) * self.coverage


@dataclass(frozen=True, slots=True)
class Health:
    """A model's health: the worst of its objectives' states, and the weighted mean of budget left, each taken
    from 0 to 1; None where nothing has events."""

    model: str
    state: str
    score: float | None
    worst: str | None


class Phase(StrEnum):
    """Where an alert is. RESOLVING fires on until its keep-firing time ends."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVING = "resolving"

    @property
    def fires(self) -> bool:
        return self in (Phase.FIRING, Phase.RESOLVING)


class Why(StrEnum):
    """The named reason of a decision."""

    BURNS = "every window is above its limit"
    HELD = "held for long enough"
    NOT_YET = "has not held for long enough"
    BELOW = "a window is below its limit"
    NO_EVENTS = "no events"
    FEW_EVENTS = "too few events"
    FEW_BAD = "too few bad events"
    COLD_START = "too little history for its long window"
    KEPT = "keeps firing for its keep-firing time"
    ENDED = "below its limit for its keep-firing time"
    ESCALATED = "burned above the escalation's limit for its time"
    BACK = "above its limit again"
    CAUGHT_UP = "found while catching up, and still fires"
    GONE = "the rule or its subject is gone"


@dataclass(frozen=True, slots=True)
class AlertKey:
    """Which alert: a rule of an objective, or of the catalogue (`objective` is then the rule's name)."""

    objective: str
    rule: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert after its evaluation at `at_s`. `since_s` is when its phase began, `held_s` since when the
    clauses hold without a break (None: they don't), `above_s` likewise for the escalation. `quiet`: it was
    found while catching up, too late to wake anybody for. While it fires, `left` is what is left of the
    budget of a whole period, `burn` the burn rate over the rule's longest window, to three digits; None
    where there is no such figure."""

    key: AlertKey
    phase: Phase
    severity: Severity
    since_s: int
    at_s: int
    held_s: int | None = None
    above_s: int | None = None
    why: Why = Why.BELOW
    quiet: bool = False
    left: float | None = None
    burn: float | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of phase or severity at `at_s`. `facts` are the figures it rests on: burn rates and bad shares
    by window, events, coverage."""

    key: AlertKey
    at_s: int
    before: Phase
    after: Phase
    severity: Severity
    why: Why
    facts: Mapping[str, float | None]
