"""Whether a slot is told something at a flush: what it was told last, what is so now, and a named reason."""

from dataclasses import dataclass, replace

from monitor.paging.reason import Reason
from monitor.paging.state import Sent, Slot

__all__ = ["Now", "decide", "delivered", "doubted", "failed", "noted", "told"]

_NONE: frozenset[str] = frozenset()
_LONG_AGO_MS = -(1 << 50)


@dataclass(frozen=True, slots=True)
class Now:
    """The alerts of a flush, by fingerprint: what fires and what has ended of those that aren't suppressed,
    and what of the others fires (`hidden`) or has ended (`ended_hidden`)."""

    at_ms: int
    firing: frozenset[str]
    resolved: frozenset[str]
    hidden: frozenset[str] = _NONE
    ended_hidden: frozenset[str] = _NONE

    def to_tell(self, last: Sent | None) -> "Now":
        """With the suppressed alerts that have ended and were told as firing: their end is told anyway."""
        owed = self.ended_hidden & (last.firing | last.before_firing if last is not None else _NONE)
        return replace(self, resolved=self.resolved | owed)


def decide(
    last: Sent | None, now: Now, *, send_resolved: bool, repeat_interval_ms: int, acknowledged: bool = False
) -> Reason:
    """Alertmanager's rule (`notify.DedupStage.needsUpdate`), and two of ours: an alert that was suppressed
    after it was told is told again once it is not, and an acknowledgement holds repeats back.

    `now` is what `Now.to_tell` gives. What waits in the outbox counts as told.
    """
    if last is None:
        return Reason.FIRST if now.firing else Reason.NEVER_FIRED
    if not now.firing <= last.firing:
        return Reason.NEW_FIRING if last.firing else Reason.FIRST
    if not now.firing:
        over = bool(last.firing) and not last.firing & now.hidden
        return Reason.ALL_RESOLVED if over else _some(last, now, send_resolved)
    if now.firing & last.hidden:
        return Reason.RELEASED
    if send_resolved and not now.resolved <= last.resolved:
        return Reason.SOME_RESOLVED
    if last.at_ms < now.at_ms - repeat_interval_ms:
        return Reason.ACKNOWLEDGED if acknowledged else Reason.REPEAT
    return Reason.NOTHING_NEW


def _some(last: Sent, now: Now, send_resolved: bool) -> Reason:
    """Nothing fires openly, but something that was told fires on under suppression, or nothing was told."""
    if send_resolved and now.resolved & last.firing and not now.resolved <= last.resolved:
        return Reason.SOME_RESOLVED
    return Reason.NOTHING_NEW if last.firing or last.resolved else Reason.NEVER_FIRED


def told(last: Sent | None, slot: Slot, now: Now, *, waits: bool) -> Sent:
    """After telling what is so `now`; `waits` for its delivery, or there was nothing to deliver."""
    # What fires on under suppression is still open where it was told.
    still = now.hidden & (last.firing if last is not None else _NONE)
    fresh = Sent(slot, now.firing | still, now.resolved, now.at_ms, hidden=still)
    if not waits:
        return fresh
    if last is None:
        return replace(fresh, waiting=True)
    if last.waiting:
        before = (last.before_firing, last.before_resolved, last.before_ms)
    else:
        before = (last.firing, last.resolved, last.at_ms)
    return replace(
        fresh,
        waiting=True,
        doubtful=last.waiting and last.doubtful,
        before_firing=before[0],
        before_resolved=before[1],
        before_ms=before[2],
    )


def noted(last: Sent | None, now: Now) -> Sent | None:
    """After a flush that told nothing: what is suppressed by now."""
    if last is None or not now.hidden & last.firing - last.hidden:
        return last
    return replace(last, hidden=last.hidden | (now.hidden & last.firing))


def delivered(last: Sent, at_ms: int, *, replayed: bool = False) -> Sent:
    """What waited has arrived, or would have in a replay."""
    return replace(
        last,
        replayed=replayed,
        at_ms=at_ms,
        waiting=False,
        doubtful=False,
        before_firing=_NONE,
        before_resolved=_NONE,
        before_ms=None,
    )


def doubted(last: Sent) -> Sent:
    """What waits may have arrived."""
    return replace(last, doubtful=True) if last.waiting else last


def failed(last: Sent) -> Sent | None:
    """What waited has not arrived and is given up: what was told is what was delivered before it, None for
    nothing. In doubt it counts as told long ago: its end follows, and while it fires it is told again."""
    if not last.waiting:
        return last
    if last.doubtful:
        return delivered(last, _LONG_AGO_MS)
    if last.before_ms is None:
        return None
    return replace(delivered(last, last.before_ms), firing=last.before_firing, resolved=last.before_resolved)
