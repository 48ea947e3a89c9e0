"""When an alert fires: the workbook's table as data, and rules made of it or written by hand.

Source of the table: The Site Reliability Workbook, chapter 5, "Alerting on SLOs", multiwindow,
multi-burn-rate alerts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from monitor.slo.period import Period

__all__ = ["TABLE", "Burn", "Clause", "Escalation", "Rule", "Severity", "burn_rules"]

_HOUR_S, _DAY_S = 3600, 86_400
# Windows are as in the table for periods of four weeks and more; for shorter ones they shrink in proportion
# to 30 days, for else a rule would fire on what the budget can bear.
_SHORTEST_UNSCALED_S = 28 * _DAY_S
_SCALE_S = 30 * _DAY_S


class Severity(StrEnum):
    """Who has to know: a person now, a person in working hours, nobody in particular."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Burn:
    """A row of the table: the share of the period's budget that is `spent` when the rate that it stands for
    has lasted for `long_s`, and the short window that ends the alert soon after the trouble."""

    spent: float
    long_s: int
    short_s: int
    severity: Severity


TABLE: tuple[Burn, ...] = (
    Burn(0.02, _HOUR_S, 300, Severity.PAGE),
    Burn(0.05, 6 * _HOUR_S, 1800, Severity.PAGE),
    Burn(0.10, _DAY_S, 2 * _HOUR_S, Severity.TICKET),
    Burn(0.10, 3 * _DAY_S, 6 * _HOUR_S, Severity.TICKET),
)


@dataclass(frozen=True, slots=True)
class Clause:
    """Holds while more than the share `above` of the events of the last `window_s` is bad."""

    window_s: int
    above: float


@dataclass(frozen=True, slots=True)
class Escalation:
    """A ticket becomes a page once the bad share of `window_s` has been above `above` for `for_s`."""

    window_s: int
    above: float
    for_s: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires once all clauses have held for `for_s`, and until one has not held for `keep_firing_s`.

    The first clause has the longest window: there must be `min_events` in it, `min_bad` of them bad. Where
    the history is younger than that window, the bad share is weighed by how much of it there is, so that a
    cold start has to spend as much of the budget as any other. `factor` is the burn rate of the clauses,
    None for a rule that no budget stands behind. As in Prometheus, a `for_s` of 0 fires at once.
    """

    name: str
    severity: Severity
    clauses: tuple[Clause, ...]
    for_s: int = 0
    keep_firing_s: int = 600
    min_events: int = 50
    min_bad: int = 3
    factor: float | None = None
    escalation: Escalation | None = None


def burn_rules(
    table: tuple[Burn, ...],
    period: Period,
    budget: float,
    base_s: int,
    *,
    min_events: int = 50,
    min_bad: int = 3,
    for_s: int = 0,
    keep_firing_s: int = 600,
    escalation: Escalation | None = None,
) -> tuple[Rule, ...]:
    """The table's rules for an objective whose budget is a share of events counted in windows of `base_s`.

    Windows are whole windows of the base, the short ones at least two where the base is longer than a
    minute; a row whose long window is then no longer than the short one is left out.
    """

    def rows() -> Iterator[Rule]:
        for row in table:
            factor = row.spent * max(period.nominal_s, _SHORTEST_UNSCALED_S) / row.long_s
            scale = 1.0
            if period.nominal_s < _SHORTEST_UNSCALED_S:
                factor, scale = row.spent * _SCALE_S / row.long_s, period.nominal_s / _SCALE_S
            least = 1 if base_s <= 60 else 2
            short_s = max(least, round(row.short_s * scale / base_s)) * base_s
            long_s = round(row.long_s * scale / base_s) * base_s
            if long_s <= short_s:
                continue
            above = factor * budget
            yield Rule(
                name=f"burn {factor:.4g}",
                severity=row.severity,
                clauses=(Clause(long_s, above), Clause(short_s, above)),
                for_s=for_s,
                keep_firing_s=keep_firing_s,
                min_events=min_events,
                min_bad=min_bad,
                factor=factor,
                escalation=escalation if row.severity is Severity.TICKET else None,
            )

    return tuple(rows())
