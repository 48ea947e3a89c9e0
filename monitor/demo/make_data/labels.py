"""The truth: what became of each flight that was predicted, when it was known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.demo.make_data.flights import Flight
from monitor.demo.make_data.models import LATE_MIN, band
from monitor.demo.make_data.records import Record
from monitor.demo.make_data.timeline import LOG_END_MS, MODELS, generator

__all__ = ["MALFORMED_LABELS", "ORPHANS", "Label", "labels"]

MALFORMED_LABELS = {"bad_json": 2, "missing_id": 2, "bad_label": 2}
ORPHANS = 25
_PROVISIONAL = 0.02
_TO_THE_GATE_MIN = 25
_MINUTE_MS = 60_000
_SENT_EVERY_MS = 10_000


@dataclass(frozen=True, slots=True)
class Label:
    """A line of the label log; `kind` is final, provisional, orphan or what is wrong with the line."""

    ts: int
    text: bytes
    kind: str
    id: str
    model: str
    value: bool | int | str | None


def _value(kind: str, delay_min: int) -> bool | int | str:
    if kind == "binary":
        return delay_min > LATE_MIN
    return delay_min if kind == "regression" else band(delay_min)


def _label(kind: str, record: Record, ts: int, value: Any, name: str | None = None) -> Label:
    p = record.planned
    name = name or p.id
    fields = {"id": name, "model": p.model, "label": value, "ts": ts, "prediction_ts": p.ts}
    if kind == "missing_id":
        del fields["id"]
    text = msgspec.json.encode(fields)
    return Label(ts, text[:-9] if kind == "bad_json" else text, kind, name, p.model, value)


def _of(record: Record, flight: Flight, wait_ms: int, provisional: bool) -> Iterator[Label]:
    """The labels of one prediction, at the time of the aircraft's arrival (or departure: provisional)."""
    p = record.planned
    if flight.arr_delay is None or flight.dep_delay is None or flight.air_time is None:
        return
    kind = MODELS[p.model].kind
    left = p.ts + flight.departure_ms - p.at_ms + flight.dep_delay * _MINUTE_MS
    known = left + (flight.air_time + _TO_THE_GATE_MIN) * _MINUTE_MS
    if provisional:
        yield _label("provisional", record, _sent(left + wait_ms), _value(kind, flight.dep_delay))
    yield _label("final", record, _sent(known + wait_ms), _value(kind, flight.arr_delay))


def _sent(ts: int) -> int:
    """When the job that sends the labels runs next: every ten seconds."""
    return -(-ts // _SENT_EVERY_MS) * _SENT_EVERY_MS


def _strays(labelled: Sequence[tuple[Record, Label]]) -> Iterator[Label]:
    """Labels of ids that nobody predicted, and broken lines."""
    kinds = ["orphan"] * ORPHANS + [k for k, count in MALFORMED_LABELS.items() for _ in range(count)]
    picked = generator("strays").choice(len(labelled), len(kinds), replace=False).tolist()
    for number, (i, kind) in enumerate(zip(picked, kinds, strict=True)):
        record, label = labelled[i]
        name = f"{MODELS[record.planned.model].prefix}-9{number:05d}"
        yield _label(kind, record, label.ts, {"was": None} if kind == "bad_label" else label.value, name)


def labels(found: Sequence[Record], flights: Sequence[Flight]) -> list[Label]:
    """The labels in order of arrival, up to the end of the stream. What has no prediction gets none."""
    random = generator("labels")
    labelled: list[tuple[Record, Label]] = []
    for record in found:
        wait, provisional = random.random(2)
        if "prediction" in record.fields:
            flight = flights[record.planned.flight]
            of = _of(record, flight, int(wait * 60) * 1000, provisional < _PROVISIONAL)
            labelled += [(record, label) for label in of if label.ts < LOG_END_MS]
    every = [label for _, label in labelled] + list(_strays(labelled))
    return sorted(every, key=lambda label: (label.ts, label.id, label.kind))
