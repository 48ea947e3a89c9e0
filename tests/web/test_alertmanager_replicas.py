"""Two pagers over one PostgreSQL store, behind two addresses: what one is told, the other knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.test_pager import Webhook, document
from tests.waiting import until
from tests.web.pager_sites import RunningPager


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


@pytest.mark.postgres
def test_two_are_one(tmp_path: Path, pg_url: str, webhook: Webhook) -> None:
    configuration = document(webhook.url, group_by=["alertname"])
    pair = [RunningPager(tmp_path, configuration, store=pg_url) for _ in range(2)]
    clients = [httpx.Client(base_url=one.url, timeout=20) for one in pair]
    try:
        for i in range(20):
            alerts: list[dict[str, Any]] = [{"labels": {"alertname": f"a{i}", "größe": "L"}}]
            assert clients[i % 2].post("/api/v2/alerts", json=alerts).status_code == 200
            assert len(clients[(i + 1) % 2].get("/api/v2/alerts").json()) == i + 1
        until(lambda: len(webhook.bodies) >= 20)
        silence = {
            "matchers": [{"name": "alertname", "value": "a1", "isRegex": False}],
            **{"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"},
            **{"createdBy": "ann", "comment": "c"},
        }
        id = clients[0].post("/api/v2/silences", json=silence).json()["silenceID"]
        shown = clients[1].get("/api/v2/alerts", params={"filter": "alertname=a1"}).json()
        assert shown[0]["status"]["silencedBy"] == [id]
        assert clients[1].delete(f"/api/v2/silence/{id}").status_code == 200
        assert clients[0].get(f"/api/v2/silence/{id}").json()["status"]["state"] == "expired"
    finally:
        for client in clients:
            client.close()
        for one in pair:
            one.close()
    told = sorted(body["groupLabels"]["alertname"] for body in webhook.bodies)
    assert told == sorted(f"a{i}" for i in range(20))
