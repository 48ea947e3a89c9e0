"""Alerts that come and go: one page, and an end once they have calmed down."""

from monitor.paging.alert import Alert, Status
from monitor.paging.settings import Damping
from monitor.paging.state import Starts

__all__ = ["began", "calms_ms", "flaps"]


def began(starts: Starts | None, fingerprint: str, at_ms: int, damping: Damping) -> Starts:
    """With another begin, and without those that are older than the window."""
    kept = tuple(ms for ms in (starts.at_ms if starts else ()) if ms > at_ms - damping.window_ms)
    return Starts(fingerprint, (*kept, at_ms)[-damping.starts :])


def flaps(starts: Starts | None, damping: Damping | None, now_ms: int) -> bool:
    """Whether it began to fire often enough within the window."""
    if starts is None or damping is None or len(starts.at_ms) < damping.starts:
        return False
    return starts.at_ms[0] > now_ms - damping.window_ms


def calms_ms(alert: Alert, starts: Starts | None, damping: Damping | None, now_ms: int) -> int | None:
    """When the end of an alert that flaps may be told; None where it may be now, or nothing has ended."""
    if (
        damping is None
        or alert.status_at(now_ms) is Status.FIRING
        or not flaps(starts, damping, alert.ends_ms)
    ):
        return None
    calm_ms = alert.ends_ms + damping.calm_ms
    return calm_ms if now_ms < calm_ms else None
