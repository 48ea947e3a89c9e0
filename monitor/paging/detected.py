"""The alerts that monitor itself finds, as the pager takes them: labelled as its Prometheus rules are."""

from collections.abc import Iterator
from datetime import timedelta

from monitor.clock import DAY_MS, rfc3339
from monitor.operations.changes import changes_before
from monitor.paging.alert import Alert, labels_of
from monitor.paging.context import BUDGET_LEFT, BURN, DEPLOYMENT
from monitor.slo.alert_log import list_states
from monitor.slo.budget import is_policy
from monitor.slo.catalogue import alert_name, generic
from monitor.slo.objective import Objective
from monitor.slo.prometheus.naming import POLICY, Links, budget_alert
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertState
from monitor.store.store import Store

__all__ = ["DETECTOR", "SOURCE", "Detector"]

SOURCE, DETECTOR = "slo", "monitor"


class Detector:
    """Gives what fires by the store, named and worded by the objectives of `settings`.

    The label `detector` keeps an alert apart from what a Prometheus with monitor's rules says of the same
    trouble; both are in one group, and so in one incident.
    """

    def __init__(self, store: Store, settings: SloSettings) -> None:
        self._store, self._settings = store, settings
        self._objectives = {(o.meter.model, o.name): o for o in settings.objectives}
        self._summaries = {g.name: g.summary for g in generic(settings.tuning.limits)}
        self._links = Links(settings.runbook_url or Links().runbooks, settings.dashboard_url)
        self._deployed: dict[tuple[str, int], str] = {}

    def __call__(self) -> list[Alert]:
        """Everything that fires. Raises StoreBusy."""
        found = list(self._firing())
        firing = {(dict(alert.labels)["model"], alert.starts_ms) for alert in found}
        self._deployed = {about: said for about, said in self._deployed.items() if about in firing}
        return found

    def _firing(self) -> Iterator[Alert]:
        for state in list_states(self._store):
            if state.phase.fires:
                yield self.alert(state)

    def alert(self, state: AlertState) -> Alert:
        """An alert that fires."""
        key, model = state.key, state.key.subject.model
        objective = self._objectives.get((model, key.objective))
        name = self._name(state, objective)
        owner = objective.owner if objective is not None else self._settings.owners.get(model)
        labels = {
            **key.subject.labels(),
            "alertname": name,
            "objective": key.objective,
            "rule": key.rule,
            "severity": str(state.severity),
            "owner": owner or "",
            "detector": DETECTOR,
        }
        annotations = {
            "summary": self._summary(state, objective),
            "description": self._description(state, objective),
            **self._links.of(name, model),
            **_figures(state),
        }
        at_ms = state.since_s * 1000
        if deployed := self._deployment(model, at_ms):
            annotations[DEPLOYMENT] = deployed
        return Alert(
            labels_of(labels), labels_of(annotations), at_ms, at_ms, at_ms, source=SOURCE, quiet=state.quiet
        )

    def _deployment(self, model: str, at_ms: int) -> str:
        """What went into production last in the day before, as events tell when the alert is first seen."""
        if (model, at_ms) not in self._deployed:
            changes = changes_before(self._store, model, at_ms, DAY_MS, ("deployment", "rollback"))
            self._deployed[model, at_ms] = "".join(
                f"{last.sentence} at {rfc3339(last.at_ms)}" for last in changes[-1:]
            )
        return self._deployed[model, at_ms]

    def _name(self, state: AlertState, objective: Objective | None) -> str:
        if is_policy(state.key.rule):
            return POLICY
        return alert_name(state.key.objective) if objective is None else budget_alert(objective.meter.source)

    def _summary(self, state: AlertState, objective: Objective | None) -> str:
        what = state.key.objective
        if objective is None:
            return f"{state.key.subject}: {self._summaries.get(what, what)}"
        if is_policy(state.key.rule):
            return f"{state.key.subject} has little of the error budget of {what} left"
        return f"{state.key.subject} misses {what}: {state.key.rule}"

    def _description(self, state: AlertState, objective: Objective | None) -> str:
        """How fast the budget burns, where there is one."""
        if objective is None:
            return ""
        rule = next((r for r in objective.rules if r.name == state.key.rule), None)
        if rule is None or rule.factor is None:
            return objective.description
        hours = timedelta(seconds=objective.period.nominal_s / rule.factor) / timedelta(hours=1)
        budget = f"{objective.budget * 100:.4g} % of {objective.period}"
        return (
            f"The error budget ({budget}) burns at least {rule.factor:.3g} times as fast as it may: at that "
            f"rate a whole one is gone in {hours:.0f} h."
        )


def _figures(state: AlertState) -> dict[str, str]:
    found = {BUDGET_LEFT: state.left, BURN: state.burn}
    return {name: f"{value:.3g}" for name, value in found.items() if value is not None}
