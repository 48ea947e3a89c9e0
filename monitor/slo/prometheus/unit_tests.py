"""promtool's tests of the rules: for every alert, series under which it fires, when, and when it doesn't."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.slo.budget import policy_rule
from monitor.slo.catalogue import alert_name
from monitor.slo.objective import Meter, Objective, Outcomes, Under, Watch
from monitor.slo.prometheus.budget_rules import is_counted
from monitor.slo.prometheus.counted import STEP_S
from monitor.slo.prometheus.groups import dump
from monitor.slo.prometheus.naming import POLICY, budget_alert
from monitor.slo.prometheus.own_rules import late_s
from monitor.slo.prometheus.promql import LATENCY, REQUESTS, duration, le, selector
from monitor.slo.prometheus.told import ALERT, BUDGET_LEFT
from monitor.slo.rule import Rule, Severity

__all__ = ["Case", "Expected", "budget_tests", "own_tests", "unit_test_file", "watch_tests"]

_MINUTE_S = 60
# Requests of each step of the series: enough for any rule's least number of events.
_PER_STEP = 500


@dataclass(frozen=True, slots=True)
class Expected:
    """How many alerts with these labels fire at `at_s`."""

    at_s: int
    labels: Mapping[str, str]
    firing: int


@dataclass(frozen=True, slots=True)
class Case:
    """Series (by their text, as promtool takes them) and what fires under them."""

    name: str
    series: Mapping[str, str]
    expected: Sequence[Expected]

    def node(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "interval": duration(STEP_S),
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "promql_expr_test": [_asked(expected) for expected in self.expected],
        }


def unit_test_file(rules: str, cases: Iterable[Case]) -> str:
    """The text of a test file that lies in a directory beside the file `rules`."""
    return dump(
        {
            "rule_files": [f"../{rules}"],
            "evaluation_interval": duration(STEP_S),
            "tests": [case.node() for case in cases],
        }
    )


def budget_tests(objectives: Iterable[Objective]) -> Iterator[Case]:
    """Cases for the alerts of objectives."""
    for objective in objectives:
        model, name = objective.meter.model, objective.name
        about = {"model": model, "objective": name}
        alert = {"alertname": budget_alert(objective.meter.source), **about}
        if is_counted(objective):
            yield from _counted(f"{model} {name}", objective.meter, model, objective.rules, alert)
        else:
            yield from (_told(f"{model} {name}", rule, about, alert) for rule in objective.rules)
        yield from _policies(objective, about)


def watch_tests(watches: Iterable[Watch]) -> Iterator[Case]:
    """Cases for the alerts of watches, on a model of any name."""
    for watch in watches:
        about = {"model": "m", "objective": watch.name}
        alert = {"alertname": alert_name(watch.name), **about}
        if isinstance(watch.meter.source, Outcomes | Under):
            yield from _counted(watch.name, watch.meter, "m", watch.rules, alert)
        else:
            yield from (_told(watch.name, rule, about, alert) for rule in watch.rules)


def own_tests(window_s: int) -> Iterator[Case]:
    """Cases for the alerts about a monitor whose base windows are of `window_s`."""
    well = {
        'monitor_build_info{instance="a"}': "1x60",
        'monitor_up_ready{instance="a"}': "1x60",
        'monitor_paused{instance="a"}': "0x60",
        'monitor_failed_partitions{instance="a"}': "0x60",
        'monitor_watermark_delay_seconds{instance="a"}': "12x60",
        'monitor_partition_lag_records{instance="a",topic="t",partition="0"}': "7x60",
        'monitor_last_commit_timestamp_seconds{instance="a"}': "0+30x60",
        'monitor_slo_evaluation_timestamp_seconds{instance="a"}': "0+30x60",
        'monitor_records_total{instance="a"}': "0+1000x60",
        'monitor_too_late_records_total{instance="a"}': "0x60",
        'monitor_dead_letters_total{instance="a",reason="json"}': "0+1x60",
    }

    def case(name: str, at_min: int, firing: int = 1, /, **changed: str | None) -> Case:
        series = dict(well)
        for metric, values in changed.items():
            (key,) = (key for key in well if key.startswith(metric))
            del series[key]
            if values is not None:
                series[key] = values
        labels = {"alertname": name}
        return Case(name, series, [Expected(at_min * _MINUTE_S, labels, firing)])

    nothing = [Expected(1500, {"severity": severity}, 0) for severity in ("page", "ticket")]
    yield Case("all is well", well, [*nothing, Expected(1500, {"alertname": "Watchdog"}, 1)])
    none = dict.fromkeys((key.partition("{")[0] for key in well), None)
    yield case("MonitorDown", 5, **none)
    yield case("MonitorNotReady", 5, monitor_up_ready="0x60")
    yield case("MonitorLagging", 10, monitor_watermark_delay_seconds="400x60")
    yield case("MonitorFarBehind", 10, monitor_watermark_delay_seconds="1000x60")
    yield case("MonitorNotCommitting", 20, monitor_last_commit_timestamp_seconds="0x60")
    yield case("MonitorNotEvaluating", 10, monitor_slo_evaluation_timestamp_seconds=None)
    late_min = late_s(window_s) // _MINUTE_S
    stuck = {key: values.replace("x60", f"x{2 * late_min + 40}") for key, values in well.items()}
    stuck['monitor_slo_evaluation_timestamp_seconds{instance="a"}'] = f"0x{2 * late_min + 40}"
    expected = [
        Expected(m * _MINUTE_S, {"alertname": "MonitorNotEvaluating"}, n)
        for m, n in ((late_min, 0), (late_min + 10, 1))
    ]
    yield Case("MonitorNotEvaluating: stuck", stuck, expected)
    behind = {
        **well,
        'monitor_slo_evaluation_timestamp_seconds{instance="a"}': "0x60",
        'monitor_watermark_delay_seconds{instance="a"}': "0+30x60",
    }
    yield Case(
        "MonitorFarBehind is not MonitorNotEvaluating",
        behind,
        [
            Expected(1500, {"alertname": "MonitorNotEvaluating"}, 0),
            Expected(1500, {"alertname": "MonitorFarBehind"}, 1),
        ],
    )
    yield case("MonitorPartitionFailed", 5, monitor_failed_partitions="1x60")
    yield case("MonitorStorePaused", 10, monitor_paused="1x60")
    yield case("MonitorDeadLetters", 20, monitor_dead_letters_total="0+100x60")
    yield case("MonitorTooLate", 25, monitor_too_late_records_total="0+20x60")


def _counted(
    name: str, meter: Meter, model: str, rules: Sequence[Rule], alert: Mapping[str, str]
) -> Iterator[Case]:
    """All events bad from the first on, all good, and one bad among too few.

    As the first events are all bad, the bad share of a window, weighed by how much of it there has been, is
    the time so far over the window's length: a rule fires once that is above its limit, and not before.
    """
    expected: list[Expected] = []
    for rule in rules:
        labels = {**alert, "severity": str(rule.severity), "rule": rule.name}
        spent_s = max(clause.above * clause.window_s for clause in rule.clauses) + rule.for_s
        if spent_s > 2 * _MINUTE_S:
            expected.append(Expected(_steps(spent_s) - _MINUTE_S, labels, 0))
        expected.append(Expected(_steps(spent_s) + 2 * _MINUTE_S, labels, 1))
    expected.sort(key=lambda e: e.at_s)
    end = max((e.at_s for e in expected), default=0) // STEP_S + 1
    none, many = f"0x{end}", f"0+{_PER_STEP}x{end}"
    yield Case(f"{name}: all bad from the start", _series(meter, model, none, many, many), expected)
    at_end = [Expected((end - 1) * STEP_S, alert, 0)]
    yield Case(f"{name}: all good", _series(meter, model, many, none, many), at_end)
    few = (f"0 1 2x{end}", f"0 0 0 1x{end}", f"0 1 2 3x{end}")
    yield Case(f"{name}: one bad event among few", _series(meter, model, *few), at_end)


def _told(name: str, rule: Rule, about: Mapping[str, str], alert: Mapping[str, str]) -> Case:
    """monitor's own decision is passed on while it says that the alert fires."""
    labels = {**about, "rule": rule.name, "severity": str(rule.severity)}
    phases = {"pending": "1x4 _x15", "firing": "_x4 1x5 _x10", "resolving": "_x9 1x2 _x8"}
    series = {selector(ALERT, {**labels, "phase": phase}): values for phase, values in phases.items()}
    fires = {**alert, "rule": rule.name, "severity": str(rule.severity)}
    expected = [Expected(at_s, fires, firing) for at_s, firing in ((60, 0), (210, 1), (300, 1))]
    return Case(f"{name}: {rule.name} as monitor decides", series, expected)


