"""The event contract: what the data of each type of event may say.

The classes below are the only list of fields: the decoder reads by them, and the published JSON Schema
(`monitor event schema`) is made from them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from monitor.currencies import check_currency
from monitor.ingest.checks import BadRecord
from monitor.ingest.contract import TIME_DOC

__all__ = [
    "KINDS",
    "PREFIX",
    "Capacity",
    "Cost",
    "Credential",
    "Data",
    "Dataset",
    "Deployment",
    "Heartbeat",
    "Issue",
    "PipelineRun",
    "Registry",
    "RetrainRequested",
    "Rollback",
    "TrainingRun",
    "event_schema",
    "moment_ms",
]

# What a CloudEvent's `type` begins with, where it begins with anything.
PREFIX = "monitor."
# Shares are typed in with few digits.
_SHARES_MOST = 1 + 1e-6

_Moment = Annotated[
    int | float | Annotated[datetime, Meta(tz=True)], Meta(description=f"A time: {TIME_DOC}.")
]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Version = _Name | int
_Text = Annotated[str, Meta(max_length=1000)]
_Amount = Annotated[float, Meta(ge=0)]
_Count = Annotated[int, Meta(ge=0)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Attempt = Annotated[int, Meta(ge=1)]
_RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]


def moment_ms(value: int | float | datetime) -> int:
    """A time of an event, ms."""
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else int(value)


class Data(msgspec.Struct, kw_only=True, frozen=True):
    """The data of an event. `kind` names its type, `subject` what it is about besides a model and version."""

    kind: ClassVar[str]
    # The field that names the subject, and the times that say when it happened, the first that is there.
    about: ClassVar[str] = ""
    happened: ClassVar[tuple[str, ...]] = ()
    times: ClassVar[tuple[str, ...]] = ()

    @property
    def subject(self) -> str:
        return str(getattr(self, self.about)) if self.about else ""

    def text(self, name: str) -> str:
        """A field as text, '' where it isn't there."""
        value = getattr(self, name, None)
        return "" if value is None else str(value)

    def at_ms(self, time_ms: int) -> int:
        """When it happened; `time_ms` where it doesn't say so itself."""
        found = (getattr(self, name) for name in self.happened)
        return next((moment_ms(value) for value in found if value is not None), time_ms)

    def mistakes(self) -> Iterator[BadRecord]:
        """What can't be, though each field by itself can."""
        return iter(())


def _order(data: Data, first: str, last: str) -> Iterator[BadRecord]:
    begin, end = getattr(data, first), getattr(data, last)
    if begin is not None and end is not None and moment_ms(end) < moment_ms(begin):
        yield BadRecord("ends_before_start", f"{last} lies before {first}; check the clocks of both")


def _money(amount: float | None, currency: str | None, name: str) -> Iterator[BadRecord]:
    if currency is None:
        if amount is not None:
            yield BadRecord("missing_field", f"{name} is given without its currency, such as EUR")
        return
    try:
        check_currency(currency)
    except ValueError as e:
        yield BadRecord("unknown_currency", f"currency {e}")


class Deployment(Data, kw_only=True, frozen=True):
    """A version goes into production, or what became of that. `traffic_share` is what the version takes from
    then on (others share the rest); `traffic` says it of several versions at once."""

    kind: ClassVar[str] = "deployment"
    happened: ClassVar[tuple[str, ...]] = ("deployed",)
    times: ClassVar[tuple[str, ...]] = ("created", "deployed")
    model: _Name
    version: _Version
    stage: _Name = "production"
    status: Literal["started", "succeeded", "failed", "retired"] = "succeeded"
    traffic_share: _Share | None = None
    traffic: dict[str, _Share] | None = None
    commit: _Text | None = None
    created: _Moment | None = None
    deployed: _Moment | None = None
    by: _Text | None = None
    approver: _Text | None = None
    artifact_digest: _Text | None = None
    run_id: _Name | None = None
    url: _Text | None = None

    def mistakes(self) -> Iterator[BadRecord]:
        yield from _order(self, "created", "deployed")
        total = sum((self.traffic or {}).values())
        if total > _SHARES_MOST:
            shares = ", ".join(f"{version}: {share:g}" for version, share in (self.traffic or {}).items())
            yield BadRecord("overlapping_traffic", f"the shares of traffic come to {total:g} ({shares})")
        share = (self.traffic or {}).get(str(self.version))
        if share is not None and self.traffic_share is not None and share != self.traffic_share:
            sentence = f"traffic_share {self.traffic_share:g} is {share:g} in traffic; give one of them"
            yield BadRecord("overlapping_traffic", sentence)


