"""The event contract: every kind goes in, and what is wrong with an event is said."""

from typing import Any

import jsonschema
import msgspec
import pytest

from monitor.ingest.events.decode import EventDecoder, data_of
from monitor.ingest.events.kinds import KINDS, event_schema, moment_ms
from tests.builders import NOW_MS
from tests.ingest.events.making import EXAMPLES, chunk_of, event

HOUR_MS = 3_600_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_and_kept_as_it_was_sent(kind: str) -> None:
    message = event(kind, note="kept")
    decoded = EventDecoder().decode(chunk_of(message))
    assert not decoded.dead
    (found,) = decoded.events
    assert (found.kind, found.id, found.source, found.position) == (kind, "e-1", "ci", 7)
    assert msgspec.json.decode(found.document) == message["data"]
    assert data_of(kind, found.document) == found.data
    assert decoded.unknown == {f"{kind}.note": 1}
    jsonschema.validate(message, event_schema(kind))
    jsonschema.validate(message, event_schema())


def test_every_kind_has_an_example() -> None:
    assert EXAMPLES.keys() == KINDS.keys()


def test_the_type_may_have_its_prefix_and_version() -> None:
    messages = [
        event() | {"id": t, "type": t} for t in ("deployment", "monitor.deployment.v1", "monitor.x", "x")
    ]
    decoded = EventDecoder().decode(chunk_of(*messages))
    assert [e.kind for e in decoded.events] == ["deployment"] * 2
    assert [letter.reason for letter in decoded.dead] == ["event.unknown_type"] * 2
    assert "retrain_requested" in decoded.dead[0].detail


def test_it_happened_when_the_data_says_else_when_the_event_says_else_when_it_came() -> None:
    deployed = event("deployment", deployed=NOW_MS - HOUR_MS) | {"time": "2023-11-14T09:00:00Z"}
    run = event("training_run", started=NOW_MS - 3 * HOUR_MS, finished=NOW_MS - 2 * HOUR_MS)
    timed = event("heartbeat") | {"time": "2023-11-14T09:00:00+01:00"}
    came = event("registry")
    found = EventDecoder().decode(chunk_of(deployed, run, timed, came)).events
    at = [e.ts_ms for e in found]
    assert at[:2] == [NOW_MS - HOUR_MS, NOW_MS - 2 * HOUR_MS]
    assert at[2:] == [1_699_948_800_000, NOW_MS]
    assert [e.seen_ms for e in found] == [NOW_MS] * 4


@pytest.mark.parametrize(
    ("kind", "data", "reason", "said"),
    [
        ("cost", {"currency": "BTC"}, "unknown_currency", "ISO 4217"),
        ("cost", {"currency": "eur"}, "unknown_currency", "'eur'"),
        ("cost", {"currency": ...}, "missing_field", "currency"),
        ("training_run", {"currency": ...}, "missing_field", "currency"),
        ("cost", {"amount": -1}, "negative", "credit"),
        ("cost", {"amount": float("nan")}, "bad_type", "amount"),
        ("training_run", {"cost": -0.01}, "negative", "data.cost"),
        ("cost", {"begin": NOW_MS, "end": NOW_MS - 1}, "ends_before_start", "begin"),
        ("training_run", {"started": NOW_MS, "finished": NOW_MS - 1}, "ends_before_start", "finished"),
        ("deployment", {"created": NOW_MS, "deployed": NOW_MS - 1}, "ends_before_start", "created"),
        ("deployment", {"traffic": {"3": 0.7, "4": 0.4}}, "overlapping_traffic", "1.1 (3: 0.7, 4: 0.4)"),
        ("deployment", {"traffic": {"4": 0.5}}, "overlapping_traffic", "one of them"),
        ("deployment", {"traffic_share": 1.5}, "bad_value", "traffic_share"),
        ("deployment", {"traffic_share": -0.5}, "negative", "traffic_share"),
        ("deployment", {"status": "done"}, "bad_value", "status"),
        ("deployment", {"version": ...}, "missing_field", "version"),
        ("deployment", {"version": 1.5}, "bad_type", "version"),
        ("deployment", {"model": ""}, "bad_value", "model"),
        ("deployment", {"by": "a\0b"}, "bad_value", "NUL"),
        ("deployment", {"deployed": NOW_MS // 1000}, "bad_ts", "seconds"),
        ("deployment", {"deployed": NOW_MS + 2 * HOUR_MS}, "future_ts", "deployed"),
        ("deployment", {"deployed": "2026-11-23T10:00:00"}, "bad_ts", "offset"),
        ("dataset", {"rows": -5}, "negative", "rows"),
        ("dataset", {"rows": "many"}, "bad_type", "rows"),
        ("training_run", {"attempt": 0}, "bad_value", "attempt"),
    ],
)
def test_bad_events_say_why(kind: str, data: dict[str, Any], reason: str, said: str) -> None:
    decoded = EventDecoder().decode(chunk_of(event("registry", "before"), event(kind, **data)))
    assert [e.id for e in decoded.events] == ["before"]
    (letter,) = decoded.dead
    assert (letter.reason, letter.position) == (f"event.{reason}", 8)
    assert said in letter.detail


def test_credits_may_be_negative_and_expiries_may_lie_ahead() -> None:
    good = [event("cost", amount=-3, category="credit"), event("credential", expires=NOW_MS + 900 * HOUR_MS)]
    assert not EventDecoder().decode(chunk_of(*good)).dead


def test_what_is_not_even_json() -> None:
    decoded = EventDecoder(max_record_bytes=200).decode(
        chunk_of(b"{oops", b"[]", b"", b"7", b"\xff", b"[" * 150, b" " * 201)
    )
    assert [letter.reason.removeprefix("event.") for letter in decoded.dead] == [
        *("bad_json", "not_an_object", "empty", "not_an_object"),
        *("invalid_utf8", "bad_json", "too_large"),
    ]


def test_times_are_milliseconds_or_rfc_3339() -> None:
    data = data_of("credential", '{"name": "n", "expires": "2026-11-23T10:00:00.5+01:00"}')
    assert moment_ms(data.expires) == 1_795_424_400_500  # type: ignore[attr-defined]  # a credential's
