"""What is reported of one alert over a scenario; times here are in units of the grid."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.paging.differential.grid import FAR, RESOLVE_TIMEOUT, ms
from tests.paging.differential.scenario import Reported

__all__ = ["Life", "Wants", "life_of"]


@dataclass(frozen=True, slots=True)
class Wants:
    """Which features an alert has. One with an `old` start is reported at this time first. Nothing is
    reported between the two times of the `pause`."""

    end: bool
    again: bool
    time_out: bool
    notes: bool
    old: int | None
    pause: tuple[int, int]

    def paused(self, at: int) -> bool:
        return self.pause[0] < at < self.pause[1]


@dataclass
class Life:
    """The reports of an alert as (when, what), and the stretches [from, to) in which it fires, each with its
    first report. `features` are those that came about."""

    reports: list[tuple[int, Reported]] = field(default_factory=list)
    stretches: list[tuple[int, int, Reported]] = field(default_factory=list)
    features: set[str] = field(default_factory=set)

    def firing_at(self, at: int) -> Reported | None:
        """As Prometheus would report it then; None while it doesn't fire."""
        for begin, end, report in self.stretches:
            if begin <= at < end:
                starts_ms = ms(begin) if report.starts_ms is None else report.starts_ms
                return replace(report, starts_ms=starts_ms, ends_ms=ms(FAR))
        return None


def life_of(rng: random.Random, labels: Mapping[str, str], wants: Wants, until: int) -> Life:
    """An alert of these labels, with what is wanted more or less often; nothing is reported after `until`."""
    life, at = Life(), 4 * rng.choice((1, 1, 1, 2, 3, 5))
    old = wants.old
    if old is not None:
        at = old - 3
    while at < until:
        if wants.paused(at):
            at = wants.pause[1] + 3
        end = _Stretch(rng, labels, wants, until, life).live(at, old=old)
        old = None
        if end is None or not wants.again:
            break
        at = end + 4 * rng.choice((1, 1, 2, 4))
        if at < until:
            life.features.add("fires again")
    return life


@dataclass
class _Stretch:
    """One time that an alert fires."""

    rng: random.Random
    labels: Mapping[str, str]
    wants: Wants
    until: int
    life: Life

    def live(self, at: int, old: int | None) -> int | None:
        """Adds its reports; returns when it ends, None for never."""
        times_out = old is None and self.wants.time_out and self.rng.random() < 0.6
        bounded = not times_out and self.wants.end and self.rng.random() < 0.35
        first, start = at, at - self.rng.choice((0, 0, 1))
        if old is not None:
            first, start = old, old - self.rng.choice((8, 12))
            self.life.features.add("old start")
        report = Reported(self.labels, ms(start), None if times_out else ms(FAR))
        if times_out and self.rng.random() < 0.5:
            report = replace(report, starts_ms=None)
        end = at + 4 * self.rng.randint(2, 5)
        if bounded:
            report = replace(report, ends_ms=ms(end))
        self.life.reports.append((first, report))
        last = self._in_between(at, end, report)
        if not bounded:
            found = self._resolve(end, report, last, times_out=times_out)
            if found is None:
                self.life.stretches.append((at, FAR, report))
                return None
            end = found
        elif end < self.until:
            self.life.features.add("ends")
        self.life.stretches.append((at, end, report))
        return end

    def _in_between(self, at: int, end: int, report: Reported) -> int:
        """It may be reported again while it fires, with other annotations or none; returns when last."""
        middle = 4 * self.rng.randint(at // 4 + 1, end // 4 - 1)
        if (
            not self.wants.notes
            or self.rng.random() < 0.3
            or middle >= self.until
            or self.wants.paused(middle)
        ):
            return at
        self.life.features.add("annotations change")
        note = {"summary": self.rng.choice(("worse", "better"))}
        self.life.reports.append((middle, replace(report, annotations=note)))
        return middle

    def _resolve(self, end: int, report: Reported, last: int, *, times_out: bool) -> int | None:
        """Somebody reports its end, or it is given up, or neither."""
        if self.wants.end and self.rng.random() < 0.8:
            while self.wants.paused(end):
                end += 4
            if end < self.until:
                self.life.features.add("ends")
                self.life.reports.append((end, replace(report, ends_ms=ms(end))))
                return end
        if not times_out:
            return None
        if last + RESOLVE_TIMEOUT < self.until:
            self.life.features.add("times out")
        return last + RESOLVE_TIMEOUT
