"""CloudEvents in every form that the specification's own SDK writes them in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from monitor.ingest.checks import BadRecord
from monitor.ingest.events.cloudevents import envelope, http_attributes, in_structured_mode, structured
from tests.builders import encode
from tests.ingest.events.making import event

DATA = {"model": "fraud", "version": "4", "by": "Zoë, 100 % sure"}
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def sent(data: Any = DATA, **attributes: Any) -> CloudEvent:
    given = {"type": "monitor.deployment", "source": "ci/ß", "id": "e-1", "specversion": "1.0", "time": AT}
    return CloudEvent({**given, "datacontenttype": "application/json", **attributes}, data)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """As HTTP servers hand headers on."""
    return {name.lower(): value for name, value in headers.items()}


def test_every_form_holds_the_same_event() -> None:
    message = http.to_binary(sent(), JSONFormat())
    binary = structured(http_attributes(lower(message.headers)), bytes(message.body))
    plain = http.to_structured(sent(), JSONFormat())
    assert not http_attributes(lower(plain.headers))
    over_kafka = kafka.to_binary(sent(), JSONFormat())
    in_one = kafka.to_structured(sent(), JSONFormat())
    forms = [
        binary,
        bytes(plain.body),
        in_structured_mode(over_kafka.headers.items(), over_kafka.value),
        in_structured_mode(in_one.headers.items(), in_one.value),
    ]
    for form in forms:
        found = envelope(form)
        assert (found.source, found.id, found.type) == ("ci/ß", "e-1", "monitor.deployment")
        assert found.time_ms == int(AT.timestamp() * 1000)
        assert found.data == DATA
        assert found.unknown == ()


def test_data_in_base64_and_attributes_of_others() -> None:
    message = http.to_structured(sent(json.dumps(DATA).encode(), traceparent="00-1"), JSONFormat())
    assert b"data_base64" in message.body
    found = envelope(bytes(message.body))
    assert (found.data, found.unknown) == (DATA, ("traceparent",))


def test_a_body_that_is_no_json_stays_to_be_looked_at() -> None:
    message = structured({"specversion": "1.0", "id": "1", "source": "s", "type": "cost"}, b"\xff oops")
    with pytest.raises(BadRecord) as refused:
        envelope(message)
    assert refused.value.reason in ("bad_json", "invalid_utf8")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"specversion": "0.3"}, "no_cloudevent"),
        ({"specversion": None}, "no_cloudevent"),
        ({"id": ""}, "no_cloudevent"),
        ({"source": 7}, "bad_type"),
        ({"id": "x" * 301}, "bad_value"),
        ({"id": "a\0"}, "bad_value"),
        ({"time": "yesterday"}, "bad_ts"),
        ({"time": "2026-11-23T10:00:00"}, "bad_ts"),
        ({"time": 1_760_000_000_000}, "bad_type"),
        ({"data": None}, "missing_field"),
        ({"data": [1]}, "bad_type"),
        ({"data": None, "data_base64": "%"}, "bad_value"),
    ],
)
def test_what_is_no_cloudevent_says_why(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecord) as refused:
        envelope(encode({**event(), **change}))
    assert refused.value.reason == reason
    assert next(iter(change)) in refused.value.detail or reason == "no_cloudevent"
