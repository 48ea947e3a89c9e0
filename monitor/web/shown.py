"""What the API shows as plain JSON, times as RFC 3339 in UTC; and what the gauges show."""

import base64
from collections.abc import Iterator
from typing import Any

from monitor.clock import rfc3339
from monitor.job.report import JobStatus
from monitor.records import Partition
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import ownership
from monitor.store.dead import Kept
from monitor.store.names import models
from monitor.store.store import Store
from monitor.web import metric_names
from monitor.web.context import WebContext
from monitor.web.gauges import Reading

__all__ = ["read_gauges", "shown_letter", "shown_status", "shown_time"]

_SHOWN_SLIS = ("error_rate", "latency_p99", "throughput")
_WINDOWS = 5
_SILENT_S = 900


def shown_time(ms: int | None) -> str | None:
    """Milliseconds since the epoch as RFC 3339, UTC; None for None, and for what no calendar has."""
    if ms is None:
        return None
    try:
        return rfc3339(ms)
    except (OverflowError, ValueError, OSError):
        return None


def shown_letter(letter: Kept, in_full: bool) -> dict[str, Any]:
    """A dead letter; its payload, as text or base64, only `in_full`."""
    shown: dict[str, Any] = {
        "id": letter.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "position": letter.position,
        "place": letter.place,
        "reason": letter.reason,
        "detail": letter.detail,
        "at": shown_time(letter.at_ms),
        "replayed": shown_time(letter.replayed_ms),
    }
    if in_full:
        try:
            shown["payload"] = letter.payload.decode()
        except UnicodeDecodeError:
            shown["payload_base64"] = base64.b64encode(letter.payload).decode()
    return shown


def shown_status(context: WebContext) -> dict[str, Any]:
    """The job's status with the progress of every partition that the store knows. Reads the store."""
    status = context.status()
    now_ms = context.clock.now_ms()
    progress = {p.partition: p for p in ownership.list_progress(context.store)}
    partitions = sorted({*progress, *status.lags, *status.failed_partitions})
    watermark_ms = status.watermark_ms
    return {
        "ready": status.ready,
        "problem": status.problem,
        "paused": status.paused,
        "records": status.records,
        "pending_records": status.pending_records,
        "now": shown_time(now_ms),
        "last_commit": shown_time(status.last_commit_ms),
        "watermark": shown_time(watermark_ms),
        "watermark_delay_s": None if watermark_ms is None else (now_ms - watermark_ms) / 1000,
        "partitions": [_shown_partition(status, p, progress.get(p)) for p in partitions],
    }


def _shown_partition(
    status: JobStatus, partition: Partition, progress: ownership.Progress | None
) -> dict[str, Any]:
    lag = status.lags.get(partition)
    shown: dict[str, Any] = {
        "topic": partition.topic,
        "partition": partition.number,
        "here": lag is not None,
        "position": lag.position if lag else None,
        "end": lag.end if lag else None,
        "behind": lag.behind if lag else None,
        "problem": status.failed_partitions.get(partition),
    }
    if progress is not None:
        shown |= {
            "next_offset": progress.next_offset,
            "epoch": progress.epoch,
            "owner": progress.owner,
            "watermark": shown_time(progress.marks.watermark_ms),
            "idle_since": shown_time(progress.idle_since_ms),
            "updated": shown_time(progress.updated_ms),
        }
    return shown


def read_gauges(store: Store, now_ms: int, service_s: int = 60) -> list[Reading]:
    """The gauges of all models: the age of their data, and indicators over their last five whole
    windows; a model that has been silent for 15 minutes has no indicators. Reads the store."""
    found: list[Reading] = []
    for model in models(store):
        age = answer(store, Question(model, "data_age"), now_ms, service_s)
        if not age or age[0]["value"] is None:
            continue
        age_s = age[0]["value"]
        found.append(Reading(metric_names.DATA_AGE, (model,), age_s))
        if age_s <= _SILENT_S:
            found.extend(_last_windows(store, model, now_ms, age_s, service_s))
    return found


def _last_windows(store: Store, model: str, now_ms: int, age_s: float, service_s: int) -> Iterator[Reading]:
    # The window of the newest record is still being filled.
    end_s = int(now_ms / 1000 - age_s) // service_s * service_s
    bounds_ms = ((end_s - _WINDOWS * service_s) * 1000, end_s * 1000)
    for sli in (*_SHOWN_SLIS, "coverage"):
        (row,) = answer(store, Question(model, sli, *bounds_ms), now_ms, service_s)
        if row["value"] is None:
            continue
        if sli == "coverage":
            yield Reading(metric_names.COVERAGE, (model,), row["value"])
        else:
            yield Reading(metric_names.SLI, (model, sli), row["value"])
