"""GET /api/v1/costs, and the notebook's way to the same."""

import monitor
from monitor.clock import DAY_MS
from monitor.store.engine import writing
from monitor.store.events import write
from tests.builders import NOW_MS
from tests.cards.making import happened
from tests.web.apps import Site


def test_costs_are_shown_by_tag(site: Site) -> None:
    data = {"begin": NOW_MS - 60_000, "end": NOW_MS + DAY_MS, "amount": 4, "tags": {"team": "risk"}}
    with writing(site.store.engine) as connection:
        write(site.store, connection, happened(("cost", NOW_MS - 60_000, data)))
    (row,) = site.client.get("/api/v1/costs").json()["rows"]
    assert (row["group"], row["currency"], row["amount"]) == ("risk", "EUR", 4.0)
    assert site.client.get("/api/v1/costs?month=2020-01").json()["rows"] == []
    for wrong in ("month=soon", "bye=team"):
        assert site.client.get(f"/api/v1/costs?{wrong}").status_code == 400
    with monitor.open(str(site.store.engine.url)) as client:
        month = site.client.get("/api/v1/costs").json()["from"][:7]
        assert list(client.costs(month=month)["amount"]) == [4.0]
