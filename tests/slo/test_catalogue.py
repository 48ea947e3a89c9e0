"""The catalogue: what every model is watched for."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.sli.windows import UsualBases
from monitor.slo.catalogue import alert_name, generic, watches
from monitor.slo.objective import Budgeting, Under, Watch
from monitor.slo.rule import Severity
from monitor.slo.tuning import LIMITS, THRESHOLDS, Change, Limits, Tuning

MODELS = {"fraud": "risk", "churn": None}
PAGES = {
    "total_outage",
    "error_spike",
    "latency_p99",
    "auth_failures",
    "no_traffic",
    "rollback_needed",
    "accuracy_drop",
}
WINDOWS_S = [60, 300, 600, 1800, 3600, 7200, 21_600, 86_400]


def of(model: str, bases: UsualBases | None = None) -> dict[str, Watch]:
    found = watches(MODELS, bases or UsualBases())
    return {watch.name: watch for watch in found if watch.meter.model == model}


def test_each_model_has_each_filled_watch_once_in_the_same_order() -> None:
    found = [(w.meter.model, w.name) for w in watches(MODELS, UsualBases())]
    names = [g.name for g in generic()]
    assert found == [(model, name) for model in MODELS for name in names]
    assert of("fraud")["drift"].owner == "risk"


def test_pages_are_what_a_person_has_to_know_now() -> None:
    pages = {n for n, w in of("fraud").items() if any(r.severity is Severity.PAGE for r in w.rules)}
    assert pages == PAGES


def test_disabled_watches_are_left_out() -> None:
    found = {w.name for w in watches(MODELS, UsualBases(), Tuning(disabled=frozenset({"drift"})))}
    assert found == set(of("fraud")) - {"drift"}


def test_a_limit_moves_the_watch_and_its_words() -> None:
    tuning = Tuning(Limits(latency_ms=250))
    (watch,) = (w for w in watches({"m": None}, UsualBases(), tuning) if w.name == "latency_p99")
    assert watch.meter.source == Under(250)
    assert "250 ms" in watch.summary


def test_a_change_is_of_all_rules_of_its_watch_and_of_no_other() -> None:
    tuning = Tuning(changes={"total_outage": Change(120, Severity.TICKET), "drift": Change()})
    found = {w.name: w for w in watches({"fraud": None}, UsualBases(), tuning)}
    assert [(r.for_s, r.severity) for r in found["total_outage"].rules] == [(120, Severity.TICKET)] * 2
    usual = of("fraud")
    assert all(found[name].rules == usual[name].rules for name in set(found) - {"total_outage"})


def test_every_watch_that_counts_has_a_threshold_which_moves_it_alone() -> None:
    usual = {g.name: g for g in generic()}
    assert set(usual) - set(THRESHOLDS) == {"failed_retraining", "registry_mismatch"}
    for name, threshold in THRESHOLDS.items():
        value = {"share": 0.42, "ms": 420.0, "s": 4200, "times": 4.2}[threshold.unit]
        moved = {g.name: g for g in generic(replace(LIMITS, **{threshold.limit: value}))}
        assert {n for n in usual if moved[n] != usual[n]} == {name}
        assert moved[name].summary != usual[name].summary


def test_a_total_outage_is_seen_in_one_minute_window() -> None:
    fast = of("fraud")["total_outage"].rules[0]
    assert [c.window_s for c in fast.clauses] == [60]
    assert fast.clauses[0].above == LIMITS.outage_share
    assert fast.for_s == 0


def test_drift_needs_two_of_three_windows() -> None:
    (rule,) = of("fraud")["drift"].rules
    assert (rule.clauses[0].window_s, rule.clauses[0].above, rule.min_bad) == (3 * 3600, 0.5, 2)


@given(st.sampled_from(WINDOWS_S), st.sampled_from(WINDOWS_S), st.sampled_from(WINDOWS_S))
def test_windows_are_whole_base_windows_and_wide_enough_to_fire(
    service: int, features: int, quality: int
) -> None:
    bases = UsualBases(service, features, quality)
    for watch in watches({"m": None}, bases):
        meter = watch.meter
        for rule in watch.rules:
            spans = [c.window_s for c in rule.clauses]
            assert all(a > b for a, b in pairwise(spans))
            if meter.budgeting is Budgeting.SLICES:
                assert meter.slice_s is not None
                slices = [(span - meter.delay_s) / meter.slice_s for span in spans]
                assert all(n == int(n) and n >= rule.min_events >= rule.min_bad for n in slices)
            else:
                assert all(span % service == 0 for span in spans)


def test_alert_names() -> None:
    assert alert_name("latency_p99") == "ModelLatencyP99"
    assert len({alert_name(g.name) for g in generic()}) == len(generic())
