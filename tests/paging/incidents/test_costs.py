"""What an incident cost, over a store: budget, what came before, and which alerts were silent."""

from collections.abc import Iterator

import pytest

from monitor.paging.incidents.costs import Costs, Lost, Quality, costs_of
from monitor.paging.incidents.incident import Incident, Phase
from monitor.paging.incidents.postmortem import postmortem
from monitor.sli.windows import UsualBases
from monitor.slo.asking import Asking
from monitor.slo.evaluate import Evaluator
from monitor.slo.question import SloQuestion
from monitor.slo.settings import SloSettings
from monitor.store.engine import writing
from monitor.store.events import write
from monitor.store.store import Store
from tests.filling import Writer, fill
from tests.ingest.events.making import event
from tests.slo.test_evaluate import END_S, OUTAGE_S, T0_S, objective, requests, settings
from tests.store.conftest import store
from tests.store.test_events import events_of
from tests.store.test_pairs import BEGIN_MS, DAY_MS, LABELS, RECORDS, Bench

__all__ = ["store"]

DAY_S = 86_400


def incident(from_s: int = OUTAGE_S + 60, to_s: int | None = OUTAGE_S + 1800, **labels: str) -> Incident:
    key = tuple(sorted({"model": "fraud", "objective": "availability", **labels}.items()))
    resolved_ms = None if to_s is None else to_s * 1000
    phase = Phase.OPEN if to_s is None else Phase.RESOLVED
    return Incident(
        1, key, "fails", "risk", "page", phase, from_s * 1000, from_s * 1000, resolved_ms=resolved_ms
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An outage of version 4, which came hours after version 3 began; its alerts were evaluated."""
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('costs')}/m.db")
    writer = Writer(store, now_ms=END_S * 1000)
    writer.take(list(requests(T0_S, OUTAGE_S, 200)))
    new = [{**r, "version": "4"} for r in requests(OUTAGE_S, OUTAGE_S + 1200, 503)]
    writer.take(new)
    writer.take(list(requests(OUTAGE_S + 1200, END_S, 200)))
    writer.flush()
    Evaluator(store, settings()).run(END_S, END_S * 1000, T0_S)
    yield store
    store.close()


def budgets(costs: Costs) -> list[Lost]:
    assert not isinstance(costs.budgets, str)
    return list(costs.budgets)


def test_the_budget_of_its_time_is_counted(told: Store) -> None:
    costs = costs_of(told, incident(), settings(), 14 * DAY_S, END_S * 1000)
    (lost,) = budgets(costs)
    # From the second minute of twenty, a request every four seconds.
    assert (lost.bad, lost.total) == (19 * 15, 29 * 15)
    assert lost.share == pytest.approx((1 - _left(told)) * 19 / 20, rel=1e-9)
    text = postmortem(incident(), (), costs)
    assert "| availability | fraud | 285 | 435 |" in text
    assert "Quality: not known: no labels of that time have come, so far." in text


def _left(store: Store) -> float:
    """The whole budget that was left at the incident's end, all of whose failures are the outage's."""
    question = SloQuestion("fraud", at_ms=(OUTAGE_S + 1800) * 1000)
    (found,) = Asking(store, UsualBases(), settings()).standings(question, END_S * 1000)
    assert found.standing.left_of_whole is not None
    return found.standing.left_of_whole


def test_whole_hours_are_told_where_no_base_windows_are_left(told: Store) -> None:
    (lost,) = budgets(costs_of(told, incident(), settings(), 0, END_S * 1000))
    assert lost.bad == 20 * 15
    assert lost.total > 29 * 15


def test_rules_that_did_not_fire_are_named(told: Store) -> None:
    slow = objective(name="slow to see", rules=tuple(r for r in objective().rules[:1]))
    both = settings(objective(), slow)
    costs = costs_of(told, incident(), both, 14 * DAY_S, END_S * 1000)
    silent = {lost.objective.name: lost.silent for lost in budgets(costs)}
    assert "burn 14.4" not in silent["availability"]
    # It was never evaluated, so that it can't have fired.
    assert silent["slow to see"] == ("burn 14.4",)
    assert "- slow to see of fraud: burn 14.4 (lost " in postmortem(incident(), (), costs)
    before = costs_of(told, incident(T0_S, T0_S + 600), both, 14 * DAY_S, END_S * 1000)
    assert all(lost.bad == 0 for lost in budgets(before))
    assert "none lost any" in postmortem(incident(), (), before)


def test_a_version_that_came_before_is_told_but_not_the_first(told: Store) -> None:
    costs = costs_of(told, incident(), settings(), 14 * DAY_S, END_S * 1000)
    assert [text for _, text in costs.changed] == ["version 4 first seen, within this hour"]
    later = incident(OUTAGE_S + 2 * DAY_S, None)
    assert costs_of(told, later, settings(), 14 * DAY_S, (OUTAGE_S + 3 * DAY_S) * 1000).changed == ()


def test_events_that_came_before_are_told(store: Store) -> None:
    fill(store, list(requests(T0_S, OUTAGE_S, 200)))
    at_ms = OUTAGE_S * 1000
    happened = (
        event("deployment", "1", version="4", deployed=at_ms - 60_000, by="ana", traffic_share=...),
        event("capacity", "2", out_of_memory_kills=2) | {"time": "2023-11-14T22:00:00Z"},
        event("deployment", "3", deployed=at_ms + 3_600_000),
    )
    with writing(store.engine) as connection:
        write(store, connection, events_of(*happened))
    costs = costs_of(store, incident(), settings(), 14 * DAY_S, END_S * 1000)
    assert [text for _, text in costs.changed] == [
        "2 replicas were killed for memory",
        "version 4 was deployed by ana (3f2a)",
    ]
    assert "version 4 was deployed by ana (3f2a)" in postmortem(incident(), (), costs)


def test_what_is_not_known_is_said(told: Store) -> None:
    bare = costs_of(told, incident(), SloSettings(), 14 * DAY_S, END_S * 1000)
    text = postmortem(incident(), (), bare)
    assert "Error budget: not known: no objective of fraud is known; give the configuration with -c." in text
    nobody = Incident(1, (("a", "b"),), "x", "", "page", Phase.OPEN, 0, 0)
    text = postmortem(nobody, (), costs_of(told, nobody, settings(), 0, END_S * 1000))
    assert text.count("Not known: the incident's alerts name no model.") == 3
    other = incident(model="nobody's")
    text = postmortem(other, (), costs_of(told, other, settings(), 0, END_S * 1000))
    assert "Not known: nothing is stored of nobody's." in text


def test_quality_is_told_against_the_day_before() -> None:
    quality = Quality("accuracy", 0.71, 840, 0.93, 0.4)
    text = postmortem(incident(), (), Costs("fraud", (), quality))
    said = "accuracy 0.71 in the incident (840 labelled predictions, 40 % of all), 0.93 in the 24 hours"
    assert f"Quality: {said} before (-0.22)." in text


def test_labels_of_its_time_are_counted(store: Store) -> None:
    bench = Bench(store)
    made = [bench.prediction(f"d{n}", BEGIN_MS + n * 60_000) for n in range(20)]
    made += [bench.prediction(f"i{n}", BEGIN_MS + DAY_MS + n * 60_000) for n in range(10)]
    bench.writers[RECORDS].write(made, [])
    right = [bench.label(f"d{n}", BEGIN_MS + DAY_MS, "yes") for n in range(20)]
    wrong = [bench.label(f"i{n}", BEGIN_MS + DAY_MS + 3_600_000, "no") for n in range(5)]
    bench.writers[LABELS].write([], [*right, *wrong])
    begin_s = (BEGIN_MS + DAY_MS) // 1000
    one = incident(begin_s, begin_s + 600)
    costs = costs_of(store, one, SloSettings(), 14 * DAY_S, BEGIN_MS + 2 * DAY_MS)
    assert costs.quality == Quality("accuracy", 0.0, 5, 1.0, 0.5)
