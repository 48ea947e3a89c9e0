"""What Prometheus is told of the pager."""

from prometheus_client import CollectorRegistry, generate_latest

from monitor.clock import StreamClock
from monitor.paging.message import Delivery, Result
from monitor.store.store import Store
from monitor.web import metric_names
from monitor.web.pager_metrics import PagerMetrics
from tests.paging.provider import Provider
from tests.paging.test_running import Service
from tests.store.conftest import store

__all__ = ["store"]


def test_what_the_pager_did_and_what_waits_is_shown(store: Store) -> None:
    clock = StreamClock()
    metrics, registry = PagerMetrics(clock), CollectorRegistry()
    registry.register(metrics)
    refused = Delivery(Result.TRANSIENT, "answered 503")
    service = Service(store, Provider(answers=lambda m, n: refused if n == 1 else Delivery(Result.DELIVERED)))
    service.fire("A")
    shown: list[str] = []
    while service.now_ms <= 4_000:
        did = service.running.turn(service.now_ms)
        for item in did.sending:
            service.running.finished(item, service.running.send(item, 1))
        metrics(did)
        clock.advance_to(service.now_ms)
        shown.append(generate_latest(registry).decode())
        service.now_ms += 100
    assert "monitor_pager_waiting_messages 1.0" in shown[11]
    assert 'monitor_incidents_open{severity="page"} 1.0' in shown[-1]
    assert "monitor_pager_waiting_messages 0.0" in shown[-1]
    assert 'monitor_pager_decisions_total{reason="first"} 1.0' in shown[-1]
    assert 'monitor_pager_notifications_total{receiver="team",state="waiting"} 1.0' in shown[-1]
    assert 'monitor_pager_notifications_total{receiver="team",state="delivered"} 1.0' in shown[-1]
    listed = {m.name.removesuffix("_total") for m in metric_names.PAGER}
    assert {family.name for family in metrics.collect()} == listed
    clock.advance_to(120_000)
    assert "monitor_pager_last_turn" not in generate_latest(registry).decode()
