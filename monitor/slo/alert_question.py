"""Which alerts, and what of their past, is asked about."""

from dataclasses import dataclass

__all__ = ["AlertQuestion"]


@dataclass(frozen=True, slots=True)
class AlertQuestion:
    """Of which model (None: all); transitions in [from_ms, to_ms), event time, the newest `limit`."""

    model: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int | None = None
