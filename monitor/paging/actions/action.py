"""Whether an action acts: pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.paging.settings import Action

__all__ = ["Acted", "Outcome", "acted_on", "consider", "idempotency_key"]

# Incidents end long before; and what is remembered has a bound.
_REMEMBERED_MS = 90 * 86_400_000
_MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Acted:
    """On which incidents an action has acted, and when (ms), the oldest first; `held` are the incidents on
    which its limit kept it from acting."""

    action: str
    on: tuple[tuple[int, int], ...] = ()
    held: tuple[int, ...] = ()


class Outcome(StrEnum):
    """What becomes of an action on an incident, and why."""

    ACTS = "acts"
    DRY_RUN = "dry run: nothing is sent"
    LIMITED = "not done: its rate limit is reached"
    DONE = "done for this incident already"


def consider(action: Action, acted: Acted, incident: int, now_ms: int) -> Outcome:
    """What the action is to do about an incident."""
    if action.once_per_incident and any(on == incident for on, _ in acted.on):
        return Outcome.DONE
    limit = action.limit
    if limit is not None and sum(at_ms > now_ms - limit.per_ms for _, at_ms in acted.on) >= limit.times:
        return Outcome.LIMITED
    return Outcome.DRY_RUN if action.dry_run else Outcome.ACTS


def acted_on(acted: Acted, incident: int, outcome: Outcome, now_ms: int) -> Acted:
    """What is remembered after that."""
    if outcome is Outcome.DONE:
        return acted
    if outcome is Outcome.LIMITED:
        return replace(acted, held=(*(i for i in acted.held if i != incident), incident)[-_MOST_REMEMBERED:])
    kept: Sequence[tuple[int, int]] = [(on, at) for on, at in acted.on if at > now_ms - _REMEMBERED_MS]
    return replace(acted, on=(*kept, (incident, now_ms))[-_MOST_REMEMBERED:])


def idempotency_key(action: str, incident: int, at_ms: int) -> str:
    """The same for every attempt at one deed, and for no other."""
    return hashlib.sha256(f"{action}\n{incident}\n{at_ms}".encode()).hexdigest()[:32]
