"""Evaluating all alerts, base window by base window, up to now."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.records import Ints
from monitor.sli.question import Time
from monitor.slo import alert_log
from monitor.slo.alert_log import KeptTransition
from monitor.slo.alerting import advance, conditions, fresh
from monitor.slo.budget import policy_met, policy_rule, standing
from monitor.slo.counting import Ledger
from monitor.slo.objective import Objective, Subject, Watch
from monitor.slo.rule import Rule
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Phase, Standing, Transition, Why
from monitor.slo.tally import Tally
from monitor.store.names import models
from monitor.store.objectives import list_exclusions
from monitor.store.store import Store

__all__ = ["Evaluator"]

_HOUR_S, _DAY_S = 3600, 86_400
# What a day-long stop leaves to do is done a few hours at a time, so that each step is committed soon.
_STEP_S = 6 * 3600
# Slices of indicators that a step measures at most: what is old takes a few steps after the first start.
_SLICES_AT_ONCE = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Alert:
    """One rule on one subject of an objective or a watch."""

    of: Objective | Watch
    rule: Rule
    subject: Subject

    @property
    def key(self) -> AlertKey:
        return AlertKey(self.of.name, self.rule.name, self.subject)


class Evaluator:
    """Carries every alert of `settings` through the base windows as they close. Not thread-safe.

    A stop of the process leaves a gap that the next run evaluates. What is found later than
    `settings.quiet_after_s` is quiet, until all is caught up: what then still fires is told.
    """

    def __init__(self, store: Store, settings: SloSettings) -> None:
        self._store, self._settings = store, settings
        self._base_s = settings.bases.service_s
        self._watched: tuple[Objective | Watch, ...] = ()
        self._models: tuple[str, ...] | None = None
        self._ledger: Ledger | None = None
        self._evaluated_s: int | None = None
        self._states: dict[AlertKey, AlertState] = {}

    @property
    def states(self) -> Sequence[AlertState]:
        """The alerts that are not inactive, as of the last run."""
        return tuple(self._states.values())

    def standings(self) -> Iterator[Standing]:
        """How every objective's subjects stand as of the last run; nothing before."""
        ledger, now_s = self._ledger, self._evaluated_s
        if ledger is None or now_s is None:
            return
        for objective in self._settings.objectives:
            for subject in ledger.subjects(objective.meter):
                reported, learned = (
                    ledger.tally(objective.meter, subject, time, objective=objective.name)
                    for time in (Time.PREDICTION, Time.LABEL)
                )
                yield standing(objective, subject, reported, learned, now_s)

    def run(self, now_s: int, seen_ms: int, since_s: int | None = None) -> list[KeptTransition]:
        """Evaluates every base window that has ended by `now_s`, event time, since the last run; returns what
        alerts did. `seen_ms` is the clock.

        Nothing before `since_s` is evaluated; the first run ever begins there, or without it with the last
        base window. Raises StoreBusy and StoreError; what was done then is kept, and the next run goes on
        from there.
        """
        end_s = now_s // self._base_s * self._base_s
        found: list[KeptTransition] = []
        while True:
            begin_s = self._begin_s(end_s, since_s)
            if begin_s >= end_s:
                return found
            step_end_s = min(end_s, begin_s + _STEP_S)
            done = self._step(begin_s, step_end_s, seen_ms)
            if done is None:
                return found  # another process is doing it
            found += done

    def _begin_s(self, end_s: int, since_s: int | None) -> int:
        """Up to where all is evaluated. Loads what is kept of alerts, where another process did that."""
        evaluated_s = alert_log.evaluated_s(self._store)
        if evaluated_s != self._evaluated_s or evaluated_s is None:
            self._states = {state.key: state for state in alert_log.list_states(self._store)}
            self._evaluated_s = evaluated_s
        if evaluated_s is None:
            return end_s - self._base_s if since_s is None else since_s // self._base_s * self._base_s
        first_s = evaluated_s if since_s is None else since_s // self._base_s * self._base_s
        if first_s > evaluated_s:
            _log.warning("alerts were not evaluated", extra={"from_s": evaluated_s, "to_s": first_s})
        return max(first_s, evaluated_s)

    def _step(self, begin_s: int, end_s: int, seen_ms: int) -> list[KeptTransition] | None:
        """Evaluates the base windows that end in (begin_s, end_s]; None where another process has."""
        ledger = self._refreshed(end_s)
        at_s = np.arange(begin_s + self._base_s, end_s + 1, self._base_s, dtype=np.int64)
        states, did = dict(self._states), []
        known = set()
        for alert, tally in self._alerts(ledger):
            known.add(alert.key)
            state, some = self._advance(alert, tally, at_s)
            states[alert.key] = state
            did += some
        for key, state, some in self._policies(ledger, at_s):
            known.add(key)
            states[key] = state
            did += some
        for key in states.keys() - known:
            did.append(_gone(states[key], end_s))
            states[key] = replace(states[key], phase=Phase.INACTIVE, at_s=end_s)
        did.sort(key=lambda t: t.at_s)
        kept = [KeptTransition(t, seen_ms, self._late(t.at_s, seen_ms)) for t in did]
        kept += self._told(states, kept, end_s, seen_ms)
        changed = [s for key, s in states.items() if _differs(s, self._states.get(key))]
        if not alert_log.write(self._store, self._evaluated_s, end_s, changed, kept):
            self._evaluated_s = None
            return None
        self._evaluated_s = end_s
        self._states = {key: state for key, state in states.items() if state.phase is not Phase.INACTIVE}
        return kept

    def _advance(self, alert: _Alert, tally: Tally, at_s: Ints) -> tuple[AlertState, list[Transition]]:
        key, rule = alert.key, alert.rule
        state = self._states.get(key) or fresh(key, rule, int(at_s[0]) - self._base_s)
        if state.phase is Phase.INACTIVE and not _any_bad(tally, rule, at_s):
            return replace(state, at_s=int(at_s[-1])), []
        return advance(state, rule, at_s, conditions(tally, rule, at_s))

    def _policies(
        self, ledger: Ledger, at_s: Ints
    ) -> Iterator[tuple[AlertKey, AlertState, list[Transition]]]:
        """The tickets that the policies on error budgets raise."""
        for objective in self._settings.objectives:
            for subject in ledger.subjects(objective.meter) if objective.policies else ():
                reported = ledger.tally(objective.meter, subject, Time.PREDICTION, objective=objective.name)
                for policy in objective.policies:
                    rule = policy_rule(policy)
                    key = AlertKey(objective.name, rule.name, subject)
                    state = self._states.get(key) or fresh(key, rule, int(at_s[0]) - self._base_s)
                    met = policy_met(objective, policy, reported, at_s)
                    yield key, *advance(state, rule, at_s, met)

    def _late(self, at_s: int, seen_ms: int) -> bool:
        return seen_ms - at_s * 1000 > self._settings.quiet_after_s * 1000

    def _told(
        self,
        states: dict[AlertKey, AlertState],
        did: Sequence[KeptTransition],
        end_s: int,
        seen_ms: int,
    ) -> list[KeptTransition]:
        """Marks the alerts that were found too late to wake anybody; once all is caught up, tells of those
        that still fire."""
        for kept in did:
            t = kept.transition
            if t.after.fires and not t.before.fires and states[t.key].phase.fires:
                states[t.key] = replace(states[t.key], quiet=kept.quiet)
        if self._late(end_s, seen_ms):
            return []
        found = []
        for key, state in states.items():
            if state.quiet and state.phase.fires:
                states[key] = replace(state, quiet=False)
                told = Transition(key, end_s, state.phase, state.phase, state.severity, Why.CAUGHT_UP, {})
                found.append(KeptTransition(told, seen_ms, False))
        return found

    def _refreshed(self, now_s: int) -> Ledger:
        """The ledger with all that is known, of the models that are known by now."""
        seen = tuple(models(self._store))
        if self._ledger is None or seen != self._models:
            self._models = seen
            self._watched = (*self._settings.objectives, *self._settings.watches_for(seen))
            self._ledger = Ledger(
                self._store,
                self._settings.bases,
                [o.meter for o in self._settings.objectives],
                near=[of.meter for of in self._watched if isinstance(of, Watch)],
                most_slices=_SLICES_AT_ONCE,
                fine_s=_longest_s(self._watched) + _STEP_S + _HOUR_S,
                coarse_s=max((o.period.nominal_s for o in self._settings.objectives), default=0) + 2 * _DAY_S,
            )
        self._ledger.exclude(list_exclusions(self._store))
        self._ledger.refresh(now_s)
        return self._ledger

    def _alerts(self, ledger: Ledger) -> Iterator[tuple[_Alert, Tally]]:
        for of in self._watched:
            name = of.name if isinstance(of, Objective) else None
            for subject in ledger.subjects(of.meter):
                tally = ledger.tally(of.meter, subject, objective=name)
                for rule in of.rules:
                    yield _Alert(of, rule, subject), tally


def _longest_s(watched: Sequence[Objective | Watch]) -> int:
    clauses = [clause.window_s for of in watched for rule in of.rules for clause in rule.clauses]
    over = [r.escalation.window_s for of in watched for r in of.rules if r.escalation is not None]
    return max((*clauses, *over), default=0)


def _any_bad(tally: Tally, rule: Rule, at_s: Ints) -> bool:
    """Whether there is anything for the rule to look at: nearly always there is not."""
    windows = [clause.window_s for clause in rule.clauses]
    if rule.escalation is not None:
        windows.append(rule.escalation.window_s)
    bad, _ = tally.between(int(at_s[0]) - max(windows), int(at_s[-1]))
    return float(bad) > 0


def _gone(state: AlertState, at_s: int) -> Transition:
    return Transition(state.key, at_s, state.phase, Phase.INACTIVE, state.severity, Why.GONE, {})


def _differs(state: AlertState, before: AlertState | None) -> bool:
    """Whether the store has to know: when it was last looked at is known without."""
    if before is None:
        return state.phase is not Phase.INACTIVE
    return replace(state, at_s=before.at_s, why=before.why) != before
