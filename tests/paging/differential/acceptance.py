"""Alertmanager's own acceptance scenarios, read from the file that says what goes in and must come out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.paging.differential.scenario import Expire, Push, Reported, Scenario, Silenced, Step, Target

__all__ = ["READABLE", "Wanted", "alerts_of", "scenario_of"]

# Those that are told in the same words; the others need a cluster or flags.
READABLE = (
    *("MergeAlerts", "MergeAlertsWithEndsAt", "Repeat", "Batching", "Inhibiting", "AlwaysInhibiting"),
    *("Silencing", "SilenceDelete"),
)
_FAR_MS, _REPEAT_S, _AFTER_MS = 600_000, 3_600, 700
_ALERT = re.compile(
    r"(?P<name>[A-Z]?[A-Za-z]+\d*)(?:[ {](?P<zone>a[ab])\}?)?(?: ann=(?P<ann>\w+))?"
    r"(?::(?P<start>[\d.]+)(?:,(?P<end>[\d.]+))?)?(?=\s|$)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Between two times, ms, these alerts, and nothing else."""

    from_ms: int
    to_ms: int
    alerts: tuple[Reported, ...]


def alerts_of(text: str) -> tuple[Reported, ...]:
    """`test ann=v1:2` and the like; several with blanks between them."""
    return tuple(_alert(found) for found in _ALERT.finditer(text))


def _alert(found: re.Match[str]) -> Reported:
    labels = {"alertname": found["name"]}
    if found["zone"]:
        labels |= {"job": "testjob", "zone": found["zone"]}
    annotations = {"ann": found["ann"]} if found["ann"] else {}
    return Reported(labels, _ms(found["start"]), _ms(found["end"]), annotations)


def _ms(seconds: str | float | None) -> int | None:
    return None if seconds is None else round(float(seconds) * 1000)


def scenario_of(name: str, file: Mapping[str, Any]) -> tuple[Scenario, list[Wanted]]:
    """The scenario of that name, and what must arrive."""
    fact = _fact(name, file)
    pushes = [_push(*push) for push in fact["push"]]
    if name == "MergeAlertsWithEndsAt":
        pushes = [replace(p, alerts=tuple(_ends_later(a) for a in p.alerts)) for p in pushes]
    wanted = [_wanted(row, pushes) for row in fact["want"]]
    rule = {"source_matchers": ["alertname=JobDown"], "target_matchers": ["alertname=InstanceDown"]}
    scenario = Scenario(
        name=name.lower(),
        route={
            "receiver": "a",
            "group_by": fact["by"],
            "group_wait": f"{fact['gw']}s",
            "group_interval": f"{fact['gi']}s",
            "repeat_interval": f"{_ms(fact.get('ri', _REPEAT_S))}ms",
        },
        receivers={"a": (Target(),)},
        steps=(*pushes, *_silences(fact.get("silence"))),
        length_ms=wanted[-1].to_ms + _AFTER_MS // 7,
        inhibit=({**rule, "equal": ["job", "zone"]},) if "inhibit" in fact else (),
        resolve_timeout_ms=_FAR_MS,
        tags=frozenset({"inhibit", "silence", "ends"} & {"ends", *fact}),
    )
    return scenario, wanted


def _fact(name: str, file: Mapping[str, Any]) -> Mapping[str, Any]:
    fact = file[name]
    if isinstance(fact, str):
        return dict(file["MergeAlerts"])
    return {**file[fact["as"]], **fact} if "as" in fact else fact


def _push(at_s: float, text: str) -> Push:
    at_ms = round(at_s * 1000)
    alerts = [a if a.starts_ms is not None else replace(a, starts_ms=at_ms) for a in alerts_of(text)]
    return Push(at_ms, tuple(alerts))


def _ends_later(alert: Reported) -> Reported:
    """Three seconds after its start, unless it says."""
    assert alert.starts_ms is not None
    return alert if alert.ends_ms is not None else replace(alert, ends_ms=alert.starts_ms + 3_000)


def _wanted(row: Sequence[Any], pushes: Sequence[Push]) -> Wanted:
    begin, end, texts = row
    if texts == ["all five"]:
        alerts = tuple(a for p in pushes for a in p.alerts)
    else:
        alerts = tuple(a for text in texts for a in alerts_of(text))
    return Wanted(round(begin * 1000), round(end * 1000), alerts)


def _silences(text: str | None) -> list[Step]:
    if text is None:
        return []
    found = re.match(r"set at ([\d.]+),? (?:active|for) ([\d.]+)-([\d.]+),? alertname(=~|=)([^,]+)", text)
    assert found is not None, text
    set_ms, begin_ms, end_ms = (round(float(found[i]) * 1000) for i in (1, 2, 3))
    steps: list[Step] = [Silenced(set_ms, "s", (("alertname", found[4], found[5]),), begin_ms, end_ms)]
    if gone := re.search(r"deleted at ([\d.]+)", text):
        steps.append(Expire(round(float(gone[1]) * 1000), "s"))
    return steps
