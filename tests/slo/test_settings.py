"""What a configuration says of objectives, as values."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Config
from monitor.config.thresholds import counted_thresholds_ms
from monitor.errors import QueryError
from monitor.profiles.layout import Kind, Service
from monitor.slo.indicators import Shape, find_indicator, indicator_names
from monitor.slo.objective import (
    Bound,
    Budgeting,
    Correct,
    Fresh,
    Happened,
    Objective,
    Outcomes,
    Source,
    Under,
)
from monitor.slo.period import Calendar, Rolling, Unit
from monitor.slo.rule import Escalation, Severity
from monitor.slo.settings import from_config
from monitor.slo.tuning import LIMITS


def config(objectives: dict[str, object], **sections: object) -> Config:
    models = {"fraud": {"owner": "risk", "objectives": objectives}}
    return Config.model_validate({"models": models, **sections}, by_alias=True, by_name=False)


def objective(said: Mapping[str, object], name: str = "availability", **sections: object) -> Objective:
    (found,) = from_config(config({name: {"objective": "99.9", **said}}, **sections)).objectives
    return found


@pytest.mark.parametrize(
    ("said", "source", "slice_s"),
    [
        ({}, Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT)), None),
        ({"indicator": "auth_failure_rate"}, Outcomes((Service.AUTH,)), None),
        ({"indicator": "error_rate", "at_most": "1%"}, Bound("error_rate", at_most=0.01), 60),
        ({"indicator": "latency", "under": "300ms"}, Under(300.0), None),
        ({"indicator": "latency", "under": "1s", "slice": "5m", "slice_target": "95"}, Under(1000.0), 300),
        ({"indicator": "latency_p99", "at_most": "300ms"}, Bound("latency_p99", at_most=300.0), 60),
        ({"indicator": "accuracy"}, Correct(), None),
        ({"indicator": "accuracy", "at_least": "0.9"}, Bound("accuracy", at_least=0.9), 3600),
        ({"indicator": "f1", "at_least": "90%", "slice": "1d"}, Bound("f1", at_least=0.9), 86_400),
        ({"indicator": "drift_free"}, Bound("drifted_share", at_most=0.0), 600),
        ({"indicator": "schema_validity"}, Bound("schema_violation_rate", at_most=0.01), 600),
        (
            {"indicator": "drift_psi", "feature": "amount", "at_most": "0.2"},
            Bound("drift_psi", at_most=0.2, feature="amount"),
            600,
        ),
        ({"indicator": "data_freshness", "at_most": "1h"}, Fresh(3600), 60),
        ({"indicator": "training_success"}, Happened("training_success_rate", at_least=1.0), None),
        (
            {"indicator": "training_duration", "at_most": "2h"},
            Happened("training_duration", None, 7200.0),
            None,
        ),
        ({"indicator": "model_age", "at_most": "30d"}, Bound("model_age", at_most=2_592_000.0), 3600),
    ],
)
def test_what_is_counted(said: dict[str, object], source: Source, slice_s: int | None) -> None:
    meter = objective(said).meter
    assert meter.source == source
    assert meter.slice_s == slice_s
    assert meter.budgeting is (Budgeting.EVENTS if slice_s is None else Budgeting.SLICES)


def test_what_is_said_arrives() -> None:
    found = objective(
        {
            "window": "month",
            "version": "4",
            "endpoint": "/score",
            "segment": {"segment.country": "DE"},
            "by": ["country"],
            "description": "no failures",
            "weight": "2",
        },
        slo={"time_zone": "Europe/Berlin", "policies": [{"name": "low", "left": "10", "action": "freeze"}]},
    )
    meter = found.meter
    assert (meter.model, meter.version, meter.endpoint) == ("fraud", "4", "/score")
    assert (meter.segment, meter.by) == ({"country": "DE"}, ("country",))
    assert found.period == Calendar(Unit.MONTH, "Europe/Berlin")
    assert (found.target, found.owner, found.weight) == (0.999, "risk", 2.0)
    assert [(p.name, p.left, str(p.action)) for p in found.policies] == [("low", 0.1, "freeze")]


def test_rules_are_those_of_the_workbook() -> None:
    found = objective({})
    assert found.period == Rolling(30)
    rules = [(r.clauses[0].window_s, r.clauses[1].window_s, r.clauses[0].above) for r in found.rules]
    assert [rule[:2] for rule in rules] == [(3600, 300), (21_600, 1800), (86_400, 7200), (259_200, 21_600)]
    assert [rule[2] for rule in rules] == pytest.approx([0.0144, 0.006, 0.003, 0.001], rel=1e-12)
    assert [r.min_events for r in found.rules] == [50] * 4
    assert [r.escalation for r in found.rules] == [None, None, *[Escalation(21_600, 0.002, 7200)] * 2]


def test_an_objective_goes_before_what_holds_for_all() -> None:
    row = {"spent": "5", "long": "2h", "short": "10m", "severity": "info"}
    slo = {"min_events": "10", "min_bad_events": "2", "for": "1m", "keep_firing": "1h", "escalation": "none"}
    general, own = (
        objective(said, slo=slo).rules[-1]
        for said in ({}, {"alerts": [row], "min_events": "7", "min_bad_events": "1", "for": "0s"})
    )
    assert (general.min_events, general.min_bad, general.for_s, general.escalation) == (10, 2, 60, None)
    assert (own.min_events, own.min_bad, own.for_s, own.keep_firing_s) == (7, 1, 0, 3600)
    assert own.severity is Severity.INFO


def test_no_alerts() -> None:
    assert objective({"alerts": []}).rules == ()


def test_slices_need_two_and_not_fifty() -> None:
    rules = objective({"at_least": "90%"}, "accuracy").rules
    assert {(r.min_events, r.min_bad) for r in rules} == {(2, 2)}


def test_the_windows_of_slices_that_wait_reach_back_by_as_much() -> None:
    at_once, waiting = (
        objective({"at_least": "90%", **delay}, "recall").rules for delay in ({}, {"delay": "90m"})
    )
    for before, after in zip(at_once, waiting, strict=True):
        more = [b.window_s - a.window_s for a, b in zip(before.clauses, after.clauses, strict=True)]
        assert more == [7200, 7200]  # 90 minutes, in whole hours


def test_thresholds_of_objectives_and_watches_are_counted() -> None:
    said = config(
        {"fast": {"objective": "99", "indicator": "latency", "under": "42ms"}}, latency_thresholds_ms=[100]
    )
    assert counted_thresholds_ms(said) == (42, 100, LIMITS.latency_ms)
    without = config({}, latency_thresholds_ms=[100], slo={"generic": "false"})
    assert counted_thresholds_ms(without) == (100,)


def test_watches_of_the_models_seen_and_configured() -> None:
    watches = from_config(config({}, slo={"disable": ["drift"]})).watches_for(["churn"])
    assert {w.meter.model for w in watches} == {"churn", "fraud"}
    assert {w.owner for w in watches if w.meter.model == "fraud"} == {"risk"}
    assert "drift" not in {w.name for w in watches}
    assert from_config(config({}, slo={"generic": "false"})).watches_for(["churn"]) == ()


def test_limits_of_watches() -> None:
    said = config(
        {},
        slo={
            "watches": {
                "latency_p99": {"threshold": "250ms", "for": "2m", "severity": "ticket"},
                "error_spike": {"threshold": "2%"},
                "data_stale": {"threshold": "2h"},
                "no_traffic": {"disabled": "true"},
            }
        },
        latency_thresholds_ms=[100],
    )
    assert counted_thresholds_ms(said) == (100, 250)
    watches = {w.name: w for w in from_config(said).watches_for(["fraud"])}
    assert "no_traffic" not in watches
    slow = watches["latency_p99"]
    assert slow.meter.source == Under(250)
    assert [(r.for_s, r.severity) for r in slow.rules] == [(120, Severity.TICKET)]
    assert {c.above for c in watches["error_spike"].rules[0].clauses} == {0.02}
    assert watches["data_stale"].meter.source == Fresh(7200)


def test_an_objective_stands_in_for_the_watch_of_its_name() -> None:
    said = {
        "Label coverage": {"objective": "95", "indicator": "label_coverage", "at_least": "80%", "delay": "7d"}
    }
    watches = from_config(config(dict(said))).watches_for(["churn"])
    assert [w.meter.model for w in watches if w.name == "label_coverage"] == ["churn"]


@given(st.sampled_from(indicator_names()), st.booleans())
def test_every_indicator_is_found_by_its_name(name: str, bounded: bool) -> None:
    found = find_indicator(name, bounded)
    assert found.name == name
    assert found.meaning
    assert not (found.waits and found.kind is not Kind.QUALITY)


@given(st.text(max_size=20).filter(lambda name: name not in indicator_names()))
def test_what_is_no_indicator_is_refused_or_a_pattern(name: str) -> None:
    try:
        assert find_indicator(name).shape is Shape.BOUND
    except QueryError as e:
        assert "indicator" in str(e) or "window" in str(e)  # noqa: PT017 - either is right
