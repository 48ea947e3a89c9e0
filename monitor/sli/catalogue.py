"""Every indicator: its name, unit, meaning, and how it comes from profiles."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TypeAlias

from monitor.errors import QueryError
from monitor.operations import catalogue as operations
from monitor.operations.measures import Measure
from monitor.profiles.layout import MEASURES, Kind, Service
from monitor.sli.comparing import Compared
from monitor.sli.drifting import ModelStatistic
from monitor.sli.estimated import EXPECTED, Expected
from monitor.sli.expecting import Foretold
from monitor.sli.quality import METRICS, Metric, find_metric

__all__ = [
    "OUTCOMES",
    "SLIS",
    "Broken",
    "Counted",
    "Distance",
    "Formula",
    "Lost",
    "Operational",
    "Per",
    "Quantile",
    "Sli",
    "Special",
    "find_sli",
]

OUTCOMES = (
    Service.OK,
    Service.INFRASTRUCTURE,
    Service.TIMEOUT,
    Service.CLIENT,
    Service.AUTH,
    Service.QUALITY,
)


class Per(Enum):
    """What a count is divided by."""

    NOTHING = "nothing"
    SECOND = "the seconds of the window"
    RECORD = "the records behind it"


@dataclass(frozen=True, slots=True)
class Counted:
    """The weighted counts (of SUM_ cells: the sums) of `cells`, divided by `per`.

    `behind` are the cells of the records behind the value: none, no value.
    """

    cells: tuple[Service, ...]
    behind: tuple[Service, ...] = OUTCOMES
    per: Per = Per.NOTHING


@dataclass(frozen=True, slots=True)
class Quantile:
    """The q-quantile (0 to 1) of a measured time; `q` None is the exact maximum."""

    q: float | None


class Special(Enum):
    """What is neither a quotient of counts nor a quantile; each has its own function."""

    PEAK = "highest count of one second"
    NULL_SHARE = "null bin over all bins of a feature"
    COVERAGE = "share of partitions that have come past the window"
    DATA_AGE = "now less the second of the newest record"


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a feature is from its reference: `statistic` is the field of drift.Distances."""

    statistic: str


@dataclass(frozen=True, slots=True)
class Lost:
    """By how much of the reference's quality the window's is worse; 0 where that may be chance."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The share of values that break the schema contract: of a feature, or of all features together."""


@dataclass(frozen=True, slots=True)
class Operational:
    """What comes of events of operations."""

    measure: Measure


Formula: TypeAlias = (
    Counted
    | Quantile
    | Special
    | Distance
    | ModelStatistic
    | Broken
    | Metric
    | Foretold
    | Compared
    | Lost
    | Operational
)


@dataclass(frozen=True, slots=True)
class Sli:
    """An indicator. `kind` is the kind of profile that it is computed from."""

    name: str
    unit: str
    meaning: str
    kind: Kind
    formula: Formula

    @property
    def takes_feature(self) -> bool:
        return self.needs_feature or isinstance(self.formula, Broken)

    @property
    def needs_feature(self) -> bool:
        return self.formula is Special.NULL_SHARE or isinstance(self.formula, Distance)


def _service(name: str, unit: str, meaning: str, formula: Counted | Special) -> Sli:
    return Sli(name, unit, meaning, Kind.SERVICE, formula)


_PREFIXES = {
    "latency": "response time of online requests",
    "queue": "time that online requests waited in a queue",
    "network": "time that online requests spent in the network",
    "feature": "time to fetch the features of online requests",
    "compute": "time that the model computed for online requests",
    "feature_age": "age of the features when they were used",
    "cold_start_latency": "response time of online requests that met a cold start",
}
_PERCENTILE = re.compile(rf"({'|'.join(_PREFIXES)})_p(\d{{1,3}}(?:\.\d{{1,6}})?)")


def _percentile(prefix: str, p: str) -> Sli:
    meaning = f"{p}th percentile of the {_PREFIXES[prefix]}"
    return Sli(f"{prefix}_p{p}", "ms", meaning, MEASURES[f"{prefix}_ms"], Quantile(float(p) / 100))


def _maximum(prefix: str) -> Sli:
    kind = MEASURES[f"{prefix}_ms"]
    return Sli(f"{prefix}_max", "ms", f"longest {_PREFIXES[prefix]}", kind, Quantile(None))


def _share(name: str, meaning: str, *cells: Service) -> Sli:
    return _service(name, "share", meaning, Counted(cells, per=Per.RECORD))


_DISTANCES = {
    "psi": (
        "index",
        "population stability index of a feature against its reference",
    ),
    "ks": ("share", "Kolmogorov-Smirnov statistic of a numeric feature against its reference"),
    "js": ("distance", "Jensen-Shannon distance of a feature from its reference, base 2"),
    "chi2": ("statistic", "chi-squared statistic of a feature against its reference"),
    "wasserstein": (
        "std",
        "Wasserstein distance of a numeric feature, in standard deviations of its reference",
    ),
}


def _quality(metric: Metric) -> Sli:
    return Sli(metric.name, metric.unit, metric.meaning, Kind.QUALITY, metric)


def _expected(expected: Expected, error: bool = False) -> Sli:
    name = f"{expected.name}_error" if error else expected.name
    meaning = f"{expected.meaning}, less the actual one" if error else expected.meaning
    return Sli(name, "share", meaning, Kind.QUALITY, Foretold(expected, error))


_SERVED = "of the requests served (shadow traffic apart)"
_ALL = (*OUTCOMES, Service.SHADOW, Service.TOO_LATE)

