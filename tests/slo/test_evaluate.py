"""Evaluation over a store: whatever the steps, the restarts and the replicas, alerts do the same once."""

from collections.abc import Iterable
from typing import Any

import pytest

from monitor.profiles.layout import Service
from monitor.sli.windows import UsualBases
from monitor.slo.alert_log import KeptTransition, list_states, list_transitions
from monitor.slo.evaluate import Evaluator
from monitor.slo.objective import Action, Meter, Objective, Outcomes, Policy
from monitor.slo.period import Rolling
from monitor.slo.rule import TABLE, Severity, burn_rules
from monitor.slo.settings import SloSettings
from monitor.slo.standing import Phase, Why
from monitor.store.objectives import add_exclusion
from monitor.store.store import Store
from tests.builders import record
from tests.filling import Writer

FAILED = Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))
T0_S = 1_700_000_040
OUTAGE_S, END_S = T0_S + 150 * 60, T0_S + 240 * 60


def objective(**changes: Any) -> Objective:
    rules = burn_rules(TABLE, Rolling(30), 0.001, 60)
    given = {
        "name": "availability",
        "meter": Meter("fraud", FAILED),
        "target": 0.999,
        "period": Rolling(30),
        "rules": rules,
        "policies": (),
        **changes,
    }
    return Objective(**given)


def settings(*objectives: Objective, generic: bool = False) -> SloSettings:
    return SloSettings(objectives=objectives or (objective(),), generic=generic, bases=UsualBases())


def requests(from_s: int, to_s: int, status: int, every_s: int = 4) -> Iterable[dict[str, Any]]:
    return [record(id=f"{t}-{status}", ts=t * 1000, status=status) for t in range(from_s, to_s, every_s)]


@pytest.fixture
def outage(store: Store) -> Store:
    """Two and a half hours in order, then twenty minutes of nothing but errors, then order again."""
    writer = Writer(store, now_ms=END_S * 1000)
    writer.take(list(requests(T0_S, OUTAGE_S, 200)))
    writer.take(list(requests(OUTAGE_S, OUTAGE_S + 1200, 503)))
    writer.take(list(requests(OUTAGE_S + 1200, END_S, 200)))
    writer.flush()
    return store


def told(kept: Iterable[KeptTransition]) -> list[tuple[int, str, Phase, Phase, Why]]:
    return [
        (
            (k.transition.at_s - OUTAGE_S) // 60,
            str(k.transition.severity),
            k.transition.before,
            k.transition.after,
            k.transition.why,
        )
        for k in kept
    ]


def test_an_outage_pages_once_and_resolves(outage: Store) -> None:
    found = Evaluator(outage, settings()).run(END_S, END_S * 1000, T0_S)
    pages = [t for t in told(found) if t[1] == Severity.PAGE]
    # Both rows of the table: the first minute of the outage spends 6 % of an hour's requests.
    assert pages[0] == (1, "page", Phase.INACTIVE, Phase.FIRING, Why.BURNS)
    assert {t[3] for t in pages} == {Phase.FIRING, Phase.RESOLVING, Phase.INACTIVE}
    fired = [
        k.transition.key.rule for k in found if not k.transition.before.fires and k.transition.after.fires
    ]
    assert len(fired) == len(set(fired))
    assert [s.key.rule for s in list_states(outage) if s.severity is Severity.PAGE] == []


def test_minute_by_minute_with_a_restart_each_time_is_the_same(outage: Store, store_again: Store) -> None:
    whole = Evaluator(outage, settings()).run(END_S, END_S * 1000, T0_S)
    parts = []
    for now_s in range(T0_S + 60, END_S + 1, 60):
        parts += Evaluator(store_again, settings()).run(now_s, now_s * 1000, T0_S)
    assert whole
    # One run finds it all late, and tells at its end of what still fires.
    at_once = [k.transition for k in whole if k.transition.why is not Why.CAUGHT_UP]
    assert [k.transition for k in parts] == at_once
    states = (
        {(s.key, s.phase, s.since_s, s.held_s) for s in list_states(of)} for of in (store_again, outage)
    )
    assert len({frozenset(each) for each in states}) == 1


@pytest.fixture
def store_again(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Store]:
    """Another store with the same records."""
    again = Store.open(f"sqlite:///{tmp_path_factory.mktemp('again') / 'm.db'}")
    writer = Writer(again, now_ms=END_S * 1000)
    writer.take(list(requests(T0_S, OUTAGE_S, 200)))
    writer.take(list(requests(OUTAGE_S, OUTAGE_S + 1200, 503)))
    writer.take(list(requests(OUTAGE_S + 1200, END_S, 200)))
    writer.flush()
    yield again
    again.close()


