"""What sections of a configuration about paging may get wrong alike."""

from collections.abc import Iterable, Iterator

from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.paging.settings import PagerSettings

__all__ = ["unknown_receivers"]


def unknown_receivers(place: Location, names: Iterable[str], settings: PagerSettings) -> Iterator[Mistake]:
    """A mistake at `place`, below `paging`, for each of the names that no receiver has."""
    for name in names:
        if name not in settings.receivers:
            yield Mistake(("paging", *place), f"there is no receiver {name!r}; define it under receivers")
