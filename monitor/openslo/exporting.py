"""Writes objectives as OpenSLO v1 documents.

What OpenSLO has no word for stands in annotations that begin with `monitor/`, and what is counted in the
`spec` of a metric source of the type `monitor`: so an import gives the same objectives again.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from monitor.config.amounts import in_unit, share_of
from monitor.config.durations import format_duration
from monitor.config.model import Config
from monitor.config.objective_values import (
    SCALE_S,
    SHORTEST_UNSCALED_S,
    indicator_of,
    objective_of,
    slice_of,
)
from monitor.config.objectives import BurnConfig, ObjectiveConfig
from monitor.errors import ConfigError
from monitor.openslo.spans import START, shorthand
from monitor.slo.indicators import Indicator, Shape
from monitor.slo.objective import Objective
from monitor.slo.period import Calendar

__all__ = ["ANNOTATION", "USUAL", "dns_name", "documents"]

ANNOTATION = "monitor/"
# The value of the annotation `slice` where its length is that of the configuration's windows.
USUAL = "usual"
_VERSION = "openslo/v1"
_MOST = 63
_OTHER = re.compile(r"[^a-z0-9]+")

Json = dict[str, Any]


def dns_name(*parts: str) -> str:
    """A name as OpenSLO wants it: lower-case letters, digits and `-`, 63 at most."""
    return _OTHER.sub("-", "-".join(parts).lower()).strip("-")[:_MOST].strip("-") or "unnamed"


def documents(config: Config, model: str | None = None) -> list[Json]:
    """A Service for each model with objectives, an SLO for each objective, and the alert policies that they
    refer to. `model` leaves out all others.

    Raises ConfigError for what OpenSLO can't say: a slice or window of part minutes.
    """
    found: list[Json] = []
    policies: dict[str, Json] = {}
    names: set[str] = set()
    for name, of_model in config.models.items():
        if of_model.objectives and model in (None, name):
            service = _unique(dns_name(name), names)
            found.append(_service(service, name, of_model.owner))
            for objective, said in of_model.objectives.items():
                try:
                    found.append(_slo(config, name, objective, said, service, policies, names))
                except ValueError as e:
                    raise ConfigError([f"models.{name}.objectives.{objective}: {e}"]) from None
    return [*found, *policies.values()]


def _unique(name: str, names: set[str]) -> str:
    n, unique = 1, name
    while unique in names:
        n += 1
        unique = f"{name[: _MOST - len(str(n)) - 1]}-{n}"
    names.add(unique)
    return unique


def _document(kind: str, metadata: Json, spec: Json) -> Json:
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _service(service: str, model: str, owner: str | None) -> Json:
    annotations = {ANNOTATION + "model": model} | ({ANNOTATION + "owner": owner} if owner else {})
    return _document("Service", {"name": service, "displayName": model, "annotations": annotations}, {})


def _slo(
    config: Config,
    model: str,
    name: str,
    said: ObjectiveConfig,
    service: str,
    policies: dict[str, Json],
    names: set[str],
) -> Json:
    indicator, objective = indicator_of(name, said), objective_of(config, model, name, said)
    slice_s = slice_of(config, indicator, said)
    spec: Json = {"description": said.description} if said.description else {}
    spec |= {
        "service": service,
        "indicator": _indicator(model, indicator, said),
        "timeWindow": [_window(objective)],
        "budgetingMethod": "Occurrences" if slice_s is None else "Timeslices",
        "objectives": [_threshold(indicator, said, slice_s)],
    }
    references = [{"alertPolicyRef": policy} for policy in _policies(config, said, objective, policies)]
    spec |= {"alertPolicies": references} if references else {}
    annotations = dict(_annotations(indicator, said))
    metadata: Json = {"name": _unique(dns_name(model, name), names), "displayName": name}
    metadata["annotations"] = {
        ANNOTATION + key: value for key, value in {"name": name, **annotations}.items()
    }
    return _document("SLO", metadata, spec)


def _annotations(indicator: Indicator, said: ObjectiveConfig) -> Iterator[tuple[str, str]]:
    """What an SLO has no key for, as texts."""
    written = said.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if indicator.by_slices and said.slice_s is None:
        yield "slice", USUAL
    for key in ("weight", "min_events", "min_bad_events", "for", "keep_firing", "delay"):
        if written.get(key) is not None:
            value = written[key]
            yield key, _plain(value)
    if said.alerts is not None:
        written_rows = (row.model_dump(mode="json", by_alias=True) for row in said.alerts)
        yield "alerts", json.dumps([{k: _plain(v) for k, v in row.items()} for row in written_rows])


def _indicator(model: str, indicator: Indicator, said: ObjectiveConfig) -> Json:
    source: Json = {"model": model, "indicator": indicator.name}
    for key in ("version", "endpoint", "feature"):
        source |= {key: getattr(said, key)} if getattr(said, key) is not None else {}
    source |= {"segment": dict(said.segment)} if said.segment else {}
    source |= {"by": list(said.by)} if said.by else {}
    if said.under_ms is not None:
        source["under"] = format_duration(said.under_ms)
    for key in ("at_least", "at_most"):
        source |= {key: str(getattr(said, key))} if getattr(said, key) is not None else {}
    name = {"name": dns_name(indicator.name), "displayName": indicator.meaning}
    metric: Json = {"metricSource": {"type": "monitor", "spec": source}}
    if indicator.by_slices and _bound(indicator, said) is not None:
        return {"metadata": name, "spec": {"thresholdMetric": metric}}
    whole = {key: source[key] for key in ("model", "version", "endpoint", "segment", "by") if key in source}
    total: Json = {"metricSource": {"type": "monitor", "spec": whole}}
    return {"metadata": name, "spec": {"ratioMetric": {"counter": True, "good": metric, "total": total}}}


def _bound(indicator: Indicator, said: ObjectiveConfig) -> tuple[str, float] | None:
    """The operator and value of a bound, in the unit of the indicator; of two, the upper one."""
    for op, amount in (("lte", said.at_most), ("gte", said.at_least)):
        if amount is not None:
            return op, in_unit(amount, indicator.unit)
    return None if indicator.usual.at_most is None else ("lte", indicator.usual.at_most)


def _window(objective: Objective) -> Json:
    period = objective.period
    if isinstance(period, Calendar):
        duration = {"week": "1w", "month": "1M", "quarter": "1Q"}[str(period.unit)]
        start = {"startTime": START, "timeZone": period.zone}
        return {"duration": duration, "isRolling": False, "calendar": start}
    return {"duration": str(period), "isRolling": True}


def _threshold(indicator: Indicator, said: ObjectiveConfig, slice_s: int | None) -> Json:
    threshold: Json = {"target": share_of(said.objective)}
    bound = _bound(indicator, said) if indicator.shape is not Shape.HAPPENED else None
    if indicator.by_slices and bound is not None:
        threshold = {"op": bound[0], "value": bound[1], **threshold}
    if slice_s is not None:
        target = 1.0 if said.slice_target is None else share_of(said.slice_target)
        threshold |= {"timeSliceTarget": target, "timeSliceWindow": shorthand(slice_s)}
    return threshold


def _policies(
    config: Config, said: ObjectiveConfig, objective: Objective, policies: dict[str, Json]
) -> Iterator[str]:
    """The names of the policies of an objective, one for each row of its table; those that are new are added.

    They are shared by all that burn alike: the rate depends on the period.
    """
    period_s = objective.period.nominal_s
    scale = period_s / SCALE_S if period_s < SHORTEST_UNSCALED_S else 1.0
    for row in config.slo.alerts if said.alerts is None else said.alerts:
        long, short = (format_duration(s * 1000) for s in (row.long_s, row.short_s))
        days = f"{period_s // 86_400}d"
        name = dns_name(row.severity, f"{row.spent:.10g}", "in", long, "and", short, "of", days)
        if name not in policies:
            factor = share_of(row.spent) * (SCALE_S if scale < 1 else period_s) / row.long_s
            lookback_s = max(60, round(row.long_s * scale / 60) * 60)
            policies[name] = _policy(name, row, round(factor, 9), lookback_s)
        yield name


def _policy(name: str, row: BurnConfig, factor: float, lookback_s: int) -> Json:
    written = row.model_dump(mode="json", by_alias=True)
    annotations = {ANNOTATION + key: _plain(value) for key, value in written.items()}
    condition = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": factor,
        "lookbackWindow": shorthand(lookback_s),
        "alertAfter": "0m",
    }
    inline: Json = {"kind": "AlertCondition", "metadata": {"name": name, "annotations": annotations}}
    inline["spec"] = {"severity": row.severity, "condition": condition}
    spec: Json = {"alertWhenNoData": False, "alertWhenResolved": True, "alertWhenBreaching": True}
    spec |= {"conditions": [inline], "notificationTargets": []}
    return _document("AlertPolicy", {"name": name}, spec)


def _plain(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
