"""The watches that every model has without anyone asking: what commonly goes wrong, as data.

A watch has no objective and no budget; its rules say how much is too much by themselves. What only
Prometheus can tell, such as that monitor is down, is in `own_alerts`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from monitor.profiles.layout import Kind, Service
from monitor.sli.catalogue import find_sli
from monitor.sli.windows import Bases, base_of
from monitor.slo.objective import (
    Bound,
    Fresh,
    Happened,
    Meter,
    OnTrial,
    Outcomes,
    Source,
    Traffic,
    Under,
    Watch,
)
from monitor.slo.rule import Clause, Rule, Severity
from monitor.slo.tuning import LIMITS, Limits, Tuning

__all__ = ["Generic", "alert_name", "generic", "watches"]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_USUAL = Tuning()
_FAILED = (Service.INFRASTRUCTURE, Service.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Generic:
    """A watch of every model. `name` is what `slo.disable` calls it; its rules' windows are made to fit the
    base windows, and its slices (`slice_s`, None: events are counted) likewise."""

    name: str
    summary: str
    source: Source
    rules: tuple[Rule, ...]
    slice_s: int | None = None
    delay_s: int = 0

    def watch(self, model: str, owner: str | None, base_s: int) -> Watch:
        """This watch of a model whose events are counted in windows of `base_s`."""
        if self.slice_s is None:
            meter = Meter(model, self.source, delay_s=self.delay_s)
            rules = tuple(_of_events(rule, base_s) for rule in self.rules)
        else:
            slice_s = _up(self.slice_s, base_s)
            meter = Meter(model, self.source, slice_s=slice_s, delay_s=self.delay_s)
            rules = tuple(_of_slices(rule, self.slice_s, slice_s) for rule in self.rules)
        return Watch(self.name, meter, rules, owner, self.summary)


def alert_name(name: str) -> str:
    """What Prometheus, a page and the runbook call the alert of the watch `name`."""
    return "Model" + "".join(part.capitalize() for part in name.split("_"))


def generic(limits: Limits = LIMITS) -> tuple[Generic, ...]:
    """The catalogue."""
    return (*_serving(limits), *_data(limits), *_operations(limits))


def watches(
    models: Mapping[str, str | None],
    bases: Bases,
    tuning: Tuning = _USUAL,
) -> tuple[Watch, ...]:
    """The watches of each model (name to owner) but those disabled, by model, in the catalogue's order."""
    found = (g for g in generic(tuning.limits) if g.name not in tuning.disabled)
    wanted = [replace(g, rules=tuning.rules(g.name, g.rules)) for g in found]
    return tuple(
        g.watch(model, owner, base_of(bases, _kind(g.source)))
        for model, owner in models.items()
        for g in wanted
    )


def _serving(limits: Limits) -> Iterator[Generic]:
    page = Severity.PAGE
    yield Generic(
        "total_outage",
        f"more than {_percent(limits.outage_share)} of the requests fail",
        Outcomes(_FAILED),
        (
            # A busy model's outage is certain within a minute; a quiet one needs ten for as many requests.
            _rule("at once", page, limits.outage_share, _MINUTE_S, min_events=20, min_bad=20),
            _rule("for ten minutes", page, limits.outage_share, 10 * _MINUTE_S, min_events=5, min_bad=5),
        ),
    )
    yield Generic(
        "error_spike",
        f"more than {_percent(limits.error_share)} of the requests fail",
        Outcomes(_FAILED),
        (_rule("spike", page, limits.error_share, 10 * _MINUTE_S, 2 * _MINUTE_S, min_bad=10),),
    )
    yield Generic(
        "latency_p99",
        f"the 99th percentile of latency is above {limits.latency_ms:g} ms",
        Under(limits.latency_ms),
        (_rule("p99", page, 0.01, 10 * _MINUTE_S, 2 * _MINUTE_S, min_events=200, min_bad=10),),
    )
    yield Generic(
        "auth_failures",
        f"more than {_percent(limits.auth_share)} of the requests are refused for want of rights (401, 403)",
        Outcomes((Service.AUTH,)),
        (_rule("refused", page, limits.auth_share, 10 * _MINUTE_S, 2 * _MINUTE_S, min_bad=10),),
    )
    yield Generic(
        "no_traffic",
        f"under {_percent(limits.usual_share)} of the requests that are usual about this hour",
        Traffic(limits.usual_share),
        (_rule("quiet", page, 0.99, 15 * _MINUTE_S, min_events=3, min_bad=3),),
        slice_s=5 * _MINUTE_S,
    )
    trial = OnTrial(limits.slower_share)
    yield Generic(
        "rollback_needed",
        "the new version is worse than the one before, beyond chance: it fails by more than "
        f"{trial.failing * 100:g} points more, or is slower by more than {_percent(trial.slower)}: roll back",
        trial,
        (_rule("worse", page, 0.5, 5 * _MINUTE_S, min_events=3, min_bad=3),),
        slice_s=_MINUTE_S,
    )


