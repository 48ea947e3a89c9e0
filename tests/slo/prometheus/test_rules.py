"""What is in the rules: for each kind of meter, and for names that need care."""

from dataclasses import replace

from monitor.profiles.layout import Service
from monitor.slo.budget import policy_rule
from monitor.slo.objective import Action, Bound, Happened, Meter, Objective, Outcomes, Policy, Source
from monitor.slo.period import Rolling
from monitor.slo.prometheus.budget_rules import budget_groups
from monitor.slo.prometheus.files import GENERIC, TESTS, rule_files
from monitor.slo.prometheus.groups import Alert, Record
from monitor.slo.prometheus.naming import POLICY, Links
from monitor.slo.prometheus.told import ALERT, BUDGET_LEFT, BURN, COMPLIANCE
from monitor.slo.rule import TABLE, Escalation, burn_rules
from monitor.slo.settings import SloSettings
from monitor.slo.tuning import Tuning
from monitor.web import metric_names as names

FAILED = Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))


def objective(source: Source = FAILED, **meter: object) -> Objective:
    rules = burn_rules(TABLE, Rolling(30), 0.01, 60, escalation=Escalation(21_600, 0.02, 7200))
    of = Meter("fraud", source, **meter)  # type: ignore[arg-type]  # passed on
    return Objective("served", of, 0.99, Rolling(30), rules, (Policy("half", 0.5, Action.TICKET),))


def rules(of: Objective) -> list[Record | Alert]:
    return [
        rule for group in budget_groups(of, Links("https://x/r", "https://g/d?a=1")) for rule in group.rules
    ]


def alerts(of: Objective) -> list[Alert]:
    return [rule for rule in rules(of) if isinstance(rule, Alert)]


def test_the_gauges_are_those_that_monitor_exposes() -> None:
    told = {BURN: names.SLO_BURN, ALERT: names.SLO_ALERT, BUDGET_LEFT: names.SLO_BUDGET_LEFT}
    for name, metric in {**told, COMPLIANCE: names.SLO_COMPLIANCE}.items():
        assert name == metric.name
    parts = ", ".join(names.SLO_BUDGET_LEFT.labels)
    (policy,) = (alert for alert in alerts(objective()) if alert.alert == POLICY)
    assert policy.expr.startswith(f"max by ({parts}) (")


def test_each_version_has_an_alert_of_its_own() -> None:
    records = [r for r in rules(objective(by=("version",))) if isinstance(r, Record)]
    counting = [r.expr for r in records if r.record.startswith(("slo:sli_bad", "slo:sli_total"))]
    assert counting
    assert all("sum by (model, version) (" in expr for expr in counting)


def test_one_version_keeps_its_name() -> None:
    record = next(r for r in rules(objective(version="4")) if isinstance(r, Record))
    assert 'version="4"' in record.expr
    assert record.labels["version"] == "4"


def test_segments_and_slices_are_left_to_monitor_and_keep_their_values() -> None:
    drift = Bound("drifted_share", at_most=0.0)
    for of in (
        objective(by=("country",)),
        objective(segment={"country": "DE"}),
        objective(drift, slice_s=600),
    ):
        burning = [alert for alert in alerts(of) if alert.alert != POLICY]
        assert len(burning) == len(of.rules)
        assert all(ALERT in a.expr and "segment" in a.expr and "increase" not in a.expr for a in burning)
        assert all(a.labels["severity"] == "{{ $labels.severity }}" for a in burning)


def test_a_ticket_that_burns_on_becomes_a_page() -> None:
    found = [
        (a.labels["rule"], a.labels["severity"], a.for_) for a in alerts(objective()) if a.alert != POLICY
    ]
    assert found == [
        ("burn 14.4", "page", "0s"),
        ("burn 6", "page", "0s"),
        ("burn 3", "ticket", "0s"),
        ("burn 3", "page", "2h"),
        ("burn 1", "ticket", "0s"),
        ("burn 1", "page", "2h"),
    ]


def test_what_is_counted_from_events_alerts_by_what_monitor_says() -> None:
    of_events = objective(Happened("deployment_lead_time", at_most=86_400.0))
    fired = [
        rule for group in budget_groups(of_events, Links()) for rule in group.rules if isinstance(rule, Alert)
    ]
    assert {rule.alert for rule in fired} == {"OperationsBudgetBurn", POLICY}
    assert all("monitor_slo" in rule.expr for rule in fired)


def test_a_policy_is_told_with_what_is_left_while_monitor_says_that_it_is_due() -> None:
    (policy,) = (alert for alert in alerts(objective()) if alert.alert == POLICY)
    assert policy.labels["rule"] == policy_rule(objective().policies[0]).name == "budget half"
    left, due = policy.expr.split("\nand on (model, objective, version, endpoint, segment)\n")
    assert BUDGET_LEFT in left
    assert 'rule="budget half"' in due


def test_links() -> None:
    links = {alert.annotations["runbook_url"] for alert in alerts(objective())}
    assert links == {"https://x/r/AvailabilityBudgetBurn.md", "https://x/r/ErrorBudgetLow.md"}
    dashboards = {alert.annotations["dashboard"] for alert in alerts(objective())}
    assert dashboards == {"https://g/d?a=1&var-model={{ $labels.model }}"}


def test_braces_in_names_are_no_template() -> None:
    of = replace(objective(), name="{{ $value }}", owner="{{ x }}")
    alert = alerts(of)[0]
    assert alert.labels["objective"] == '{{ "{{" }} $value }}'
    assert alert.labels["owner"] == '{{ "{{" }} x }}'


def test_files_of_models_whose_names_differ_only_where_files_do_not() -> None:
    of = [replace(objective(), meter=Meter(model, FAILED)) for model in ("a/b", "a:b", "A_b", "a_b")]
    files = rule_files(SloSettings(objectives=tuple(of)))
    models = [name for name in files if name.startswith("model-")]
    assert len({name.lower() for name in models}) == 4
    assert "model-a_b.yaml" in models
    assert {f"{TESTS}/{name}" for name in (GENERIC, *models)} <= set(files)


def test_without_the_catalogue_monitor_is_still_watched() -> None:
    text = rule_files(SloSettings(generic=False))[GENERIC]
    assert "alert: Watchdog" in text
    assert "alert: Model" not in text


def test_a_disabled_watch_has_no_rule() -> None:
    text = rule_files(SloSettings(tuning=Tuning(disabled=frozenset({"drift"}))))[GENERIC]
    assert "alert: ModelDrift" not in text
    assert "alert: ModelNoTraffic" in text


def test_the_same_settings_give_the_same_files() -> None:
    of = SloSettings(objectives=(objective(),), owners={"b": "two", "a": "one"})
    assert rule_files(of) == rule_files(replace(of, owners={"a": "one", "b": "two"}))
