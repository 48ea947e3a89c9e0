"""The error budget: what is left of it, how fast it burns, when it ends. Pure: tallies and a moment in."""

from collections.abc import Sequence

import numpy as np

from monitor.clock import HOUR_S
from monitor.records import Floats, Ints
from monitor.slo.alerting import Conditions
from monitor.slo.objective import Objective, Policy, Subject
from monitor.slo.period import Period, Rolling
from monitor.slo.rule import Rule, Severity
from monitor.slo.standing import Burning, Excluded, Standing, Why
from monitor.slo.tally import Tally

__all__ = ["burning", "is_policy", "policy_met", "policy_rule", "standing"]

# How fine the end of a budget is foretold, s.
_STEP_S = 600

# A budget that hovers at a policy's share is one ticket.
_KEPT_S = 3600
_POLICY = "budget "
_WHY = tuple(Why)


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
        why=None if some else _why(excluded),
        coverage=_coverage_at(objective.period, first_s, now_s),
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


def policy_rule(policy: Policy) -> Rule:
    """A policy as a rule: a ticket from when the budget is down to its share until it has been above for an
    hour."""
    return Rule(f"{_POLICY}{policy.name}", Severity.TICKET, (), keep_firing_s=_KEPT_S)


def is_policy(rule: str) -> bool:
    """Whether the rule of that name is a policy's: it tells of what was spent, not of what goes on."""
    return rule.startswith(_POLICY)


def policy_met(objective: Objective, policy: Policy, reported: Tally, at_s: Ints) -> Conditions:
    """Whether at each moment (int64) no more than the policy's share of the period's budget was left.

    As for any rule there have to be some events, some of them bad, and the bad share is weighed by how much
    of the period there is yet: neither a young stream nor the first hours of a month have spent the budget of
    a whole one with their first failures.
    """
    begins, ends = _periods(objective.period, at_s)
    bad, total = reported.between(begins, at_s)
    coverage = _coverage(reported.first_s, begins, ends, at_s)
    least = Rule("", Severity.TICKET, ())
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(total > 0, 1 - bad / (objective.budget * total), 1.0)
    enough, bad_enough = total >= least.min_events, bad >= least.min_bad
    # As Standing.left_of_whole has it, to the last bit: the gate and the ticket agree.
    holds = (1 - (1 - left) * coverage <= policy.left) & enough & bad_enough
    why = np.select(
        [holds, total <= 0, left > policy.left, ~enough, ~bad_enough],
        [_WHY.index(w) for w in (Why.BURNS, Why.NO_EVENTS, Why.BELOW, Why.FEW_EVENTS, Why.FEW_BAD)],
        _WHY.index(Why.COLD_START),
    )
    none = np.zeros((0, len(at_s)))
    return Conditions(holds, np.zeros(len(at_s), np.bool_), why.astype(np.int64), none, none, none)


def _coverage(first_s: int | None, begins: Ints, ends: Ints, at_s: Ints) -> Floats:
    """The share of each period that is over and not before the first event."""
    if first_s is None:
        return np.zeros(len(at_s))
    found: Floats = np.clip((at_s - np.maximum(begins, first_s)) / (ends - begins), 0.0, 1.0)
    return found


def _coverage_at(period: Period, first_s: int | None, at_s: int) -> float:
    moment = np.array([at_s], np.int64)
    return float(_coverage(first_s, *_periods(period, moment), moment)[0])


def _periods(period: Period, at_s: Ints) -> tuple[Ints, Ints]:
    """When the period that was under way at each moment (ascending) began, and when it ends. A calendar is
    asked once for each of its periods."""
    if isinstance(period, Rolling):
        return (at_s - period.nominal_s) // HOUR_S * HOUR_S, at_s
    begins, ends = np.empty_like(at_s), np.empty_like(at_s)
    done = 0
    while done < len(at_s):
        begin_s, end_s = period.bounds(int(at_s[done]))
        until = int(np.searchsorted(at_s, end_s, side="left"))
        begins[done:until], ends[done:until] = begin_s, end_s
        done = until
    return begins, ends


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


def _why(excluded: Sequence[Excluded]) -> str:
    if sum(e.total for e in excluded):
        return "all that the period has is excluded"
    return "nothing to count in the period"