# The table. Percentiles other than these (latency_p99.9) are accepted by pattern.
SLIS: tuple[Sli, ...] = (
    *(_percentile(prefix, p) for prefix in _PREFIXES for p in ("50", "90", "95", "99")),
    *map(_maximum, _PREFIXES),
    _service("throughput", "1/s", "successful responses per second", Counted((Service.OK,), per=Per.SECOND)),
    _service(
        "request_rate", "1/s", "requests per second, however they ended", Counted(OUTCOMES, per=Per.SECOND)
    ),
    _service("request_rate_peak", "1/s", "requests in the busiest second", Special.PEAK),
    _service("records", "records", "requests, however they ended", Counted(OUTCOMES)),
    _share(
        "error_rate",
        f"infrastructure errors (5xx, timeouts) {_SERVED}",
        Service.INFRASTRUCTURE,
        Service.TIMEOUT,
    ),
    _share("client_error_rate", f"refused as wrong (4xx but 401 and 403) {_SERVED}", Service.CLIENT),
    _share("auth_failure_rate", f"refused for want of rights (401, 403) {_SERVED}", Service.AUTH),
    _share("quality_error_rate", f"responses that the server marked invalid {_SERVED}", Service.QUALITY),
    _share("cold_start_rate", f"requests that met a cold start {_SERVED}", Service.COLD_START),
    Sli(
        "null_share",
        "share",
        "values of a feature that are null (needs a feature)",
        Kind.FEATURES,
        Special.NULL_SHARE,
    ),
    *(
        Sli(f"drift_{name}", unit, f"{meaning} (needs a feature)", Kind.FEATURES, Distance(name))
        for name, (unit, meaning) in _DISTANCES.items()
    ),
    Sli(
        "unseen_share",
        "share",
        "values of a feature that its baseline's categories lack (needs a feature)",
        Kind.FEATURES,
        Distance("unseen_share"),
    ),
    Sli(
        "schema_violation_rate",
        "share",
        "values that break the baseline's schema contract, of a feature or of all together",
        Kind.FEATURES,
        Broken(),
    ),
    Sli(
        "model_drift",
        "index",
        "PSI beyond sampling noise, the mean over the features weighted by their importance",
        Kind.FEATURES,
        ModelStatistic.EFFECT,
    ),
    Sli("drifted_share", "share", "features that drifted", Kind.FEATURES, ModelStatistic.DRIFTED),
    Sli(
        "attribution_ndcg",
        "share",
        "how well the order of the features by mean |attribution| holds, 0 to 1",
        Kind.FEATURES,
        ModelStatistic.ATTRIBUTION,
    ),
    _service(
        "late_records",
        "records",
        "records that came after their window had closed, and count",
        Counted((Service.LATE,)),
    ),
    _service(
        "too_late_records",
        "records",
        "records that came too late to count; shown when they came",
        Counted((Service.TOO_LATE,), _ALL),
    ),
    _service(
        "shadow_records",
        "records",
        "records of shadow traffic, in no other indicator",
        Counted((Service.SHADOW,), _ALL),
    ),
    _service(
        "tokens_in",
        "tokens",
        "tokens read",
        Counted((Service.SUM_TOKENS_IN,), (Service.WITH_TOKENS_IN,)),
    ),
    _service(
        "tokens_out",
        "tokens",
        "tokens written",
        Counted((Service.SUM_TOKENS_OUT,), (Service.WITH_TOKENS_OUT,)),
    ),
    _service("cost", "currency", "cost", Counted((Service.SUM_COST,), (Service.WITH_COST,))),
    _service(
        "cost_per_prediction",
        "currency",
        "mean cost of the records that say theirs",
        Counted((Service.SUM_COST,), (Service.WITH_COST,), Per.RECORD),
    ),
    _service(
        "coverage", "share", "partitions whose records up to the window's end are all in", Special.COVERAGE
    ),
    _service("data_age", "s", "time since the newest record", Special.DATA_AGE),
    *map(_quality, METRICS),
    Sli(
        "quality_loss",
        "share",
        "by how much of the baseline's the quality is worse (accuracy, mae, .. as the model is judged by); 0 "
        "where that may be chance",
        Kind.QUALITY,
        Lost(),
    ),
    Sli(
        "label_drift",
        "index",
        "population stability index of the labels (classes or numbers) against the stream's first days",
        Kind.QUALITY,
        Compared.LABEL_DRIFT,
    ),
    Sli(
        "ctr_lift",
        "share",
        "click-through above that of the first group of the answer, such as a version",
        Kind.QUALITY,
        Compared.CTR_LIFT,
    ),
    *(_expected(e) for e in EXPECTED.values()),
    *(_expected(e, error=True) for e in EXPECTED.values()),
    *(Sli(m.name, m.unit, m.meaning, Kind.SERVICE, Operational(m)) for m in operations.MEASURES.values()),
)
_BY_NAME = {sli.name: sli for sli in SLIS}


def find_sli(name: str) -> Sli:
    """The indicator of that name. Raises QueryError, naming the nearest, where there is none."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    match = _PERCENTILE.fullmatch(name)
    if match and float(match[2]) <= 100:
        return _percentile(match[1], match[2])
    if match:
        raise QueryError(f"sli: {name!r}: a percentile is from 0 to 100")
    metric = find_metric(name)
    if metric is not None:
        return _quality(metric)
    near = get_close_matches(name, _BY_NAME, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(_BY_NAME)}"
    raise QueryError(f"sli: there is no {name!r}; {hint}")
