"""Who is told next while nobody acknowledges."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Because", "Level", "Step", "due", "next_ms"]


@dataclass(frozen=True, slots=True)
class Level:
    """`receiver` is told once nobody has acknowledged for `after_ms` since the first page, or at once where
    the budget burns faster than `above_burn`."""

    receiver: str
    after_ms: int
    above_burn: float | None = None


class Because(StrEnum):
    """Why a level is due."""

    UNACKNOWLEDGED = "nobody acknowledged in time"
    BURNS = "the budget burns faster than the level allows"


@dataclass(frozen=True, slots=True)
class Step:
    """Level `level` is to be told at `now_ms`."""

    level: int
    receiver: str
    because: Because


def due(
    levels: tuple[Level, ...],
    told: frozenset[int],
    paged_ms: int,
    acknowledged: bool,
    burn: float | None,
    now_ms: int,
) -> list[Step]:
    """The levels that are to be told now and are not among the `told`, the first first; none once somebody
    has acknowledged. `burn` is the highest burn rate of the incident's alerts, None where it isn't known."""
    if acknowledged:
        return []
    found = []
    for number, level in enumerate(levels):
        if number in told:
            continue
        if now_ms >= paged_ms + level.after_ms:
            found.append(Step(number, level.receiver, Because.UNACKNOWLEDGED))
        elif level.above_burn is not None and burn is not None and burn > level.above_burn:
            found.append(Step(number, level.receiver, Because.BURNS))
    return found


def next_ms(levels: tuple[Level, ...], told: frozenset[int], paged_ms: int) -> int | None:
    """When the next level is due if nobody acknowledges; None after the last."""
    return min((paged_ms + lv.after_ms for n, lv in enumerate(levels) if n not in told), default=None)
