"""What becomes of silences that are set, changed and ended."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.paging.matching import parse_matchers
from monitor.paging.silence import Repeat, Silence, SilenceState
from monitor.paging.silence_rules import ended, problem, put
from monitor.paging.silencing import state
from tests.builders import NOW_MS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def silence(**changed: object) -> Silence:
    given: dict[str, object] = {
        "id": "old",
        "matchers": parse_matchers('model="fraud"'),
        "starts_ms": NOW_MS,
        "ends_ms": NOW_MS + HOUR_MS,
        "updated_ms": NOW_MS,
        "created_by": "ann",
        "comment": "planned",
    }
    return Silence(**(given | changed))  # type: ignore[arg-type]  # a test gives what the field takes


def new_id() -> str:
    return "new"


def test_a_new_one_begins_now_at_the_earliest() -> None:
    [kept] = put(None, silence(id="", starts_ms=NOW_MS - HOUR_MS), NOW_MS, new_id)
    assert (kept.id, kept.starts_ms, kept.updated_ms) == ("new", NOW_MS, NOW_MS)


def test_the_end_of_an_active_one_may_change() -> None:
    now_ms = NOW_MS + 60_000
    [kept] = put(silence(), silence(ends_ms=NOW_MS + 2 * HOUR_MS, comment="longer"), now_ms, new_id)
    assert (kept.id, kept.ends_ms, kept.comment) == ("old", NOW_MS + 2 * HOUR_MS, "longer")


@pytest.mark.parametrize(
    "wanted",
    [
        silence(matchers=parse_matchers('model="churn"')),
        silence(starts_ms=NOW_MS + 2_000),
        silence(starts_ms=NOW_MS - 2_000),
    ],
)
def test_what_changes_the_past_ends_the_old_one_and_begins_another(wanted: Silence) -> None:
    now_ms = NOW_MS + 60_000
    over, fresh = put(silence(), wanted, now_ms, new_id)
    assert (over.id, over.ends_ms, over.starts_ms) == ("old", now_ms, NOW_MS)
    assert (fresh.id, fresh.starts_ms) == ("new", now_ms)


def test_one_to_come_may_be_moved_but_not_into_the_past() -> None:
    later = silence(starts_ms=NOW_MS + HOUR_MS, ends_ms=NOW_MS + 2 * HOUR_MS)
    moved = replace(later, starts_ms=NOW_MS + 1)
    assert put(later, moved, NOW_MS, new_id) == [moved]
    over, fresh = put(later, replace(later, starts_ms=NOW_MS - 1), NOW_MS, new_id)
    assert (over.starts_ms, over.ends_ms) == (NOW_MS, NOW_MS)
    assert (fresh.id, fresh.starts_ms) == ("new", NOW_MS)


def test_one_that_is_over_stays_as_it_is() -> None:
    now_ms = NOW_MS + 2 * HOUR_MS
    wanted = silence(ends_ms=now_ms + HOUR_MS)
    assert [kept.id for kept in put(silence(), wanted, now_ms, new_id)] == ["new"]
    assert ended(silence(), now_ms) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"ends_ms": NOW_MS}, "start time must be before end time"),
        ({"starts_ms": NOW_MS - 2, "ends_ms": NOW_MS - 1}, "end time can't be in the past"),
        ({"matchers": parse_matchers('model=~".*"')}, "at least one matcher must not match the empty string"),
        ({"matchers": parse_matchers('a="b"') * 101}, "101 matchers are too many; 100 at most"),
        (
            {"repeat": Repeat.DAILY, "ends_ms": NOW_MS + 2 * DAY_MS},
            "it is longer than the time after which it comes again (daily)",
        ),
        (
            {"repeat": Repeat.DAILY, "starts_ms": NOW_MS - DAY_MS, "ends_ms": NOW_MS - DAY_MS + 1}
            | {"until_ms": NOW_MS - 1},
            "until can't be in the past",
        ),
    ],
)
def test_refused(changed: dict[str, object], sentence: str) -> None:
    assert problem(silence(**changed), NOW_MS) == sentence


def test_one_that_excludes_something_is_enough() -> None:
    assert problem(silence(matchers=parse_matchers('model!="fraud"')), NOW_MS) is None


def test_a_recurring_one_keeps_its_time_of_day_though_that_is_past() -> None:
    wanted = silence(
        id="",
        repeat=Repeat.DAILY,
        starts_ms=NOW_MS - 3 * HOUR_MS,
        ends_ms=NOW_MS - 2 * HOUR_MS,
    )
    assert problem(wanted, NOW_MS) is None
    [kept] = put(None, wanted, NOW_MS, new_id)
    assert kept.starts_ms == NOW_MS - 3 * HOUR_MS
    assert state(kept, NOW_MS) is SilenceState.PENDING
    assert state(kept, NOW_MS + 21 * HOUR_MS) is SilenceState.ACTIVE


@given(st.integers(0, 10 * DAY_MS), st.sampled_from([None, *Repeat]))
def test_what_is_ended_never_comes_again(after_ms: int, repeat: Repeat | None) -> None:
    now_ms = NOW_MS + after_ms
    over = ended(silence(repeat=repeat), now_ms) or silence(repeat=repeat)
    assert state(over, now_ms) is SilenceState.EXPIRED
    assert state(over, now_ms + 8 * DAY_MS) is SilenceState.EXPIRED
