"""From data and run to deployment, and what is in production."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cards.lineage import lineage
from monitor.operations.production import in_production
from monitor.store.events import Stored
from tests.builders import NOW_MS
from tests.cards.making import happened

MINUTE_MS = 60_000


def stored(*given: tuple[str, int, dict[str, Any]]) -> list[Stored]:
    """Events (kind, minute, data), as the store has them."""
    begin_ms = NOW_MS - 1000 * MINUTE_MS
    timed = ((kind, begin_ms + minute * MINUTE_MS, data) for kind, minute, data in given)
    return [
        Stored(i, each.source, each.id, each.kind, each.ts_ms, each.seen_ms, each.data)
        for i, each in enumerate(happened(*timed))
    ]


def deployed(minute: int, version: str, share: float | None = None, **data: Any) -> Any:
    given = {"traffic_share": ... if share is None else share}
    return "deployment", minute, {"version": version, **given, **data}


def test_a_deployment_without_a_share_takes_all() -> None:
    assert in_production(stored(deployed(0, "3"), deployed(1, "4"))) == {"4": 1.0}


def test_a_canary_leaves_the_rest_to_the_one_before() -> None:
    assert in_production(stored(deployed(0, "3"), deployed(1, "4", 0.25))) == {"4": 0.25, "3": 0.75}


def test_whose_share_nobody_says_is_not_guessed() -> None:
    events = stored(deployed(0, "2"), deployed(1, "3", 0.5), deployed(2, "4", 0.2))
    assert in_production(events) == {"4": 0.2, "2": None, "3": None}


def test_shares_of_one_moment_belong_together() -> None:
    events = stored(deployed(0, "2"), deployed(1, "3", 0.9), deployed(1, "4", 0.1))
    assert in_production(events) == {"3": 0.9, "4": 0.1}


@pytest.mark.parametrize(
    ("last", "live"),
    [
        (("rollback", 5, {"to_version": 3}), {"3": 1.0}),
        (deployed(5, "4", status="retired"), {"3": 0.75}),
        (deployed(5, "5", status="failed"), {"4": 0.25, "3": 0.75}),
        (deployed(5, "5", stage="staging"), {"4": 0.25, "3": 0.75}),
        (deployed(5, "4", 0.0), {"3": 1.0}),
        (deployed(5, "5", traffic={"5": 0.4, "3": 0.6, "4": 0.0}), {"5": 0.4, "3": 0.6}),
    ],
)
def test_what_ends_a_canary(last: Any, live: dict[str, float]) -> None:
    assert in_production(stored(deployed(0, "3"), deployed(1, "4", 0.25), last)) == live


@given(st.lists(st.tuples(st.sampled_from("1234"), st.none() | st.floats(0, 1)), max_size=12))
def test_known_shares_never_come_to_more_than_all(said: list[tuple[str, float | None]]) -> None:
    live = in_production(stored(*(deployed(i, version, share) for i, (version, share) in enumerate(said))))
    assert sum(share for share in live.values() if share is not None) <= 1 + 1e-9
    if said and said[-1][1] != 0:
        assert said[-1][0] in live


def test_a_run_is_found_by_the_id_that_a_deployment_gives() -> None:
    found = lineage(
        stored(
            ("training_run", 0, {"id": "r-1", "version": 3}),
            ("training_run", 1, {"id": "r-2"}),
            ("registry", 2, {"version": 4, "stage": "staging"}),
            ("registry", 3, {"version": 4}),
            deployed(4, "4", run_id="r-2", status="started"),
            deployed(5, "4", run_id="r-2", approver="ada"),
        )
    )
    assert [v.version for v in found] == ["4", "3"]
    four, three = found
    assert four.run is not None
    assert four.run.data.id == "r-2"
    assert [r.data.stage for r in four.registered] == ["staging", "production"]
    assert four.live_since is not None
    assert four.live_since.data.approver == "ada"
    assert three.live_since is None
