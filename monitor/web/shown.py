"""How things look in the API: plain JSON, times as RFC 3339 in UTC."""

import base64
from typing import Any

from monitor.clock import rfc3339
from monitor.job.report import JobStatus
from monitor.records import Partition
from monitor.store import ownership
from monitor.store.dead import Kept
from monitor.web.context import WebContext

__all__ = ["shown_letter", "shown_status", "shown_time"]


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
