"""The section `retraining`: when to ask that a model is trained anew."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PositiveFloat, PositiveInt

from monitor.clock import DAY_MS, HOUR_MS
from monitor.config.durations import Milliseconds
from monitor.config.paging import hidden
from monitor.config.section import Section, Text
from monitor.currencies import check_currency

__all__ = ["AgeConfig", "DriftWhen", "QualityWhen", "RetrainBudget", "RetrainConfig", "WhenConfig"]

_Span = Annotated[Milliseconds, Field(ge=HOUR_MS, le=400 * DAY_MS)]


def _hidden(webhook: dict[str, Any] | None) -> dict[str, str] | None:
    return None if webhook is None else hidden(webhook)


class DriftWhen(Section):
    """Drift `above` a value in each of the last `windows` that are over."""

    sli: Literal["model_drift", "drifted_share"] = "model_drift"
    above: Annotated[PositiveFloat, Field(examples=[0.2])]
    windows: Annotated[int, Field(ge=1, le=100)] = 3
    window_ms: _Span = HOUR_MS


class QualityWhen(Section):
    """A metric of quality `below` a value (or `above` one, where low is good) over the last `window` of
    labels, of which there have to be `min_labels`."""

    sli: Text = "accuracy"
    below: float | None = None
    above: float | None = None
    min_labels: PositiveInt = 500
    window_ms: _Span = 7 * DAY_MS


class AgeConfig(Section):
    """What is older than `above`: the newest data that went into training, the last training, or the last
    deployment; of which no event tells, that has no age."""

    of: Literal["data", "training", "deployment"] = "training"
    above_ms: Annotated[Milliseconds, Field(gt=0, examples=["30d"])]


class WhenConfig(Section):
    """One of these is enough."""

    drift: DriftWhen | None = None
    quality: QualityWhen | None = None
    age: AgeConfig | None = None


class RetrainBudget(Section):
    """At most so many `runs`, or so much of `currency` for training runs, in any stretch of `per`."""

    runs: PositiveInt | None = None
    amount: Annotated[float, Field(gt=0)] | None = None
    currency: Annotated[Text, AfterValidator(check_currency)] | None = None
    per_ms: Annotated[Milliseconds, Field(gt=0)] = 30 * DAY_MS


class RetrainConfig(Section):
    """When to ask that `model` is trained anew: an event `retrain_requested`, and a `webhook` (keys of a
    `webhook_configs` entry) once that is approved, or at once with `approval: none`. Not within `cool_down`
    of the request before, not beyond the `budget`, and while `dry_run` isn't taken back nothing but the event
    is made. A run that has not begun or ended for `give_up` is not waited for any longer."""

    model: Annotated[Text, Field(examples=["fraud"])]
    name: Annotated[Text | None, Field(max_length=100)] = None
    when: Annotated[WhenConfig, Field(examples=[{"age": {"above": "30d"}}])]
    cool_down_ms: Annotated[Milliseconds, Field(gt=0)] = 7 * DAY_MS
    budget: RetrainBudget | None = None
    approval: Literal["required", "none"] = "required"
    give_up_ms: Annotated[Milliseconds, Field(gt=0)] = 2 * DAY_MS
    webhook: Annotated[dict[str, Any] | None, PlainSerializer(_hidden), Field(repr=False)] = None
    dry_run: bool = True
