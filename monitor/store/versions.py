"""When the versions of a model came."""

from collections import defaultdict

from monitor.clock import DAY_S, HOUR_S
from monitor.profiles.layout import Kind
from monitor.store.names import find_series
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["first_hours", "previous_version"]

# The day tells the order of old versions, of which minutes and hours are gone; those that of one day's.
_TIERS_S = (DAY_S, HOUR_S, 60)


def first_hours(store: Store, model: str) -> dict[str, int]:
    """By version: the begin, s, of the oldest stored hour that has requests of it."""
    held = {version: extent(store, Kind.SERVICE, HOUR_S, ids) for version, ids in _series(store, model)}
    return {version: found[0] for version, found in held.items() if found is not None}


def previous_version(store: Store, model: str, version: str | None) -> str | None:
    """The version of a model that was first seen last before `version` (None: the newest) was; None where
    there is none. May block on the store, and raise StoreBusy."""
    held = ((name, _first(store, ids)) for name, ids in _series(store, model) if name)
    first = {name: found for name, found in held if any(found)}
    order = sorted(first, key=lambda name: (first[name], name))
    if version is None:
        version = order[-1] if order else None
    return None if version not in first or order[0] == version else order[order.index(version) - 1]


def _series(store: Store, model: str) -> list[tuple[str, list[int]]]:
    """The series of each version, those of segments left out."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for key, number in find_series(store, model).items():
        if not key.label:
            found[key.version].append(number)
    return sorted(found.items())


def _first(store: Store, ids: list[int]) -> tuple[int, ...]:
    """The begin of the first window of each tier, the coarsest first; 0 where there is none."""
    held = (extent(store, Kind.SERVICE, tier_s, ids) for tier_s in _TIERS_S)
    return tuple(found[0] if found is not None else 0 for found in held)
