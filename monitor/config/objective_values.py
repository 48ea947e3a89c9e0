"""Objectives as values, made of what their sections say."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from monitor.clock import HOUR_S
from monitor.config.amounts import Amount, in_unit, share_of
from monitor.config.model import Config
from monitor.config.objectives import BurnConfig, ObjectiveConfig, SloConfig, days_or_unit
from monitor.profiles.layout import Kind
from monitor.sli.catalogue import Operational, find_sli
from monitor.sli.windows import base_of
from monitor.slo.indicators import Indicator, Limit, find_indicator
from monitor.slo.objective import Action, Bound, Happened, Meter, Objective, Policy, Source
from monitor.slo.period import Calendar, Period, Rolling
from monitor.slo.rule import Burn, Escalation, Rule, Severity, burn_rules

__all__ = [
    "SCALE_S",
    "SHORTEST_UNSCALED_S",
    "burns",
    "indicator_of",
    "objective_of",
    "objectives_of",
    "period_of",
    "slice_of",
]

# A table of burn rates is for 30 days; for periods under four weeks its windows shrink in proportion.
SCALE_S, SHORTEST_UNSCALED_S = 30 * 86_400, 28 * 86_400
# Slices are few, and each stands for many events: two of them are no accident.
_SLICES = 2


def objectives_of(config: Config) -> Iterator[Objective]:
    """All objectives of a configuration without mistakes, in the order of the file."""
    for model, of_model in config.models.items():
        for name, said in of_model.objectives.items():
            yield objective_of(config, model, name, said)


def objective_of(config: Config, model: str, name: str, said: ObjectiveConfig) -> Objective:
    """One objective. Raises QueryError or ValueError where its section has mistakes."""
    slo, indicator = config.slo, indicator_of(name, said)
    period = period_of(said, slo)
    slice_s = slice_of(config, indicator, said)
    step_s = base_of(config.windows, indicator.kind) if slice_s is None else slice_s
    meter = Meter(
        model=model,
        source=indicator.source(_limit(indicator, said)),
        version=said.version,
        endpoint=said.endpoint,
        segment={label.removeprefix("segment."): value for label, value in said.segment.items()},
        by=tuple(label.removeprefix("segment.") for label in said.by),
        slice_s=slice_s,
        slice_target=None if said.slice_target is None else share_of(said.slice_target),
        delay_s=said.delay_s or 0,
    )
    return Objective(
        name=name,
        meter=meter,
        target=share_of(said.objective),
        period=period,
        rules=_rules(slo, said, period, step_s, by_slices=slice_s is not None, urgent=_urgent(meter.source)),
        policies=tuple(Policy(p.name, share_of(p.left), Action(p.action)) for p in slo.policies),
        owner=config.models[model].owner,
        description=said.description,
        weight=said.weight,
    )


def indicator_of(name: str, said: ObjectiveConfig) -> Indicator:
    """What the objective is about: what it says, else what it is called. Raises QueryError."""
    bounded = said.at_least is not None or said.at_most is not None
    return find_indicator(said.indicator or name, bounded)


def slice_of(config: Config, indicator: Indicator, said: ObjectiveConfig) -> int | None:
    """The length of the slices that are counted, s; None where events are."""
    if said.slice_s is None and indicator.by_slices:
        return HOUR_S if indicator.is_operational else base_of(config.windows, indicator.kind)
    return said.slice_s


def period_of(said: ObjectiveConfig, slo: SloConfig) -> Period:
    """The period that the objective is for."""
    window = days_or_unit(said.window)
    return Rolling(window) if isinstance(window, int) else Calendar(window, slo.time_zone)


def burns(rows: tuple[BurnConfig, ...]) -> tuple[Burn, ...]:
    """The table of burn rates."""
    return tuple(Burn(share_of(r.spent), r.long_s, r.short_s, Severity(r.severity)) for r in rows)


def _limit(indicator: Indicator, said: ObjectiveConfig) -> Limit:
    def bound(amount: Amount | None) -> float | None:
        return None if amount is None else in_unit(amount, indicator.unit)

    under_ms = None if said.under_ms is None else float(said.under_ms)
    return Limit(under_ms, bound(said.at_least), bound(said.at_most), said.feature)


def _urgent(source: Source) -> bool:
    """Whether anyone is to be woken: inputs that drift, labels that are missing and money spent can wait for
    the morning. Rows of an objective's own say for themselves."""
    if isinstance(source, Bound):
        sli = find_sli(source.sli)
        late = source.sli.startswith("label_") or isinstance(sli.formula, Operational)
        return not late and sli.kind is not Kind.FEATURES
    return not isinstance(source, Happened)


def _rules(
    slo: SloConfig, said: ObjectiveConfig, period: Period, step_s: int, *, by_slices: bool, urgent: bool
) -> tuple[Rule, ...]:
    min_events, min_bad = (_SLICES, _SLICES) if by_slices else (slo.min_events, slo.min_bad_events)
    # 1 less 0.999 is not 0.001 in floats, and a limit of 0.0144 should be just that.
    budget = share_of(100 - Decimal(repr(said.objective)))
    table = burns(slo.alerts if said.alerts is None else said.alerts)
    wakes = urgent or said.alerts is not None
    if not wakes:
        table = tuple(
            replace(b, severity=Severity.TICKET if b.severity is Severity.PAGE else b.severity) for b in table
        )
    found = burn_rules(
        table,
        period,
        budget,
        step_s,
        min_events=min_events if said.min_events is None else said.min_events,
        min_bad=min_bad if said.min_bad_events is None else said.min_bad_events,
        for_s=slo.for_s if said.for_s is None else said.for_s,
        keep_firing_s=slo.keep_firing_s if said.keep_firing_s is None else said.keep_firing_s,
        escalation=_escalation(slo, period, budget, step_s) if wakes else None,
    )
    waits_s = -(-(said.delay_s or 0) // step_s) * step_s
    return tuple(_waiting(rule, waits_s) for rule in found) if waits_s else found


def _waiting(rule: Rule, delay_s: int) -> Rule:
    """The rule for slices that come late by `delay_s`: what is younger is in no window, so that its windows
    reach back by that much more to have as many slices in them."""
    clauses = tuple(replace(c, window_s=c.window_s + delay_s) for c in rule.clauses)
    escalation = rule.escalation
    if escalation is not None:
        escalation = replace(escalation, window_s=escalation.window_s + delay_s)
    return replace(rule, clauses=clauses, escalation=escalation)


def _escalation(slo: SloConfig, period: Period, budget: float, step_s: int) -> Escalation | None:
    """The escalation, its window made to fit as those of the table are."""
    said = slo.escalation
    if said is None:
        return None
    scale = period.nominal_s / SCALE_S if period.nominal_s < SHORTEST_UNSCALED_S else 1.0
    least = 1 if step_s <= 60 else 2
    window_s = max(least, round(said.window_s * scale / step_s)) * step_s
    return Escalation(window_s, said.burn * budget, said.for_s)
