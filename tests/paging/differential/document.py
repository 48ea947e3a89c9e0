"""Scenarios as one Alertmanager configuration."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.paging.differential.scenario import Interval, Scenario

__all__ = ["configuration", "receiver_name"]

_MINUTE_MS, _DAY_MINUTES = 60_000, 1_440


def receiver_name(scenario: Scenario, name: str) -> str:
    """As it stands in the file, for it holds the receivers of all scenarios."""
    return f"{scenario.name}-{name}"


def configuration(
    scenarios: Sequence[Scenario], url: str, begins_ms: Mapping[str, int], *, reloaded: bool = False
) -> dict[str, Any]:
    """The file's content. Webhooks are at `url`; `begins_ms` says when each scenario begins, ms since the
    epoch, for those with time intervals. `reloaded`: as after the reload."""
    return {
        "global": {"resolve_timeout": f"{scenarios[0].resolve_timeout_ms}ms"},
        "route": {"receiver": "nobody", "routes": [_route(s, reloaded=reloaded) for s in scenarios]},
        "receivers": [{"name": "nobody"}, *(r for s in scenarios for r in _receivers(s, url))],
        "inhibit_rules": [_inhibit(s, rule) for s in scenarios for rule in s.inhibit],
        "time_intervals": [_interval(s, i, begins_ms[s.name]) for s in scenarios for i in s.intervals],
    }


def _route(scenario: Scenario, *, reloaded: bool) -> dict[str, Any]:
    route = scenario.route
    if reloaded and scenario.route_after is not None:
        route = scenario.route_after
    return {"matchers": [f'scenario="{scenario.name}"'], **_named(scenario, route)}


def _named(scenario: Scenario, route: Mapping[str, Any]) -> dict[str, Any]:
    """The route with the names that receivers and intervals have in the file."""
    named = dict(route)
    if "receiver" in named:
        named["receiver"] = receiver_name(scenario, named["receiver"])
    for key in ("mute_time_intervals", "active_time_intervals"):
        if key in named:
            named[key] = [receiver_name(scenario, each) for each in named[key]]
    if "routes" in named:
        named["routes"] = [_named(scenario, each) for each in named["routes"]]
    return named


def _receivers(scenario: Scenario, url: str) -> Iterator[dict[str, Any]]:
    for name, targets in scenario.receivers.items():
        full = receiver_name(scenario, name)
        entries = [
            {
                "url": f"{url}/{full}/{i}",
                "send_resolved": target.send_resolved,
                "max_alerts": target.max_alerts,
            }
            for i, target in enumerate(targets)
        ]
        yield {"name": full, "webhook_configs": entries} if entries else {"name": full}


def _inhibit(scenario: Scenario, rule: Mapping[str, Any]) -> dict[str, Any]:
    own = f'scenario="{scenario.name}"'
    return {
        "source_matchers": [own, *rule["source_matchers"]],
        "target_matchers": [own, *rule["target_matchers"]],
        "equal": list(rule.get("equal", ())),
    }


def _interval(scenario: Scenario, interval: Interval, begins_ms: int) -> dict[str, Any]:
    assert scenario.turn_ms is not None
    turn_ms = begins_ms + scenario.turn_ms
    zone = ZoneInfo(interval.location or "UTC")
    at = datetime.fromtimestamp((turn_ms + interval.begin * _MINUTE_MS) / 1000, UTC).astimezone(zone)
    first = at.hour * 60 + at.minute
    times: dict[str, Any] = {"times": [_range(*r) for r in _ranges(first, interval.minutes)]}
    if interval.location is not None:
        times["location"] = interval.location
    return {"name": receiver_name(scenario, interval.name), "time_intervals": [times]}


def _ranges(first: int, minutes: int) -> list[tuple[int, int]]:
    """At midnight a stretch is two."""
    if first + minutes <= _DAY_MINUTES:
        return [(first, first + minutes)]
    return [(first, _DAY_MINUTES), (0, first + minutes - _DAY_MINUTES)]


def _range(begin: int, end: int) -> dict[str, str]:
    return {"start_time": _clock(begin), "end_time": _clock(end)}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
