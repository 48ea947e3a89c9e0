"""The plan: every inference that will be asked for, when, of which version, and what goes wrong with it."""

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.demo.make_data.flights import Flight
from monitor.demo.make_data.timeline import (
    DATA_START_MS,
    DAY_MS,
    FAULTS,
    FOLD_DAYS,
    HOUR_S,
    LOG_DAYS,
    LOG_START_MS,
    MODELS,
    ROUTES,
    SEED,
    SHADOW,
    ModelSpec,
    generator,
    to_log,
)

__all__ = ["LATE_RECORDS", "SERVER_ACTIONS", "Call", "Planned", "plan", "request_of"]

SERVER_ACTIONS = ("unavailable", "hang", "crash", "slow_features", "stale", "no_weather")
LATE_RECORDS = 60
_BACKGROUND: Mapping[str, float] = {
    "crash": 0.0004,
    "bad_body": 0.001,
    "bad_route": 0.0005,
    "bad_json": 0.0003,
    "expired_token": 0.0003,
    "no_weather": 0.0006,
}
_REPLICAS = 6
_TRACED, _EXPLAINED = 0.08, 0.02
# Eleven hours after the start of a fold day it is one in the morning in New York.
_BULK_AT_MS, _BULK_MINUTES, _BULK_SIZE = 11 * HOUR_S * 1000, 40, 25
_LEAD_MIN, _LEAD_MEDIAN, _LEAD_MAX = 30, 100, 600
_ANSWERED = ("", "slow_features", "stale", "no_weather")


@dataclass(frozen=True, slots=True)
class Planned:
    """One inference: `ts` in the log's time, `at_ms` in the data's own, `flight` an index.

    `action` is "" where nothing goes wrong; `late_ms` is how long its log line is held back.
    """

    id: str
    ts: int
    at_ms: int
    flight: int
    model: str
    version: str
    mode: str = "online"
    action: str = ""
    cold: bool = False
    shadow: bool = False
    trace_id: str | None = None
    explained: bool = False
    late_ms: int = 0
    replica: int = 0
    batch: int = -1

    @property
    def offset_s(self) -> float:
        """Seconds from the stream's start."""
        return (self.ts - LOG_START_MS) / 1000


# One HTTP request: a single inference, or a whole batch that shares everything but its flights.
Call = Sequence[Planned]


def request_of(flight: Flight, at_ms: int) -> dict[str, Any]:
    """What a caller knows about a flight, and when it asks."""
    return {
        "carrier": flight.carrier,
        "origin": flight.origin,
        "dest": flight.dest,
        "tailnum": flight.tailnum,
        "distance": flight.distance,
        "hour": flight.hour,
        "at": at_ms,
    }


def plan(flights: Sequence[Flight]) -> list[Call]:
    """The calls in order of the log's time."""
    asked = [p for spec in MODELS.values() for p in (*_online(spec, flights), *_bulk(spec, flights))]
    asked.sort(key=lambda p: (p.ts, p.model, p.at_ms, p.flight))
    numbered = (
        dataclasses.replace(p, id=f"{MODELS[p.model].prefix}-{i:06d}", version=_version(p, u))
        for i, (p, u) in enumerate(zip(asked, generator("routes").random(len(asked)), strict=True))
    )
    logged = [p for p in _with_actions(list(numbered)) if p.action != "drop"]
    return _calls([*_with_shadows(_with_cold_starts(_with_details(logged)))])


def _served(flights: Sequence[Flight]) -> Iterator[tuple[int, Flight]]:
    end = DATA_START_MS + (LOG_DAYS * FOLD_DAYS + 1) * DAY_MS
    for i, flight in enumerate(flights):
        if DATA_START_MS <= flight.departure_ms < end:
            yield i, flight


def _online(spec: ModelSpec, flights: Sequence[Flight]) -> Iterator[Planned]:
    """Someone asks about a share of the flights, one time each, some time before departure."""
    random = generator(f"online {spec.name}")
    end = DATA_START_MS + LOG_DAYS * FOLD_DAYS * DAY_MS
    for i, flight in _served(flights):
        chosen, edge = random.random(2)
        lead_min = min(max(random.lognormal(0, 0.7) * _LEAD_MEDIAN, _LEAD_MIN), _LEAD_MAX)
        at = flight.departure_ms - int(lead_min * 60_000)
        if chosen < spec.traffic and DATA_START_MS <= at < end:
            mode = "edge" if edge < spec.edge else "online"
            yield Planned("", to_log(at), at, i, spec.name, "", mode, replica=int(edge * 1e6) % _REPLICAS)


