"""Every metric that monitor exposes: the one list of names, kinds, labels and meanings."""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ALL",
    "BUILD",
    "COLD_STARTS",
    "COST",
    "COVERAGE",
    "CROWDED_OUT",
    "DATA_AGE",
    "DEAD_LETTERS",
    "DRIFTED_FEATURES",
    "DRIFT_NOT_SHOWN",
    "DRIFT_PSI",
    "FAILED_PARTITIONS",
    "FLUSH_BYTES",
    "FLUSH_SECONDS",
    "HTTP_REJECTED",
    "HTTP_REQUESTS",
    "INCIDENTS_OPEN",
    "LABELLED",
    "LABELS",
    "LAG",
    "LAST_COMMIT",
    "LATE",
    "LATENCY",
    "MODEL_DRIFT",
    "OVERFLOWED",
    "PAGER",
    "PAGER_BROKEN",
    "PAGER_DECISIONS",
    "PAGER_NOTIFICATIONS",
    "PAGER_OLDEST",
    "PAGER_TEMPLATES",
    "PAGER_TURN",
    "PAGER_WAITING",
    "PAUSED",
    "PENDING",
    "READY",
    "RECORDS",
    "REQUESTS",
    "SAMPLED",
    "SERIES_OVERFLOW",
    "SLI",
    "SLO_ALERT",
    "SLO_BUDGET_LEFT",
    "SLO_BURN",
    "SLO_COMPLIANCE",
    "SLO_EVALUATED",
    "SLO_EVALUATION",
    "STALE",
    "TOKENS",
    "TOO_LATE",
    "UNKNOWN_FIELDS",
    "WATERMARK_DELAY",
    "Metric",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric family. Counters are named with their `_total`, info metrics with their `_info`."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    meaning: str
    labels: tuple[str, ...] = ()
    unit: str = ""


_SERIES = ("model", "version", "endpoint")

