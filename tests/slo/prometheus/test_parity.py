"""The same stream, minute by minute, through our evaluation and through promtool: alerts begin and end within
one evaluation interval of each other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monitor.slo.alerting import advance, conditions, fresh
from monitor.slo.objective import Subject
from monitor.slo.prometheus.budget_rules import budget_groups
from monitor.slo.prometheus.groups import document
from monitor.slo.prometheus.naming import Links
from monitor.slo.prometheus.unit_tests import Case, Expected, unit_test_file
from monitor.slo.rule import Rule
from monitor.slo.standing import AlertKey, Phase
from monitor.slo.tally import Tally
from tests.slo.prometheus.test_golden import objective

MINUTE_S = 60
# Minutes of a stream of 6,000 requests a minute, and the share of them that failed.
STREAMS = {
    "a total outage": [(420, 0.0), (12, 1.0), (60, 0.0)],
    "a slow burn": [(420, 0.0), (90, 0.02), (90, 0.0)],
    "a cold start into an outage": [(10, 1.0), (60, 0.0)],
    "errors below the limit": [(420, 0.0), (60, 0.005), (30, 0.0)],
}


def minutes_of(parts: list[tuple[int, float]]) -> list[float]:
    return [share for n, share in parts for _ in range(n)]


def ours(rule: Rule, shares: list[float]) -> list[tuple[int, bool]]:
    """(minute, whether it then fires) of every change."""
    slots = [(i * 60, (i + 1) * 60, 6000 * (1 - s), 6000.0) for i, s in enumerate(shares)]
    at_s = MINUTE_S * np.arange(1, len(shares) + 1)
    state = fresh(AlertKey("a", rule.name, Subject("myservice")), rule, 0)
    found = advance(state, rule, at_s, conditions(Tally.of(slots), rule, at_s))[1]
    return [(t.at_s // 60, t.after is Phase.FIRING) for t in found if t.after is not Phase.PENDING]


def values(shares: list[float], bad: bool) -> str:
    """A counter by the minute, in promtool's way of writing: it begins with 0."""
    parts, total = ["0"], 0
    for share in shares:
        failed = round(6000 * share)
        total += failed if bad else 6000 - failed
        parts.append(str(total))
    return " ".join(parts)


@pytest.mark.parametrize("name", list(STREAMS))
def test_prometheus_fires_within_one_interval_of_ours(
    name: str, tmp_path: Path, promtool_run: Callable[..., str]
) -> None:
    shares, of = minutes_of(STREAMS[name]), objective()
    series = {
        f'monitor_requests_total{{model="myservice",version="1",endpoint="a",outcome="{outcome}"}}': values(
            shares, outcome != "ok"
        )
        for outcome in ("ok", "infrastructure")
    }
    expected, compared = [], 0
    for rule in of.rules:
        labels = {
            "alertname": "AvailabilityBudgetBurn",
            "severity": str(rule.severity),
            "rule": rule.name,
        }
        fires, changes = False, ours(rule, shares)
        for minute, after in [*changes, (len(shares) - 1, changes[-1][1] if changes else False)]:
            before_s, after_s = (minute - 2) * MINUTE_S, (minute + 1) * MINUTE_S
            if minute > 2:
                expected.append(Expected(before_s, labels, int(fires)))
            if after_s < len(shares) * MINUTE_S:
                expected.append(Expected(after_s, labels, int(after)))
            fires = after
            compared += 1
    (tmp_path / "rules.yaml").write_text(document(budget_groups(of, Links())))
    (tmp_path / "tests").mkdir()
    case = Case(name, series, sorted(expected, key=lambda e: e.at_s))
    text = unit_test_file("rules.yaml", [case]).replace("  interval: 30s", "  interval: 1m")
    (tmp_path / "tests" / "rules.yaml").write_text(text)
    promtool_run("test", "rules", str(tmp_path / "tests" / "rules.yaml"))
    assert compared >= 2
