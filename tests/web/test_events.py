"""POST /v1/events and GET /api/v1/events."""

import json
from collections.abc import Callable

import jsonschema
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from monitor.ingest.events.cloudevents import envelope
from monitor.store.engine import writing
from monitor.store.events import write
from tests.builders import encode
from tests.ingest.events.making import event
from tests.store.test_events import events_of
from tests.web.apps import Site

PATH = "/v1/events"


def test_events_come_structured_binary_and_in_batches(site: Site) -> None:
    sent = CloudEvent(
        {"type": "monitor.registry", "source": "ci/ß", "id": "b", "datacontenttype": "application/json"},
        {"model": "fraud", "version": 4},
    )
    binary, plain = http.to_binary(sent, JSONFormat()), http.to_structured(sent, JSONFormat())
    for message in (binary, plain):
        answer = site.client.post(PATH, content=message.body, headers=dict(message.headers))
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    batch = encode([event(id="1"), event(id="2")])  # type: ignore[arg-type]  # a list is JSON too
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    assert site.client.post(PATH, content=batch, headers=kind).json() == {"accepted": 2}
    found = [envelope(line) for line in site.event_log.lines]
    assert [(e.source, e.id) for e in found] == [("ci/ß", "b"), ("ci/ß", "b"), ("ci", "1"), ("ci", "2")]
    assert site.log.lines == site.label_log.lines == []


def test_a_server_without_a_log_of_events_says_what_to_configure(site: Site) -> None:
    answer = site.without_log().post(PATH, content=b"{}")
    assert answer.status_code == 404
    assert "source.kafka.event_topics" in answer.json()["error"]


def test_the_list_is_filtered_and_the_newest_first(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with writing(site.store.engine) as connection:
        write(
            site.store,
            connection,
            events_of(
                event("registry", "1") | {"time": "2023-11-14T01:00:00Z"},
                event("registry", "2", model="other") | {"time": "2023-11-14T02:00:00Z"},
                event("cost", "3", tags={"team": "risk", "Model": "fraud"}),
            ),
        )

    def ids(**parameters: str) -> list[str]:
        return [row["id"] for row in site.client.get("/api/v1/events", params=parameters).json()]

    assert ids() == ["3", "2", "1"] or ids() == ["2", "1", "3"]
    assert ids(kind="registry") == ["2", "1"]
    assert ids(kind="registry,cost", model="fraud", limit="1") in (["1"], ["3"])
    assert ids(**{"from": "2023-11-14T01:30:00Z", "to": "2023-11-14T03:00:00Z", "kind": "registry"}) == ["2"]
    (row,) = site.client.get("/api/v1/events", params={"kind": "cost"}).json()
    assert row["data"]["tags"] == {"team": "risk", "Model": "fraud"}
    for wrong in ({"kind": "party"}, {"limit": "0"}, {"colour": "red"}, {"from": "soon"}):
        answer = site.client.get("/api/v1/events", params=wrong)
        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.json()["error"]


def test_the_contract_is_published(site: Site) -> None:
    schema = site.client.get("/api/v1/schema", params={"of": "events"}).json()
    jsonschema.validate(json.loads(encode(event("cost"))), schema)
