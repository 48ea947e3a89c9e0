"""How things look in the API: plain JSON, times as RFC 3339 in UTC."""

import base64
from typing import Any

from monitor.clock import rfc3339_or_none
from monitor.job.report import JobStatus
from monitor.records import Partition
from monitor.store import ownership
from monitor.store.dead import Kept
from monitor.web.context import WebContext

__all__ = ["shown_letter", "shown_status"]


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
        "at": rfc3339_or_none(letter.at_ms),
        "replayed": rfc3339_or_none(letter.replayed_ms),
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
        "now": rfc3339_or_none(now_ms),
        "last_commit": rfc3339_or_none(status.last_commit_ms),
        "watermark": rfc3339_or_none(watermark_ms),
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
            "watermark": rfc3339_or_none(progress.marks.watermark_ms),
            "idle_since": rfc3339_or_none(progress.idle_since_ms),
            "updated": rfc3339_or_none(progress.updated_ms),
        }
    return shown
