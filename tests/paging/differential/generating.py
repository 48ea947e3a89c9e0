"""Scenarios from a seed, on a grid of time, so that nothing is decided by who comes first.

Reports, silences and ends lie on multiples of four units, flushes two units after them, and what flushes at
once, restarts and reloads on odd ones. No two things that depend on each other are closer than a unit.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.paging.differential.grid import (
    AGAIN_EACH,
    LENGTH,
    MOMENT,
    REPORTED_AGAIN,
    RESOLVE_TIMEOUT,
    TIMED_LENGTH,
    TURN,
    ms,
)
from tests.paging.differential.lives import Life, Wants, life_of
from tests.paging.differential.scenario import (
    Expire,
    Failing,
    Interval,
    Moment,
    MomentKind,
    Push,
    Reported,
    Scenario,
    Silenced,
    Step,
    Target,
)

__all__ = ["generate"]

_NEVER = 4_000
_GROUPINGS: Sequence[list[str]] = (["alertname"], ["alertname", "instance"], ["zone"], ["..."], [])


@dataclass
class _Draft:
    """A scenario in the making, its times in units."""

    rng: random.Random
    moment: MomentKind | None
    timed: bool
    tags: set[str] = field(default_factory=set)
    failing: tuple[Failing, ...] = ()

    def take(self, tag: str, chance: float) -> bool:
        """Whether the scenario has this feature."""
        if self.rng.random() < chance:
            self.tags.add(tag)
        return tag in self.tags


def generate(seed: int, number: int, moment: MomentKind | None = None, *, timed: bool = False) -> Scenario:
    """Scenario `number` of a seed. `timed`: with time intervals, about the minute that turns within it."""
    kind = moment.value if moment is not None else ("timed" if timed else "steady")
    draft = _Draft(random.Random(f"{seed}/{kind}/{number}"), moment, timed)
    length = TIMED_LENGTH if timed else LENGTH
    receivers = _receivers(draft)
    route, after, intervals = _route(draft, list(receivers))
    alerts = _labels(draft)
    inhibit = _inhibit(draft)
    steps = _steps(draft, alerts, length)
    return Scenario(
        name=f"{kind}{number}",
        route=route,
        receivers=receivers,
        steps=steps,
        length_ms=ms(length - 0.25),
        inhibit=inhibit,
        intervals=intervals,
        failing=draft.failing,
        moment=Moment(ms(MOMENT), moment) if moment is not None else None,
        route_after=after,
        resolve_timeout_ms=ms(RESOLVE_TIMEOUT),
        turn_ms=ms(TURN) if timed else None,
        tags=frozenset(draft.tags),
    )


def _receivers(draft: _Draft) -> dict[str, tuple[Target, ...]]:
    rng = draft.rng
    count = 2 if draft.take("several integrations", 0.3) else 1
    quiet = draft.take("ends not wanted", 0.25)
    few = draft.take("list cut", 0.12)
    targets = [Target(max_alerts=rng.choice((1, 2)) if few else 0) for _ in range(count)]
    if quiet:
        targets[-1] = replace(targets[-1], send_resolved=False)
    rng.shuffle(targets)
    return {"a": tuple(targets), "b": (Target(send_resolved=rng.random() < 0.7),)}


def _route(
    draft: _Draft, receivers: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any] | None, tuple[Interval, ...]]:
    rng = draft.rng
    down = draft.take("server error", 0.14)
    if not down:
        draft.take("refused", 0.14)
    interval = 16 if down else rng.choice((4, 4, 8))
    repeat = rng.choice((6, 22) if down else (6, 10, 14, 22)) if draft.take("repeat", 0.5) else _NEVER
    by = rng.choice(_GROUPINGS)
    draft.tags.add({"...": "by all labels"}.get(by[0], "grouped") if by else "ungrouped")
    # After a reload whatever waited longer would be due at once with the next report.
    wait = 2 if draft.moment is MomentKind.RELOADED else rng.choice((2, 2, 6))
    route: dict[str, Any] = {
        "receiver": receivers[0],
        "group_by": by,
        "group_wait": _duration(wait),
        "group_interval": _duration(interval),
        "repeat_interval": _duration(repeat),
    }
    intervals = _timed(draft, route) if draft.timed else ()
    if draft.take("nested", 0.3):
        route["routes"] = _nested(draft, route)
    _fail(draft, interval)
    after = None
    if draft.moment is MomentKind.RELOADED and draft.take("reload changes", 0.3):
        after = {**route, "repeat_interval": _duration(rng.choice((6, 14, _NEVER)))}
    return route, after, intervals


def _timed(draft: _Draft, route: dict[str, Any]) -> tuple[Interval, ...]:
    """Muted until the minute turns, or from then on; or active."""
    rng = draft.rng
    location = rng.choice((None, None, "Europe/Berlin", "Asia/Kolkata"))
    before = Interval("before", -5, 5, location)
    since = Interval("since", 0, 5, location)
    first = rng.choice((before, since))
    if draft.take("active", 0.5):
        route["active_time_intervals"] = [first.name]
    if "active" not in draft.tags or draft.take("mute", 0.3):
        draft.tags.add("mute")
        never = Interval("never", 120, 5, location)
        muted = never if "active" in draft.tags else first
        route["mute_time_intervals"] = [muted.name]
        return tuple({i.name: i for i in (first, muted)}.values())
    return (first,)


def _nested(draft: _Draft, route: Mapping[str, Any]) -> list[dict[str, Any]]:
    rng = draft.rng
    first: dict[str, Any] = {
        "matchers": [rng.choice(('severity="page"', 'alertname=~"A|B"', 'zone!="z1"'))],
        "receiver": "b",
        "continue": rng.random() < 0.6,
    }
    if rng.random() < 0.5:
        first["group_by"] = rng.choice(_GROUPINGS[:3])
    for key in ("mute_time_intervals", "active_time_intervals"):
        if key in route and rng.random() < 0.5:
            first[key] = route[key]
    routes = [first]
    if rng.random() < 0.6:
        routes.append({"matchers": ['alertname="A"'], "receiver": "a", "group_wait": _duration(2)})
    if rng.random() < 0.3:
        first["routes"] = [{"matchers": ['instance="i1"'], "receiver": "a"}]
    return routes


def _fail(draft: _Draft, interval: int) -> None:
    """A webhook fails about the time of the first flushes. Server errors are over before the next tick, for
    by then the real one has tried again; what is refused waits for the tick however long."""
    rng = draft.rng
    if "server error" in draft.tags:
        begin, status = rng.choice((4, 8, 20, 36)), rng.choice((500, 503, 0))
        # Half units lie between the flushes.
        draft.failing = (_failing("a", begin + 0.5, begin + 3.5, status),)
    elif "refused" in draft.tags:
        begin = rng.choice((4, 8, 20, 36))
        draft.failing = (_failing("a", begin + 0.5, begin + rng.choice((3, 7, 15)) + 0.5, 404),)


def _failing(receiver: str, begin: float, end: float, status: int) -> Failing:
    return Failing(receiver, 0, ms(begin), ms(end), status)


def _labels(draft: _Draft) -> list[dict[str, str]]:
    rng = draft.rng
    found: dict[str, dict[str, str]] = {}
    for _ in range(rng.randint(2, 6)):
        labels = {"alertname": rng.choice("ABC"), "instance": rng.choice(("i1", "i2"))}
        labels["severity"] = rng.choice(("page", "warn"))
        labels["zone"] = rng.choice(("z1", "z2", ""))
        if rng.random() < 0.3:
            labels["job"] = rng.choice(("j1", "j2"))
        found[repr(labels)] = labels
    return list(found.values())


def _inhibit(draft: _Draft) -> tuple[Mapping[str, Any], ...]:
    rng = draft.rng
    if not draft.take("inhibit", 0.35):
        return ()
    if draft.take("inhibit both sides", 0.3):
        sides = ('alertname=~"A|B"', 'alertname=~"B|C"')
    else:
        sides = rng.choice((('severity="page"', 'severity="warn"'), ('alertname="A"', 'alertname!="A"')))
    equal = rng.choice(([], ["instance"], ["zone"], ["job", "zone"]))
    return ({"source_matchers": [sides[0]], "target_matchers": [sides[1]], "equal": equal},)


def _steps(draft: _Draft, alerts: Sequence[Mapping[str, str]], length: int) -> tuple[Step, ...]:
    moment = draft.moment
    restarts = moment in (MomentKind.TERMINATED, MomentKind.KILLED)
    rng = draft.rng
    wants = Wants(
        end=rng.random() < 0.7,
        again=rng.random() < 0.5,
        time_out=rng.random() < 0.4,
        notes=rng.random() < 0.4,
        old=None,
        pause=(MOMENT - 3, REPORTED_AGAIN) if restarts else (length, length),
    )
    # A flush at once doesn't wait for what is reported together with the cause, so only one does that, and
    # nothing inhibits it.
    old = moment is None and "inhibit" not in draft.tags and rng.random() < 0.4
    first = replace(wants, old=rng.choice((7, 7, 11, 15))) if old else wants
    each = [first, *(wants for _ in alerts[1:])]
    found = [life_of(rng, *one, length - 8) for one in zip(alerts, each, strict=True)]
    for life in found:
        draft.tags |= life.features
    reports: list[tuple[float, Reported]] = [report for life in found for report in life.reports]
    if restarts:
        reports += _reported_again(found)
    pushes: dict[float, list[Reported]] = {}
    for at, report in sorted(reports, key=lambda pair: pair[0]):
        pushes.setdefault(at, []).append(report)
    steps: list[Step] = [Push(ms(at), tuple(some)) for at, some in pushes.items()]
    return tuple(steps + _silences(draft, length))


def _reported_again(found: Sequence[Life]) -> list[tuple[float, Reported]]:
    """What fires is reported to one that is back, as Prometheus does it."""
    firing = [report for life in found if (report := life.firing_at(REPORTED_AGAIN)) is not None]
    # One by one, for a flush at once doesn't wait for what is reported together with the cause.
    return [(REPORTED_AGAIN + AGAIN_EACH * i, report) for i, report in enumerate(firing)]


def _silences(draft: _Draft, length: int) -> list[Step]:
    rng = draft.rng
    steps: list[Step] = []
    if not draft.take("silence", 0.4):
        return steps
    for number in range(rng.choice((1, 1, 2))):
        name = f"s{number}"
        begin = 4 * rng.randint(1, 8)
        end = begin + 4 * rng.randint(1, 8)
        matchers = rng.choice(
            (
                (("alertname", "=", "A"),),
                (("alertname", "=~", "A|B"),),
                (("severity", "!=", "page"),),
                (("instance", "!~", "i2"), ("zone", "=", "z1")),
                (("alertname", "=~", ".+"),),
            )
        )
        set_at = max(4, begin - rng.choice((0, 4, 8)))
        if draft.moment is not None and MOMENT - 3 < set_at < REPORTED_AGAIN:
            continue
        steps.append(Silenced(ms(set_at), name, matchers, ms(begin), ms(end)))
        expire = begin + 4 * rng.randint(1, 3)
        down = draft.moment is not None and (MOMENT - 3 < expire < REPORTED_AGAIN)
        # One that is killed has lost its silences.
        lost = draft.moment is MomentKind.KILLED and expire > MOMENT
        if rng.random() < 0.4 and expire < end and not down and not lost:
            draft.tags.add("silence expired")
            steps.append(Expire(ms(expire), name))
    return steps


def _duration(units: int) -> str:
    return f"{ms(units)}ms"
