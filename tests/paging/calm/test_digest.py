"""What can wait, told together at its time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.paging.calm.digest import Collected, due_ms, issue
from monitor.paging.incidents import asking
from monitor.paging.message import Purpose
from monitor.paging.settings import Digest
from monitor.store.store import Store
from tests.paging.calm.turning import MINUTE_MS, Turning, receivers, trouble
from tests.paging.simulated import alert, equals, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

HOUR_MS = 60 * MINUTE_MS
BERLIN = "Europe/Berlin"
WORKDAYS = frozenset(range(5))
DRIFT = Digest("drift", (equals("kind", "drift"),), "chat", time(9), BERLIN, WORKDAYS)


def at(text: str, zone: str = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def turning(store: Store, *digests: Digest, now: str = "2026-03-03T08:00") -> Turning:
    settings = pager_settings(
        route(group_interval_ms=10 * MINUTE_MS, repeat_interval_ms=HOUR_MS),
        receivers=receivers("team", "chat"),
        incident_by=("alertname",),
        digests=digests or (DRIFT,),
    )
    return Turning(store, settings, at(now))


def drift(name: str, at_ms: int, severity: str = "ticket"):  # type: ignore[no-untyped-def]  # an Alert
    return trouble(name, at_ms, severity, kind="drift")


def digests(service: Turning) -> list[str]:
    return [m.text for m in service.told("chat", Purpose.DIGEST)]


def test_what_is_new_goes_on_and_has_ended_is_told_together_at_its_time(store: Store) -> None:
    service = turning(store)
    a, b, gone = (drift(name, service.now_ms) for name in ("A", "B", "Gone"))
    service.put(a, gone)
    service.run(at("2026-03-03T08:20"))
    service.end(gone)
    service.run(at("2026-03-03T08:59"))
    assert digests(service) == []
    service.run(at("2026-03-03T09:00"))
    service.start()
    service.put(b)
    service.run(at("2026-03-04T08:00"))
    service.end(a)
    service.run(at("2026-03-04T09:10"))
    assert digests(service) == [
        "Digest drift: 1 new, 1 ended since 08:00 CET\n"
        "\nNew:\n- A (risk), since 08:00 CET\n"
        "\nEnded:\n- Gone (risk), began 08:00 CET, lasted 20 min",
        "Digest drift: 1 new, 1 ended since 2026-03-03 09:00 CET\n"
        "\nNew:\n- B (risk), since 2026-03-03 08:00 CET\n"
        "\nEnded:\n- A (risk), began 2026-03-03 08:00 CET, lasted 1 d",
    ]
    assert service.told("team") == []
    service.run(at("2026-03-05T12:00"))
    assert digests(service)[-1].splitlines()[0] == ("Digest drift: 1 still firing since 2026-03-04 09:00 CET")
    texts = [entry.text for entry in asking.entries(store, 1)]
    assert "told to chat in the digest drift" in texts
    assert any("told in a digest" in text for text in texts)


def test_a_page_and_what_does_not_match_never_wait(store: Store) -> None:
    service = turning(store)
    service.put(drift("Page", service.now_ms, "page"), drift("Odd", service.now_ms, "warning"))
    service.put(trouble("Other", service.now_ms, "ticket"), drift("Waits", service.now_ms))
    service.run(service.now_ms + MINUTE_MS)
    assert sorted(dict(m.group_labels)["alertname"] for m in service.told("team")) == ["Odd", "Other", "Page"]


def test_an_empty_digest_is_not_sent(store: Store) -> None:
    service = turning(store)
    service.run(at("2026-03-06T12:00"), 6 * HOUR_MS)
    assert digests(service) == []
    assert service.running.next_ms(service.now_ms) == at("2026-03-09T09:00")


def test_times_that_the_pager_slept_through_are_caught_up_once(store: Store) -> None:
    service = turning(store)
    service.put(drift("A", service.now_ms))
    service.run(at("2026-03-03T08:30"))
    service.now_ms = at("2026-03-05T15:00")
    service.start()
    service.run(at("2026-03-05T20:00"))
    assert len(digests(service)) == 1
    service.run(at("2026-03-06T10:00"))
    assert len(digests(service)) == 2


def test_what_is_silenced_waits_for_the_next_digest() -> None:
    quiet = Collected("drift", "a", alert("A", 0, 10**9))
    loud = Collected("drift", "b", alert("B", 0, 10**9), told=True)
    alerts = {"a": quiet.alert, "b": loud.alert}
    first = issue([quiet, loud], alerts, lambda key: key == "b", 1_000)
    assert [c.fingerprint for c in first.still] == ["b"]
    assert not first.new
    assert not first.ended
    second = issue(list(first.rest), alerts, lambda key: True, 2_000)
    assert [c.fingerprint for c in second.new] == ["a"]
    assert [c.fingerprint for c in issue(list(second.rest), {}, lambda key: True, 3_000).ended] == ["a", "b"]


def test_a_change_of_the_configuration_forgets_what_a_digest_collected(store: Store) -> None:
    service = turning(store)
    service.put(drift("A", service.now_ms))
    service.run(at("2026-03-03T08:30"))
    service.settings = pager_settings(route(group_interval_ms=MINUTE_MS), receivers=receivers("team", "chat"))
    service.start()
    service.run(at("2026-03-03T09:30"))
    assert digests(service) == []
    assert [dict(m.group_labels)["alertname"] for m in service.told("team")][:1] == ["A"]


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-03-27T08:59", "2026-03-27T09:00"),
        ("2026-03-27T09:00", "2026-03-30T09:00"),
        ("2026-10-23T12:00", "2026-10-26T09:00"),
    ],
)
def test_it_is_nine_by_the_local_clock_before_and_after_a_change(after: str, due: str) -> None:
    assert due_ms(DRIFT, at(after)) == at(due)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.times(),
    st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_the_next_time_is_on_one_of_its_days_and_none_lies_between(
    after: datetime, when: time, zone: str, days: frozenset[int]
) -> None:
    one = Digest("d", (), "chat", when.replace(second=0, microsecond=0), zone, days)
    after_ms = int(after.timestamp() * 1000)
    found_ms = due_ms(one, after_ms)
    assert after_ms < found_ms <= after_ms + 8 * 86_400_000 + 2 * HOUR_MS
    local = datetime.fromtimestamp(found_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    # A time that the clocks skip is as much later, which may be the next day.
    assert local.weekday() in days or (local - timedelta(hours=1)).weekday() in days
    assert due_ms(one, found_ms - 1) == found_ms
    assert due_ms(one, found_ms) > found_ms
