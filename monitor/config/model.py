"""The configuration as frozen values.

A YAML key is the field's name; where a field ends in a unit of time the key goes without it and the
value carries the unit: `disorder: 10s` is `disorder_ms=10_000`. In code the fields are given by name.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
)

from monitor.clock import DAY_S, HOUR_S
from monitor.config.cards import CardConfig
from monitor.config.costs import CostsConfig
from monitor.config.durations import Bytes, Days, Milliseconds, Seconds
from monitor.config.objectives import ObjectiveConfig, SloConfig
from monitor.config.paging import PagingConfig, PagingSection
from monitor.config.retraining import RetrainConfig
from monitor.config.secrets import is_secret, mask_options, mask_url, url_secrets
from monitor.config.section import Section, Text
from monitor.records import Carries

__all__ = [
    "Config",
    "FilesConfig",
    "IngestConfig",
    "KafkaConfig",
    "LabelsConfig",
    "LimitsConfig",
    "LogConfig",
    "ModelConfig",
    "RetentionConfig",
    "SamplesConfig",
    "SourceConfig",
    "SpoolConfig",
    "StreamConfig",
    "WebConfig",
    "WindowsConfig",
]


def _window(seconds: int) -> int:
    fits = seconds > 0 and (HOUR_S % seconds == 0 or (seconds % HOUR_S == 0 and DAY_S % seconds == 0))
    if not fits:
        raise ValueError("must divide an hour, or be whole hours that divide a day: 1m, 10m, 1h, 6h")
    return seconds


def _rising(thresholds: tuple[float, ...]) -> tuple[float, ...]:
    if any(t <= 0 for t in thresholds):
        raise ValueError("must all be above zero")
    if any(a >= b for a, b in pairwise(thresholds)):
        raise ValueError("must rise, each one once: " + ", ".join(f"{t:g}" for t in sorted(set(thresholds))))
    return thresholds


def _brokers(servers: str) -> str:
    for server in servers.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"{server.strip()!r} is no host:port; write broker1:9092,broker2:9092")
    return servers


def _topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic):
            raise ValueError(f"{topic!r} is no topic name: letters, digits, '.', '_' and '-' only")
    if len(set(topics)) < len(topics):
        raise ValueError("names a topic twice")
    return topics


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


Window = Annotated[Seconds, AfterValidator(_window)]
Thresholds = Annotated[tuple[float, ...], AfterValidator(_rising)]
Topics = Annotated[tuple[Text, ...], AfterValidator(_topics)]
OptionText = Annotated[str, BeforeValidator(_text)]


class KafkaConfig(Section):
    """A Kafka cluster. `options` are librdkafka properties, passed through for TLS and SASL.

    `topics` carry inferences, `label_topics` labels, `event_topics` events of operations.
    """

    bootstrap_servers: Annotated[str, AfterValidator(_brokers), Field(examples=["localhost:9092"])]
    topics: Annotated[
        tuple[Text, ...], AfterValidator(_topics), Field(min_length=1, examples=[["inferences"]])
    ]
    label_topics: Annotated[Topics, Field(examples=[["labels"]])] = ()
    event_topics: Annotated[Topics, Field(examples=[["operations"]])] = ()
    group_id: Text = "monitor"
    client: Literal["confluent", "kafka-python"] = "confluent"
    start: Literal["earliest", "latest"] = "earliest"
    options: Annotated[dict[str, OptionText], PlainSerializer(mask_options)] = Field(default_factory=dict)

    @property
    def topics_of(self) -> tuple[tuple[Carries, str, tuple[str, ...]], ...]:
        """What topics carry, the key that names them, and their names."""
        return (
            (Carries.RECORDS, "topics", self.topics),
            (Carries.LABELS, "label_topics", self.label_topics),
            (Carries.EVENTS, "event_topics", self.event_topics),
        )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, mask_options(self.options) if name == "options" else value


class FilesConfig(Section):
    """A directory of JSON-lines files: those in it, not below, whose name matches `pattern` are read."""

    path: Annotated[Path, Field(examples=["/var/spool/inferences"])]
    pattern: Text = "*json*"
    lanes: Annotated[int, Field(ge=1, le=256)] = 4


class SourceConfig(Section):
    """Where inferences come from, `kafka` or `files`; `labels` and `events` (of operations) are files too,
    beside either.

    A loaded file always names one.
    """

    kafka: KafkaConfig | None = None
    files: FilesConfig | None = None
    labels: FilesConfig | None = None
    events: FilesConfig | None = None

    @property
    def directories(self) -> list[tuple[Carries, str, FilesConfig]]:
        """What the directories that are read carry, and the key of each."""
        named = (
            (Carries.RECORDS, "files", self.files),
            (Carries.LABELS, "labels", self.labels),
            (Carries.EVENTS, "events", self.events),
        )
        return [(carries, key, files) for carries, key, files in named if files is not None]


class WindowsConfig(Section):
    """The base window of each kind of profile."""

    service_s: Window = 60
    features_s: Window = 600
    quality_s: Window = 3600


class RetentionConfig(Section):
    """For how many days each tier is kept. `1m` stands for the base windows, whatever their length.

    `incidents` are kept so long after their end, with their timeline, and what people did for `audit`.
    """

    minute_days: Annotated[Days, Field(ge=1, alias="1m")] = 14
    hour_days: Annotated[Days, Field(ge=1, alias="1h")] = 400
    day_days: Annotated[Days, Field(ge=1, alias="1d")] = 5 * 365
    dead_letters_days: Annotated[Days, Field(ge=1)] = 30
    samples_days: Annotated[Days, Field(ge=1)] = 14
    incidents_days: Annotated[Days, Field(ge=1)] = 400
    audit_days: Annotated[Days, Field(ge=1)] = 5 * 365


class LabelsConfig(Section):
    """For how long predictions and labels wait for each other. Predictions are kept where a stream of labels
    is configured, unless `keep_predictions` says otherwise."""

    horizon_days: Annotated[Days, Field(ge=1)] = 90
    keep_predictions: bool | None = None


class SamplesConfig(Section):
    """Records kept to look at: `per_window` of each feature window and reason, `random_per_window` whatever
    they are like; 0 per window keeps none. `redact` masks features by name (`card_*`) before anything is
    stored; `features: none` keeps none of them."""

    per_window: Annotated[int, Field(ge=0, le=1000)] = 10
    random_per_window: Annotated[int, Field(ge=0, le=10_000)] = 100
    redact: tuple[Text, ...] = ()
    features: Literal["none", "all"] = "all"


class StreamConfig(Section):
    """Event time and flushing: how out of order records may be, and when what was read is committed."""

    disorder_ms: Annotated[Milliseconds, Field(ge=0)] = 10_000
    idle_after_ms: Annotated[Milliseconds, Field(gt=0)] = 5_000
    max_hold_ms: Annotated[Milliseconds, Field(gt=0)] = 300_000
    flush_interval_ms: Annotated[Milliseconds, Field(ge=10)] = 2_000
    flush_records: PositiveInt = 1_000_000
    max_record_bytes: Annotated[Bytes, Field(ge=1024)] = 1 << 20
    max_ahead_ms: Annotated[Milliseconds, Field(gt=0)] = 3_600_000
    catch_up_age_ms: Annotated[Milliseconds, Field(gt=0)] = 300_000


class LimitsConfig(Section):
    """Bounds on what one stream can make the store and /metrics hold; what goes over is `other`."""

    models: PositiveInt = 1000
    series_per_model: PositiveInt = 1000
    segment_labels: NonNegativeInt = 10
    segment_values: PositiveInt = 20
    features_per_model: NonNegativeInt = 2000
    categories: Annotated[int, Field(ge=1, le=240)] = 200
    metric_series_per_model: PositiveInt = 100
    dead_letter_rows: NonNegativeInt = 10_000
    dead_letter_bytes: Annotated[Bytes, Field(ge=0)] = 64 << 20


class ModelConfig(Section):
    """What is particular to one model. `segments` are the labels to keep, None for all; by the values of
    `feature_segments` features are counted too. `positive_class` is what the positive of two classes is
    called, where it is none of 1, true, yes and positive. `pair_sample` is the share of predictions that is
    kept for labels; quality is then an estimate."""

    owner: Text | None = None
    segments: tuple[Text, ...] | None = None
    latency_thresholds_ms: Thresholds = ()
    feature_segments: tuple[Text, ...] = ()
    positive_class: Text | None = None
    pair_sample: Annotated[float, Field(gt=0, le=1)] = 1.0
    objectives: dict[Text, ObjectiveConfig] = Field(default_factory=dict)
    card: CardConfig = CardConfig()


class WebConfig(Section):
    """The HTTP side. Beyond loopback every request needs a token; `require_tokens` asks for one there too.

    `hosts` are further names that this server is called by, such as a proxy's.
    """

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_body_bytes: Annotated[Bytes, Field(gt=0)] = 10 << 20
    request_timeout_s: Annotated[Seconds, Field(gt=0)] = 30
    rate_per_s: PositiveFloat = 100.0
    burst: PositiveInt = 200
    require_tokens: bool = False
    hosts: tuple[Text, ...] = ()


class LogConfig(Section):
    """The program's own log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class SpoolConfig(Section):
    """A directory that keeps what was posted until it is read: records in it, labels and events in `labels`
    and `events` below it.

    Each of the three has at most `max_bytes`.
    """

    path: Annotated[Path, Field(examples=["/var/spool/inferences/http"])]
    max_bytes: Annotated[Bytes, Field(gt=0)] = 1 << 30

    def directory(self, carries: Carries) -> Path:
        """Where what was posted of a kind is kept."""
        return self.path if carries is Carries.RECORDS else self.path / carries