def _data(limits: Limits) -> Iterator[Generic]:
    ticket = Severity.TICKET
    yield Generic(
        "data_stale",
        f"no record younger than {limits.stale_s / _MINUTE_S:g} min",
        Fresh(limits.stale_s),
        (_rule("stale", ticket, 0.99, 15 * _MINUTE_S, min_events=3, min_bad=3),),
        slice_s=5 * _MINUTE_S,
    )
    yield Generic(
        "drift",
        f"{_drifted(limits.drifted_share)} drifted in two of the last three windows",
        Bound("drifted_share", at_most=limits.drifted_share),
        (_rule("2 of 3", ticket, 0.5, 3 * _HOUR_S, min_events=2, min_bad=2),),
        slice_s=_HOUR_S,
    )
    yield Generic(
        "accuracy_drop",
        f"quality is worse than the baseline's by more than {_percent(limits.lost_share)}, and by more than "
        "chance gives, as labels come in: roll back",
        Bound("quality_loss", at_most=limits.lost_share),
        (_rule("lost", Severity.PAGE, 0.5, 9 * _HOUR_S, min_events=2, min_bad=2),),
        slice_s=3 * _HOUR_S,
    )
    yield Generic(
        "schema_violations",
        f"more than {_percent(limits.schema_share)} of the values break the schema contract",
        Bound("schema_violation_rate", at_most=limits.schema_share),
        (_rule("2 of 3", ticket, 0.5, 3 * _HOUR_S, min_events=2, min_bad=2),),
        slice_s=_HOUR_S,
    )
    days = limits.label_delay_s // _DAY_S
    yield Generic(
        "label_coverage",
        f"under {_percent(limits.labelled_share)} of the predictions of a day have a label after {days} days",
        Bound("label_coverage", at_least=limits.labelled_share),
        (_rule("fallen", ticket, 0.5, limits.label_delay_s + _DAY_S, min_events=1, min_bad=1),),
        slice_s=_DAY_S,
        delay_s=limits.label_delay_s,
    )


def _operations(limits: Limits) -> Iterator[Generic]:
    ticket, once = Severity.TICKET, {"min_events": 1, "min_bad": 1}
    yield Generic(
        "stale",
        f"the model in production is older than {limits.model_age_s / _DAY_S:g} days",
        Bound("model_age", at_most=limits.model_age_s),
        (_rule("old", ticket, 0.5, 3 * _HOUR_S, **once),),
        slice_s=_HOUR_S,
    )
    yield Generic(
        "failed_retraining",
        "a training run failed at its last attempt",
        Happened("training_success_rate", at_least=1.0),
        (_rule("failed", ticket, 0.0, _DAY_S, **once),),
    )
    yield Generic(
        "registry_mismatch",
        "logs, registry and last deployment don't agree on the version in production",
        Bound("registry_consistency", at_least=1.0),
        (_rule("differ", ticket, 0.5, 5 * _MINUTE_S, **once),),
        slice_s=5 * _MINUTE_S,
    )
    yield Generic(
        "partial_data",
        f"a dataset came with under {_percent(limits.complete_share)} of its rows",
        Happened("dataset_completeness", at_least=limits.complete_share),
        (_rule("partial", ticket, 0.0, _HOUR_S, **once),),
    )
    yield Generic(
        "credential_expiry",
        f"a credential expires within {limits.credential_s / _DAY_S:g} days",
        Bound("credential_time_left", at_least=limits.credential_s),
        (_rule("soon", ticket, 0.5, 3 * _HOUR_S, **once),),
        slice_s=_HOUR_S,
    )
    yield Generic(
        "capacity",
        f"capacity is under {limits.headroom:g} times the requests of the busiest second",
        Bound("capacity_headroom", at_least=limits.headroom),
        (_rule("tight", ticket, 0.5, 3 * _HOUR_S, min_events=2, min_bad=2),),
        slice_s=_HOUR_S,
    )
    yield Generic(
        "cost",
        f"a day cost more than {limits.cost_times:g} times what is usual",
        Bound("cost_against_usual", at_most=limits.cost_times),
        (_rule("dear", ticket, 0.5, _DAY_S, **once),),
        slice_s=_DAY_S,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.4g}%"


def _drifted(share: float) -> str:
    return f"more than {_percent(share)} of the features" if share else "features"


def _rule(
    name: str, severity: Severity, above: float, *windows_s: int, min_events: int = 50, min_bad: int = 3
) -> Rule:
    clauses = tuple(Clause(window_s, above) for window_s in windows_s)
    return Rule(name, severity, clauses, min_events=min_events, min_bad=min_bad)


def _kind(source: Source) -> Kind:
    return find_sli(source.sli).kind if isinstance(source, Bound) else Kind.SERVICE


def _of_slices(rule: Rule, usual_s: int, slice_s: int) -> Rule:
    """The rule over as many slices of `slice_s` as it has of the usual length."""
    clauses = tuple(replace(c, window_s=c.window_s // usual_s * slice_s) for c in rule.clauses)
    return replace(rule, clauses=clauses)


def _of_events(rule: Rule, base_s: int) -> Rule:
    """The rule over whole base windows, two at least of long ones; clauses that come to the same are one."""
    least_s = base_s if base_s <= _MINUTE_S else 2 * base_s
    spans = (max(least_s, _up(c.window_s, base_s)) for c in rule.clauses)
    clauses = dict.fromkeys(replace(c, window_s=s) for c, s in zip(rule.clauses, spans, strict=True))
    return replace(rule, clauses=tuple(clauses))


def _up(span_s: int, step_s: int) -> int:
    """The span, raised to whole steps."""
    return -(-span_s // step_s) * step_s
