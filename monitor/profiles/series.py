"""The name of a series."""

from typing import NamedTuple

__all__ = ["OTHER", "SeriesKey"]

OTHER = "other"
_MAX_CHARS = 200


class SeriesKey(NamedTuple):
    """Names a series; an absent version or endpoint is "", and without a segment label so is `label`."""

    model: str
    version: str = ""
    endpoint: str = ""
    label: str = ""
    value: str = ""

    def storable(self) -> "SeriesKey":
        """As both databases can hold it: no NUL characters, at most 200 characters each."""
        return SeriesKey(*(part.replace("\0", "\ufffd")[:_MAX_CHARS] for part in self))
