"""A silence: alerts that match it aren't notified while it is active."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.paging.settings import Matcher, matches_all

__all__ = ["Repeat", "Silence", "SilenceState"]


class Repeat(StrEnum):
    """How often a recurring silence comes again, at the same local time."""

    DAILY = "daily"
    WEEKLY = "weekly"


class SilenceState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """Active in [starts_ms, ends_ms); a recurring one (`repeat`) again each day or week at the same time of
    day in `time_zone`, until `until_ms` (None: until somebody ends it)."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int
    updated_ms: int
    created_by: str
    comment: str
    repeat: Repeat | None = None
    time_zone: str = "UTC"
    until_ms: int | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        return matches_all(self.matchers, labels)