REQUESTS = Metric(
    "monitor_requests_total",
    "counter",
    "Requests by outcome (ok, infrastructure, timeout, client, auth, quality), scaled up where sampled.",
    (*_SERIES, "outcome"),
    "requests",
)
LATENCY = Metric(
    "monitor_request_latency_seconds",
    "histogram",
    "Latency of online requests; every configured threshold is a bucket. The sum is estimated within 0.6 %.",
    _SERIES,
    "seconds",
)
COLD_STARTS = Metric(
    "monitor_cold_starts_total",
    "counter",
    "Requests that a replica had to start for, scaled up where logs were sampled.",
    _SERIES,
    "requests",
)
TOKENS = Metric(
    "monitor_tokens_total",
    "counter",
    "Tokens read (in) and written (out), scaled up where logs were sampled.",
    (*_SERIES, "direction"),
    "tokens",
)
COST = Metric(
    "monitor_cost_total",
    "counter",
    "Cost of the requests in the currency of the model, scaled up where logs were sampled.",
    _SERIES,
    "currency",
)
SAMPLED = Metric(
    "monitor_sampled_records_total",
    "counter",
    "Records that stand for more than one request: where it grows, the other figures are estimates.",
    _SERIES,
    "records",
)
SERIES_OVERFLOW = Metric(
    "monitor_metric_series_overflow_total",
    "counter",
    "Requests counted under version and endpoint other, because the model has too many of them.",
    ("model",),
    "requests",
)
RECORDS = Metric("monitor_records_total", "counter", "Records committed to the store.", (), "records")
STALE = Metric(
    "monitor_stale_records_total",
    "counter",
    "Records committed that were too old for the counters of requests, as while catching up.",
    (),
    "records",
)
LATE = Metric(
    "monitor_late_records_total", "counter", "Records whose window had closed; still counted.", (), "records"
)
TOO_LATE = Metric(
    "monitor_too_late_records_total",
    "counter",
    "Records older than the allowed lateness; not counted in any window.",
    (),
    "records",
)
DEAD_LETTERS = Metric(
    "monitor_dead_letters_total", "counter", "Messages that are no records.", ("reason",), "messages"
)
UNKNOWN_FIELDS = Metric(
    "monitor_unknown_fields_total",
    "counter",
    "Fields outside of the record contract, by name up to a bound.",
    ("field",),
    "fields",
)
OVERFLOWED = Metric(
    "monitor_overflowed_series_total",
    "counter",
    "Records whose series went over a limit of the store and were counted under other.",
    (),
    "records",
)
FLUSH_SECONDS = Metric(
    "monitor_flush_seconds", "histogram", "Time of a flush, from its begin to after COMMIT.", (), "seconds"
)
FLUSH_BYTES = Metric(
    "monitor_flush_bytes_total", "counter", "Bytes of profiles written to the store.", (), "bytes"
)
LABELS = Metric("monitor_labels_total", "counter", "Labels committed to the store.", (), "labels")
LABELLED = Metric(
    "monitor_labelled_predictions_total",
    "counter",
    "Predictions that got their first label, whichever of the two came first.",
    (),
    "predictions",
)
CROWDED_OUT = Metric(
    "monitor_crowded_out_total",
    "counter",
    "Predictions and labels dropped because too many others have their key (half: prediction, label).",
    ("half",),
    "halves",
)
LAG = Metric(
    "monitor_partition_lag_records",
    "gauge",
    "Messages of the partition that are not read yet (bytes for a lane of files).",
    ("topic", "partition"),
    "records",
)
WATERMARK_DELAY = Metric(
    "monitor_watermark_delay_seconds",
    "gauge",
    "How far the watermark of event time is behind the clock.",
    (),
    "seconds",
)
PAUSED = Metric("monitor_paused", "gauge", "1 while reading waits for the store.")
READY = Metric("monitor_up_ready", "gauge", "1 while the job can work, 0 while it can't.")
PENDING = Metric("monitor_pending_records", "gauge", "Records read and not committed yet.", (), "records")
FAILED_PARTITIONS = Metric(
    "monitor_failed_partitions", "gauge", "Partitions that stopped with an error.", (), "partitions"
)
LAST_COMMIT = Metric(
    "monitor_last_commit_timestamp_seconds", "gauge", "When the last flush was committed.", (), "seconds"
)
DATA_AGE = Metric(
    "monitor_data_age_seconds",
    "gauge",
    "Age of the model's newest data. Shown by one replica.",
    ("model",),
    "seconds",
)
COVERAGE = Metric(
    "monitor_coverage",
    "gauge",
    "Share of partitions that had their say in the model's last window. Shown by one replica.",
    ("model",),
    "ratio",
)
SLI = Metric(
    "monitor_sli",
    "gauge",
    "Indicators of the model over its last closed windows, from the store. Shown by one replica.",
    ("model", "sli"),
)
DRIFT_PSI = Metric(
    "monitor_drift_psi",
    "gauge",
    "Population stability index of a feature in the last closed hour, of the version where it is highest; "
    "the worst features only. Shown by one replica.",
    ("model", "feature"),
)
DRIFT_NOT_SHOWN = Metric(
    "monitor_drift_features_not_shown",
    "gauge",
    "Features of the model that monitor_drift_psi leaves out, for there are too many. Shown by one replica.",
    ("model",),
    "features",
)
DRIFTED_FEATURES = Metric(
    "monitor_drifted_features",
    "gauge",
    "Features of the model that drifted in the last closed hour, in any version. Shown by one replica.",
    ("model",),
    "features",
)
MODEL_DRIFT = Metric(
    "monitor_model_drift",
    "gauge",
    "Mean drift of the model's features in the last closed hour, weighted by importance, of the version "
    "where it is highest. Shown by one replica.",
    ("model",),
)
_SUBJECT = ("model", "objective", "version", "endpoint", "segment")

