"""What serves a model and what that costs: capacity, devices, credentials, money."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import nan

import numpy as np

from monitor.clock import DAY_MS, DAY_S
from monitor.errors import QueryError
from monitor.ingest.events.kinds import Capacity, Cost, Credential, Data, Heartbeat, moment_ms
from monitor.operations.facts import Facts
from monitor.operations.measures import (
    Fold,
    Mark,
    Marks,
    Measure,
    Passing,
    Spans,
    Step,
    Steps,
    Traffic,
    Windowed,
)
from monitor.records import Floats, Ints

__all__ = ["SERVING_MEASURES"]

# A reading that is older says nothing of now; how much replicas can take changes less often.
_READING_MS, _CAPACITY_MS = 900_000, 30 * DAY_MS
_USUAL_DAYS, _FEWEST_DAYS = 28, 7
_DEVICE_GONE_MS, _DEVICE_FORGOTTEN_MS = 900_000, DAY_MS


def _expiries(facts: Facts) -> Iterator[Step]:
    """When the first of the credentials runs out."""
    expires: dict[str, int] = {}
    for at_ms, data in facts.of(Credential):
        expires[data.name] = moment_ms(data.expires)
        yield Step(at_ms, float(min(expires.values())))


def _kills(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, float(data.out_of_memory_kills)) for at_ms, data in facts.of(Capacity))


def _restarts(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, float(data.restarts)) for at_ms, data in facts.of(Capacity))


def _last(
    readings: Iterable[tuple[int, Data]], windows: Windowed, keep_ms: int
) -> Iterator[list[tuple[int, Data]]]:
    """The last reading of each subject as of the end of each window, none older than `keep_ms`."""
    held: dict[str, tuple[int, Data]] = {}
    pending = sorted(readings, key=lambda reading: reading[0], reverse=True)
    for end_ms in (windows.end_s * 1000).tolist():
        while pending and pending[-1][0] < end_ms:
            at_ms, data = pending.pop()
            held[data.subject] = at_ms, data
        yield [reading for reading in held.values() if reading[0] >= end_ms - keep_ms]


def _use(of: Callable[[Capacity], float | None]) -> Spans:
    """The busiest endpoint's."""

    def spans(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
        readings = [(at, data) for at, data in facts.of(Capacity) if of(data) is not None]
        found = _last(readings, windows, _READING_MS)
        uses = [[of(data) or 0.0 for _, data in each if isinstance(data, Capacity)] for each in found]
        return _floats([max(each, default=nan) for each in uses]), _ints([len(each) for each in uses])

    return Spans(spans)


def _headroom(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    """How many times the busiest second's requests the replicas can take."""
    readings = [(at, data) for at, data in facts.of(Capacity) if data.max_rps is not None]
    found = _last(readings, windows, _CAPACITY_MS)
    most = [sum(data.max_rps or 0.0 for _, data in each if isinstance(data, Capacity)) for each in found]
    peak = traffic.total("request_rate_peak")
    some = (peak > 0) & (_floats(most) > 0)
    return np.where(some, _floats(most) / np.where(some, peak, 1.0), np.nan), some.astype(np.int64)


def _offline(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    """Devices that said so, or were not heard of for a quarter of an hour, of those of the last day."""
    value, n = [], []
    ends = (windows.end_s * 1000).tolist()
    for end_ms, known in zip(ends, _last(facts.of(Heartbeat), windows, _DEVICE_FORGOTTEN_MS), strict=True):
        gone = [
            at_ms < end_ms - _DEVICE_GONE_MS
            or (isinstance(data, Heartbeat) and data.connectivity == "offline")
            for at_ms, data in known
        ]
        value.append(sum(gone) / len(gone) if gone else nan)
        n.append(len(gone))
    return _floats(value), _ints(n)


def billed(costs: Sequence[Cost], windows: Windowed) -> Floats:
    """What of the costs falls into each window, each spread evenly over its span; NaN before the first and
    after the last of them. Raises QueryError for several currencies, which don't add."""
    currencies = sorted({cost.currency for cost in costs})
    if len(currencies) > 1:
        raise QueryError(
            f"costs are in {' and '.join(currencies)}, which don't add; see `monitor costs show`"
        )
    if not costs:
        return np.full(len(windows.begin_s), np.nan)
    begin_s = np.array([moment_ms(cost.begin) / 1000 for cost in costs])
    end_s = np.maximum([moment_ms(cost.end) / 1000 for cost in costs], begin_s + 1)
    per_s = np.array([cost.amount for cost in costs]) / (end_s - begin_s)
    # The sum up to a moment is made of what began before it less what had ended.
    edges = np.concatenate((begin_s, end_s))
    order = np.argsort(edges, kind="stable")
    edges, slope = edges[order], np.cumsum(np.concatenate((per_s, -per_s))[order])
    upto = np.concatenate((np.zeros(1), np.cumsum(slope[:-1] * np.diff(edges))))

    def spent(at_s: Ints) -> Floats:
        return np.asarray(np.interp(at_s, edges, upto))

    known = (windows.end_s > edges[0]) & (windows.begin_s < edges[-1])
    return np.where(known, spent(windows.end_s) - spent(windows.begin_s), np.nan)


def _cost(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    value = billed(facts.costs, windows)
    return value, (~np.isnan(value)).astype(np.int64)


def _against_usual(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    """What a window cost by the median of the same span of the days before: of four weeks at most, and seven
    days at least."""
    costs = facts.costs
    amount = billed(costs, windows)
    spans = [
        billed(costs, Windowed(windows.begin_s - back * DAY_S, windows.end_s - back * DAY_S))
        for back in range(1, _USUAL_DAYS + 1)
    ]
    before = np.stack(spans)
    known = np.count_nonzero(~np.isnan(before), axis=0)
    enough = (known >= _FEWEST_DAYS) & ~np.isnan(amount)
    usual = np.full(len(amount), np.nan)
    usual[enough] = np.nanmedian(before[:, enough], axis=0)
    some = enough & (usual > 0)
    return np.where(some, amount / np.where(some, usual, 1.0), np.nan), known * some


def _per(*slis: str, times: float = 1.0) -> Spans:
    """What was billed by `times` of what the indicators count together."""

    def spans(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
        amount, _ = _cost(facts, windows, traffic)
        found = np.nansum([traffic.total(sli) for sli in slis], axis=0)
        some = found > 0
        return np.where(some, amount * times / np.where(some, found, 1.0), np.nan), found.astype(np.int64)

    return Spans(spans)


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, np.float64)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


SERVING_MEASURES: tuple[Measure, ...] = (
    Measure(
        "capacity_headroom",
        "times",
        "how often the busiest second fits into capacity",
        (Capacity,),
        Spans(_headroom),
    ),
    Measure(
        "cpu_use", "share", "processor use of the busiest endpoint", (Capacity,), _use(lambda c: c.cpu_use)
    ),
    Measure("gpu_use", "share", "GPU use of the busiest endpoint", (Capacity,), _use(lambda c: c.gpu_use)),
    Measure(
        "memory_use", "share", "memory use of the busiest endpoint", (Capacity,), _use(lambda c: c.memory_use)
    ),
    Measure("replica_restarts", "restarts", "restarts of replicas", (Capacity,), Marks(_restarts, Fold.SUM)),
    Measure(
        "out_of_memory_kills", "kills", "replicas killed for memory", (Capacity,), Marks(_kills, Fold.SUM)
    ),
    Measure(
        "devices_offline", "share", "edge devices that are offline or silent", (Heartbeat,), Spans(_offline)
    ),
    Measure(
        "credential_time_left",
        "s",
        "until the first of the credentials expires",
        (Credential,),
        Steps(_expiries, Passing.RUNS_OUT),
    ),
    Measure(
        "billed_cost", "currency", "what cost events say the model cost (tag model)", (Cost,), Spans(_cost)
    ),
    Measure(
        "cost_against_usual",
        "times",
        "billed cost by that of the days before",
        (Cost,),
        Spans(_against_usual),
    ),
    Measure("billed_cost_per_prediction", "currency", "billed cost by requests", (Cost,), _per("records")),
    Measure(
        "cost_per_1k_tokens",
        "currency",
        "billed cost by a thousand tokens, read and written",
        (Cost,),
        _per("tokens_in", "tokens_out", times=1000),
    ),
)
