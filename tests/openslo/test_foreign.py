"""Documents of other tools: what is made of them, and what is said of what can't be."""

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.config.objective_values import objectives_of
from monitor.openslo.spans import begins_with, seconds_of, shorthand, unit_of, window_of
from monitor.slo.objective import Bound, Outcomes, Under
from monitor.slo.period import Calendar, Rolling, Unit
from monitor.slo.rule import Severity
from tests.cli.run import run

WEB = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: web-ok}
spec:
  ratioMetric:
    good: {metricSource: {type: Prometheus, spec: {query: 'ok'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'all'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-availability}
spec:
  description: most requests succeed
  service: web
  indicatorRef: web-ok
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.98
  alertPolicies:
    - alertPolicyRef: fast
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  conditions:
    - conditionRef: burns
  notificationTargets: [{targetRef: mail}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: burns}
spec:
  severity: critical
  condition: {kind: burnrate, op: gte, threshold: 6.72, lookbackWindow: 1h, alertAfter: 5m}
"""
AS = ("--as", "web-ok=availability")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(text: str, *options: str) -> str:
    Path("web.yaml").write_text(text)
    ran = run("slo", "import", "web.yaml", *options, "-o", "found.yaml")
    assert (ran.out, ran.code) == ("wrote found.yaml\n", 0)
    Path("monitor.yaml").write_text("source: {files: {path: .}}\n" + Path("found.yaml").read_text())
    return ran.err


def refused(text: str, *options: str) -> list[str]:
    Path("web.yaml").write_text(text)
    ran = run("slo", "import", "web.yaml", *options)
    assert ran.code == 1
    return ran.out.splitlines()


def changed(old: str, new: str) -> str:
    assert WEB.count(old) == 1, f"{old!r} must be in the valid file once"
    return WEB.replace(old, new)


def test_an_slo_with_its_policy() -> None:
    assert imported(WEB, *AS) == ""
    (found,) = objectives_of(load_config("monitor.yaml"))
    assert (found.name, found.meter.model, found.target) == ("web-availability", "web", 0.98)
    assert isinstance(found.meter.source, Outcomes)
    assert (found.period, found.description) == (Rolling(28), "most requests succeed")
    (rule,) = found.rules
    assert (rule.severity, rule.for_s) == (Severity.PAGE, 300)
    assert [c.window_s for c in rule.clauses] == [3600, 300]
    assert rule.factor == pytest.approx(6.72)


def test_burn_rates_of_a_short_window_stay_what_they_are() -> None:
    imported(changed("28d", "7d"), *AS)
    (found,) = objectives_of(load_config("monitor.yaml"))
    (rule,) = found.rules
    assert rule.factor == pytest.approx(6.72)
    assert rule.clauses[0].window_s == 3600
    assert rule.clauses[0].above == pytest.approx(0.1344)


def test_what_an_indicator_of_another_tool_is_has_to_be_said() -> None:
    (problem,) = refused(WEB)
    assert problem.startswith("web.yaml:15: spec.indicatorRef: the query is one of Prometheus,")
    assert "--as 'web-ok=availability'" in problem


def test_with_a_limit() -> None:
    imported(WEB, "--as", "web-ok=latency under 300ms")
    (found,) = objectives_of(load_config("monitor.yaml"))
    assert found.meter.source == Under(300.0)


def test_a_threshold_whose_name_is_an_indicator() -> None:
    text = changed(
        "indicatorRef: web-ok", "indicator: {metadata: {name: latency-p99}, spec: {thresholdMetric: {}}}"
    )
    text = text.replace("Occurrences", "Timeslices").replace(
        "- target: 0.98", "- {op: lt, value: 300, target: 0.98}"
    )
    assert "timeSliceWindow" in refused(text)[0]
    imported(text.replace("target: 0.98", "target: 0.98, timeSliceTarget: 1, timeSliceWindow: 5"))
    (found,) = objectives_of(load_config("monitor.yaml"))
    assert found.meter.source == Bound("latency_p99", at_most=300.0)
    assert found.meter.slice_s == 300


def test_a_calendar_window() -> None:
    window = "duration: 1M\n      calendar: {startTime: 2022-01-01 12:00:00, timeZone: Europe/Berlin}"
    notes = imported(changed("duration: 28d\n      isRolling: true", window), *AS)
    began = "web-availability: begins at 2022-01-01 12:00:00"
    assert notes == f"note: {began}; here a month begins at its first midnight\n"
    (found,) = objectives_of(load_config("monitor.yaml"))
    assert found.period == Calendar(Unit.MONTH, "Europe/Berlin")


def test_several_objectives_of_one_slo() -> None:
    imported(
        changed("    - target: 0.98\n", "    - target: 0.98\n    - {displayName: more, targetPercent: 99}\n"),
        *AS,
    )
    found = objectives_of(load_config("monitor.yaml"))
    assert [(o.name, o.target) for o in found] == [
        ("web-availability 1", 0.98),
        ("web-availability more", 0.99),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "target: 0.98",
            "target: 1.0",
            "21: spec.objectives[0]: objective: 100 % leaves no budget: one bad event",
        ),
        (
            "target: 0.98",
            "displayName: x",
            "21: spec.objectives[0]: must have a target, such as target: 0.999",
        ),
        ("target: 0.98", "targt: 0.98", "21: spec.objectives[0].targt: no such key; did you mean target?"),
        ("28d", "36h", "17: spec.timeWindow[0].duration: '36h' is no whole number of days"),
        ("Ref: web-ok", "Ref: web", "15: spec.indicatorRef: there is no SLI web in these files"),
        ("Ref: fast", "Ref: slow", "23: spec.alertPolicies[0]: there is no AlertPolicy slow in these files"),
        (
            "Ref: burns",
            "Ref: burn",
            "23: spec.alertPolicies[0]: there is no AlertCondition burn in these files",
        ),
        ("Occurrences", "RatioTimeslices", "19: spec.budgetingMethod: averages the ratios of slices"),
        ("kind: SLI", "kind: Sli", "2: kind: must be one of SLO, SLI, Service, AlertPolicy, AlertCondition"),
        ("  severity: critical\n", "", "36: spec.severity: is missing; write for example severity: page"),
    ],
)
def test_each_mistake_is_told_at_its_line(old: str, new: str, said: str) -> None:
    assert f"web.yaml:{said}" in "\n".join(refused(changed(old, new), *AS))


def test_other_versions_and_files_that_are_not_there() -> None:
    (problem,) = refused("apiVersion: openslo/v1alpha\nkind: SLO\n")
    assert problem == "web.yaml:1: apiVersion: must be openslo/v1, not 'openslo/v1alpha'"
    assert run("slo", "import", "nowhere.yaml").out.startswith("nowhere.yaml: can't be read")


def test_one_name_for_two_documents() -> None:
    (problem,) = refused(WEB + "---\n" + WEB.split("---\n")[0], *AS)
    assert problem == "web.yaml:42: metadata.name: web-ok is defined in web.yaml:1 already"


def test_spans_of_time() -> None:
    assert [seconds_of(t) for t in ("5", "5m", "1h", "4w", "1Q")] == [300, 300, 3600, 2_419_200, 7_776_000]
    assert [shorthand(s) for s in (0, 300, 7200, 86_400)] == ["0m", "5m", "2h", "1d"]
    assert (window_of("4w"), unit_of("1Q")) == ("28d", Unit.QUARTER)
    assert begins_with(Unit.WEEK, "2024-01-01 00:00:00")
    assert not begins_with(Unit.QUARTER, "2024-02-01 00:00:00")
    with pytest.raises(ValueError, match="1M a month"):
        unit_of("1m")


def test_export_says_what_it_lacks() -> None:
    Path("monitor.yaml").write_text(
        "source: {files: {path: .}}\nmodels: {fraud: {objectives: {availability: {objective: 99}}}}\n"
    )
    ran = run("slo", "export", "-c", "monitor.yaml", "--model", "fraude")
    assert (ran.code, ran.err) == (2, "monitor: --model: there is no 'fraude'; did you mean 'fraud'?\n")
    assert run("slo", "export", "-c", "monitor.yaml").out.startswith(
        "apiVersion: openslo/v1\nkind: Service\n"
    )
