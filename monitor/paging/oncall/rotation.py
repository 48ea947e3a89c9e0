"""On-call rotations: layers of people who take turns, and overrides.

Turns begin at a local time of day, so that a change of the clocks moves no handover.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise

from monitor.paging.oncall.local_time import Hours, local_date, moment_ms

__all__ = ["Layer", "Override", "Rotation", "Shift", "on_call", "shifts"]


@dataclass(frozen=True, slots=True)
class Layer:
    """`people` take turns of `days` local days from `since` on, each beginning at `handover`; with `hours`
    they are on call only then, as where teams follow the sun."""

    people: tuple[str, ...]
    days: int
    since: date
    handover: time
    zone: str
    hours: Hours | None = None

    def turn_ms(self, turn: int) -> int:
        """When a turn begins; the first is 0."""
        return moment_ms(self.since + timedelta(days=turn * self.days), self.handover, self.zone)

    def turn_at(self, at_ms: int) -> int:
        """The turn under way, below 0 before the first."""
        turn = (local_date(at_ms, self.zone) - self.since).days // self.days
        return turn if self.turn_ms(turn) <= at_ms else turn - 1

    def person_at(self, at_ms: int) -> str | None:
        """Nobody before the first turn, and outside of the hours."""
        turn = self.turn_at(at_ms)
        if turn < 0 or (self.hours is not None and not self.hours.contains(at_ms)):
            return None
        return self.people[turn % len(self.people)]

    def edges(self, from_ms: int, to_ms: int) -> Iterator[int]:
        """The moments within [from_ms, to_ms) at which somebody else may be on call."""
        turn = max(self.turn_at(from_ms), -1) + 1
        while (begin_ms := self.turn_ms(turn)) < to_ms:
            yield begin_ms
            turn += 1
        if self.hours is not None:
            for stretch in self.hours.between(from_ms, to_ms):
                yield from (ms for ms in stretch if from_ms <= ms < to_ms)


@dataclass(frozen=True, slots=True)
class Override:
    """`person` in place of whoever would be on call in [from_ms, to_ms)."""

    person: str
    from_ms: int
    to_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The first layer that has somebody at a moment decides, an override before all; the last given of
    overrides that overlap."""

    name: str
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """`person` is on call in [from_ms, to_ms); nobody where that is None."""

    person: str | None
    from_ms: int
    to_ms: int


def on_call(rotation: Rotation, at_ms: int) -> str | None:
    """Who is on call; None where nobody is."""
    for override in reversed(rotation.overrides):
        if override.from_ms <= at_ms < override.to_ms:
            return override.person
    found = (layer.person_at(at_ms) for layer in rotation.layers)
    return next((person for person in found if person is not None), None)


def shifts(rotation: Rotation, from_ms: int, to_ms: int) -> list[Shift]:
    """Who is on call when, without gap or overlap from `from_ms` to `to_ms`; neighbours differ."""
    edges = {from_ms, to_ms}
    for layer in rotation.layers:
        edges.update(layer.edges(from_ms, to_ms))
    for override in rotation.overrides:
        edges.update(ms for ms in (override.from_ms, override.to_ms) if from_ms < ms < to_ms)
    found: list[Shift] = []
    for begin_ms, end_ms in pairwise(sorted(edges)):
        person = on_call(rotation, begin_ms)
        if found and found[-1].person == person:
            begin_ms = found.pop().from_ms
        found.append(Shift(person, begin_ms, end_ms))
    return found
