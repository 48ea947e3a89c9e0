"""When versions were first seen."""

from monitor.clock import DAY_S
from monitor.profiles.layout import Kind
from monitor.store.names import find_series
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["previous_version"]

# The day tells the order of old versions, of which minutes and hours are gone; those that of one day's.
_TIERS_S = (DAY_S, 3_600, 60)


def previous_version(store: Store, model: str, version: str | None) -> str | None:
    """The version of a model that was first seen last before `version` (None: the newest) was; None where
    there is none. May block on the store, and raise StoreBusy."""
    ids: dict[str, list[int]] = {}
    for key, number in find_series(store, model).items():
        if key.version:
            ids.setdefault(key.version, []).append(number)
    first = {name: found for name, some in ids.items() if any(found := _first(store, some))}
    order = sorted(first, key=lambda name: (first[name], name))
    if version is None:
        version = order[-1] if order else None
    return None if version not in first or order[0] == version else order[order.index(version) - 1]


def _first(store: Store, ids: list[int]) -> tuple[int, ...]:
    """The begin of the first window of each tier, the coarsest first; 0 where there is none."""
    held = (extent(store, Kind.SERVICE, tier_s, ids) for tier_s in _TIERS_S)
    return tuple(found[0] if found is not None else 0 for found in held)
