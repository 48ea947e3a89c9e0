"""The rules of a 99.9 % availability next to what Sloth publishes for the same objective.

Sloth's getting-started example (slok/sloth, examples/getting-started.yml, 30 days): its windows and
factors, its budget, and when its page is on after 15 % of errors for ten minutes, as promtool says.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from monitor.profiles.layout import Service
from monitor.slo.objective import Meter, Objective, Outcomes
from monitor.slo.period import Rolling
from monitor.slo.prometheus.budget_rules import budget_groups
from monitor.slo.prometheus.groups import Alert, Record, document
from monitor.slo.prometheus.naming import Links
from monitor.slo.prometheus.unit_tests import Case, Expected, unit_test_file
from monitor.slo.rule import TABLE, burn_rules

# (severity, long window, short window) -> burn rate, at 30 and at 28 days.
SLOTH = {
    30: {
        ("page", "1h", "5m"): 14.4,
        ("page", "6h", "30m"): 6,
        ("ticket", "1d", "2h"): 3,
        ("ticket", "3d", "6h"): 1,
    },
    28: {
        ("page", "1h", "5m"): 13.44,
        ("page", "6h", "30m"): 5.6,
        ("ticket", "1d", "2h"): 2.8,
        ("ticket", "3d", "6h"): 0.9333333,
    },
}
SLOTH_WINDOWS = {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"}
SLOTH_META = {
    "slo:objective:ratio",
    "slo:error_budget:ratio",
    "slo:time_period:days",
    "slo:current_burn_rate:ratio",
    "slo:period_burn_rate:ratio",
    "slo:period_error_budget_remaining:ratio",
    "sloth_slo_info",
}


def objective(days: int = 30) -> Objective:
    period = Rolling(days)
    rules = burn_rules(TABLE, period, 1 - 0.999, 60, keep_firing_s=0)
    meter = Meter("myservice", Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT)))
    return Objective("requests-availability", meter, 0.999, period, rules, (), owner="myteam")


def rules(days: int = 30) -> list[Record | Alert]:
    return [rule for group in budget_groups(objective(days), Links()) for rule in group.rules]


@pytest.mark.parametrize("days", [30, 28])
def test_windows_and_factors_are_those_that_sloth_generates(days: int) -> None:
    found = {}
    for alert in (rule for rule in rules(days) if isinstance(rule, Alert)):
        clauses = re.findall(r"ratio_rate(\w+)\{[^}]*\} > \(([\d.]+) \* ([\d.]+)\)", alert.expr)
        (long, factor, budget), (short, same, _) = clauses
        assert factor == same
        assert float(budget) == pytest.approx(0.001)
        found[alert.labels["severity"], long, short] = float(factor)
    assert found == pytest.approx(SLOTH[days])


def test_the_figures_here_are_the_published_ones(shared: Path) -> None:
    published = yaml.safe_load((shared / "oracles" / "sloth-getting-started" / "rules.yml").read_text())
    every = [rule for group in published["groups"] for rule in group["rules"]]
    found = {}
    for alert in (rule for rule in every if "alert" in rule):
        clauses = re.findall(r"ratio_rate(\w+)\{[^}]*\} > \(([\d.]+) \* ([\d.]+)\)", alert["expr"])
        for (short, factor, budget), (long, _, _) in zip(clauses[::2], clauses[1::2], strict=True):
            assert float(budget) == pytest.approx(0.001)
            found[alert["labels"]["sloth_severity"], long, short] = float(factor)
    assert found == SLOTH[30]
    recorded = {rule["record"] for rule in every if "record" in rule}
    assert recorded == SLOTH_META | {f"slo:sli_error:ratio_rate{window}" for window in SLOTH_WINDOWS}


def test_the_same_series_are_recorded() -> None:
    records = {rule.record: rule for rule in rules() if isinstance(rule, Record)}
    prefix = "slo:sli_error:ratio_rate"
    assert {name.removeprefix(prefix) for name in records if name.startswith(prefix)} == SLOTH_WINDOWS
    assert set(records) >= SLOTH_META
    for name, value in (("objective:ratio", 0.999), ("error_budget:ratio", 0.001), ("time_period:days", 30)):
        assert float(records[f"slo:{name}"].expr.removeprefix("vector(")[:-1]) == pytest.approx(value)
    labels = records["slo:sli_error:ratio_rate5m"].labels
    assert labels["sloth_id"] == "myservice-requests-availability"
    assert (labels["sloth_service"], labels["sloth_slo"]) == ("myservice", "requests-availability")
    assert (labels["owner"], labels["sloth_window"]) == ("myteam", "5m")


def test_no_ratio_is_a_mean_of_ratios() -> None:
    for rule in rules():
        assert not re.search(r"(avg|sum)_over_time\(slo:sli_error", rule.expr)


def test_the_page_is_on_when_sloths_is(tmp_path: Path, promtool_run: Callable[..., str]) -> None:
    """15 % errors for ten minutes after seven clean hours: from the sixth minute to the fifteenth.

    Sloth's ticket is on from the fourth, for seven hours are all it has of a day. Ours waits until as much
    of the budget is gone as in a whole day at three times the rate: ten minutes don't do it.
    """
    (tmp_path / "rules.yaml").write_text(document(budget_groups(objective(), Links())))
    name = 'monitor_requests_total{model="myservice",version="1",endpoint="a",outcome="%s"}'
    series = {
        name % "ok": "0+3000x840 2522550+2550x19 2571000+3000x60",
        name % "infrastructure": "0x840 450+450x19 9000x60",
    }
    page, ticket = ({"alertname": "AvailabilityBudgetBurn", "severity": s} for s in ("page", "ticket"))
    begin = 7 * 60
    on = {5: 0, 6: 1, 14: 1, 15: 0, 20: 0}
    expected = [Expected((begin + minute) * 60, page, n) for minute, n in on.items()]
    expected += [Expected((begin + minute) * 60, ticket, 0) for minute in on]
    (tmp_path / "tests").mkdir()
    case = Case("15 % errors for ten minutes", series, expected)
    (tmp_path / "tests" / "rules.yaml").write_text(unit_test_file("rules.yaml", [case]))
    promtool_run("check", "rules", str(tmp_path / "rules.yaml"))
    promtool_run("test", "rules", str(tmp_path / "tests" / "rules.yaml"))
