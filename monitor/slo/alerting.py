"""Whether alerts fire: a pure function of tallies, rules and the state before.

`conditions` looks at every moment by itself; `advance` carries an alert through them, in order. So a month
at once gives what minute after minute gives.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from monitor.records import Bools, Floats, Ints
from monitor.slo.rule import Clause, Rule, Severity
from monitor.slo.standing import AlertKey, AlertState, Phase, Transition, Why
from monitor.slo.tally import Tally

__all__ = ["Conditions", "advance", "conditions", "fresh"]

_WHY = tuple(Why)
_CODE = {why: i for i, why in enumerate(_WHY)}


@dataclass(frozen=True, slots=True)
class Conditions:
    """A rule at n moments: whether its clauses hold and its escalation does (bool, n), and why not (int64, n,
    an index into the members of Why). `bad`, `total` and `coverage`, the share of the window since the first
    event (float64), have a row for each clause."""

    holds: Bools
    escalates: Bools
    why: Ints
    bad: Floats
    total: Floats
    coverage: Floats

    def facts(self, rule: Rule, i: int) -> dict[str, float | None]:
        """The figures behind moment `i`, by window: `burn_3600s`, `share_3600s`, .."""
        found: dict[str, float | None] = {}
        for row, clause in enumerate(rule.clauses):
            bad, total = float(self.bad[row, i]), float(self.total[row, i])
            share = bad / total if total > 0 else None
            values = {"share": share, "bad": bad, "total": total, "coverage": float(self.coverage[row, i])}
            if rule.factor is not None and clause.above > 0:
                values["burn"] = None if share is None else share / clause.above * rule.factor
            found |= {f"{name}_{clause.window_s}s": value for name, value in values.items()}
        return found


def conditions(tally: Tally, rule: Rule, at_s: Ints) -> Conditions:
    """The rule at each of the moments `at_s` (int64, ascending), each the end of a slot.

    Nothing that ends after a moment is looked at for it.
    """
    over = [_over(tally, clause, at_s) for clause in rule.clauses]
    bad, total, coverage = (np.array(part).reshape(len(over), len(at_s)) for part in zip(*over, strict=True))
    limits = np.array([[clause.above] for clause in rule.clauses])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, bad / total, 0.0)
    above = (share > limits).all(axis=0)
    weighed = (share * coverage > limits).all(axis=0)
    enough, bad_enough = total[0] >= rule.min_events, bad[0] >= rule.min_bad
    holds = weighed & enough & bad_enough
    why = np.select(
        [holds, total[0] <= 0, ~above, ~enough, ~bad_enough],
        [_CODE[w] for w in (Why.BURNS, Why.NO_EVENTS, Why.BELOW, Why.FEW_EVENTS, Why.FEW_BAD)],
        _CODE[Why.COLD_START],
    )
    return Conditions(holds, _escalates(tally, rule, at_s), why.astype(np.int64), bad, total, coverage)


def _over(tally: Tally, clause: Clause, at_s: Ints) -> tuple[Floats, Floats, Floats]:
    bad, total = tally.between(at_s - clause.window_s, at_s)
    first_s = tally.first_s
    if first_s is None:
        return bad, total, np.zeros(len(at_s))
    return bad, total, np.clip((at_s - first_s) / clause.window_s, 0.0, 1.0)


def _escalates(tally: Tally, rule: Rule, at_s: Ints) -> Bools:
    if rule.escalation is None:
        return np.zeros(len(at_s), np.bool_)
    clause = Clause(rule.escalation.window_s, rule.escalation.above)
    bad, total, coverage = _over(tally, clause, at_s)
    return (total > 0) & (bad * coverage > clause.above * total)


def fresh(key: AlertKey, rule: Rule, at_s: int) -> AlertState:
    """The state of an alert that nothing is known of at `at_s`."""
    return AlertState(key, Phase.INACTIVE, rule.severity, at_s, at_s)


def advance(
    state: AlertState, rule: Rule, at_s: Ints, met: Conditions
) -> tuple[AlertState, list[Transition]]:
    """Carries the alert through the moments `at_s` (after `state.at_s`), at which `met` is known of the rule.

    Only moments at which something changes, or a time runs out, are looked at one by one.
    """
    if not len(at_s):
        return state, []
    found: list[Transition] = []
    for begin, end in _runs(met.holds, met.escalates):
        i: int | None = begin
        while i is not None:
            moment = int(at_s[i])
            for after, why in _steps(state, rule, moment, met, i):
                if (after.phase, after.severity) != (state.phase, state.severity):
                    found.append(_transition(state, after, moment, why, met.facts(rule, i)))
                state = after
            i = _next_timer(state, rule, at_s, i + 1, end)
    last = len(at_s) - 1
    return replace(state, at_s=int(at_s[last]), why=_standing_why(state, met, last)), found


def _transition(
    before: AlertState, after: AlertState, at_s: int, why: Why, facts: Mapping[str, float | None]
) -> Transition:
    """An alert ends with the severity that it had."""
    severity = before.severity if after.phase is Phase.INACTIVE else after.severity
    return Transition(before.key, at_s, before.phase, after.phase, severity, why, facts)


def _runs(holds: Bools, escalates: Bools) -> Iterator[tuple[int, int]]:
    """[begin, end) of each stretch of moments that are alike."""
    changes = np.flatnonzero((holds[1:] != holds[:-1]) | (escalates[1:] != escalates[:-1])) + 1
    bounds = [0, *changes.tolist(), len(holds)]
    yield from itertools.pairwise(bounds)


def _steps(
    state: AlertState, rule: Rule, now_s: int, met: Conditions, i: int
) -> Iterator[tuple[AlertState, Why]]:
    """The states that follow at one moment, and why: one for the phase, and one where it escalates."""
    holds, escalates = bool(met.holds[i]), bool(met.escalates[i])
    held_s = (now_s if state.held_s is None else state.held_s) if holds else None
    above_s = (now_s if state.above_s is None else state.above_s) if escalates else None
    phase, why = _phase(state, rule, now_s, held_s, _WHY[int(met.why[i])])
    since_s = state.since_s if phase is state.phase else now_s
    inactive = phase is Phase.INACTIVE
    severity = rule.severity if inactive else state.severity
    state = replace(
        state,
        phase=phase,
        severity=severity,
        since_s=since_s,
        held_s=held_s,
        above_s=above_s,
        why=why,
        quiet=state.quiet and not inactive,
    )
    yield state, why
    escalation = rule.escalation
    if escalation is None or above_s is None or not phase.fires or severity is Severity.PAGE:
        return
    if now_s - above_s >= escalation.for_s:
        yield replace(state, severity=Severity.PAGE, why=Why.ESCALATED), Why.ESCALATED


def _phase(state: AlertState, rule: Rule, now_s: int, held_s: int | None, why: Why) -> tuple[Phase, Why]:
    phase = state.phase
    if held_s is not None:
        if phase is Phase.FIRING:
            return phase, why
        if phase is Phase.RESOLVING:
            return Phase.FIRING, Why.BACK
        if now_s - held_s < rule.for_s:
            return Phase.PENDING, Why.NOT_YET
        return Phase.FIRING, Why.HELD if rule.for_s else why
    if not phase.fires:
        return Phase.INACTIVE, why
    resolving_s = now_s if phase is Phase.FIRING else state.since_s
    if now_s - resolving_s >= rule.keep_firing_s:
        return Phase.INACTIVE, Why.ENDED
    return Phase.RESOLVING, Why.KEPT


def _next_timer(state: AlertState, rule: Rule, at_s: Ints, begin: int, end: int) -> int | None:
    """The first moment of [begin, end) at which a time that is running has run out."""
    ends = []
    if state.phase is Phase.PENDING and state.held_s is not None:
        ends.append(state.held_s + rule.for_s)
    if state.phase is Phase.RESOLVING:
        ends.append(state.since_s + rule.keep_firing_s)
    escalation = rule.escalation
    if escalation is not None and state.above_s is not None and state.severity is not Severity.PAGE:
        ends.append(state.above_s + escalation.for_s)
    later = [i for i in (int(np.searchsorted(at_s, e, side="left")) for e in ends) if begin <= i < end]
    return min(later, default=None)


def _standing_why(state: AlertState, met: Conditions, i: int) -> Why:
    """Why the alert is as it is at the last moment."""
    if state.phase is Phase.PENDING:
        return Why.NOT_YET
    if state.phase is Phase.RESOLVING:
        return Why.KEPT
    return _WHY[int(met.why[i])]
