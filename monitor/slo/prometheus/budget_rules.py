"""The rules of one objective: what is recorded for dashboards, and the alerts on its budget."""

from collections.abc import Iterable, Iterator

from monitor.slo.budget import policy_rule
from monitor.slo.objective import Action, Budgeting, Objective, Outcomes, Policy, Under
from monitor.slo.prometheus.counted import STEP_S, Counted
from monitor.slo.prometheus.groups import Alert, Group, Record
from monitor.slo.prometheus.naming import POLICY, Links, budget_alert
from monitor.slo.prometheus.promql import duration, literal, number, selector
from monitor.slo.prometheus.told import BUDGET_LEFT, COMPLIANCE, PARTS, decided, told, told_records
from monitor.slo.rule import Clause, Rule, Severity

__all__ = ["budget_groups", "is_counted"]

_DAY_S = 86_400
# Long windows are costly to read and slow to change. Prometheus forgets a sample after five minutes.
_LONG_S, _LONG_STEP_S = 6 * 3600, 120


def budget_groups(objective: Objective, links: Links) -> list[Group]:
    """Groups for an objective.

    What Prometheus counts itself is alerted on from its own series, by the same clauses that monitor
    evaluates; the rest from monitor's decision.
    """
    rules = _Rules(objective, links)
    name = f"slo {objective.meter.model} {objective.name}"
    return [
        Group(name, duration(STEP_S), [*rules.near(), *rules.alerts(far=False)]),
        Group(f"{name} long", duration(_LONG_STEP_S), [*rules.far(), *rules.meta(), *rules.alerts(far=True)]),
    ]


def is_counted(objective: Objective) -> bool:
    """Whether Prometheus has series that count the objective's events."""
    meter = objective.meter
    counts = isinstance(meter.source, Outcomes | Under) and meter.budgeting is Budgeting.EVENTS
    return counts and not meter.segment and set(meter.by) <= {"version", "endpoint"}