class Rollback(Data, kw_only=True, frozen=True):
    """Production goes back to a version before."""

    kind: ClassVar[str] = "rollback"
    model: _Name
    to_version: _Version
    from_version: _Version | None = None
    stage: _Name = "production"
    reason: _Text | None = None
    by: _Text | None = None

    @property
    def version(self) -> str:
        return str(self.to_version)


class _Run(Data, kw_only=True, frozen=True):
    """What runs have in common."""

    about: ClassVar[str] = "id"
    happened: ClassVar[tuple[str, ...]] = ("finished", "started")
    times: ClassVar[tuple[str, ...]] = ("started", "finished")
    id: _Name
    status: _RunStatus
    attempt: _Attempt = 1
    failure_class: _Text | None = None
    started: _Moment | None = None
    finished: _Moment | None = None
    cost: _Amount | None = None
    currency: str | None = None
    log_url: _Text | None = None

    def mistakes(self) -> Iterator[BadRecord]:
        yield from _order(self, "started", "finished")
        yield from _money(self.cost, self.currency, "cost")


class TrainingRun(_Run, kw_only=True, frozen=True):
    """A run that trains a model. `version` is what came of it, `data_until` the newest of its data, `gpu_use`
    the mean share of the GPUs that worked, `request` the id of the request to retrain that it answers."""

    kind: ClassVar[str] = "training_run"
    times: ClassVar[tuple[str, ...]] = ("started", "finished", "data_until")
    model: _Name
    version: _Version | None = None
    preempted: bool = False
    gpu_use: _Share | None = None
    gpu_hours: _Amount | None = None
    data_version: _Text | None = None
    data_until: _Moment | None = None
    metrics: dict[str, float | None] = {}
    request: _Text | None = None


class PipelineRun(_Run, kw_only=True, frozen=True):
    """A run of a data or deployment pipeline."""

    kind: ClassVar[str] = "pipeline_run"
    about: ClassVar[str] = "pipeline"
    pipeline: _Name
    model: _Name | None = None


class Dataset(Data, kw_only=True, frozen=True):
    """Data arrived, or a part of it: `until` is the time of its newest row."""

    kind: ClassVar[str] = "dataset"
    about: ClassVar[str] = "name"
    times: ClassVar[tuple[str, ...]] = ("until",)
    name: _Name
    rows: _Count
    expected_rows: _Count | None = None
    until: _Moment | None = None
    model: _Name | None = None
    data_version: _Text | None = None


class Issue(msgspec.Struct, kw_only=True, frozen=True):
    """Of which issue of an export an event is. Of one source and `part`, only the issue with the latest `at`
    counts of which all `events` are there."""

    id: _Name
    part: _Text
    at: _Moment
    events: Annotated[int, Meta(ge=1)]


