"""Mistakes of a part, noted at the place where the part stands."""

from monitor.config.document import Location
from monitor.config.validating import Notes

__all__ = ["Beneath"]


class Beneath:
    """Passes mistakes on to `found`, their places begun with `place`."""

    def __init__(self, found: Notes, place: Location) -> None:
        self._found, self._place = found, place

    def add(self, place: Location, sentence: str) -> None:
        self._found.add((*self._place, *place), sentence)

    def within(self, place: Location) -> bool:
        return self._found.within((*self._place, *place))

    def covered(self, place: Location) -> bool:
        return self._found.covered((*self._place, *place))
