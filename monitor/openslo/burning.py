"""The alert policies of an SLO, as rows of a table of burn rates."""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.config.durations import format_duration
from monitor.config.objective_values import SCALE_S, SHORTEST_UNSCALED_S
from monitor.config.objectives import SloConfig, days_or_unit
from monitor.openslo.documents import AlertCondition, Condition, ConditionSpec, Metadata
from monitor.openslo.exporting import ANNOTATION
from monitor.openslo.reading import Catalogue, Placed
from monitor.openslo.spans import seconds_of
from monitor.slo.period import Calendar, Rolling

__all__ = ["Row", "default_rows", "rows_of"]

_SEVERITIES = {
    **dict.fromkeys(("page", "critical", "high", "sev1", "sev2", "p1", "p2"), "page"),
    **dict.fromkeys(("ticket", "warning", "medium", "sev3", "p3"), "ticket"),
    **dict.fromkeys(("info", "low", "sev4", "sev5", "p4", "p5"), "info"),
}
# As in the workbook, the short window is a twelfth of the long one.
_PARTS = 12
_ROW_KEYS = ("spent", "long", "short", "severity")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a file has it."""

    spent: str
    long: str
    short: str
    severity: str

    def written(self) -> dict[str, str]:
        return {key: getattr(self, key) for key in _ROW_KEYS}


def default_rows() -> tuple[Row, ...]:
    """The table that a configuration has without saying one."""
    return tuple(
        Row(
            f"{row.spent:g}",
            format_duration(row.long_s * 1000),
            format_duration(row.short_s * 1000),
            row.severity,
        )
        for row in SloConfig().alerts
    )


def rows_of(catalogue: Catalogue, placed: Placed, window: str) -> tuple[tuple[Row, ...], list[int]]:
    """The rows of an SLO's policies, whose rates are for a `window`, and for how long each has to hold, s.

    What is wrong is noted.
    """
    rows: list[Row] = []
    holds: list[int] = []
    for metadata, spec in _conditions(catalogue, placed):
        try:
            rows.append(_row(placed, metadata, spec.condition, spec.severity, window))
            holds.append(seconds_of(spec.condition.alert_after))
        except ValueError as e:
            placed.found.add(("spec", "alertPolicies"), str(e))
    return tuple(rows), holds


def _conditions(catalogue: Catalogue, placed: Placed) -> Iterator[tuple[Metadata | None, ConditionSpec]]:
    for i, policy in enumerate(placed.slo.spec.alert_policies):
        place = ("spec", "alertPolicies", i)
        spec = policy.spec
        if policy.alert_policy_ref is not None:
            named = catalogue.policies.get(policy.alert_policy_ref)
            spec = named.spec if named else None
        if spec is None:
            name = policy.alert_policy_ref
            sentence = f"there is no AlertPolicy {name} in these files" if name else "must have a spec"
            placed.found.add(place, f"{sentence}; give its file too, or remove it")
            continue
        for condition in spec.conditions:
            inner: AlertCondition | None = None
            if condition.condition_ref is not None:
                inner = catalogue.conditions.get(condition.condition_ref)
            if inner is None and condition.spec is None:
                name = condition.condition_ref
                sentence = f"there is no AlertCondition {name} in these files" if name else "must have a spec"
                placed.found.add(place, f"{sentence}; give its file too, or remove it")
            elif inner is not None:
                yield inner.metadata, inner.spec
            elif condition.spec is not None:
                yield condition.metadata, condition.spec


def _row(placed: Placed, metadata: Metadata | None, condition: Condition, severity: str, window: str) -> Row:
    said = {} if metadata is None else metadata.annotations
    ours = [said[ANNOTATION + key] for key in _ROW_KEYS if ANNOTATION + key in said]
    if len(ours) == len(_ROW_KEYS):
        spent, long, short, level = ours
        return Row(spent, long, short, level)
    if condition.op in ("lte", "lt"):
        # The specification's own examples have it so, and mean a rate that is exceeded.
        placed_at = f"{placed.slo.metadata.name}: an alert on a burn rate of {condition.threshold:g} says "
        if (note := f"{placed_at}{condition.op}; taken as gte") not in placed.notes:
            placed.notes.append(note)
    long_s = seconds_of(condition.lookback_window)
    short_s = max(60, long_s // _PARTS // 60 * 60)
    spent, long_s, short_s = _as_for_a_month(condition.threshold, long_s, short_s, window)
    level = _SEVERITIES.get(severity.lower().strip(), "ticket")
    return Row(spent, format_duration(long_s * 1000), format_duration(short_s * 1000), level)


def _as_for_a_month(threshold: float, long_s: int, short_s: int, window: str) -> tuple[str, int, int]:
    """The percentage spent and the windows as a table has them, which is for 30 days: shorter periods shrink
    its windows."""
    days = days_or_unit(window)
    period_s = (Rolling(days) if isinstance(days, int) else Calendar(days)).nominal_s
    if period_s < SHORTEST_UNSCALED_S:
        long_s, short_s = (round(s * SCALE_S / period_s) for s in (long_s, short_s))
        period_s = SCALE_S
    return f"{round(100 * threshold * long_s / period_s, 9):.10g}", long_s, short_s
