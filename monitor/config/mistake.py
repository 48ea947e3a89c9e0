"""A mistake that no single value shows."""

from typing import NamedTuple

from monitor.config.document import Location

__all__ = ["Mistake"]


class Mistake(NamedTuple):
    """What is wrong at a place, and the places `beside` it, with all in them, that it rests on as well."""

    place: Location
    sentence: str
    beside: tuple[Location, ...] = ()
