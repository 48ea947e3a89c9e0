"""Silences that say when they are about to end, while what they silence still fires."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.paging.alert import Alert
from monitor.paging.silence import Silence
from monitor.paging.silencing import stretch
from monitor.paging.templates.times import length, moment
from monitor.paging.templates.wording import alert_summary

__all__ = ["Warned", "ends_soon_ms", "warns_ms", "words"]

_LISTED = 10


@dataclass(frozen=True, slots=True)
class Warned:
    """That a silence ends at `ends_ms` has been said; of one that recurs, or is made longer, again."""

    silence: str
    ends_ms: int


def warns_ms(silence: Silence, ahead_ms: int, now_ms: int) -> tuple[int, int] | None:
    """From when on it is said that the stretch under way ends, or the one that comes next, and when that is;
    of a short one not before half of it is over. None for a silence that is over."""
    found = stretch(silence, now_ms)
    if found is None:
        return None
    begin_ms, end_ms = found
    return max(end_ms - ahead_ms, (begin_ms + end_ms) // 2), end_ms


def ends_soon_ms(silence: Silence, ahead_ms: int, warned: Warned | None, now_ms: int) -> int | None:
    """When it ends, where that is to be said as soon as something that it silences fires."""
    found = warns_ms(silence, ahead_ms, now_ms)
    if found is None or now_ms < found[0] or (warned is not None and warned.ends_ms == found[1]):
        return None
    return found[1]


def words(silence: Silence, ends_ms: int, alerts: Sequence[Alert], now_ms: int) -> str:
    """What the receivers of these alerts are told."""
    n = f"{len(alerts)} alerts" if len(alerts) > 1 else "an alert"
    when = moment(ends_ms, silence.time_zone, now_ms)
    lines = [
        f"A silence ends in {length(ends_ms - now_ms)}, at {when}, and {n} under it still fire",
        "",
        *(f"- {alert_summary(alert)}" for alert in alerts[:_LISTED]),
        *([f"- and {len(alerts) - _LISTED} more"] if len(alerts) > _LISTED else []),
        "",
        f"Set by {silence.created_by}: {silence.comment}" if silence.comment else f"By {silence.created_by}.",
        f"Its id is {silence.id}. Make it longer, or mend the cause.",
    ]
    return "\n".join(lines)
