"""What only Prometheus can tell: that monitor itself is down, behind, or not evaluating.

monitor can't page about its own absence. The watchdog always fires: whoever receives it (a dead man's
switch) pages once it stops, for then Prometheus or Alertmanager is gone.
"""

from dataclasses import dataclass

from monitor.slo.prometheus.groups import Alert, Group
from monitor.slo.prometheus.naming import Links
from monitor.slo.rule import Severity

__all__ = ["Own", "late_s", "own_alerts", "own_group"]


@dataclass(frozen=True, slots=True)
class Own:
    """An alert about monitor. `wait` is how long the expression has to hold first."""

    name: str
    severity: Severity
    wait: str
    expr: str
    summary: str


_PAGE, _TICKET = Severity.PAGE, Severity.TICKET

_ALERTS: tuple[Own, ...] = (
    Own("Watchdog", Severity.INFO, "0s", "vector(1)", "Always fires: alerts get this far"),
    Own("MonitorDown", _PAGE, "2m", "absent(monitor_build_info)", "Prometheus reaches no monitor"),
    Own("MonitorNotReady", _PAGE, "2m", "monitor_up_ready == 0", "{{ $labels.instance }} can't work"),
    Own(
        "MonitorLagging",
        _TICKET,
        "5m",
        "max(monitor_watermark_delay_seconds) > 300",
        "monitor is {{ $value | humanizeDuration }} behind: alerts are as late",
    ),
    Own(
        "MonitorFarBehind",
        _PAGE,
        "5m",
        "max(monitor_watermark_delay_seconds) > 900",
        "monitor is {{ $value | humanizeDuration }} behind: nothing that happens now is alerted on",
    ),
    Own(
        "MonitorNotCommitting",
        _PAGE,
        "5m",
        "time() - monitor_last_commit_timestamp_seconds > 300\n"
        "and on (instance)\n"
        "sum by (instance) (monitor_partition_lag_records) > 0",
        "{{ $labels.instance }} has committed nothing for {{ $value | humanizeDuration }}, and records wait",
    ),
    Own(
        "MonitorPartitionFailed",
        _PAGE,
        "1m",
        "monitor_failed_partitions > 0",
        "{{ $labels.instance }} has stopped reading {{ $value }} partitions",
    ),
    Own(
        "MonitorStorePaused",
        _PAGE,
        "5m",
        "monitor_paused == 1",
        "{{ $labels.instance }} has waited for its store for five minutes",
    ),
    Own(
        "MonitorDeadLetters",
        _TICKET,
        "5m",
        "sum(rate(monitor_dead_letters_total[10m]))\n/\n"
        "(sum(rate(monitor_dead_letters_total[10m])) + sum(rate(monitor_records_total[10m])) > 0)\n> 0.05",
        "{{ $value | humanizePercentage }} of the messages are no records",
    ),
    Own(
        "MonitorTooLate",
        _TICKET,
        "10m",
        "sum(rate(monitor_too_late_records_total[1h]))\n/\n"
        "(sum(rate(monitor_too_late_records_total[1h])) + sum(rate(monitor_records_total[1h])) > 0)\n> 0.01",
        "{{ $value | humanizePercentage }} of the records come too late to count",
    ),
)


def late_s(window_s: int) -> int:
    """How far evaluation may be behind what could be evaluated, where base windows are of `window_s`."""
    return max(600, 3 * window_s)


def own_alerts(window_s: int) -> tuple[Own, ...]:
    """The alerts about a monitor that evaluates after every base window of `window_s`."""
    not_evaluating = Own(
        "MonitorNotEvaluating",
        _PAGE,
        "5m",
        "time() - max(monitor_slo_evaluation_timestamp_seconds)\n"
        # Being behind the clock is another alert.
        f"- (max(monitor_watermark_delay_seconds) or vector(0)) > {late_s(window_s)}\n"
        "or\n"
        "absent(monitor_slo_evaluation_timestamp_seconds) and on () count(monitor_build_info) > 0",
        "monitor evaluates no objectives",
    )
    return (*_ALERTS, not_evaluating)


def own_group(links: Links, window_s: int) -> Group:
    """The rules of these alerts."""
    return Group("monitor", "30s", [_alert(own, links) for own in own_alerts(window_s)])


def _alert(own: Own, links: Links) -> Alert:
    annotations = {"summary": own.summary, **links.of(own.name, model="All")}
    return Alert(own.name, own.expr, {"severity": str(own.severity)}, annotations, own.wait)
