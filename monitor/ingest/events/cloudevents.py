"""CloudEvents 1.0, JSON format: from a message with its headers to one JSON object, and from that to parts.

Binary mode carries the attributes in headers (`ce-` over HTTP, `ce_` over Kafka) and the data alone as the
body. It is turned into structured mode where it comes in, so that whatever follows sees one form.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from monitor.ingest.checks import BadRecord, kind_of, parse, text_of, time_of
from monitor.ingest.events.kinds import moment_ms

__all__ = [
    "BATCH",
    "STRUCTURED",
    "Envelope",
    "envelope",
    "http_attributes",
    "in_structured_mode",
    "structured",
]

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_REQUIRED = ("specversion", "id", "source", "type")
_KNOWN = frozenset((*_REQUIRED, "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"))
_MAX_NAME = 300


class Envelope(NamedTuple):
    """The attributes of an event, `time_ms` None where it has no time, and its `data`. `unknown` are
    attributes that mean nothing here."""

    source: str
    id: str
    type: str
    time_ms: int | None
    data: dict[str, Any]
    unknown: tuple[str, ...]


def http_attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes of binary mode over HTTP, empty in structured mode; names of headers in lower case."""
    found = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    if found and "content-type" in headers:
        found["datacontenttype"] = headers["content-type"]
    return found


def _kafka_attributes(headers: Iterable[tuple[str, bytes | str | None]]) -> dict[str, str]:
    """The attributes of binary mode over Kafka, empty in structured mode."""
    texts = {
        name.lower(): value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
        for name, value in headers
    }
    found = {name[3:]: value for name, value in texts.items() if name.startswith("ce_")}
    if found and "content-type" in texts:
        found["datacontenttype"] = texts["content-type"]
    return found


def structured(attributes: Mapping[str, str], body: bytes) -> bytes:
    """An event of binary mode in structured mode. What is no JSON stays as it came, encoded, for the
    decoder to refuse with its place."""
    try:
        data = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode({**attributes, "data_base64": base64.b64encode(body).decode()})
    return msgspec.json.encode({**attributes, "data": data})


def in_structured_mode(headers: Iterable[tuple[str, bytes | str | None]], value: bytes) -> bytes:
    """A Kafka message as structured mode, in which most are already."""
    attributes = _kafka_attributes(headers)
    return structured(attributes, value) if attributes else value


def envelope(payload: bytes) -> Envelope:
    """The event in a message of structured mode. Raises BadRecord."""
    event = parse(payload)
    if not isinstance(event, dict):
        raise BadRecord(
            "not_an_object", f"the message is {kind_of(event)}, not a CloudEvent as a JSON object"
        )
    missing = [name for name in _REQUIRED if event.get(name) in (None, "")]
    if missing:
        names = ", ".join(missing)
        raise BadRecord(
            "no_cloudevent", f"the CloudEvents attribute {names} is missing; see `monitor event schema`"
        )
    version = event["specversion"]
    if version != "1.0":
        raise BadRecord("no_cloudevent", f"specversion is {str(version)[:20]!r}; 1.0 is wanted")
    texts = {name: text_of(name, event[name]) for name in ("id", "source", "type")}
    for name, value in texts.items():
        if len(value) > _MAX_NAME or "\0" in value:
            raise BadRecord("bad_value", f"{name} has more than {_MAX_NAME} characters, or a NUL")
    time = event.get("time")
    time_ms = None if time is None else _time_ms(time)
    unknown = tuple(name for name in event if name not in _KNOWN)
    return Envelope(texts["source"], texts["id"], texts["type"], time_ms, _data(event), unknown)


def _time_ms(value: Any) -> int:
    found = time_of("time", text_of("time", value))
    return moment_ms(found) if isinstance(found, datetime) else int(found)


def _data(event: Mapping[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    if data is None and (encoded := event.get("data_base64")) is not None:
        try:
            data = parse(base64.b64decode(text_of("data_base64", encoded), validate=True))
        except binascii.Error:
            raise BadRecord("bad_value", "data_base64 is no base64") from None
    if data is None:
        raise BadRecord("missing_field", "the event has no data")
    if not isinstance(data, dict):
        raise BadRecord("bad_type", f"data is {kind_of(data)}, not an object")
    return data
