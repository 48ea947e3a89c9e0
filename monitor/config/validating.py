"""From what a file says to a section without mistakes, and the mistakes."""

from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from monitor.config.document import Location
from monitor.config.explain import example_at, explain
from monitor.config.section import Section

__all__ = ["Notes", "given", "remove", "validated"]

S = TypeVar("S", bound=Section)


class Notes(Protocol):
    """Where mistakes are noted: found.Found, or what passes them on to one."""

    def add(self, place: Location, sentence: str) -> None: ...
    def within(self, place: Location) -> bool: ...
    def covered(self, place: Location) -> bool: ...


# Sections that hold others by name: there a name with nothing to say is still named.
_NAMED = ("models", "objectives")


def given(data: dict[str, Any], named: bool = False) -> dict[str, Any]:
    """The data without the keys that have no value, but for those of `named` sections."""
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            kept[key] = given(value, key in _NAMED and not named)
        elif isinstance(value, list):
            kept[key] = [given(entry) if isinstance(entry, dict) else entry for entry in value]
        elif value is not None or named:
            kept[key] = {} if value is None else value
    return kept


def validated(root: type[S], data: dict[str, Any], found: Notes) -> S:
    """What the data says, with defaults and examples in place of what was wrong, and noted in `found`.

    So the checks that come after see the rest, and one run tells all there is to correct.
    """
    while True:
        try:
            return root.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as e:
            errors = e.errors(include_url=False)
        for error in errors:
            place = error["loc"]
            if error["type"] == "missing":
                if not found.within(place) and not found.covered(place):
                    found.add(place, explain(error, root))
                _put(data, place, example_at(place, root))
                continue
            if place[-1] == "[key]":
                place = place[:-1]
            found.add(place, explain(error, root))
            remove(data, place)


def _put(data: dict[str, Any], place: Location, value: Any) -> None:
    """Puts the value at `place`, unless what is around it has been taken out."""
    inner: Any = data
    for part in place[:-1]:
        try:
            inner = inner[part]
        except (KeyError, IndexError):
            return
    inner[str(place[-1])] = value


def remove(data: dict[str, Any], place: Location) -> None:
    """Takes out the value at `place`; of a list the whole, for without an entry it means something else."""
    inner: Any = data
    for part in place[:-1]:
        if not isinstance(inner.get(part), dict):
            inner.pop(part, None)
            return
        inner = inner[part]
    inner.pop(place[-1], None)
