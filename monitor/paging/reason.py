"""The named reasons of what the pager does and doesn't do; they go to logs, metrics and timelines as is."""

from enum import StrEnum

__all__ = ["Reason"]


class Reason(StrEnum):
    """Why a group's flush told a receiver something, or nothing."""

    FIRST = "first notification of this group"
    NEW_FIRING = "more alerts fire than were told"
    ALL_RESOLVED = "all alerts have ended"
    SOME_RESOLVED = "some alerts have ended"
    REPEAT = "still firing after the repeat interval"
    RELEASED = "no longer suppressed, and still firing"
    ESCALATED = "escalated to this receiver"
    FALLBACK = "another receiver could not be reached"

    NOTHING_NEW = "nothing new since the last notification"
    NEVER_FIRED = "ended before it was told"
    ACKNOWLEDGED = "acknowledged: repeats wait"
    INHIBITED = "inhibited by another alert"
    INACTIVE = "outside of the route's active time"
    MUTED = "within a mute time of the route"
    SILENCED = "silenced"
    DIGESTED = "told in a digest"
    HELD = "waits for working hours"
    QUIET = "found while catching up: wakes nobody"
    FLAPPING = "flapping: an end waits for calm"
    OFF_DUTY = "not on call"
    NO_INTEGRATION = "the receiver has nothing to be reached by"
    NO_RECEIVER = "the receiver is gone"

    @property
    def sends(self) -> bool:
        """Whether something is told for this reason."""
        return self in _SENDING


_SENDING = frozenset(
    (
        Reason.FIRST,
        Reason.NEW_FIRING,
        Reason.ALL_RESOLVED,
        Reason.SOME_RESOLVED,
        Reason.REPEAT,
        Reason.RELEASED,
        Reason.ESCALATED,
        Reason.FALLBACK,
    )
)
