"""What an objective can be about: indicators by name, what each needs to be told, and what it counts."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from monitor.errors import QueryError
from monitor.profiles.layout import Kind, Service
from monitor.sli.catalogue import SLIS, Operational, Sli, Special, find_sli
from monitor.slo.objective import Bound, Correct, Fresh, Happened, Outcomes, Source, Under

__all__ = ["Indicator", "Limit", "Shape", "find_indicator", "indicator_names"]


class Shape(Enum):
    """What an indicator counts, and so what it has to be told."""

    OUTCOMES = "requests by how they ended"
    UNDER = "requests by their latency"
    CORRECT = "labelled predictions"
    BOUND = "slices of time by their value"
    FRESH = "slices of time by the age of the newest record"
    HAPPENED = "things that happened, by their value"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is good. Bounds are in the unit of the indicator."""

    under_ms: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    feature: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator of an objective. `kind` is the profile that it is counted from, `unit` that of its
    bounds; `bad` are the outcomes that are bad, `sli` what is bounded.

    `usual` stands in for bounds that nobody gave.
    """

    name: str
    meaning: str
    shape: Shape
    kind: Kind = Kind.SERVICE
    unit: str = "share"
    bad: tuple[Service, ...] = ()
    sli: Sli | None = None
    usual: Limit = Limit()

    @property
    def by_slices(self) -> bool:
        """Whether slices of time are counted, and not events."""
        return self.shape in (Shape.BOUND, Shape.FRESH)

    @property
    def is_operational(self) -> bool:
        """Whether it comes of events of operations."""
        return self.sli is not None and isinstance(self.sli.formula, Operational)

    @property
    def waits(self) -> bool:
        """Whether its slices may have to wait for labels."""
        return self.shape is Shape.BOUND and self.kind is Kind.QUALITY

    def source(self, limit: Limit) -> Source:
        """What is counted under these limits, which must be those that it needs."""
        match self.shape:
            case Shape.OUTCOMES:
                return Outcomes(self.bad)
            case Shape.UNDER:
                return Under(limit.under_ms or 0.0)
            case Shape.CORRECT:
                return Correct()
            case Shape.FRESH:
                return Fresh(round(limit.at_most or 0))
            case Shape.BOUND | Shape.HAPPENED:
                bounds = limit if (limit.at_least, limit.at_most) != (None, None) else self.usual
                sli = self.sli.name if self.sli else self.name
                if self.shape is Shape.HAPPENED:
                    return Happened(sli, bounds.at_least, bounds.at_most)
                return Bound(sli, bounds.at_least, bounds.at_most, limit.feature)


_NO_LIMIT = Limit()
_FAILED = (Service.INFRASTRUCTURE, Service.TIMEOUT)


def _outcomes(name: str, meaning: str, *bad: Service) -> Indicator:
    return Indicator(name, meaning, Shape.OUTCOMES, bad=bad)


def _happened(name: str, meaning: str, measure: str, usual: Limit = _NO_LIMIT) -> Indicator:
    sli = find_sli(measure)
    return Indicator(name, meaning, Shape.HAPPENED, unit=sli.unit, sli=sli, usual=usual)


_ALWAYS = Limit(at_least=1.0)
_NAMED = (
    _outcomes("availability", "requests that neither fail (5xx) nor time out", *_FAILED),
    _outcomes("error_rate", "availability by another name", *_FAILED),
    _outcomes("client_error_rate", "requests not refused as wrong (4xx but 401 and 403)", Service.CLIENT),
    _outcomes("auth_failure_rate", "requests not refused for want of rights (401, 403)", Service.AUTH),
    _outcomes("quality_error_rate", "responses that the server did not mark invalid", Service.QUALITY),
    Indicator("latency", "online requests answered within `under`", Shape.UNDER, unit="ms"),
    Indicator("accuracy", "labelled predictions that were right", Shape.CORRECT, Kind.LEARNED),
    Indicator(
        "drift_free",
        "windows in which no feature drifted",
        Shape.BOUND,
        Kind.FEATURES,
        sli=find_sli("drifted_share"),
        usual=Limit(at_most=0.0),
    ),
    Indicator(
        "schema_validity",
        "windows in which the values hold to the schema contract",
        Shape.BOUND,
        Kind.FEATURES,
        sli=find_sli("schema_violation_rate"),
        usual=Limit(at_most=0.01),
    ),
    Indicator("data_freshness", "slices whose newest record is young enough", Shape.FRESH, unit="s"),
    _happened("training_success", "training runs that succeed", "training_success_rate", _ALWAYS),
    _happened("training_duration", "training runs that are quick enough", "training_duration"),
    _happened("cost_per_training", "training runs that are cheap enough", "training_cost"),
    _happened("pipeline_success", "pipeline runs that succeed", "pipeline_success_rate", _ALWAYS),
    _happened("pipeline_duration", "pipeline runs that are quick enough", "pipeline_duration"),
    _happened("deployment_success", "deployments that stay", "change_failure_rate", Limit(at_most=0.0)),
    _happened("deployment_lead_time", "deployments that come soon enough", "deployment_lead_time"),
    _happened("time_to_restore", "failed deployments that are mended soon enough", "time_to_restore"),
    _happened("retrain_to_deployed", "requests to retrain that are met soon enough", "retrain_to_deployed"),
    _happened(
        "dataset_completeness", "datasets that arrive complete enough", "dataset_completeness", _ALWAYS
    ),
)
_BY_NAME = {indicator.name: indicator for indicator in _NAMED}
# What is no property of a window: it is the same for all of them, or differs from one question to the next.
_NO_BOUND = (Special.DATA_AGE,)


def indicator_names() -> tuple[str, ...]:
    """The names of the indicators, those of objectives alone first."""
    bounded = (sli.name for sli in SLIS if sli.formula not in _NO_BOUND)
    return tuple(dict.fromkeys((*_BY_NAME, *bounded)))


def find_indicator(name: str, bounded: bool = False) -> Indicator:
    """The indicator of that name. `bounded` says that bounds were given, which make slices of what else
    counts events by its outcome: so accuracy and the error rates can be held to a bound, hour by hour.

    Raises QueryError, naming the nearest, where there is none.
    """
    known = _BY_NAME.get(name)
    also_sli = known is not None and known.shape in (Shape.OUTCOMES, Shape.CORRECT)
    if known is not None and not (bounded and also_sli and name != "availability"):
        return known
    try:
        sli = find_sli(name)
    except QueryError:
        raise _unknown(name) from None
    if sli.formula in _NO_BOUND:
        raise QueryError(
            f"{name} is no property of a window; data_freshness counts the slices that are fresh"
        )
    return Indicator(name, sli.meaning, Shape.BOUND, sli.kind, sli.unit, sli=sli)


def _unknown(name: str) -> QueryError:
    near = get_close_matches(name, indicator_names(), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"such as {', '.join(list(_BY_NAME)[:10])}"
    return QueryError(f"there is no indicator {name!r}; {hint}")
