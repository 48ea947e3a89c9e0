"""Evaluating all alerts, base window by base window, up to now."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from monitor.sli.question import Time
from monitor.slo import alert_log
from monitor.slo.alert_log import KeptTransition
from monitor.slo.budget import standing
from monitor.slo.objective import Objective, Subject
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Phase, Standing, Transition, Why
from monitor.slo.watched import Watched
from monitor.store.store import Store

__all__ = ["Evaluator"]

# What a day-long stop leaves to do is done a few hours at a time, so that each step is committed soon.
_STEP_S = 6 * 3600
# Slices of indicators that a step measures at most: what is old takes a few steps after the first start.
_SLICES_AT_ONCE = 2_000
_log = logging.getLogger(__name__)


class Evaluator:
    """Carries every alert of `settings` through the base windows as they close. Not thread-safe.

    A stop of the process leaves a gap that the next run evaluates. What is found later than
    `settings.quiet_after_s` is quiet, until all is caught up: what then still fires is told.
    """

    def __init__(self, store: Store, settings: SloSettings) -> None:
        self._store, self._settings = store, settings
        self._base_s = settings.bases.service_s
        self._watched = Watched(store, settings, _STEP_S, most_slices=_SLICES_AT_ONCE)
        self._objectives = {(o.meter.model, o.name): o for o in settings.objectives}
        self._evaluated_s: int | None = None
        self._states: dict[AlertKey, AlertState] = {}

    @property
    def states(self) -> Sequence[AlertState]:
        """The alerts that are not inactive, as of the last run."""
        return tuple(self._states.values())

    def standings(self) -> Iterator[Standing]:
        """How every objective's subjects stand as of the last run; nothing before."""
        ledger, now_s = self._watched.ledger, self._evaluated_s
        if ledger is None or now_s is None:
            return
        for objective in self._settings.objectives:
            for subject in ledger.subjects(objective.meter):
                found = self._standing(objective.name, subject, now_s)
                if found is not None:
                    yield found

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
        self._watched.refresh(end_s)
        at_s = np.arange(begin_s + self._base_s, end_s + 1, self._base_s, dtype=np.int64)
        states, did, known = dict(self._states), list[Transition](), set()
        for state, some in self._watched.carried(self._states, at_s):
            known.add(state.key)
            states[state.key] = state
            did += some
        for key in states.keys() - known:
            did.append(_gone(states[key], end_s))
            states[key] = replace(states[key], phase=Phase.INACTIVE, at_s=end_s)
        did.sort(key=lambda t: t.at_s)
        kept = [KeptTransition(t, seen_ms, self._late(t.at_s, seen_ms)) for t in did]
        kept += self._told(states, kept, end_s, seen_ms)
        self._measure(states, end_s)
        changed = [s for key, s in states.items() if _differs(s, self._states.get(key))]
        if not alert_log.write(self._store, self._evaluated_s, end_s, changed, kept):
            self._evaluated_s = None
            return None
        self._evaluated_s = end_s
        self._states = {key: state for key, state in states.items() if state.phase is not Phase.INACTIVE}
        return kept

    def _measure(self, states: dict[AlertKey, AlertState], end_s: int) -> None:
        """Notes with the alerts that fire what is left of the budget, and how fast it burns: whoever is paged
        wants to know, and the pager may be another process."""
        stood: dict[tuple[str, Subject], Standing | None] = {}
        for key, state in states.items():
            if not state.phase.fires:
                continue
            place = (key.objective, key.subject)
            if place not in stood:
                stood[place] = self._standing(*place, end_s)
            left, burn = _figures(stood[place], self._objectives.get((key.subject.model, key.objective)), key)
            states[key] = replace(state, left=left, burn=burn)

    def _standing(self, name: str, subject: Subject, now_s: int) -> Standing | None:
        """None for a watch, which no budget stands behind."""
        objective, ledger = self._objectives.get((subject.model, name)), self._watched.ledger
        if objective is None or ledger is None:
            return None
        reported, learned = (
            ledger.tally(objective.meter, subject, time, objective=name)
            for time in (Time.PREDICTION, Time.LABEL)
        )
        return standing(objective, subject, reported, learned, now_s)

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


def _gone(state: AlertState, at_s: int) -> Transition:
    return Transition(state.key, at_s, state.phase, Phase.INACTIVE, state.severity, Why.GONE, {})


def _figures(
    stood: Standing | None, objective: Objective | None, key: AlertKey
) -> tuple[float | None, float | None]:
    """What is left of the whole budget, and the burn rate over the rule's longest window."""
    if stood is None or objective is None:
        return None, None
    windows = [c.window_s for rule in objective.rules if rule.name == key.rule for c in rule.clauses]
    burn = next((b.burn for b in stood.burning if b.window_s == max(windows, default=None)), None)
    return _rounded(stood.left_of_whole), _rounded(burn)


def _rounded(value: float | None) -> float | None:
    # What nobody could read off is no news to write.
    return None if value is None else float(f"{value:.3g}")


def _differs(state: AlertState, before: AlertState | None) -> bool:
    """Whether the store has to know: when it was last looked at is known without."""
    if before is None:
        return state.phase is not Phase.INACTIVE
    return replace(state, at_s=before.at_s, why=before.why) != before