def test_two_replicas_tell_everything_once(outage: Store) -> None:
    replicas = [Evaluator(outage, settings()), Evaluator(outage, settings())]
    found = []
    for i, now_s in enumerate(range(T0_S + 600, END_S + 1, 60)):
        found += replicas[i % 3 % 2].run(now_s, now_s * 1000, T0_S)
        found += replicas[i % 2].run(now_s, now_s * 1000, T0_S)
    kept = list_transitions(outage)
    assert sorted(told(kept)) == sorted(told(found))
    fired = [k.transition.key for k in kept if k.transition.after is Phase.FIRING]
    assert len(fired) == len(set(fired))


def test_late_data_never_pages_for_the_past(store: Store) -> None:
    writer = Writer(store, now_ms=END_S * 1000)
    writer.take(list(requests(T0_S, END_S, 200)))
    writer.flush()
    evaluator = Evaluator(store, settings())
    assert evaluator.run(END_S, END_S * 1000, T0_S) == []
    writer.take(list(requests(T0_S + 600, T0_S + 3000, 503)))
    writer.flush()
    # Ten minutes on, of which the six-hour window still holds what came late: that is no news of today.
    writer.take(list(requests(END_S, END_S + 600, 200)))
    writer.flush()
    found = evaluator.run(END_S + 600, (END_S + 600) * 1000)
    assert [t for t in told(found) if t[1] == Severity.PAGE] == []


def test_maintenance_pages_nobody(outage: Store) -> None:
    add_exclusion(outage, OUTAGE_S, OUTAGE_S + 1200, "ana", "moved the database", 0, model="fraud")
    assert Evaluator(outage, settings()).run(END_S, END_S * 1000, T0_S) == []


def test_what_is_found_late_and_over_is_quiet(outage: Store) -> None:
    day_later_ms = (END_S + 86_400) * 1000
    found = Evaluator(outage, settings()).run(END_S, day_later_ms, T0_S)
    assert found
    assert all(k.quiet for k in found)


def test_what_still_fires_once_all_is_caught_up_is_told(outage: Store) -> None:
    evaluator = Evaluator(outage, settings())
    middle_s = OUTAGE_S + 1140
    found = evaluator.run(middle_s, (middle_s + 3600) * 1000, T0_S)
    assert found
    assert all(k.quiet for k in found)
    again = Evaluator(outage, settings()).run(middle_s + 60, (middle_s + 60) * 1000)
    by_rule = {k.transition.key.rule for k in again if k.transition.why is Why.CAUGHT_UP and not k.quiet}
    assert by_rule == {k.transition.key.rule for k in found}


def test_a_rule_that_is_taken_away_ends_its_alert(outage: Store) -> None:
    middle_s = OUTAGE_S + 600
    Evaluator(outage, settings()).run(middle_s, middle_s * 1000, T0_S)
    assert list_states(outage)
    other = objective(name="other", rules=())
    found = Evaluator(outage, settings(other)).run(middle_s + 60, (middle_s + 60) * 1000)
    assert {k.transition.why for k in found} == {Why.GONE}
    assert list_states(outage) == []


def test_the_catalogue_finds_the_outage_by_itself(outage: Store) -> None:
    found = Evaluator(outage, settings(objective(rules=()), generic=True)).run(END_S, END_S * 1000, T0_S)
    first = next(k.transition for k in found if k.transition.key.objective == "total_outage")
    assert first.after is Phase.FIRING
    assert (first.at_s - OUTAGE_S) // 60 <= 10


def test_a_policy_raises_its_ticket_once_its_share_is_left(outage: Store) -> None:
    policies = (Policy("half", 0.5, Action.TICKET), Policy("spent", 0.0, Action.FREEZE))
    of = settings(objective(rules=(), policies=policies, period=Rolling(7)))
    found = Evaluator(outage, of).run(END_S, END_S * 1000, T0_S)
    fired = {k.transition.key.rule: k.transition for k in found if k.transition.why is Why.BURNS}
    # Of a week's budget, a thousandth of 10,080 minutes like these.
    assert {name: (t.at_s - OUTAGE_S) // 60 for name, t in fired.items()} == {
        "budget half": 6,
        "budget spent": 11,
    }
    assert {t.severity for t in fired.values()} == {Severity.TICKET}
    assert {s.key.rule for s in list_states(outage)} == set(fired)


def test_an_empty_store_has_nothing_to_say(store: Store) -> None:
    assert Evaluator(store, settings()).run(END_S, END_S * 1000) == []
