"""The log lines: a record for each inference, as the caller's gateway writes it, and a few broken ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.demo.make_data.client import Answer
from monitor.demo.make_data.flights import CARRIER_GROUPS, Flight
from monitor.demo.make_data.plan import Call, Planned
from monitor.demo.make_data.timeline import LOG_END_MS, generator

__all__ = ["MALFORMED", "Line", "Record", "lines", "records"]

_ERROR_TYPES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    422: "bad_request",
    500: "internal",
    503: "unavailable",
    504: "timeout",
}
# What a millisecond of compute costs, dollars: a small virtual machine by the hour, an invented price.
_COST_PER_MS = 2e-8
_ARRIVAL_MEAN_MS, _ARRIVAL_MAX_MS = 400, 3000


@dataclass(frozen=True, slots=True)
class Record:
    """A record and the plan behind it; `arrival_ms` is when its line reaches the log."""

    planned: Planned
    fields: dict[str, Any]
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log; `broken` names what is wrong with it, "" for a record."""

    arrival_ms: int
    text: bytes
    broken: str = ""


def records(calls: Sequence[Call], answers: Sequence[Answer], flights: Sequence[Flight]) -> list[Record]:
    """The records in the order in which they arrive."""
    delays = generator("arrival").exponential(_ARRIVAL_MEAN_MS, sum(map(len, calls)))
    pairs = ((p, i, a) for call, a in zip(calls, answers, strict=True) for i, p in enumerate(call))
    found = [
        Record(
            p,
            _fields(p, i, answer, flights[p.flight]),
            p.ts + p.late_ms + int(min(delay, _ARRIVAL_MAX_MS)),
        )
        for (p, i, answer), delay in zip(pairs, delays, strict=True)
    ]
    # An edge device that is still out of reach when the stream ends delivers its lines at the very end.
    return sorted(found, key=lambda r: (min(r.arrival_ms, LOG_END_MS), r.planned.id))


def _fields(p: Planned, i: int, answer: Answer, flight: Flight) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": p.id,
        "ts": p.ts,
        "model": p.model,
        "version": p.version,
        "endpoint": "/v1/bulk" if p.mode == "batch" else "/v1/predict",
        "segment": {"origin": flight.origin, "carrier_group": CARRIER_GROUPS[flight.carrier]},
        "status": answer.status,
        **_times(answer),
        "mode": p.mode,
    }
    if answer.status != 200:
        record["error_type"] = _ERROR_TYPES[answer.status]
    else:
        result = dict(answer.results[i])
        if not result.pop("valid"):
            record["error_type"] = "invalid_response"
        observed = result.pop("feature_ts")
        if observed is not None:
            record["feature_ts"] = p.ts - (p.at_ms - observed)
        record |= result
        if p.model == "delay-band":
            record["cost"] = round(record["compute_ms"] * _COST_PER_MS, 9)
    flags = {"cold_start": p.cold or None, "shadow": p.shadow or None, "trace_id": p.trace_id}
    return record | {name: value for name, value in flags.items() if value is not None}


def _times(answer: Answer) -> dict[str, float]:
    """Milliseconds to two decimals; the network's part is what the server's parts leave of the total."""
    times = {"latency_ms": round(answer.latency_ms, 2)}
    parts = {f"{name}_ms": round(ms, 2) for name, ms in answer.parts.items()}
    if parts:
        parts["network_ms"] = round(max(times["latency_ms"] - sum(parts.values()), 0.0), 2)
    return times | parts


def _broken(kind: str, record: dict[str, Any]) -> bytes:
    """The line of `record` with one thing wrong."""
    encode = msgspec.json.encode
    whole = encode(record)
    match kind:
        case "bad_json":
            return whole[: len(whole) * 2 // 3]
        case "missing_id":
            return encode({k: v for k, v in record.items() if k != "id"})
        case "negative":
            return encode(record | {"latency_ms": -record["latency_ms"]})
        case "not_finite":
            return encode(record | {"latency_ms": 0.5}).replace(b'"latency_ms":0.5', b'"latency_ms":NaN')
        case "bad_ts":
            return encode(record | {"ts": "yesterday"})
        case "future_ts":
            return encode(record | {"ts": 4_102_444_800_000})
        case "invalid_utf8":
            return whole.replace(b'"endpoint":"/v1/', b'"endpoint":"/v1/\xff')
        case "too_deep":
            return whole[:-1] + b',"context":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
        case _:
            return encode([record["id"], record["ts"], record["model"]])


# How many lines of each kind; the names are the reasons under which the dead letters are counted.
MALFORMED = {
    "bad_json": 6,
    "missing_id": 5,
    "negative": 4,
    "not_finite": 3,
    "bad_ts": 3,
    "future_ts": 2,
    "invalid_utf8": 3,
    "not_an_object": 3,
    "too_deep": 1,
}


def lines(found: Iterable[Record]) -> Iterator[Line]:
    """The lines of the log in order: every record, and after some of them a broken copy with an id of
    its own."""
    found = list(found)
    kinds = [kind for kind, count in MALFORMED.items() for _ in range(count)]
    whole = [i for i, r in enumerate(found) if r.planned.mode == "online" and r.fields["status"] == 200]
    places = generator("malformed").choice(whole, len(kinds), replace=False).tolist()
    broken = dict(zip(places, kinds, strict=True))
    seen: Counter[str] = Counter()
    for i, record in enumerate(found):
        yield Line(record.arrival_ms, msgspec.json.encode(record.fields))
        if kind := broken.get(i):
            seen[kind] += 1
            copy = record.fields | {"id": f"x-{kind}-{seen[kind]}"}
            yield Line(record.arrival_ms, _broken(kind, copy), kind)
