"""What becomes of a silence that is set anew, changed or ended; pure.

As in Alertmanager the past is left as it was: what would change it ends the old silence and begins another.
"""

from collections.abc import Callable
from dataclasses import replace

from monitor.paging.settings import Matcher
from monitor.paging.silence import Repeat, Silence, SilenceState
from monitor.paging.silencing import state, stretch

__all__ = ["MAX_MATCHERS", "ended", "problem", "put"]

MAX_MATCHERS = 100
_DAYS = {Repeat.DAILY: 1, Repeat.WEEKLY: 7}


def problem(wanted: Silence, now_ms: int) -> str | None:
    """Why there can't be such a silence, in a sentence."""
    if wanted.starts_ms >= wanted.ends_ms:
        return "start time must be before end time"
    if wanted.repeat is None and wanted.ends_ms < now_ms:
        return "end time can't be in the past"
    if wanted.repeat is not None:
        if wanted.starts_ms < 0:
            return "a silence that comes again can't begin before 1970"
        if wanted.ends_ms - wanted.starts_ms > _DAYS[wanted.repeat] * 86_400_000:
            return f"it is longer than the time after which it comes again ({wanted.repeat})"
        if stretch(wanted, now_ms) is None:
            return "until can't be in the past"
    if len(wanted.matchers) > MAX_MATCHERS:
        return f"{len(wanted.matchers):,} matchers are too many; {MAX_MATCHERS} at most"
    if all(_matches_nothing(m) for m in wanted.matchers):
        return "at least one matcher must not match the empty string"
    return None


def _matches_nothing(matcher: Matcher) -> bool:
    """As Alertmanager has it: a matcher that excludes something counts as one that selects."""
    return matcher.equal and matcher.matches({})


def put(old: Silence | None, wanted: Silence, now_ms: int, new_id: Callable[[], str]) -> list[Silence]:
    """The silences to keep, that which was asked for last: `wanted` in place of `old`, or as a new one beside
    `old`, which then ends now. One that isn't recurring begins now at the earliest."""
    if old is not None and _may_change(old, wanted, now_ms):
        return [replace(wanted, id=old.id, updated_ms=now_ms)]
    starts_ms = wanted.starts_ms if wanted.repeat else max(wanted.starts_ms, now_ms)
    fresh = replace(wanted, id=new_id(), starts_ms=starts_ms, updated_ms=now_ms)
    over = ended(old, now_ms) if old is not None else None
    return [fresh] if over is None else [over, fresh]


def _may_change(old: Silence, wanted: Silence, now_ms: int) -> bool:
    """Whether nothing that has been changes with it."""
    if old.matchers != wanted.matchers:
        return False
    match state(old, now_ms):
        case SilenceState.ACTIVE:
            begun = stretch(old, now_ms)
            same = begun is not None and begun[0] // 1000 == wanted.starts_ms // 1000
            return same and wanted.ends_ms >= now_ms
        case SilenceState.PENDING:
            return wanted.starts_ms >= now_ms
        case SilenceState.EXPIRED:
            return False


def ended(silence: Silence, now_ms: int) -> Silence | None:
    """The silence as it ends now; None for one that is over."""
    current = state(silence, now_ms)
    if current is SilenceState.EXPIRED:
        return None
    if silence.repeat is not None:
        return replace(silence, until_ms=now_ms, updated_ms=now_ms)
    starts_ms = now_ms if current is SilenceState.PENDING else silence.starts_ms
    return replace(silence, starts_ms=starts_ms, ends_ms=now_ms, updated_ms=now_ms)
