"""Which windows a question asks for, and from which tiers they are added up."""

from dataclasses import dataclass
from typing import Protocol

from monitor.clock import DAY_S, HOUR_S
from monitor.errors import QueryError
from monitor.profiles.layout import Kind

__all__ = [
    "MAX_ANSWERS",
    "Bases",
    "Part",
    "UsualBases",
    "Windows",
    "base_of",
    "cover",
    "stored_range",
    "tiers",
    "windows",
]

MAX_ANSWERS = 50_000
_LATEST_S = 253_402_300_799  # the end of the year 9999: what a timestamp can show


class Bases(Protocol):
    """The base windows, s, as a configuration has them."""

    @property
    def service_s(self) -> int: ...
    @property
    def features_s(self) -> int: ...
    @property
    def quality_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class UsualBases:
    """The base windows of a store that no configuration says otherwise of, s."""

    service_s: int = 60
    features_s: int = 600
    quality_s: int = 3600


def base_of(bases: Bases, kind: Kind) -> int:
    """The base window of a kind of profile, s."""
    own = {Kind.FEATURES: bases.features_s, Kind.QUALITY: bases.quality_s, Kind.LEARNED: bases.quality_s}
    return own.get(kind, bases.service_s)


@dataclass(frozen=True, slots=True)
class Windows:
    """`n` windows of `step_s` seconds from `from_s` on."""

    from_s: int
    step_s: int
    n: int

    @property
    def to_s(self) -> int:
        return self.from_s + self.n * self.step_s


@dataclass(frozen=True, slots=True)
class Part:
    """[from_s, to_s) as it is to be read from one tier."""

    tier_s: int
    from_s: int
    to_s: int


def tiers(base_s: int) -> tuple[int, ...]:
    """The tiers of a kind of profile: the base window, and the hour and the day where longer."""
    return (base_s, *(t for t in (HOUR_S, DAY_S) if t > base_s))


def windows(from_s: int, to_s: int, step_s: int | None, base_s: int) -> Windows:
    """The windows that cover [from_s, to_s): begins are whole multiples of the step since the epoch.

    Raises QueryError for a step that is no multiple of the base window, an empty or a huge range.
    """
    if step_s is not None and (step_s <= 0 or step_s % base_s):
        raise QueryError(f"step: {step_s} s is no whole multiple of the base window of {base_s} s")
    if from_s >= to_s:
        raise QueryError("range: it ends before it begins; give an end that is later")
    if from_s < 0 or to_s > _LATEST_S:
        raise QueryError("range: times must lie between the years 1970 and 9999")
    unit = base_s if step_s is None else step_s
    begin, end = from_s // unit * unit, -(-to_s // unit) * unit
    if step_s is None:
        return Windows(begin, end - begin, 1)
    n = (end - begin) // step_s
    if n > MAX_ANSWERS:
        raise QueryError(
            f"range: {n} windows of {step_s} s are more than {MAX_ANSWERS}: "
            "take a longer step or a shorter range"
        )
    return Windows(begin, step_s, n)


def stored_range(extents: dict[int, tuple[int, int]]) -> tuple[int, int] | None:
    """[from_s, to_s) of what is stored, from the first and last window's begin in each tier.

    Taken from the finest tier, and before that, where it has been dropped, from coarser ones.
    """
    if not extents:
        return None
    finest = min(extents)
    begin = extents[finest][0]
    end = extents[finest][1] + finest
    for tier_s in sorted(extents):
        first, last = extents[tier_s]
        if first < begin // tier_s * tier_s:
            begin = first
        if last >= end:
            end = last + tier_s
    return begin, end


def cover(asked: Windows, tiers_s: tuple[int, ...]) -> list[Part]:
    """The parts whose sum is the range, from the coarsest tiers that fit the windows' bounds.

    With several windows one tier fits all; a single window is read coarse within and fine at its ends.
    """
    fitting = [t for t in tiers_s if t == tiers_s[0] or (asked.n == 1 or asked.step_s % t == 0)]
    parts: list[Part] = []
    _fill(asked.from_s, asked.to_s, sorted(fitting, reverse=True), parts)
    return sorted(parts, key=lambda part: part.from_s)


def _fill(from_s: int, to_s: int, coarse_first: list[int], parts: list[Part]) -> None:
    if from_s >= to_s:
        return
    tier_s, finer = coarse_first[0], coarse_first[1:]
    if not finer:
        parts.append(Part(tier_s, from_s, to_s))
        return
    begin, end = -(-from_s // tier_s) * tier_s, to_s // tier_s * tier_s
    if begin >= end:
        _fill(from_s, to_s, finer, parts)
        return
    _fill(from_s, begin, finer, parts)
    parts.append(Part(tier_s, begin, end))
    _fill(end, to_s, finer, parts)
