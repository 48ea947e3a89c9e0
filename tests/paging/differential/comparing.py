"""Whether two tell the same: who, which group, which alerts with which status and times, in which flush."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from tests.paging.differential.grid import UNIT_MS
from tests.paging.differential.recording import Arrival
from tests.paging.differential.scenario import Scenario

__all__ = ["Divergence", "Tolerance", "divergence", "text"]

_NO_TIME = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much later a message of the real one may come than ours, and how far times in it may be apart.

    Flushes of one group are at least a unit of the grid apart. What failed comes at the next attempt, after a
    wait that grows and that chance has a part in (`retried_ms`).
    """

    early_ms: float = 0.3 * UNIT_MS
    late_ms: float = 0.8 * UNIT_MS
    retried_ms: float = 4_500
    alert_ms: float = 0.6 * UNIT_MS


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first thing that isn't the same in one stream, of an integration about a group; either is None
    where only the other told something. `why` says what differs."""

    path: str
    group: str
    ours: Arrival | None
    real: Arrival | None
    why: str

    @property
    def at_ms(self) -> float:
        """When the first of the two came."""
        return min(arrival.at_ms for arrival in (self.ours, self.real) if arrival is not None)

    def __str__(self) -> str:
        return f"{self.path} {self.group}: {self.why}\n  real: {text(self.real)}\n  ours: {text(self.ours)}"


def text(arrival: Arrival | None) -> str:
    """On one line."""
    if arrival is None:
        return "nothing"
    alerts = " ".join(_alert_text(alert) for alert in arrival.body["alerts"])
    reason = f" ({arrival.reason})" if arrival.reason else ""
    return f"{arrival.at_ms / UNIT_MS:.2f} {arrival.body['status']}{reason} {alerts}"


def _alert_text(alert: Mapping[str, Any]) -> str:
    labels = " ".join(f"{k}={v}" for k, v in alert["labels"].items() if k != "scenario")
    return f"{'-' if alert['status'] == 'resolved' else ''}{{{labels}}}"


# What a webhook of ours says besides: see differences.
_OURS = ("incident", "links")


def divergence(
    scenario: Scenario,
    ours: Sequence[Arrival],
    real: Sequence[Arrival],
    begins_ms: int,
    tolerance: Tolerance = Tolerance(),
) -> Divergence | None:
    """The earliest of all streams; None where the two agree."""
    found = []
    streams_ours, streams_real = _streams(ours), _streams(real)
    for key in sorted({*streams_ours, *streams_real}):
        for a, b in zip_longest(streams_ours.get(key, ()), streams_real.get(key, ())):
            why = _why(a, b, _retries(scenario, a), begins_ms, tolerance)
            if why is not None:
                # Of two messages at different times only the first is what the other lacks.
                if a is not None and b is not None and abs(a.at_ms - b.at_ms) > UNIT_MS:
                    a, b = (a, None) if a.at_ms < b.at_ms else (None, b)
                found.append(Divergence(*key, a, b, why))
                break
    return min(found, key=lambda d: d.at_ms, default=None)


def _streams(arrivals: Iterable[Arrival]) -> dict[tuple[str, str], list[Arrival]]:
    """By integration and group, in order."""
    found = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda a: a.at_ms):
        found[arrival.path, arrival.body["groupKey"]].append(arrival)
    return found


def _retries(scenario: Scenario, ours: Arrival | None) -> bool:
    """Whether the message came by another attempt, for the first met with an error."""
    if ours is None:
        return False
    return any(f.status in (0, 500, 503) and f.to_ms == ours.at_ms for f in scenario.failing)


def _why(
    ours: Arrival | None, real: Arrival | None, retried: bool, begins_ms: int, tolerance: Tolerance
) -> str | None:
    if ours is None or real is None:
        return "only the real one tells this" if ours is None else "only ours tells this"
    late = real.at_ms - ours.at_ms
    if not -tolerance.early_ms <= late <= (tolerance.retried_ms if retried else tolerance.late_ms):
        return f"at another time, {late:.0f} ms later than ours"
    for key in real.body.keys() | ours.body.keys():
        if key in ("alerts", "externalURL", *_OURS):
            continue
        if real.body.get(key) != ours.body.get(key):
            return f"{key} is {real.body.get(key)!r} for the real one and {ours.body.get(key)!r} for ours"
    one, other = ours.body["alerts"], real.body["alerts"]
    if [_told(a) for a in one] != [_told(a) for a in other]:
        return "other alerts, or in another order"
    for a, b in zip(one, other, strict=True):
        for key in ("startsAt", "endsAt"):
            if not _near(a[key], b[key], tolerance):
                since = f"ours {_since(a[key], begins_ms)}, real {_since(b[key], begins_ms)}"
                return f"{key} of {_alert_text(a)}: {since}"
    return None


def _told(alert: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        alert["status"],
        alert["labels"],
        alert["annotations"],
        alert["fingerprint"],
        alert["generatorURL"],
    )


def _near(one: str, other: str, tolerance: Tolerance) -> bool:
    if _NO_TIME in (one, other):
        return one == other
    apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    return abs(apart.total_seconds()) * 1000 <= tolerance.alert_ms


def _since(moment: str, begins_ms: int) -> str:
    if moment == _NO_TIME:
        return "none"
    return f"{(datetime.fromisoformat(moment).timestamp() * 1000 - begins_ms) / UNIT_MS:.2f}"
