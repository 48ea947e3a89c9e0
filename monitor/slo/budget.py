"""The error budget: what is left of it, how fast it burns, when it ends. Pure: tallies and a moment in."""

from collections.abc import Sequence

import numpy as np

from monitor.slo.objective import Objective, Subject, Unfilled
from monitor.slo.period import Rolling
from monitor.slo.standing import Burning, Excluded, Standing
from monitor.slo.tally import Tally

__all__ = ["burning", "standing"]

# How fine the end of a budget is foretold, s.
_STEP_S = 600


def standing(
    objective: Objective,
    subject: Subject,
    reported: Tally,
    learned: Tally,
    now_s: int,
    excluded: Sequence[Excluded] = (),
) -> Standing:
    """How a subject stands at `now_s`: compliance and budget from what was `reported` by the time of the
    events, burn rates from what was `learned` by then. The two differ for quality alone.
    """
    from_s, to_s = objective.period.bounds(now_s)
    bad, total = (float(x) for x in reported.between(from_s, now_s))
    some = total > 0
    burns = burning(objective, learned, now_s)
    first_s = reported.first_s
    missing = 1.0 if first_s is None else (first_s - from_s) / max(1, now_s - from_s)
    return Standing(
        objective=objective.name,
        subject=subject,
        now_s=now_s,
        from_s=from_s,
        to_s=to_s,
        target=objective.target,
        bad=bad,
        total=total,
        compliance=1 - bad / total if some else None,
        left=1 - bad / (objective.budget * total) if some else None,
        burning=burns,
        exhausted_s=_exhausted_s(objective, reported, burns, now_s) if some else None,
        excluded=tuple(excluded),
        missing=min(1.0, max(0.0, missing)),
        why=None if some else _why(objective, excluded),
    )


def burning(objective: Objective, learned: Tally, now_s: int) -> tuple[Burning, ...]:
    """The burn rate over each window that a rule looks at, the shortest first."""
    windows = {clause.window_s for rule in objective.rules for clause in rule.clauses}
    windows |= {rule.escalation.window_s for rule in objective.rules if rule.escalation is not None}
    first_s = learned.first_s
    return tuple(_over(objective, learned, now_s, w, first_s) for w in sorted(windows))


def _over(objective: Objective, learned: Tally, now_s: int, window_s: int, first_s: int | None) -> Burning:
    bad, total = (float(x) for x in learned.between(now_s - window_s, now_s))
    return Burning(
        window_s=window_s,
        burn=bad / total / objective.budget if total > 0 else None,
        bad=bad,
        total=total,
        coverage=0.0 if first_s is None else min(1.0, max(0, now_s - first_s) / window_s),
        seen=_seen_s(learned, now_s - window_s, now_s) / window_s,
    )


def _seen_s(tally: Tally, from_s: int, to_s: int) -> float:
    """The seconds of the slots with events within [from_s, to_s)."""
    first = int(np.searchsorted(tally.begin_s, from_s, side="left"))
    last = max(first, int(np.searchsorted(tally.end_s, to_s, side="right")))
    some = tally.total[first:last] > 0
    return float(np.sum((tally.end_s - tally.begin_s)[first:last][some]))


def _exhausted_s(objective: Objective, reported: Tally, burns: Sequence[Burning], now_s: int) -> int | None:
    """When the budget ends if events go on to come and to fail as they do now; None if it doesn't within a
    period.

    As they do now: as in the rule that burns fastest over all of its windows, so that trouble that is over
    is not projected. What leaves a rolling period gives its part of the budget back.
    """
    rates = _rates(objective, burns)
    if rates is None:
        return None
    bad_per_s, total_per_s = rates
    from_s, to_s = objective.period.bounds(now_s)
    rolls = isinstance(objective.period, Rolling)
    end_s = now_s + objective.period.nominal_s if rolls else to_s
    ahead_s = np.arange(0, end_s - now_s + 1, _STEP_S, dtype=np.int64)
    begins = from_s + (ahead_s if rolls else np.zeros_like(ahead_s))
    bad, total = reported.between(np.minimum(begins, now_s), np.full_like(begins, now_s))
    spent = bad + bad_per_s * ahead_s >= objective.budget * (total + total_per_s * ahead_s)
    first = int(np.argmax(spent))
    return now_s + int(ahead_s[first]) if spent[first] else None


def _rates(objective: Objective, burns: Sequence[Burning]) -> tuple[float, float] | None:
    """Bad and all events per second of the rule that burns fastest, over its longest window."""
    by_window = {b.window_s: b for b in burns}
    fastest, per_s = 0.0, 0.0
    for rule in objective.rules:
        over = [by_window[clause.window_s] for clause in rule.clauses]
        known = [b.burn for b in over if b.burn is not None]
        if len(known) == len(over) > 0 and min(known) > fastest:
            fastest, longest = min(known), over[0]
            per_s = longest.total / (longest.window_s * longest.coverage)
    return (fastest * objective.budget * per_s, per_s) if fastest > 0 else None


def _why(objective: Objective, excluded: Sequence[Excluded]) -> str:
    source = objective.meter.source
    if isinstance(source, Unfilled):
        return f"nothing to count yet: it needs {source.needs}"
    if sum(e.total for e in excluded):
        return "all that the period has is excluded"
    return "nothing to count in the period"