class Cost(Data, kw_only=True, frozen=True):
    """What a span of time cost, not before `begin` and before `end`. Only credits and adjustments may be
    negative. `shared` costs belong to no one model and are divided by requests. `issue` is of costs that may
    be issued again."""

    kind: ClassVar[str] = "cost"
    about: ClassVar[str] = "service"
    happened: ClassVar[tuple[str, ...]] = ("begin",)
    times: ClassVar[tuple[str, ...]] = ("begin", "end")
    begin: _Moment
    end: _Moment
    amount: float
    currency: str
    category: Literal["usage", "purchase", "tax", "credit", "adjustment"] = "usage"
    service: Annotated[str, Meta(max_length=200)] = ""
    resource: _Text | None = None
    tags: dict[_Name, _Text] = {}
    shared: bool = False
    issue: Issue | None = None

    @property
    def model(self) -> str | None:
        """The tag of that name, whatever its case."""
        return self.tag("model")

    def tag(self, name: str) -> str | None:
        """A tag by its name in lower case; None where it isn't there or is empty."""
        return next((v for key, v in self.tags.items() if key.lower() == name and v), None)

    def mistakes(self) -> Iterator[BadRecord]:
        yield from _order(self, "begin", "end")
        yield from _money(self.amount, self.currency, "amount")
        if self.amount < 0 and self.category not in ("credit", "adjustment"):
            sentence = f"amount is {self.amount:g}; only the categories credit and adjustment are negative"
            yield BadRecord("negative", sentence)


class Registry(Data, kw_only=True, frozen=True):
    """What a registry says is in a stage; `version` null: nothing."""

    kind: ClassVar[str] = "registry"
    about: ClassVar[str] = "registry"
    model: _Name
    version: _Version | None = None
    stage: _Name = "production"
    registry: _Name = "registry"
    run_id: _Name | None = None


class Capacity(Data, kw_only=True, frozen=True):
    """What serves a model, and how busy it is: use as shares of what there is, requests a second that the
    replicas can take together as `max_rps`; restarts and kills since the event before."""

    kind: ClassVar[str] = "capacity"
    about: ClassVar[str] = "endpoint"
    model: _Name
    endpoint: Annotated[str, Meta(max_length=200)] = ""
    version: _Version | None = None
    replicas: _Count | None = None
    wanted_replicas: _Count | None = None
    restarts: _Count = 0
    out_of_memory_kills: _Count = 0
    cpu_use: _Amount | None = None
    gpu_use: _Amount | None = None
    memory_use: _Amount | None = None
    max_rps: _Amount | None = None


class Heartbeat(Data, kw_only=True, frozen=True):
    """An edge device is there."""

    kind: ClassVar[str] = "heartbeat"
    about: ClassVar[str] = "device"
    device: _Name
    model: _Name | None = None
    version: _Version | None = None
    connectivity: Literal["online", "degraded", "offline"] = "online"
    buffered: _Count | None = None


class Credential(Data, kw_only=True, frozen=True):
    """A certificate, key or token, and when it expires."""

    kind: ClassVar[str] = "credential"
    about: ClassVar[str] = "name"
    name: _Name
    expires: _Moment
    model: _Name | None = None
    used_by: _Text | None = None


class RetrainRequested(Data, kw_only=True, frozen=True):
    """Somebody, or a policy, wants a model retrained, and why."""

    kind: ClassVar[str] = "retrain_requested"
    about: ClassVar[str] = "policy"
    model: _Name
    reason: _Text
    policy: Annotated[str, Meta(max_length=200)] = ""
    version: _Version | None = None
    by: _Text | None = None
    dry_run: bool = False


_ALL: tuple[type[Data], ...] = (
    *(Deployment, Rollback, TrainingRun, PipelineRun, Dataset, Cost, Registry, Capacity, Heartbeat),
    *(Credential, RetrainRequested),
)
KINDS: Mapping[str, type[Data]] = {kind.kind: kind for kind in _ALL}


def event_schema(kind: str | None = None) -> dict[str, Any]:
    """The contract of a CloudEvent of one type, or of all, as JSON Schema (draft 2020-12)."""
    chosen = _ALL if kind is None else (KINDS[kind],)
    (_, *data), components = msgspec.json.schema_components((str, *chosen), ref_template="#/$defs/{name}")
    one_of = [
        {
            "type": "object",
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "minLength": 1},
                "source": {"type": "string", "minLength": 1},
                "type": {"enum": [PREFIX + each.kind, each.kind]},
                "time": {"type": "string", "format": "date-time"},
                "data": schema,
            },
            "required": ["specversion", "id", "source", "type", "data"],
        }
        for each, schema in zip(chosen, data, strict=True)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "oneOf": one_of,
        "$defs": components,
    }