class IngestConfig(Section):
    """Where what is posted over HTTP goes: into the spool, or without one into the first Kafka topic of
    its kind."""

    spool: SpoolConfig | None = None


class Config(Section):
    """The whole configuration. Neither its text nor a dump of it shows a secret."""

    store: Annotated[Text, PlainSerializer(mask_url)] = "sqlite:///monitor.db"
    source: SourceConfig = SourceConfig()
    windows: WindowsConfig = WindowsConfig()
    retention: RetentionConfig = RetentionConfig()
    labels: LabelsConfig = LabelsConfig()
    samples: SamplesConfig = SamplesConfig()
    stream: StreamConfig = StreamConfig()
    limits: LimitsConfig = LimitsConfig()
    latency_thresholds_ms: Annotated[Thresholds, Field(min_length=1)] = (
        *(5, 10, 25, 50, 100, 250, 300, 500),
        *(1000, 2500, 5000, 10_000),
    )
    models: dict[Text, ModelConfig] = Field(default_factory=dict)
    slo: SloConfig = SloConfig()
    costs: CostsConfig = CostsConfig()
    paging: PagingSection = PagingConfig()
    retraining: tuple[RetrainConfig, ...] = ()
    ingest: IngestConfig = IngestConfig()
    web: WebConfig = WebConfig()
    log: LogConfig = LogConfig()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, mask_url(self.store) if name == "store" else value

    def masked(self) -> dict[str, Any]:
        """The configuration as it would stand in a file, with every secret masked."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def secrets(self) -> tuple[str, ...]:
        """The secret values themselves, for whoever has to keep them out of the log."""
        return tuple(self._secrets())

    def _secrets(self) -> Iterator[str]:
        yield from url_secrets(self.store)
        if self.source.kafka is not None:
            yield from (v for k, v in self.source.kafka.options.items() if is_secret(k) and v)
