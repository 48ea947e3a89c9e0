"""The pager on the stream's clock: what it decides is what one that ran then had decided."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from monitor.clock import StreamClock
from monitor.paging.decision import Decision
from monitor.paging.detected import Detector
from monitor.paging.incidents import asking
from monitor.paging.incidents.incident import Incident
from monitor.paging.message import Delivery, Result
from monitor.paging.oncall.escalation import Level
from monitor.paging.replaying import Replay
from monitor.paging.running import Running
from monitor.paging.settings import Damping, PageBudget
from monitor.slo import alert_log
from monitor.slo.alert_log import KeptTransition
from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Phase, Transition, Why
from monitor.store import lease
from monitor.store.paging import read_outbox
from monitor.store.store import Store
from tests.paging.calm.turning import MINUTE_MS, receivers
from tests.paging.provider import Provider
from tests.paging.simulated import equals, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

BASE_S = 1_700_006_400
SLO = SloSettings(owners={"fraud": "risk", "churn": "crm"})
SETTINGS = pager_settings(
    route(
        group_by=("model", "objective"),
        group_wait_ms=30_000,
        group_interval_ms=5 * MINUTE_MS,
        repeat_interval_ms=30 * MINUTE_MS,
        routes=(
            route(
                id="{}/t",
                matchers=(equals("severity", "ticket"),),
                group_by=("model", "objective"),
                group_wait_ms=2 * MINUTE_MS,
                group_interval_ms=20 * MINUTE_MS,
                repeat_interval_ms=90 * MINUTE_MS,
            ),
        ),
    ),
    receivers=receivers("team", "lead"),
    incident_by=("model", "objective"),
    escalations={"risk": (Level("lead", 7 * MINUTE_MS),)},
    damping=Damping(3, 60 * MINUTE_MS, 15 * MINUTE_MS),
    page_budgets={"risk": PageBudget(1, 120 * MINUTE_MS, "lead")},
)
KEYS = [
    AlertKey(objective, "spike", Subject(model))
    for objective in ("errors", "drift")
    for model in ("fraud", "churn")
]


@st.composite
def histories(draw: st.DrawFn) -> list[KeptTransition]:
    """What four alerts do within three hours, by the minute; seen much later, and so quiet."""
    found = []
    for key in KEYS:
        severity = Severity.TICKET if key.objective == "drift" else Severity.PAGE
        before, at_s = Phase.INACTIVE, BASE_S
        for minutes in draw(st.lists(st.integers(1, 40), max_size=8)):
            at_s += minutes * 60
            nexts = {
                Phase.INACTIVE: [Phase.PENDING, Phase.FIRING],
                Phase.PENDING: [Phase.FIRING, Phase.INACTIVE],
                Phase.FIRING: [Phase.RESOLVING, Phase.INACTIVE, Phase.FIRING],
                Phase.RESOLVING: [Phase.INACTIVE, Phase.FIRING],
            }
            after = draw(st.sampled_from(nexts[before]))
            if before is after:
                severity = Severity.PAGE
            found.append(
                KeptTransition(Transition(key, at_s, before, after, severity, Why.BURNS, {}), 10**13, True)
            )
            before = after
    return sorted(found, key=lambda kept: kept.transition.at_s)


def steps(history: list[KeptTransition]) -> Iterator[tuple[int, list[Transition]]]:
    for at_s, some in groupby((kept.transition for kept in history), key=lambda t: t.at_s):
        yield at_s, list(some)


UNTIL_MS = (BASE_S + 6 * 3600) * 1000


def live(store: Store, history: list[KeptTransition]) -> list[Decision]:
    """A pager that ran then: the evaluator writes alerts, turns come whenever something is due and each
    minute, and what is sent arrives."""
    running: Running | None = None
    decisions: list[Decision] = []
    states: dict[AlertKey, AlertState] = {}
    now_ms, before_s = 0, None

    def turns(until_ms: int) -> None:
        nonlocal now_ms
        assert running is not None
        while now_ms < until_ms:
            due_ms = running.next_ms(now_ms) or until_ms
            now_ms = min(until_ms, now_ms + 60_000, max(due_ms, now_ms + 1))
            turn()

    def turn() -> None:
        assert running is not None
        sending = True
        while sending:
            did = running.turn(now_ms)
            decisions.extend(did.decisions)
            for item in did.sending:
                running.finished(item, Delivery(Result.DELIVERED))
            sending = bool(did.sending)

    for at_s, some in steps(history):
        if running is not None:
            turns(at_s * 1000 - 1)
        for t in some:
            known = states.get(t.key)
            since_s = at_s if known is None or t.before is not t.after else known.since_s
            states[t.key] = AlertState(t.key, t.after, t.severity, since_s, at_s)
        changed = [states[t.key] for t in some]
        assert alert_log.write(store, before_s, at_s, changed, [])
        before_s, now_ms = at_s, at_s * 1000
        if running is None:
            running = Running(store, SETTINGS, "a", now_ms, detected=Detector(store, SLO))
        turn()
    if running is not None:
        turns(UNTIL_MS)
    return decisions


def replay(store: Store, sends: bool = False, provider: Provider | None = None) -> Replay:
    senders = {(name, 0): provider or Provider() for name in SETTINGS.receivers}
    clock = StreamClock(10**13)
    return Replay(store, SETTINGS, "b", clock, Detector(store, SLO), sends=sends, senders=senders)


def told(decisions: list[Decision]) -> list[tuple[object, ...]]:
    return [
        (
            d.flush.at_ms,
            d.flush.key,
            d.slot.receiver,
            d.reason.name,
            sorted((t.alert.fingerprint, str(t.status)) for t in d.flush.alerts),
            None if d.message is None else (d.message.severity, d.message.incident, len(d.message.alerts)),
        )
        for d in decisions
    ]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as it is at first: to migrate each anew takes long."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def copied(empty: Path, name: str) -> Store:
    path = empty.with_name(f"{name}.db")
    for left in empty.parent.glob(f"{name}.db*"):
        left.unlink()
    shutil.copy(empty, path)
    return Store.open(f"sqlite:///{path}")


def incidents(store: Store) -> list[Incident]:
    return asking.incidents(store, since_ms=0)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    phases=[Stage.explicit, Stage.generate],
)
@given(histories())
def test_a_replay_decides_what_one_that_ran_then_had_decided(
    empty: Path, history: list[KeptTransition]
) -> None:
    one, other = (copied(empty, name) for name in ("one", "other"))
    then = live(one, history)
    now = replay(other).run([], history, UNTIL_MS)
    assert now is not None
    assert told(now) == told(then)
    assert incidents(other) == incidents(one)
    kinds = [[(e.at_ms, e.text) for e in asking.entries(s)] for s in (one, other)]
    assert sorted(kinds[0]) == sorted(kinds[1])
    assert {row.state for row in read_outbox(other, 10_000)} <= {"replayed", "withdrawn"}
    for opened in (one, other):
        opened.close()


def fires(*minutes: tuple[int, Phase, Phase]) -> list[KeptTransition]:
    key, page, why = KEYS[0], Severity.PAGE, Why.BURNS
    did = [Transition(key, BASE_S + m * 60, before, after, page, why, {}) for m, before, after in minutes]
    return [KeptTransition(t, 10**13, quiet=True) for t in did]


BEGINS = (0, Phase.INACTIVE, Phase.FIRING)


def test_a_second_replay_goes_on_from_the_first_and_a_service_tells_what_still_fires(
    store: Store,
) -> None:
    first = replay(store).run([], fires(BEGINS), (BASE_S + 600) * 1000)
    firing = AlertState(KEYS[0], Phase.FIRING, Severity.PAGE, BASE_S, BASE_S)
    second = replay(store).run([firing], [], (BASE_S + 1200) * 1000)
    assert first is not None
    assert second is not None
    assert [d.reason.name for d in first][:1] == ["FIRST"]
    assert "FIRST" not in [d.reason.name for d in second]
    alert_log.write(store, None, BASE_S, [replace(firing, quiet=False)], [])
    now_ms = (BASE_S + 1530) * 1000
    running = Running(store, SETTINGS, "c", now_ms, detected=Detector(store, SLO))
    did = running.turn(now_ms)
    assert [d.reason.name for d in did.decisions if d.slot.receiver == "team"] == ["FIRST"]
    assert {item.slot.receiver: item.message.reason for item in did.sending} == {
        "team": "first",
        "lead": "escalated",
    }
    assert len(incidents(store)) == 1


def test_nothing_is_replayed_through_a_pager_that_runs(store: Store) -> None:
    assert lease.acquire(store, "pager", "other", 10**13, 60_000)
    assert replay(store).run([], fires(BEGINS), UNTIL_MS) is None
    assert incidents(store) == []
    assert read_outbox(store, 10) == []


@pytest.mark.parametrize("sends", [True, False])
def test_messages_are_sent_only_where_that_is_asked(store: Store, sends: bool) -> None:
    history = fires(BEGINS, (20, Phase.FIRING, Phase.INACTIVE))
    provider = Provider()
    decided = replay(store, sends, provider).run([], history, UNTIL_MS)
    assert decided is not None
    states = {row.state for row in read_outbox(store, 100)}
    assert states == ({"delivered"} if sends else {"replayed"})
    messages = [d for d in decided if d.message is not None]
    assert len(provider.seen) == (len(messages) if sends else 0)
    assert {str(e.kind) for e in asking.entries(store, 1)} >= {"notified" if sends else "replayed"}