SLO_BURN = Metric(
    "monitor_slo_burn_rate",
    "gauge",
    "Share of bad events of the window over the share that the objective allows; quality by the arrival of "
    "its labels. Shown by one replica.",
    (*_SUBJECT, "window"),
)
SLO_BUDGET_LEFT = Metric(
    "monitor_slo_budget_left_ratio",
    "gauge",
    "Share of the error budget of the objective's period that is left; below 0 it is overspent. Shown by one "
    "replica.",
    _SUBJECT,
    "ratio",
)
SLO_COMPLIANCE = Metric(
    "monitor_slo_compliance_ratio",
    "gauge",
    "Share of good events in the objective's period so far. Shown by one replica.",
    _SUBJECT,
    "ratio",
)
SLO_ALERT = Metric(
    "monitor_slo_alert",
    "gauge",
    "1 for each alert that is pending, firing or resolving. Shown by one replica.",
    (*_SUBJECT, "rule", "severity", "phase"),
)
SLO_EVALUATED = Metric(
    "monitor_slo_evaluation_timestamp_seconds",
    "gauge",
    "Until when, event time, alerts are evaluated. Shown by one replica.",
    (),
    "seconds",
)
SLO_EVALUATION = Metric(
    "monitor_slo_evaluation_seconds",
    "gauge",
    "How long the last evaluation of all alerts took. Shown by one replica.",
    (),
    "seconds",
)
HTTP_REQUESTS = Metric(
    "monitor_http_requests_total",
    "counter",
    "Requests to monitor itself.",
    ("route", "method", "status"),
    "requests",
)
HTTP_REJECTED = Metric(
    "monitor_http_rejected_total",
    "counter",
    "Requests to monitor that were refused: token, role, link, host, too_large, rate, timeout, unavailable.",
    ("reason",),
    "requests",
)
BUILD = Metric("monitor_build_info", "info", "The program.", ("version",))

PAGER_DECISIONS = Metric(
    "monitor_pager_decisions_total",
    "counter",
    "What the pager decided about a group and a receiver, by reason.",
    ("reason",),
    "decisions",
)
PAGER_NOTIFICATIONS = Metric(
    "monitor_pager_notifications_total",
    "counter",
    "Attempts to tell a receiver, by what became of them: delivered, waiting (again later), failed, unknown.",
    ("receiver", "state"),
    "attempts",
)
PAGER_TEMPLATES = Metric(
    "monitor_pager_template_failures_total",
    "counter",
    "Messages whose own template failed, so that they went out in the default words.",
    ("part",),
    "failures",
)
PAGER_TURN = Metric(
    "monitor_pager_last_turn_timestamp_seconds",
    "gauge",
    "When the pager last looked at what is due; absent where another replica does.",
)
PAGER_WAITING = Metric(
    "monitor_pager_waiting_messages", "gauge", "Messages that are not delivered yet.", (), "messages"
)
PAGER_OLDEST = Metric(
    "monitor_pager_oldest_message_seconds",
    "gauge",
    "How long the oldest message that is not delivered waits.",
    (),
    "seconds",
)
PAGER_BROKEN = Metric(
    "monitor_pager_target_broken",
    "gauge",
    "1 for an integration of a receiver that failed so often that it is left alone for a while.",
    ("receiver", "integration"),
)
INCIDENTS_OPEN = Metric(
    "monitor_incidents_open", "gauge", "Incidents that are not resolved.", ("severity",), "incidents"
)
PAGER: tuple[Metric, ...] = (
    PAGER_DECISIONS,
    PAGER_NOTIFICATIONS,
    PAGER_TEMPLATES,
    PAGER_TURN,
    PAGER_WAITING,
    PAGER_OLDEST,
    PAGER_BROKEN,
    INCIDENTS_OPEN,
)

ALL: tuple[Metric, ...] = (
    REQUESTS,
    LATENCY,
    COLD_STARTS,
    TOKENS,
    COST,
    SAMPLED,
    SERIES_OVERFLOW,
    RECORDS,
    STALE,
    LATE,
    TOO_LATE,
    DEAD_LETTERS,
    UNKNOWN_FIELDS,
    OVERFLOWED,
    FLUSH_SECONDS,
    FLUSH_BYTES,
    LABELS,
    LABELLED,
    CROWDED_OUT,
    LAG,
    WATERMARK_DELAY,
    PAUSED,
    READY,
    PENDING,
    FAILED_PARTITIONS,
    LAST_COMMIT,
    DATA_AGE,
    COVERAGE,
    SLI,
    DRIFT_PSI,
    DRIFT_NOT_SHOWN,
    DRIFTED_FEATURES,
    MODEL_DRIFT,
    SLO_BURN,
    SLO_BUDGET_LEFT,
    SLO_COMPLIANCE,
    SLO_ALERT,
    SLO_EVALUATED,
    SLO_EVALUATION,
    HTTP_REQUESTS,
    HTTP_REJECTED,
    BUILD,
)
