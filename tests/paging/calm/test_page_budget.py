"""A team that is paged too often: its lead hears of it once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.paging.calm.page_budget import Page, Pages, counted, words
from monitor.paging.inbox import post_deed
from monitor.paging.incidents.incident import Act, Deed, Incident, Phase
from monitor.paging.message import Purpose
from monitor.paging.receivers.webhook import payload
from monitor.paging.settings import PageBudget
from monitor.paging.templates import DEFAULT, Part
from monitor.store.store import Store
from tests.paging.calm.turning import MINUTE_MS, Turning, receivers, trouble
from tests.paging.simulated import pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

HOUR_MS = 60 * MINUTE_MS
BUDGET = PageBudget(2, 24 * HOUR_MS, "lead")


def turning(store: Store) -> Turning:
    settings = pager_settings(
        route(group_interval_ms=10 * MINUTE_MS, repeat_interval_ms=HOUR_MS),
        receivers=receivers("team", "lead"),
        incident_by=("alertname",),
        page_budgets={"risk": BUDGET},
    )
    return Turning(store, settings)


def page(service: Turning, name: str, severity: str = "page", **labels: str) -> None:
    """Trouble that lasts ten minutes, every hour."""
    one = trouble(name, service.now_ms, severity, **labels)
    service.put(one)
    service.run(service.now_ms + 10 * MINUTE_MS)
    service.end(one)
    service.run(service.now_ms + 50 * MINUTE_MS)


def test_the_page_that_goes_over_the_budget_is_told_to_the_lead_once(store: Store) -> None:
    service = turning(store)
    for name in ("A", "B"):
        page(service, name)
    page(service, "C", "ticket")
    page(service, "C", owner="fraud")
    assert service.told("lead", Purpose.BUDGET) == []
    post_deed(store, Deed(2, Act.NOTE, "ana", "seen", service.now_ms), service.now_ms)
    page(service, "A")
    service.start()
    page(service, "A")
    (message,) = service.told("lead", Purpose.BUDGET)
    assert len([m for m in service.told("team") if m.reason == "first"]) == 6
    assert message.text.splitlines()[:4] == [
        "risk was paged 3 times within 1d: the budget is 2",
        "",
        "0 of 3 were acknowledged. The noisiest alerts:",
        "- A: 2 of 3",
    ]
    assert DEFAULT.render(Part.TITLE, message) == "risk was paged 3 times within 1d: the budget is 2"
    assert payload(message)["commonAnnotations"]["description"] == message.text


def test_repeats_and_more_alerts_of_an_incident_are_one_page(store: Store) -> None:
    service = turning(store)
    service.put(trouble("A", 0))
    service.run(10 * HOUR_MS)
    service.put(trouble("A", service.now_ms, endpoint="/score"))
    service.run(12 * HOUR_MS)
    assert len(service.told("team")) > 10
    assert service.told("lead", Purpose.BUDGET) == []


@pytest.mark.parametrize("acknowledged", [True, False])
def test_it_says_how_many_were_acknowledged(store: Store, acknowledged: bool) -> None:
    service = turning(store)
    page(service, "A")
    service.put(trouble("B", service.now_ms))
    service.run(service.now_ms + MINUTE_MS)
    if acknowledged:
        post_deed(store, Deed(2, Act.ACKNOWLEDGE, "ana", "", service.now_ms), service.now_ms)
    service.run(service.now_ms + HOUR_MS)
    page(service, "C")
    (message,) = service.told("lead", Purpose.BUDGET)
    assert f"{int(acknowledged)} of 3 were acknowledged" in message.text


def incident(id: int, paged_ms: int) -> Incident:
    return Incident(id, (), "", "risk", "page", Phase.OPEN, paged_ms, paged_ms, paged_ms=paged_ms)


@given(st.lists(st.integers(0, 200 * HOUR_MS), min_size=1, max_size=40).map(sorted))
def test_it_is_told_at_most_once_a_period_and_never_within_the_budget(times: list[int]) -> None:
    known, told = Pages("risk"), []
    seen: list[Incident] = []
    for number, at_ms in enumerate(times):
        seen.append(incident(number, at_ms))
        # What is seen again, later, is no other page.
        known, tells = counted(known, seen[-3:], BUDGET, at_ms)
        within = [ms for ms in times[: number + 1] if ms > at_ms - BUDGET.period_ms]
        assert [p.at_ms for p in known.pages] == within
        if tells:
            assert len(within) > BUDGET.pages
            kept_since = any(
                len([ms for ms in times[:n] if ms > times[n] - BUDGET.period_ms]) <= BUDGET.pages
                for n in range(number + 1)
                if told and times[n] > told[-1]
            )
            assert not told or kept_since or at_ms - told[-1] >= BUDGET.period_ms
            told.append(at_ms)
    first = next((n for n in range(len(times)) if over(times, n)), None)
    assert bool(told) is (first is not None)
    if first is not None:
        assert told[0] == times[first]


def over(times: list[int], n: int) -> bool:
    return len([ms for ms in times[: n + 1] if ms > times[n] - BUDGET.period_ms]) > BUDGET.pages


def test_it_is_told_again_once_the_budget_was_kept_or_the_period_has_passed() -> None:
    told = []
    known = Pages("risk")
    for hour in (0, 1, 2, 3, 30, 31, 32, 40, 50, 51, 52, 53, 54, 55, 56, 57):
        known, tells = counted(known, [incident(hour, hour * HOUR_MS)], BUDGET, hour * HOUR_MS)
        told += [hour] if tells else []
    assert told == [2, 32, 56]


def test_the_noisiest_come_first() -> None:
    pages = tuple(Page(i, i, ("Drift", "Burn") if i % 3 == 0 else ("Burn",), i > 2) for i in range(6))
    assert words(Pages("risk", pages), BUDGET).splitlines()[2:5] == [
        "3 of 6 were acknowledged. The noisiest alerts:",
        "- Burn: 6 of 6",
        "- Drift: 2 of 6",
    ]