class _Rules:
    def __init__(self, objective: Objective, links: Links) -> None:
        self._objective, self._links = objective, links
        meter = objective.meter
        self._identity = {"model": meter.model, "objective": objective.name}
        self._labels = {
            "sloth_id": f"{meter.model}-{objective.name}",
            "sloth_service": meter.model,
            "sloth_slo": objective.name,
            **({} if objective.owner is None else {"owner": objective.owner}),
        }
        self._windows = sorted(_windows(objective.rules))
        self._counted = (
            Counted("slo", self._identity, self._labels, meter, meter.model, self._windows[0])
            if is_counted(objective)
            else None
        )

    def near(self) -> Iterator[Record]:
        yield from self._records(w for w in self._windows if w <= _LONG_S)

    def far(self) -> Iterator[Record]:
        yield from self._records(w for w in self._windows if w > _LONG_S)

    def _records(self, windows_s: Iterable[int]) -> Iterator[Record]:
        if self._counted is not None:
            yield from self._counted.records(windows_s)
        else:
            budget = self._objective.budget
            yield from told_records(self._identity, self._labels, budget, windows_s)

    def meta(self) -> Iterator[Record]:
        """The figures that Sloth's dashboards read; those of the period are the store's, exclusions and
        late records included, for Prometheus keeps no month of exact counts."""
        objective, all_labels = self._objective, {**self._identity, **self._labels}
        period = duration(objective.period.nominal_s)
        constants = {
            "slo:objective:ratio": objective.target,
            "slo:error_budget:ratio": objective.budget,
            "slo:time_period:days": objective.period.nominal_s / _DAY_S,
        }
        for name, value in constants.items():
            yield Record(name, f"vector({number(value)})", all_labels)
        now = selector(f"slo:sli_error:ratio_rate{duration(self._windows[0])}", self._identity)
        yield Record("slo:current_burn_rate:ratio", f"{now} / {number(objective.budget)}", self._labels)
        left, kept = (told(gauge, self._identity) for gauge in (BUDGET_LEFT, COMPLIANCE))
        labels = {**self._labels, "sloth_window": period}
        yield Record(f"slo:sli_error:ratio_rate{period}", f"1 - {kept}", labels)
        yield Record("slo:period_burn_rate:ratio", f"1 - {left}", self._labels)
        yield Record("slo:period_error_budget_remaining:ratio", left, self._labels)
        info = {**all_labels, "sloth_objective": number(objective.target * 100), "sloth_spec": "monitor"}
        yield Record("sloth_slo_info", "vector(1)", info)

    def alerts(self, *, far: bool) -> Iterator[Alert]:
        for rule in self._objective.rules:
            if (rule.clauses[0].window_s > _LONG_S) is far:
                yield self._alert(rule)
                if self._counted is not None:
                    yield from self._escalated(rule, self._counted)
        if far:
            yield from map(self._policy, self._objective.policies)

    def _alert(self, rule: Rule) -> Alert:
        if self._counted is None:
            expr = decided(self._objective.name, rule.name, self._objective.meter.model)
            return self._burns(rule, "{{ $labels.severity }}", expr)
        wait, keep = duration(rule.for_s), duration(rule.keep_firing_s)
        return self._burns(rule, str(rule.severity), self._counted.holds(rule), wait, keep)

    def _escalated(self, rule: Rule, counted: Counted) -> Iterator[Alert]:
        """The page that a ticket becomes while it burns on above its escalation's limit."""
        if rule.escalation is None:
            return
        further = counted.above(Clause(rule.escalation.window_s, rule.escalation.above))
        expr = f"{counted.holds(rule)}\nand ignoring (sloth_window)\n{further}"
        wait, keep = duration(rule.escalation.for_s), duration(rule.keep_firing_s)
        yield self._burns(rule, str(Severity.PAGE), expr, wait, keep)

    def _burns(self, rule: Rule, severity: str, expr: str, wait: str = "0s", keep: str = "0s") -> Alert:
        objective, name = self._objective, budget_alert(self._objective.meter.source)
        long = duration(rule.clauses[0].window_s)
        bad = f"{{{{ $value | humanizePercentage }}}} bad in {long}" if self._counted else f"bad over {long}"
        words = {"summary": f"{{{{ $labels.model }}}} misses {literal(objective.name)}: {bad}"}
        if rule.factor is not None:
            period_s = objective.period.nominal_s
            words["description"] = (
                f"The error budget ({number(objective.budget * 100)} % of {objective.period}) burns at least "
                f"{number(round(rule.factor, 2))} times as fast as it may: "
                f"at that rate a whole one is gone in {round(period_s / rule.factor / 3600)} h."
            )
        labels = {**self._put(), "severity": severity, "rule": rule.name}
        return Alert(name, expr, labels, {**words, **self._links.of(name)}, wait, keep)

    def _policy(self, policy: Policy) -> Alert:
        """The ticket that says that the budget is down to what a policy names: the share that is left, while
        monitor says that it is due."""
        rule = policy_rule(policy).name
        due = decided(self._objective.name, rule, self._objective.meter.model)
        left = f"{told(BUDGET_LEFT, self._identity)}\nand on ({', '.join(PARTS)})\n{due}"
        asked = "deployments are to be frozen" if policy.action is Action.FREEZE else "a ticket is due"
        words = {
            "summary": "{{ $labels.model }} has {{ $value | humanizePercentage }} of the error budget of "
            "{{ $labels.objective }} left",
            "description": f"By the policy {literal(policy.name)} "
            f"(at most {number(policy.left * 100)} % left) {asked}.",
        }
        labels = {**self._put(), "severity": str(Severity.TICKET), "rule": literal(rule)}
        labels |= {"policy": literal(policy.name), "action": str(policy.action)}
        return Alert(POLICY, left, labels, {**words, **self._links.of(POLICY)})

    def _put(self) -> dict[str, str]:
        """Labels of every alert that its expression doesn't bring along."""
        owner = {} if self._objective.owner is None else {"owner": literal(self._objective.owner)}
        return {"objective": literal(self._objective.name), **owner}


def _windows(rules: Iterable[Rule]) -> set[int]:
    clauses = {clause.window_s for rule in rules for clause in rule.clauses}
    return clauses | {rule.escalation.window_s for rule in rules if rule.escalation is not None}