def _bulk(spec: ModelSpec, flights: Sequence[Flight]) -> Iterator[Planned]:
    """At one in the morning in New York a share of the next day's flights is asked for in batches."""
    random = generator(f"bulk {spec.name}")
    days: defaultdict[int, list[int]] = defaultdict(list)
    for i, flight in _served(flights):
        if random.random() < spec.bulk:
            days[(flight.departure_ms - _BULK_AT_MS - DATA_START_MS) // DAY_MS].append(i)
    batch = 0
    for day, chosen in sorted(days.items()):
        if not 0 <= day < LOG_DAYS * FOLD_DAYS:
            continue
        for start in range(0, len(chosen), _BULK_SIZE):
            batch += 1
            at = DATA_START_MS + day * DAY_MS + _BULK_AT_MS + int(random.random() * _BULK_MINUTES * 60_000)
            for i in chosen[start : start + _BULK_SIZE]:
                yield Planned("", to_log(at), at, i, spec.name, "", "batch", batch=batch)


def _version(planned: Planned, u: float) -> str:
    now = [r for r in ROUTES if r.model == planned.model and r.start_s <= planned.offset_s][-1]
    for version, share in now.shares.items():
        u -= share
        if u < 0:
            return version
    return version


def _drawn(actions: Mapping[str, float], u: float) -> str:
    for action, share in actions.items():
        u -= share
        if u < 0:
            return action
    return ""


def _with_actions(asked: Sequence[Planned]) -> Iterator[Planned]:
    random = generator("actions")
    for p, u, v in zip(asked, random.random(len(asked)), random.random(len(asked)), strict=True):
        if p.mode == "batch":
            yield p
            continue
        action = _drawn(_BACKGROUND, v)
        for fault in FAULTS:
            if fault.model == p.model and fault.start_s <= p.offset_s < fault.end_s:
                action = _drawn(fault.actions, u) or action
        yield dataclasses.replace(p, action=action) if action else p


def _with_details(asked: Sequence[Planned]) -> list[Planned]:
    """Trace ids and attributions on a sample; some of the edge devices were out of reach for hours."""
    random = generator("details")
    edge = [p.id for p in asked if p.mode == "edge" and not p.action]
    picked = random.choice(len(edge), LATE_RECORDS, replace=False)
    waits = random.uniform(15, 360, LATE_RECORDS)
    late = {edge[i]: int(wait * 60_000) for i, wait in zip(picked, waits, strict=True)}
    traced, explained = random.random((2, len(asked)))
    detailed = []
    for p, t, e in zip(asked, traced, explained, strict=True):
        sampled = p.mode == "online" and (t < _TRACED or p.action not in _ANSWERED)
        detailed.append(
            dataclasses.replace(
                p,
                trace_id=_trace_id(p.id) if sampled else None,
                explained=p.mode == "online" and bool(e < _EXPLAINED),
                late_ms=late.get(p.id, 0),
            )
        )
    return detailed


def _trace_id(name: str) -> str:
    return hashlib.blake2b(f"{SEED} {name}".encode(), digest_size=16).hexdigest()


def _starts(model: str) -> list[float]:
    """When replicas of a model start anew: at deployments, and as an outage ends."""
    routes = [r.start_s for r in ROUTES if r.model == model]
    return sorted([*routes, *(f.end_s for f in FAULTS if f.model == model and f.kind == "no_traffic")])


def _with_cold_starts(asked: Sequence[Planned]) -> Iterator[Planned]:
    """The first request of each replica after a start is cold, and so is one after a long idle time."""
    last: dict[tuple[str, str, int], float] = {}
    starts = {model: _starts(model) for model in MODELS}
    for p in asked:
        if p.mode == "batch" or p.action not in _ANSWERED:
            yield p
            continue
        key, now = (p.model, p.version, p.replica), p.offset_s
        before = last.get(key)
        idle = MODELS[p.model].idle_s
        cold = before is None or any(before < s <= now for s in starts[p.model])
        if cold or (idle is not None and before is not None and now - before > idle):
            p = dataclasses.replace(p, cold=True)
        last[key] = now
        yield p


def _with_shadows(asked: Iterator[Planned]) -> Iterator[Planned]:
    """The challenger answers a share of the served requests too, under the same trace id."""
    random = generator("shadow")
    for p in asked:
        open_to = p.model == SHADOW.model and p.mode == "online" and not p.action
        if not open_to or not SHADOW.start_s <= p.offset_s < SHADOW.end_s or random.random() >= SHADOW.share:
            yield p
            continue
        served = dataclasses.replace(p, trace_id=_trace_id(p.id))
        yield served
        yield dataclasses.replace(
            served, id=f"{p.id}s", version=SHADOW.version, shadow=True, cold=False, explained=False
        )


def _calls(asked: Sequence[Planned]) -> list[Call]:
    calls: list[Call] = []
    batches: dict[tuple[str, int], list[Planned]] = {}
    for p in asked:
        if p.batch < 0:
            calls.append([p])
        elif (p.model, p.batch) in batches:
            batches[p.model, p.batch].append(p)
        else:
            batches[p.model, p.batch] = [p]
            calls.append(batches[p.model, p.batch])
    return calls
