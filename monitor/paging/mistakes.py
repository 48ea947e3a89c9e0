"""What sections of a configuration about paging may get wrong alike."""

from collections.abc import Iterable, Iterator

from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.paging.settings import PagerSettings

__all__ = ["Noted", "unknown_receivers"]


def unknown_receivers(place: Location, names: Iterable[str], settings: PagerSettings) -> Iterator[Mistake]:
    """A mistake at `place`, below `paging`, for each of the names that no receiver has."""
    for name in names:
        if name not in settings.receivers:
            yield Mistake(("paging", *place), f"there is no receiver {name!r}; define it under receivers")


class Noted:
    """Mistakes as they are noted, for whoever knows the lines of the file."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def add(self, place: Location, sentence: str) -> None:
        self.mistakes.append(Mistake(place, sentence))

    def within(self, place: Location) -> bool:
        return any(m.place[: len(place)] == place for m in self.mistakes)

    def covered(self, place: Location) -> bool:
        return any(place[: len(m.place)] == m.place for m in self.mistakes)
