"""Requests: each once, never within the cool-down, never beyond the budget; approved, posted, followed."""

from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.paging.receivers.webhook import WebhookConfig
from monitor.retraining.asking import Retrainer, request, review
from monitor.retraining.looking import look
from monitor.retraining.policy import Age, Budget, Policy
from monitor.sli.windows import UsualBases
from monitor.store import Store
from monitor.store.engine import writing
from monitor.store.events import list_events, write
from monitor.store.incidents import list_entries
from monitor.store.retraining import list_requests
from tests.builders import NOW_MS
from tests.cards.making import happened
from tests.paging.collector import Collector, collecting

DAY_MS, MINUTE_MS = 86_400_000, 60_000
BASES = UsualBases()
AT_MS = NOW_MS // MINUTE_MS * MINUTE_MS
names = count()


def policy(**given: Any) -> Policy:
    """One that always has a reason to ask."""
    return Policy(**{"name": f"p{next(names)}", "model": "fraud", "age": Age("training", DAY_MS), **given})


@pytest.fixture
def aged(store: Store) -> Store:
    """A store with a model that was last trained long ago."""
    old = happened(("training_run", NOW_MS - 900 * DAY_MS, {"finished": NOW_MS - 900 * DAY_MS}))
    with writing(store.engine) as connection:
        write(store, connection, old)
    return store


# Steps of a minute, so that what is to be held to the minute is met to the minute.
_TURNS = st.lists(
    st.tuples(st.integers(-1, 3), st.sampled_from(["turn", "restart", "race"])), min_size=12, max_size=30
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turns=_TURNS,
    cool_down=st.integers(1, 6),
    runs=st.integers(1, 3),
    per=st.integers(1, 12),
    dry_run=st.booleans(),
)
def test_never_within_the_cool_down_nor_beyond_the_budget(
    aged: Store, turns: list[tuple[int, str]], cool_down: int, runs: int, per: int, dry_run: bool
) -> None:
    one = policy(
        cool_down_ms=cool_down * MINUTE_MS,
        budget=Budget(per * MINUTE_MS, runs=runs),
        needs_approval=False,
        give_up_ms=MINUTE_MS,
        dry_run=dry_run,
    )
    retrainer, now_ms = Retrainer(aged, (one,), BASES), AT_MS - 100 * DAY_MS
    for minutes, how in turns:
        now_ms += minutes * MINUTE_MS
        if how == "race":
            both = [(ms, look(aged, one, BASES, ms)) for ms in (now_ms, now_ms + MINUTE_MS)]
            made = [request(aged, each, ms, ms) for ms, each in both if each.decision.why == "asks"]
            assert sum(new is not None for new in made) <= 1
        if how == "restart":
            retrainer = Retrainer(aged, (one,), BASES)
        retrainer.turn(now_ms, now_ms)
    asked = [r.at_ms for r in list_requests(aged, one.name)]
    assert all(b - a >= one.cool_down_ms for a, b in pairwise(asked))
    assert all(sum(at - per * MINUTE_MS < ms <= at for ms in asked) <= runs for at in asked)
    told = [e for e in list_events(aged, kinds=("retrain_requested",)) if e.data.subject == one.name]
    assert len(told) == len(asked) >= 1


def test_a_dry_run_tells_and_asks_nobody(aged: Store) -> None:
    with collecting() as hook:
        one = policy(needs_approval=False, webhook=WebhookConfig(url=hook.url))
        Retrainer(aged, (one,), BASES).turn(AT_MS, AT_MS)
        (told,) = list_events(aged, kinds=("retrain_requested",))
        assert told.data.text("reason") == "training is 900 days old, more than 1d"
        assert told.data.text("dry_run") == "True"
        assert hook.posted == []


def test_a_request_is_posted_once_it_is_approved(aged: Store) -> None:
    with collecting() as hook:
        one = policy(dry_run=False, webhook=WebhookConfig(url=hook.url))
        retrainer = Retrainer(aged, (one,), BASES)
        retrainer.turn(AT_MS, AT_MS)
        assert hook.posted == []
        assert look(aged, one, BASES, AT_MS).decision.why == "waiting_for_approval"
        (asked,) = list_requests(aged)
        review(aged, asked.id, True, "ada", "new fraud pattern", AT_MS)
        for _ in range(3):
            retrainer.turn(AT_MS, AT_MS)
        (sent,) = hook.posted
        assert sent.headers["idempotency-key"] == asked.event == sent.body["request"]
        assert (sent.body["model"], sent.body["approved_by"]) == ("fraud", "ada")
        assert [e.text for e in list_entries(aged)] == [
            f"approved retraining of fraud (request {asked.id} of {one.name}): new fraud pattern"
        ]
        with pytest.raises(QueryError, match="was approved by ada already"):
            review(aged, asked.id, False, "bob", "", AT_MS)


def test_a_webhook_that_is_down_is_tried_again_and_at_last_given_up(aged: Store) -> None:
    with collecting() as hook:
        _failing(hook)
        one = policy(dry_run=False, needs_approval=False, webhook=WebhookConfig(url=hook.url))
        for minutes in (0, 1):
            Retrainer(aged, (one,), BASES).turn(AT_MS, AT_MS + minutes * MINUTE_MS)
        first, second = hook.posted
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
        assert list_requests(aged)[0].posted is None
        Retrainer(aged, (one,), BASES).turn(AT_MS, AT_MS + 3 * DAY_MS)
        assert list_requests(aged)[0].posted is False


def _failing(hook: Collector) -> None:
    hook.answer = lambda posted: (503, {}, {})


def test_what_was_rejected_is_not_posted_and_cools_down(aged: Store) -> None:
    with collecting() as hook:
        one = policy(dry_run=False, webhook=WebhookConfig(url=hook.url))
        Retrainer(aged, (one,), BASES).turn(AT_MS, AT_MS)
        review(aged, list_requests(aged)[0].id, False, "bob", "", AT_MS)
        Retrainer(aged, (one,), BASES).turn(AT_MS + MINUTE_MS, AT_MS)
        assert hook.posted == []
        assert look(aged, one, BASES, AT_MS).decision.why == "cool_down"
