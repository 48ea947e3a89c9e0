"""Times as Alertmanager's API reads and writes them."""

import re
from datetime import UTC, datetime, timedelta

__all__ = ["parsed_ms", "shown"]

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# What Go has for a time that nobody gave.
_NONE = datetime(1, 1, 1, tzinfo=UTC)


def parsed_ms(text: str | None) -> int | None:
    """Milliseconds since the epoch, rounded down; None for no time: a missing or empty text, and year 1.

    Without a zone it is UTC. Raises ValueError with a sentence.
    """
    if not text:
        return None
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"{text[:60]!r} is no time; write it as in 2026-01-31T12:00:00Z")
    day, minute, second, fraction, zone = form.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}{zone or 'Z'}")
        since = moment - _EPOCH
    except (ValueError, OverflowError) as e:
        raise ValueError(f"{text!r} is no time: {e}") from None
    if moment == _NONE:
        return None
    return since // _MILLISECOND + int((fraction or "").ljust(3, "0")[:3])


def shown(ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond. Raises OverflowError for what no calendar has."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
