"""The grid of time that generated scenarios lie on."""

__all__ = [
    "AGAIN_EACH",
    "FAR",
    "LENGTH",
    "MOMENT",
    "REPORTED_AGAIN",
    "RESOLVE_TIMEOUT",
    "TIMED_LENGTH",
    "TURN",
    "UNIT_MS",
    "ms",
]

UNIT_MS = 750
AGAIN_EACH = 0.35  # between two of those reports
LENGTH, TIMED_LENGTH = 64, 52
MOMENT, REPORTED_AGAIN = 27, 33  # a restart or reload, and when alerts are reported again after a restart
TURN = 24  # a minute of the clock turns
RESOLVE_TIMEOUT = 24
FAR = 400


def ms(units: float) -> int:
    """Units of the grid in milliseconds."""
    return round(units * UNIT_MS)
