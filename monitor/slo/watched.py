"""The alerts that there are over a store, and what was counted for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.clock import DAY_S, HOUR_S
from monitor.records import Ints
from monitor.sli.question import Time
from monitor.slo.alerting import advance, conditions, fresh
from monitor.slo.budget import policy_met, policy_rule
from monitor.slo.counting import Ledger
from monitor.slo.objective import Objective, Policy, Subject, Watch
from monitor.slo.rule import Rule
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Phase, Transition
from monitor.slo.tally import Tally
from monitor.store.names import models
from monitor.store.objectives import list_exclusions
from monitor.store.store import Store

__all__ = ["Alert", "Watched"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule on one subject of an objective or a watch."""

    of: Objective | Watch
    rule: Rule
    subject: Subject

    @property
    def key(self) -> AlertKey:
        return AlertKey(self.of.name, self.rule.name, self.subject)

    def carried(self, state: AlertState, tally: Tally, at_s: Ints) -> tuple[AlertState, Sequence[Transition]]:
        """The alert after the moments `at_s` (ascending, at least one), and what it did in them."""
        if state.phase is Phase.INACTIVE and not _any_bad(tally, self.rule, at_s):
            return replace(state, at_s=int(at_s[-1])), []
        return advance(state, self.rule, at_s, conditions(tally, self.rule, at_s))


@dataclass(frozen=True, slots=True)
class _OfPolicy:
    """A policy on the error budget of one subject."""

    objective: Objective
    policy: Policy
    subject: Subject

    @property
    def alert(self) -> Alert:
        return Alert(self.objective, policy_rule(self.policy), self.subject)


class Watched:
    """The alerts of `settings` on the models that the store knows (or on one of them), for evaluations that
    go on by up to `step_s`. A refresh measures up to `most_slices` slices of indicators (None: all).
    Budgets are those of the predictions made in the period, or by `budget_time` of the labels that came in
    it: what came later is not known to those."""

    def __init__(
        self,
        store: Store,
        settings: SloSettings,
        step_s: int,
        *,
        model: str | None = None,
        most_slices: int | None = None,
        budget_time: Time = Time.PREDICTION,
    ) -> None:
        self._budget_time = budget_time
        self._store, self._settings, self._step_s = store, settings, step_s
        self._model, self._most_slices = model, most_slices
        self._models: tuple[str, ...] | None = None
        self._all: tuple[Objective | Watch, ...] = ()
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger | None:
        """The ledger as of the last refresh; None before."""
        return self._ledger

    def refresh(self, now_s: int) -> None:
        """Reads all that is known by now, of the models that are known by now. Raises StoreBusy and
        StoreError."""
        seen = tuple(models(self._store))
        if self._ledger is None or seen != self._models:
            self._models = seen
            self._ledger = self._new_ledger(seen)
        self._ledger.exclude(list_exclusions(self._store))
        self._ledger.refresh(now_s)

    def _new_ledger(self, seen: Sequence[str]) -> Ledger:
        every: list[Objective | Watch] = [*self._settings.objectives, *self._settings.watches_for(seen)]
        self._all = tuple(of for of in every if self._model in (None, of.meter.model))
        objectives = [of for of in self._all if isinstance(of, Objective)]
        return Ledger(
            self._store,
            self._settings.bases,
            [o.meter for o in objectives],
            near=[of.meter for of in self._all if isinstance(of, Watch)],
            most_slices=self._most_slices,
            trials_s=self._step_s + HOUR_S,
            fine_s=_longest_s(self._all) + self._step_s + HOUR_S,
            coarse_s=max((o.period.nominal_s for o in objectives), default=0) + 2 * DAY_S,
        )

    def alerts(self) -> Iterator[tuple[Alert, Tally]]:
        """Every alert, and what was counted for it until the last refresh; nothing before."""
        ledger = self._ledger
        if ledger is None:
            return
        for of in self._all:
            name = of.name if isinstance(of, Objective) else None
            for subject in ledger.subjects(of.meter):
                tally = ledger.tally(of.meter, subject, objective=name)
                for rule in of.rules:
                    yield Alert(of, rule, subject), tally

    def carried(
        self, states: Mapping[AlertKey, AlertState], at_s: Ints
    ) -> Iterator[tuple[AlertState, Sequence[Transition]]]:
        """Every alert after the moments `at_s` (ascending, at least one), from its state before (none: it
        was inactive), and what it did. The tickets that the policies on error budgets raise are among
        them."""
        for alert, tally in self.alerts():
            yield alert.carried(self._before(states, alert, at_s), tally, at_s)
        for policy, tally in self._policies():
            alert = policy.alert
            state = self._before(states, alert, at_s)
            if state.phase is Phase.INACTIVE and not _any_bad_at_all(tally):
                yield replace(state, at_s=int(at_s[-1])), []
            else:
                met = policy_met(policy.objective, policy.policy, tally, at_s)
                yield advance(state, alert.rule, at_s, met)

    def _before(self, states: Mapping[AlertKey, AlertState], alert: Alert, at_s: Ints) -> AlertState:
        before_s = int(at_s[0]) - self._settings.bases.service_s
        return states.get(alert.key) or fresh(alert.key, alert.rule, before_s)

    def _policies(self) -> Iterator[tuple[_OfPolicy, Tally]]:
        ledger = self._ledger
        if ledger is None:
            return
        for of in (o for o in self._all if isinstance(o, Objective) and o.policies):
            for subject in ledger.subjects(of.meter):
                tally = ledger.tally(of.meter, subject, self._budget_time, objective=of.name)
                for policy in of.policies:
                    yield _OfPolicy(of, policy, subject), tally


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


def _any_bad_at_all(tally: Tally) -> bool:
    return bool((tally.good < tally.total).any())
