"""Why an alert isn't told at the moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.paging.alert import Alert
from monitor.paging.inhibition import Inhibition
from monitor.paging.reason import Reason
from monitor.paging.settings import PagerSettings, Route, matches_all
from monitor.paging.silence import Silence
from monitor.paging.silencing import active

__all__ = ["Silenced", "Suppressed", "alert_suppressed", "route_suppressed"]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The reason, and by what: the id of a silence, the fingerprint of an alert, the name of an interval or a
    digest."""

    reason: Reason
    by: tuple[str, ...] = ()


class Silenced:
    """The silences that match an alert, remembered by fingerprint until silences change."""

    def __init__(self, silences: Sequence[Silence] = ()) -> None:
        self.silences = tuple(silences)
        self._matching: dict[str, tuple[Silence, ...]] = {}

    def by(self, fingerprint: str, labels: Mapping[str, str], now_ms: int) -> tuple[str, ...]:
        """The ids of the active silences that match."""
        found = self._matching.get(fingerprint)
        if found is None:
            found = tuple(s for s in self.silences if s.matches(labels))
            self._matching[fingerprint] = found
        return tuple(s.id for s in found if active(s, now_ms))

    def forget(self, fingerprint: str) -> None:
        self._matching.pop(fingerprint, None)


def route_suppressed(settings: PagerSettings, route: Route, now_ms: int) -> Suppressed | None:
    """Whether the route is told nothing at this time of day, week or year."""
    on = route.active_intervals
    if on and not any(settings.intervals[name](now_ms) for name in on):
        return Suppressed(Reason.INACTIVE, on)
    off = tuple(name for name in route.mute_intervals if settings.intervals[name](now_ms))
    return Suppressed(Reason.MUTED, off) if off else None


def alert_suppressed(
    alert: Alert,
    fingerprint: str,
    labels: Mapping[str, str],
    settings: PagerSettings,
    inhibition: Inhibition,
    silenced: Silenced,
    alerts: Mapping[str, Alert],
    now_ms: int,
) -> Suppressed | None:
    """Whether the alert is told to nobody at the moment, whatever its route."""
    if (source := inhibition.inhibiting(labels, alerts, now_ms)) is not None:
        return Suppressed(Reason.INHIBITED, (source,))
    if ids := silenced.by(fingerprint, labels, now_ms):
        return Suppressed(Reason.SILENCED, ids)
    if alert.quiet:
        return Suppressed(Reason.QUIET)
    if digests := tuple(digest.name for digest in settings.digests if digest.takes(labels)):
        return Suppressed(Reason.DIGESTED, digests)
    held = tuple(h.name for h in settings.holds if matches_all(h.matchers, labels) and h.within(now_ms))
    return Suppressed(Reason.HELD, held) if held else None
