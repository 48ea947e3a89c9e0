"""The mistakes of a document, gathered so that one run tells all there is to correct."""

from collections.abc import Iterable

from monitor.config.document import Document, Location
from monitor.config.mistake import Mistake
from monitor.errors import ConfigError

__all__ = ["Found", "dotted"]


class Found:
    """The mistakes found so far, each with its place and line."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines: list[tuple[int, str]] = []
        self._places: set[Location] = set()
        for place, line, sentence in document.problems:
            self._note(place, line, sentence)

    def add(self, place: Location, sentence: str) -> None:
        """Notes a mistake, unless its place has one already: more about it would be guesswork."""
        if place not in self._places:
            self._places.add(place)
            self._note(place, self._document.line(place), sentence)

    def _note(self, place: Location, line: int, sentence: str) -> None:
        where = f"{dotted(place)}: " if place else ""
        self._lines.append((line, f"{self._document.name}:{line}: {where}{sentence}"))

    def add_mistakes(self, mistakes: Iterable[Mistake]) -> None:
        """Notes those mistakes that rest on values of the file, not on what stands in for a wrong one."""
        for mistake in list(mistakes):
            within = any(self.within(place) for place in mistake.beside)
            if not within and not any(map(self.covered, (mistake.place, *mistake.beside))):
                self.add(mistake.place, mistake.sentence)

    def covered(self, place: Location) -> bool:
        """Whether there is a mistake at this place or around it."""
        return any(place[:length] in self._places for length in range(1, len(place) + 1))

    def within(self, place: Location) -> bool:
        """Whether there is a mistake at this place or further in."""
        return any(known[: len(place)] == place for known in self._places)

    def lines(self) -> list[str]:
        """All that was found, by line."""
        return [text for _, text in sorted(self._lines, key=lambda entry: entry[0])]

    def raise_any(self) -> None:
        if self._lines:
            raise ConfigError(self.lines())


def dotted(place: Location) -> str:
    """A place as people read it: `slo.alerts[0].long`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else "." + (part or "''")
    return text.removeprefix(".")
