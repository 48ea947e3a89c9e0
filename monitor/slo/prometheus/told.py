"""What Prometheus can't count and monitor tells it: gauges read from the store."""

from collections.abc import Iterable, Iterator, Mapping

from monitor.slo.prometheus.groups import Record
from monitor.slo.prometheus.promql import duration, number, selector

__all__ = ["ALERT", "BUDGET_LEFT", "COMPLIANCE", "PARTS", "decided", "told", "told_records"]

BUDGET_LEFT, COMPLIANCE = "monitor_slo_budget_left_ratio", "monitor_slo_compliance_ratio"
BURN, ALERT = "monitor_slo_burn_rate", "monitor_slo_alert"
PARTS = ("model", "objective", "version", "endpoint", "segment")


def told(gauge: str, labels: Mapping[str, str]) -> str:
    """The gauge, whichever replica shows it."""
    return f"max by ({', '.join(PARTS)}) ({selector(gauge, labels)})"


def told_records(
    identity: Mapping[str, str], labels: Mapping[str, str], budget: float, windows_s: Iterable[int]
) -> Iterator[Record]:
    """The error ratio of each window, from its burn rate."""
    for window_s in windows_s:
        window = duration(window_s)
        expr = f"{told(BURN, {**identity, 'window': window})} * {number(budget)}"
        yield Record(f"slo:sli_error:ratio_rate{window}", expr, {**labels, "sloth_window": window})


def decided(objective: str, rule: str, model: str | None = None) -> str:
    """PromQL that has a sample while monitor itself says that the rule's alert fires.

    It knows what no gauge of a burn rate shows: whether there were enough events, how much of the window
    has data, and whether slices are complete.
    """
    whose = {} if model is None else {"model": model}
    labels = {**whose, "objective": objective, "rule": rule}
    firing = selector(ALERT, labels, 'phase=~"firing|resolving"')
    return f"max by ({', '.join((*PARTS, 'severity'))}) ({firing}) == 1"
