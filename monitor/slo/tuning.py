"""What people may change about the watches that every model has: how much is too much, for how long, and who
is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monitor.slo.rule import Rule, Severity

__all__ = ["LIMITS", "THRESHOLDS", "Change", "Limits", "Threshold", "Tuning"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is too much. Shares are from 0 to 1; `lost_share` is of the baseline's quality,
    `slower_share` of the latency of the version before; `headroom` and `cost_times` say how many times."""

    outage_share: float = 0.9
    error_share: float = 0.05
    auth_share: float = 0.10
    latency_ms: float = 1000.0
    usual_share: float = 0.1
    stale_s: int = 3600
    drifted_share: float = 0.0
    schema_share: float = 0.01
    lost_share: float = 0.05
    labelled_share: float = 0.5
    label_delay_s: int = 7 * 86_400
    model_age_s: int = 90 * 86_400
    complete_share: float = 0.95
    credential_s: int = 14 * 86_400
    headroom: float = 2.0
    cost_times: float = 2.0
    slower_share: float = 0.1


LIMITS = Limits()


class Threshold(NamedTuple):
    """The one of the Limits that a watch's threshold is, in its unit (share, ms, s or times). `least`: too
    little is what the watch is about, not too much."""

    limit: str
    unit: str = "share"
    least: bool = False

    def mistake(self, value: float) -> str | None:
        """Why the watch could never fire by this value, or never stop, in a sentence; None for a good one."""
        if self.unit == "s":
            return None if value >= 1 else "must be 1s or longer"
        if self.unit == "times":
            return None if value > 0 else "must be above 0"
        if self.unit == "ms":
            return None if value > 0 else "must be longer than 0s"
        if self.least:
            return None if 0 < value <= 1 else "must be above 0% and at most 100%"
        return None if 0 <= value < 1 else "must be from 0% to below 100%"


THRESHOLDS: Mapping[str, Threshold] = {
    "total_outage": Threshold("outage_share"),
    "error_spike": Threshold("error_share"),
    "latency_p99": Threshold("latency_ms", "ms"),
    "auth_failures": Threshold("auth_share"),
    "no_traffic": Threshold("usual_share", least=True),
    "data_stale": Threshold("stale_s", "s"),
    "drift": Threshold("drifted_share"),
    "accuracy_drop": Threshold("lost_share"),
    "schema_violations": Threshold("schema_share"),
    "label_coverage": Threshold("labelled_share", least=True),
    "stale": Threshold("model_age_s", "s"),
    "partial_data": Threshold("complete_share", least=True),
    "credential_expiry": Threshold("credential_s", "s", least=True),
    "capacity": Threshold("headroom", "times", least=True),
    "cost": Threshold("cost_times", "times"),
    "rollback_needed": Threshold("slower_share"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise about the rules of a watch; None: as they are."""

    for_s: int | None = None
    severity: Severity | None = None

    def of(self, rule: Rule) -> Rule:
        return replace(
            rule,
            for_s=rule.for_s if self.for_s is None else self.for_s,
            severity=rule.severity if self.severity is None else self.severity,
        )


@dataclass(frozen=True, slots=True)
class Tuning:
    """The watches' limits, those that are off, and by name what else is changed about them."""

    limits: Limits = LIMITS
    disabled: frozenset[str] = frozenset()
    changes: Mapping[str, Change] = field(default_factory=dict)

    def rules(self, name: str, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The rules of the watch `name`, changed as they are to be."""
        change = self.changes.get(name, Change())
        return tuple(map(change.of, rules))