def _policies(objective: Objective, about: Mapping[str, str]) -> Iterator[Case]:
    """The budget goes down to each policy's share in turn."""
    for policy in objective.policies:
        labels = {"alertname": POLICY, **about, "policy": policy.name}
        rule = {"rule": policy_rule(policy).name, "severity": str(Severity.TICKET), "phase": "firing"}
        series = {
            selector(BUDGET_LEFT, about): f"{policy.left + 0.01:.6g}x20 {policy.left:.6g}x40",
            selector(ALERT, {**about, **rule}): "_x21 1x40",
        }
        expected = [Expected(600, labels, 0), Expected(1200, labels, 1)]
        yield Case(f"{about['model']} {objective.name}: policy {policy.name}", series, expected)


def _series(meter: Meter, model: str, good: str, bad: str, total: str) -> dict[str, str]:
    """The series that count these events, of one version and endpoint."""
    labels = {"model": model, "version": meter.version or "1", "endpoint": meter.endpoint or "predict"}
    match meter.source:
        case Outcomes(outcomes):
            failed = outcomes[0].name.lower()
            values = {"ok": good, failed: bad}
            return {selector(REQUESTS, {**labels, "outcome": o}): v for o, v in values.items()}
        case Under(limit_ms):
            bucket = selector(f"{LATENCY}_bucket", {**labels, "le": le(limit_ms)})
            return {bucket: good, selector(f"{LATENCY}_count", labels): total}
        case other:
            raise ValueError(f"Prometheus has no series that count {other}")


def _asked(expected: Expected) -> dict[str, Any]:
    firing = selector("ALERTS", {"alertstate": "firing", **expected.labels})
    return {
        "expr": f"count({firing}) or vector(0)",
        "eval_time": duration(expected.at_s),
        "exp_samples": [{"labels": "{}", "value": expected.firing}],
    }


def _steps(seconds: float) -> int:
    """The time, raised to whole steps."""
    return math.ceil(seconds / STEP_S) * STEP_S
