"""The sections on objectives: those of each model, and `slo`, which holds for all of them."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveFloat

from monitor.config.amounts import Bounding, Percent
from monitor.config.durations import DAY_MS, Milliseconds, Seconds, parse_duration_ms
from monitor.config.section import Section, Text
from monitor.config.severity import SeverityName, plain_name
from monitor.config.watches import WatchConfig
from monitor.slo.period import Unit
from monitor.slo.rule import TABLE

__all__ = [
    "BurnConfig",
    "EscalationConfig",
    "ObjectiveConfig",
    "PolicyConfig",
    "SloConfig",
    "days_or_unit",
    "zone",
]


def days_or_unit(window: str) -> int | Unit:
    """The days of a rolling window, or what of the calendar it is. Raises ValueError on anything else."""
    if window in list(Unit):
        return Unit(window)
    try:
        days, rest = divmod(parse_duration_ms(window), DAY_MS)
    except ValueError:
        days, rest = 0, 0
    if rest or not days:
        raise ValueError(f"{window!r} is no window: write whole days as 30d or 4w, or week, month or quarter")
    return days


def _window(window: str) -> str:
    days_or_unit(window)
    return window


def _target(percent: float) -> float:
    if percent >= 100:
        raise ValueError(
            f"{percent:g} % leaves no budget: one bad event would spend more than all; write for example 99.9"
        )
    if percent <= 0:
        raise ValueError(f"{percent:g} % asks for nothing; write for example 99.9")
    if percent < 1:
        raise ValueError(f"is a percentage: did you mean {percent * 100:.10g}?")
    return percent


def zone(name: str) -> str:
    """The name of a time zone. Raises ValueError where there is none of it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "write for example UTC or Europe/Berlin"
        raise ValueError(f"there is no time zone {name!r}; {hint}") from None
    return name


def _unless_none(value: Any) -> Any:
    if isinstance(value, str) and value != "none":
        raise ValueError("must be none, or for example {burn: 2, window: 6h, for: 2h}")
    return None if value == "none" else value


_ROW = {"spent": 2, "long": "1h", "short": "5m", "severity": "page"}
_POLICY = {"name": "half", "left": 50, "action": "ticket"}
_Target = Annotated[Percent, AfterValidator(_target), Field(examples=["99.9"])]
_ActionName = Annotated[Literal["ticket", "freeze"], BeforeValidator(plain_name), Field(examples=["ticket"])]


class BurnConfig(Section):
    """A row of the table of burn rates: fires once `spent` percent of the budget would be gone if the last
    `long` went on; `short` ends it soon after the trouble."""

    spent: Annotated[Percent, Field(gt=0, le=100, examples=["2"])]
    long_s: Annotated[Seconds, Field(gt=0, examples=["1h"])]
    short_s: Annotated[Seconds, Field(gt=0, examples=["5m"])]
    severity: SeverityName


class EscalationConfig(Section):
    """When a ticket becomes a page: a burn rate above `burn` over `window`, for as long as `for`."""

    burn: PositiveFloat = 2.0
    window_s: Annotated[Seconds, Field(gt=0)] = 6 * 3600
    for_s: Annotated[Seconds, Field(ge=0)] = 2 * 3600


class PolicyConfig(Section):
    """What is due once at most `left` percent of a budget is left."""

    name: Annotated[Text, Field(examples=["half"])]
    left: Annotated[Percent, Field(ge=0, le=100, examples=["50"])]
    action: _ActionName


class ObjectiveConfig(Section):
    """What `objective` percent of the events, or of the slices of time, must be like over the `window`.

    `indicator` is the objective's own name unless given. `under`, `at_least` and `at_most` say what is good.
    With `slice`, slices of time are counted and not events; events then need a `slice_target`: the percent
    of a slice's events that must be good. `delay` is how long a slice waits for labels. `by` keeps a budget
    for each version, endpoint or segment of its own; `version`, `endpoint` and `segment` narrow it to one.
    `alerts: []` stands for none; what is not given is as in `slo`.
    """

    objective: _Target
    window: Annotated[Text, AfterValidator(_window)] = "30d"
    indicator: Text | None = None
    under_ms: Annotated[Milliseconds, Field(gt=0)] | None = None
    at_least: Bounding | None = None
    at_most: Bounding | None = None
    feature: Text | None = None
    slice_s: Annotated[Seconds, Field(gt=0)] | None = None
    slice_target: Annotated[Percent, Field(gt=0, le=100)] | None = None
    delay_s: Annotated[Seconds, Field(ge=0)] | None = None
    by: Annotated[tuple[Text, ...], Field(examples=[["version"]])] = ()
    version: Text | None = None
    endpoint: Text | None = None
    segment: dict[Text, Text] = Field(default_factory=dict)
    description: str = ""
    weight: PositiveFloat = 1.0
    alerts: Annotated[tuple[BurnConfig, ...] | None, Field(examples=[[_ROW]])] = None
    min_events: NonNegativeInt | None = None
    min_bad_events: NonNegativeInt | None = None
    for_s: Annotated[Seconds, Field(ge=0)] | None = None
    keep_firing_s: Annotated[Seconds, Field(ge=0)] | None = None


_TABLE = tuple(
    BurnConfig(spent=row.spent * 100, long_s=row.long_s, short_s=row.short_s, severity=row.severity.value)
    for row in TABLE
)
_POLICIES = (
    PolicyConfig(name="half", left=50, action="ticket"),
    PolicyConfig(name="quarter", left=25, action="ticket"),
    PolicyConfig(name="spent", left=0, action="freeze"),
)


class SloConfig(Section):
    """What holds for every objective that does not say otherwise, and the watches that every model has.

    `alerts` is the table of burn rates, as for 30 days. `min_events` and `min_bad_events` are events: where
    slices are counted two are enough of each. `generic: false` does without the watches, `disable` without
    some, `watches` says of some what is too much, and an objective stands in for the watch of its name.
    Trouble older than `quiet_after` when it is found, as while catching up, pages nobody.
    """

    time_zone: Annotated[Text, AfterValidator(zone)] = "UTC"
    alerts: Annotated[tuple[BurnConfig, ...], Field(examples=[[_ROW]])] = _TABLE
    min_events: NonNegativeInt = 50
    min_bad_events: NonNegativeInt = 3
    for_s: Annotated[Seconds, Field(ge=0)] = 0
    keep_firing_s: Annotated[Seconds, Field(ge=0)] = 600
    escalation: Annotated[EscalationConfig | None, BeforeValidator(_unless_none)] = EscalationConfig()
    policies: Annotated[tuple[PolicyConfig, ...], Field(examples=[[_POLICY]])] = _POLICIES
    generic: bool = True
    disable: Annotated[tuple[Text, ...], Field(examples=[["no_traffic"]])] = ()
    watches: dict[Text, WatchConfig] = Field(default_factory=dict)
    runbook_url: Text | None = None
    dashboard_url: Text | None = None
    quiet_after_s: Annotated[Seconds, Field(ge=0)] = 900
