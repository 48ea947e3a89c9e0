"""What a configuration will do, in a few lines for a person."""

from collections.abc import Iterator

from monitor.config.checks import is_loopback
from monitor.config.durations import DAY_MS, format_duration, format_size
from monitor.config.model import Config, FilesConfig, ModelConfig
from monitor.config.objective_values import objectives_of
from monitor.config.paging import PagingConfig
from monitor.config.secrets import mask_url
from monitor.config.thresholds import counted_thresholds_ms
from monitor.slo.objective import Objective

__all__ = ["summary"]

_MAX_MODELS = 10


def summary(config: Config) -> list[tuple[str, str]]:
    """(what, how it is set) for each part; without secrets."""
    windows, retention, stream = config.windows, config.retention, config.stream
    kept = {"windows": retention.minute_days, "hours": retention.hour_days, "days": retention.day_days}
    kept["dead letters"], kept["incidents"] = retention.dead_letters_days, retention.incidents_days
    lengths = {"service": windows.service_s, "features": windows.features_s, "quality": windows.quality_s}
    disorder, hold = format_duration(stream.disorder_ms), format_duration(stream.max_hold_ms)
    return [
        ("store", mask_url(config.store)),
        ("source", _source(config)),
        ("labels", _labels(config)),
        ("windows", ", ".join(f"{kind} {format_duration(s * 1000)}" for kind, s in lengths.items())),
        ("kept", ", ".join(f"{what} {format_duration(days * DAY_MS)}" for what, days in kept.items())),
        ("event time", f"out of order by up to {disorder}, a stalled partition waits for {hold} at most"),
        ("flush", f"every {format_duration(stream.flush_interval_ms)} or {stream.flush_records:,} records"),
        ("thresholds", ", ".join(f"{t:g}" for t in counted_thresholds_ms(config)) + " ms"),
        ("models", _models(config.models)),
        *_objectives(config),
        ("alerts", _alerts(config)),
        ("paging", _paging(config.paging)),
        ("web", _web(config)),
        ("posted to", _posted(config)),
        ("log", f"{config.log.level}, {config.log.format}"),
    ]


def _source(config: Config) -> str:
    kafka, files = config.source.kafka, config.source.files
    if kafka is not None:
        protocol = kafka.options.get("security.protocol", "plaintext").lower()
        topics = ", ".join(kafka.topics)
        by = f"client {kafka.client}, {protocol}, group {kafka.group_id}, from the {kafka.start}"
        return f"Kafka {kafka.bootstrap_servers}, topics {topics} ({by})"
    return "none" if files is None else _files(files)


def _files(files: FilesConfig) -> str:
    return f"files {files.pattern} in {files.path} ({files.lanes} lanes)"


def _labels(config: Config) -> str:
    kafka, files = config.source.kafka, config.source.labels
    sources = [] if kafka is None or not kafka.label_topics else [f"topics {', '.join(kafka.label_topics)}"]
    sources += [] if files is None else [_files(files)]
    return " and ".join(sources) or "none but what is posted or loaded"


def _models(models: dict[str, ModelConfig]) -> str:
    named = [f"{name} ({m.owner})" if m.owner else name for name, m in models.items()]
    if len(named) > _MAX_MODELS:
        named[_MAX_MODELS:] = [f"{len(named) - _MAX_MODELS} more"]
    return ", ".join([*named, "any other by the defaults" if named else "any, by the defaults"])


def _objectives(config: Config) -> Iterator[tuple[str, str]]:
    """One line for each model that has any."""
    lines: list[str] = []
    for model in config.models:
        found = [objective for objective in objectives_of(config) if objective.meter.model == model]
        if found:
            lines.append(f"{model}: {', '.join(map(_objective, found))}")
    if len(lines) > _MAX_MODELS:
        lines[_MAX_MODELS:] = [f"{len(lines) - _MAX_MODELS} models more"]
    for i, line in enumerate(lines or ["none; see `monitor slo init`"]):
        yield ("" if i else "objectives"), line


def _objective(objective: Objective) -> str:
    slice_s = objective.meter.slice_s
    of = "" if slice_s is None else f" of slices of {format_duration(slice_s * 1000)}"
    return f"{objective.name} {objective.target * 100:.10g} %{of} ({objective.period})"


def _alerts(config: Config) -> str:
    slo = config.slo
    rows = [
        f"{row.spent:g} % spent in {format_duration(row.long_s * 1000)} ({row.severity})"
        for row in slo.alerts
    ]
    off = {*slo.disable, *(name for name, said in slo.watches.items() if said.disabled)}
    own = sorted(set(slo.watches) - off)
    without = f" but {', '.join(sorted(off))}" if off else ""
    without += f", with limits of your own for {', '.join(own)}" if own else ""
    watched = f"every model watched{without}" if slo.generic else "no model watched for what is common"
    return f"{', '.join(rows) or 'none by default'}; {watched}"


def _paging(paging: PagingConfig) -> str:
    if paging.to != "embedded":
        return "by an Alertmanager" if paging.to == "alertmanager" else "off"
    said = ["embedded"]
    if (damping := paging.damping) is not None:
        within, calm = format_duration(damping.within_ms), format_duration(damping.calm_ms)
        said.append(f"what begins {damping.starts} times in {within} ends after {calm} of calm")
    for digest in paging.digests:
        days = " ".join(digest.days) if digest.days else "daily"
        said.append(f"digest {digest.name} {days} at {digest.at} {digest.time_zone} to {digest.receiver}")
    for owner, of in paging.owners.items():
        if (budget := of.page_budget) is not None:
            period = format_duration(budget.per_ms)
            said.append(f"{budget.tell} hears of more than {budget.pages} pages to {owner} in {period}")
    return ", ".join(said)


def _web(config: Config) -> str:
    web = config.web
    host = f"[{web.host}]" if ":" in web.host else web.host
    token = "no token needed" if is_loopback(web.host) else "tokens needed"
    return f"http://{host}:{web.port} ({token}, bodies up to {format_size(web.max_body_bytes)})"


def _posted(config: Config) -> str:
    spool, kafka = config.ingest.spool, config.source.kafka
    if spool is not None:
        aside = f"labels and events in directories below it (up to {format_size(spool.max_bytes)} each)"
        return f"{spool.path}, {aside}"
    if kafka is None:
        return "nowhere: set ingest.spool"
    labels = kafka.label_topics[0] if kafka.label_topics else "nowhere: set source.kafka.label_topics"
    events = kafka.event_topics[0] if kafka.event_topics else "nowhere: set source.kafka.event_topics"
    return f"Kafka topic {kafka.topics[0]}, labels to {labels}, events to {events}"
