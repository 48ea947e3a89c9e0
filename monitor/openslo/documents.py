"""OpenSLO v1 as sections. Source: github.com/OpenSLO/OpenSLO, the specification in its README.

Kinds that say where figures come from or whom to tell (DataSource, AlertNotificationTarget) have no
counterpart here and are passed over.
"""

from typing import Annotated, Any, Literal

from pydantic import AliasGenerator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from monitor.config.section import Section, Text

__all__ = [
    "KINDS",
    "PASSED_OVER",
    "AlertCondition",
    "AlertPolicy",
    "Condition",
    "Indicator",
    "Metadata",
    "Metric",
    "OpenSlo",
    "RatioMetric",
    "Service",
    "Sli",
    "Slo",
    "Threshold",
    "TimeWindow",
]

Operator = Literal["lte", "gte", "lt", "gt"]
PASSED_OVER = ("DataSource", "AlertNotificationTarget")


class OpenSlo(Section):
    """A part of a document: keys in camel case."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel, serialization_alias=to_camel)
    )


class Metadata(OpenSlo):
    name: Annotated[Text, Field(examples=["availability"])]
    display_name: Text | None = None
    labels: dict[str, Any] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class MetricSource(OpenSlo):
    metric_source_ref: Text | None = None
    type: Text | None = None
    spec: dict[str, Any] = Field(default_factory=dict)


class Metric(OpenSlo):
    metric_source: MetricSource = MetricSource()


class RatioMetric(OpenSlo):
    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None
    raw: Metric | None = None


class IndicatorSpec(OpenSlo):
    description: str = ""
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None


class Indicator(OpenSlo):
    """An SLI within an SLO."""

    metadata: Metadata
    spec: IndicatorSpec = IndicatorSpec()


class Calendar(OpenSlo):
    start_time: Annotated[Text, Field(examples=["2024-01-01 00:00:00"])]
    time_zone: Annotated[Text, Field(examples=["UTC"])]


class TimeWindow(OpenSlo):
    duration: Annotated[Text, Field(examples=["30d"])]
    is_rolling: bool | None = None
    calendar: Calendar | None = None


class Threshold(OpenSlo):
    """One of the objectives of an SLO."""

    display_name: Text | None = None
    op: Operator | None = None
    value: float | None = None
    target: float | None = None
    target_percent: float | None = None
    time_slice_target: Annotated[float, Field(gt=0, le=1)] | None = None
    time_slice_window: Text | None = None


class Condition(OpenSlo):
    kind: Literal["burnrate"] = "burnrate"
    op: Operator = "gte"
    threshold: Annotated[float, Field(gt=0, examples=["2"])]
    lookback_window: Annotated[Text, Field(examples=["1h"])]
    alert_after: Text = "0m"


class ConditionSpec(OpenSlo):
    description: str = ""
    severity: Annotated[Text, Field(examples=["page"])]
    condition: Condition


class ConditionOrRef(OpenSlo):
    """An alert condition within a policy, or the name of one."""

    condition_ref: Text | None = None
    api_version: Text | None = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: ConditionSpec | None = None


class PolicySpec(OpenSlo):
    description: str = ""
    alert_when_no_data: bool = False
    alert_when_resolved: bool = False
    alert_when_breaching: bool = True
    conditions: Annotated[
        tuple[ConditionOrRef, ...], Field(min_length=1, examples=[[{"conditionRef": "fast-burn"}]])
    ]
    notification_targets: tuple[Any, ...] = ()


class PolicyOrRef(OpenSlo):
    """An alert policy within an SLO, or the name of one."""

    alert_policy_ref: Text | None = None
    api_version: Text | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: PolicySpec | None = None


class SloSpec(OpenSlo):
    description: str = ""
    service: Annotated[Text, Field(examples=["fraud"])]
    indicator: Indicator | None = None
    indicator_ref: Text | None = None
    time_window: Annotated[tuple[TimeWindow, ...], Field(max_length=1)] = ()
    budgeting_method: Annotated[
        Literal["Occurrences", "Timeslices", "RatioTimeslices"], Field(examples=["Occurrences"])
    ] = "Occurrences"
    objectives: Annotated[tuple[Threshold, ...], Field(min_length=1, examples=[[{"target": "0.999"}]])]
    alert_policies: tuple[PolicyOrRef, ...] = ()


class ServiceSpec(OpenSlo):
    description: str = ""


class _Document(OpenSlo):
    api_version: Literal["openslo/v1"]
    metadata: Metadata


class Slo(_Document):
    kind: Literal["SLO"]
    spec: SloSpec


class Sli(_Document):
    kind: Literal["SLI"]
    spec: IndicatorSpec = IndicatorSpec()


class Service(_Document):
    kind: Literal["Service"]
    spec: ServiceSpec = ServiceSpec()


class AlertPolicy(_Document):
    kind: Literal["AlertPolicy"]
    spec: PolicySpec


class AlertCondition(_Document):
    kind: Literal["AlertCondition"]
    spec: ConditionSpec


KINDS: dict[str, type[Slo] | type[Sli] | type[Service] | type[AlertPolicy] | type[AlertCondition]] = {
    "SLO": Slo,
    "SLI": Sli,
    "Service": Service,
    "AlertPolicy": AlertPolicy,
    "AlertCondition": AlertCondition,
}
