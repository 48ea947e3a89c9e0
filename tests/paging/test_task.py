"""What monitor finds reaches people: through the pager, or through a real Alertmanager."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitor.clock import WallClock
from monitor.config.paging import PagingConfig
from monitor.paging.configured import pager_settings, paging_mistakes
from monitor.paging.detected import Detector
from monitor.paging.forwarding import Forwarder
from monitor.paging.task import PagerTask
from monitor.slo import alert_log
from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Phase
from monitor.store.store import Store
from tests.paging.collector import Collector, collecting
from tests.servers import Alertmanager
from tests.store.conftest import store
from tests.waiting import until

__all__ = ["store"]

KEY = AlertKey("total_outage", "at once", Subject("fraud", "3"))


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def fire(store: Store, phase: Phase = Phase.FIRING, before_s: int | None = None) -> None:
    """As an evaluation would have it, a minute after `before_s`."""
    at_s = WallClock().now_ms() // 1000 if before_s is None else before_s + 60
    state = AlertState(KEY, phase, Severity.PAGE, at_s, at_s)
    assert alert_log.write(store, before_s, at_s, [state], [])


def section(url: str, **changed: Any) -> PagingConfig:
    receivers = ({"name": "risk", "webhook_configs": [{"url": url}]},)
    route = {"receiver": "risk", "group_by": ["model"], "group_wait": "0s", "group_interval": "1s"}
    return PagingConfig(**({"to": "embedded", "receivers": receivers, "route": route} | changed))


def task(store: Store, url: str, holder: str = "a") -> PagerTask:
    settings = SloSettings(owners={"fraud": "risk"})
    return PagerTask(
        store, pager_settings(section(url)), holder, WallClock(), detected=Detector(store, settings)
    )


def test_an_alert_of_ours_is_told_and_its_end_too(store: Store, collector: Collector) -> None:
    pager = task(store, f"{collector.url}/hook")
    pager.start()
    try:
        fire(store)
        assert until(lambda: len(collector.posted) == 1)
        evaluated_s = alert_log.evaluated_s(store)
        fire(store, Phase.INACTIVE, evaluated_s)
        assert until(lambda: len(collector.posted) == 2)
    finally:
        pager.stop()
    firing, ended = collector.bodies("/hook")
    assert (firing["status"], ended["status"]) == ("firing", "resolved")
    assert firing["alerts"][0]["labels"] == {
        "alertname": "ModelTotalOutage",
        "detector": "monitor",
        "model": "fraud",
        "objective": "total_outage",
        "owner": "risk",
        "rule": "at once",
        "severity": "page",
        "version": "3",
    }
    assert firing["alerts"][0]["annotations"]["runbook_url"] == "runbooks/ModelTotalOutage.md"


def test_two_replicas_tell_once(store: Store, collector: Collector) -> None:
    pagers = [task(store, collector.url, holder) for holder in ("a", "b")]
    for pager in pagers:
        pager.start()
    try:
        fire(store)
        assert until(lambda: len(collector.posted) == 1)
        pagers[0].stop()
        fire(store, Phase.INACTIVE, alert_log.evaluated_s(store))
        assert until(lambda: len(collector.posted) == 2)
    finally:
        for pager in pagers:
            pager.stop()
    assert [body["status"] for body in collector.bodies()] == ["firing", "resolved"]


def test_a_real_alertmanager_is_told_in_place_of_the_pager(
    store: Store,
    collector: Collector,
    alertmanager_factory: Callable[[dict[str, Any]], Alertmanager],
) -> None:
    document = section(collector.url).model_dump(include={"route"}) | {
        "receivers": [{"name": "risk", "webhook_configs": [{"url": collector.url}]}]
    }
    real = alertmanager_factory(document)
    forwarder = Forwarder(store, [real.url], "a", WallClock(), Detector(store, SloSettings()))
    forwarder.start()
    try:
        fire(store)
        assert until(lambda: len(collector.posted) == 1)
        fire(store, Phase.INACTIVE, alert_log.evaluated_s(store))
        assert until(lambda: len(collector.posted) == 2)
    finally:
        forwarder.stop()
    assert [body["status"] for body in collector.bodies()] == ["firing", "resolved"]


def test_what_an_alertmanager_did_not_take_is_posted_again(store: Store, collector: Collector) -> None:
    forwarder = Forwarder(store, [collector.url], "a", WallClock(), Detector(store, SloSettings()))
    fire(store)
    collector.answer = lambda posted: (503, {}, {})
    forwarder.forward(0)
    collector.answer = lambda posted: (200, {}, {})
    for now_ms in (1_000, 2_000, 61_000):
        forwarder.forward(now_ms)
    assert [body[0]["endsAt"] for body in collector.bodies("/api/v2/alerts")] == [
        "1970-01-01T00:04:00Z",
        "1970-01-01T00:04:01Z",
        "1970-01-01T00:05:01Z",
    ]


@pytest.mark.parametrize(
    ("changed", "place", "sentence"),
    [
        ({"receivers": ()}, "paging.receivers", "are missing"),
        ({"route": {"receiver": "x"}}, "paging.route.receiver", "there is no receiver 'x'"),
        ({"route": {"receiver": "risk", "oops": "1"}}, "paging.route.oops", "no such key"),
        ({"config_file": "am.yml"}, "paging.config_file", "stands beside route"),
    ],
)
def test_a_mistake_is_found_where_it_stands(changed: dict[str, Any], place: str, sentence: str) -> None:
    found = list(paging_mistakes(section("http://127.0.0.1:1", **changed)))
    assert [(".".join(map(str, m.place)), m.sentence[: len(sentence)]) for m in found] == [(place, sentence)]


def test_without_a_route_tickets_wait_longer_than_pages() -> None:
    root = pager_settings(section("http://127.0.0.1:1", route=None)).route
    page, ticket = (root.match({"model": "fraud", "severity": s})[0] for s in ("page", "ticket"))
    assert page.receiver == ticket.receiver == "risk"
    assert page.group_wait_ms < ticket.group_wait_ms
    assert page.group_by == ("model", "version", "objective")
