"""Events from bytes: one CloudEvent a message, with the data of one of the kinds."""

import re
from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np

from monitor.ingest.checks import BadRecord
from monitor.ingest.decode import letter
from monitor.ingest.events.cloudevents import Envelope, envelope
from monitor.ingest.events.kinds import KINDS, PREFIX, Data, moment_ms
from monitor.ingest.source import Chunk
from monitor.ingest.validate import has_sense
from monitor.records import DeadLetter

__all__ = ["EVENT_PREFIX", "DecodedEvents", "Event", "EventDecoder", "data_of"]

# What sets the dead letters of events apart, in counts and when they are replayed.
EVENT_PREFIX = "event."
_FIELDS = {kind: frozenset(data.__struct_fields__) for kind, data in KINDS.items()}
_TYPE = re.compile(rf"(?:{re.escape(PREFIX)})?([a-z_]+)(?:\.v1)?")
_READ = {kind: msgspec.json.Decoder(data) for kind, data in KINDS.items()}
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is one. `ts_ms` is when it happened, `seen_ms` when it came, `position` where it stands
    in its partition; `document` is its data as JSON."""

    source: str
    id: str
    kind: str
    data: Data
    ts_ms: int
    seen_ms: int
    position: int
    document: str


@dataclass(frozen=True, slots=True)
class DecodedEvents:
    """The events of a chunk in order, and its messages that are none. `unknown` counts attributes and fields
    that mean nothing here; fields stay in the document."""

    events: list[Event]
    dead: list[DeadLetter]
    unknown: Counter[str]


class EventDecoder:
    """`max_ahead_ms` is how far an event may lie past the time its message was appended."""

    def __init__(self, *, max_record_bytes: int = 1 << 20, max_ahead_ms: int = 3_600_000) -> None:
        self._max_record_bytes, self._max_ahead_ms = max_record_bytes, max_ahead_ms

    def decode(self, chunk: Chunk) -> DecodedEvents:
        """Never raises on content."""
        found = DecodedEvents([], [], Counter())
        for i, payload in enumerate(chunk.values):
            try:
                event, unknown = self._event(payload, int(chunk.append_ms[i]), int(chunk.positions[i]))
            except BadRecord as e:
                found.dead.append(letter(chunk, i, BadRecord(EVENT_PREFIX + e.reason, e.detail)))
            else:
                found.events.append(event)
                found.unknown.update(unknown)
        return found

    def _event(self, payload: bytes, append_ms: int, position: int) -> tuple[Event, list[str]]:
        if len(payload) > self._max_record_bytes:
            raise BadRecord("too_large", f"more than {self._max_record_bytes} bytes")
        said = envelope(payload)
        kind = _kind(said)
        document = msgspec.json.encode(said.data).decode()
        data = data_of(kind, document)
        for name in data.times:
            self._check_time(name, data, append_ms if name in data.happened else None)
        ts_ms = data.at_ms(append_ms if said.time_ms is None else said.time_ms)
        self._sensible("time", ts_ms, append_ms)
        for mistake in data.mistakes():
            raise mistake
        if "\\u0000" in document:
            raise BadRecord("bad_value", "a text holds a NUL character")
        unknown = [f"{kind}.{name}" for name in said.data if name not in _FIELDS[kind]]
        event = Event(said.source, said.id, kind, data, ts_ms, append_ms, position, document)
        return event, [*unknown, *said.unknown]

    def _check_time(self, name: str, data: Data, append_ms: int | None) -> None:
        """A time of the data; one that says when the event happened may not lie ahead of its message."""
        value = getattr(data, name)
        if value is not None:
            self._sensible(name, moment_ms(value), append_ms)

    def _sensible(self, name: str, ms: int, append_ms: int | None) -> None:
        if not has_sense(np.array([ms]))[0]:
            raise BadRecord("bad_ts", f"{name} is before 1973 or out of range; are these seconds?")
        if append_ms is not None and ms > append_ms + self._max_ahead_ms:
            sentence = f"{name} {ms} is more than {self._max_ahead_ms // 1000} s ahead of {append_ms}"
            raise BadRecord("future_ts", f"{sentence}, when the message arrived")


def _kind(said: Envelope) -> str:
    match = _TYPE.fullmatch(said.type)
    if match is None or match[1] not in KINDS:
        known = ", ".join(KINDS)
        raise BadRecord("unknown_type", f"type {said.type[:80]!r} is none of {known} (after {PREFIX!r})")
    return match[1]


def data_of(kind: str, document: str) -> Data:
    """The data as its kind. Raises BadRecord with the field that is wrong."""
    try:
        return _READ[kind].decode(document)
    except msgspec.ValidationError as e:
        raise _reason(str(e)) from None


def _reason(complaint: str) -> BadRecord:
    """msgspec's complaint as a reason to count by, with the field's name in front."""
    place = _AT.search(complaint)
    field = f"data.{place[1]}" if place and place[1] else "data"
    said = complaint[: place.start()] if place else complaint
    if "missing required field" in said:
        return BadRecord("missing_field", said[0].lower() + said[1:])
    if "timezone" in said or "RFC3339" in said:
        return BadRecord("bad_ts", f"{field} is no RFC 3339 with an offset, such as Z or +01:00")
    if ">= 0" in said:
        return BadRecord("negative", f"{field} is negative")
    return BadRecord("bad_type" if ", got" in said else "bad_value", f"{field}: {said[0].lower()}{said[1:]}")
