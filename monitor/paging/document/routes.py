"""Routes: everything that a node inherits filled in, and what is wrong with it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.config.document import Location
from monitor.config.validating import Notes
from monitor.paging.document.sections import RouteSection
from monitor.paging.matching import from_maps, matchers_text, parse_matchers, sorted_matchers
from monitor.paging.settings import Matcher, Route

__all__ = ["DEFAULTS", "Inherited", "matchers", "route_tree"]

_ALL = "..."


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a node has unless it says otherwise."""

    receiver: str
    group_by: tuple[str, ...] | None
    group_wait_ms: int
    group_interval_ms: int
    repeat_interval_ms: int


DEFAULTS = Inherited("", (), 30_000, 300_000, 4 * 3_600_000)


def route_tree(
    root: RouteSection, receivers: Sequence[str], intervals: Sequence[str], place: Location, found: Notes
) -> Route:
    """The tree; mistakes are noted in `found`, with something harmless in their place."""
    if root.receiver is None:
        found.add((*place, "receiver"), "is missing: the root route must name the receiver of all the rest")
    if root.matchers or root.match or root.match_re:
        found.add(place, "the root route matches every alert; move its matchers to a route below it")
    if root.continues:
        found.add((*place, "continue"), "the root route must not: there is none after it")
    if root.mute_time_intervals:
        found.add(
            (*place, "mute_time_intervals"), "the root route must not have any; give them to routes below"
        )
    if root.active_time_intervals:
        found.add(
            (*place, "active_time_intervals"), "the root route must not have any; give them to routes below"
        )
    names = _Names(frozenset(receivers), frozenset(intervals))
    return _node(root, DEFAULTS, "", "", names, place, found)


@dataclass(frozen=True, slots=True)
class _Names:
    receivers: frozenset[str]
    intervals: frozenset[str]


def _node(
    section: RouteSection,
    above: Inherited,
    key: str,
    id: str,
    names: _Names,
    place: Location,
    found: Notes,
) -> Route:
    own = sorted_matchers(
        matchers(section.matchers, section.match, section.match_re, place, ("matchers", "match_re"), found)
    )
    text = matchers_text(own)
    key, id = key + text, id + text
    here = _inherited(section, above, place, found)
    if section.receiver is not None and section.receiver not in names.receivers:
        found.add(
            (*place, "receiver"), f"there is no receiver {section.receiver!r}; define it under receivers"
        )
    for field in ("mute_time_intervals", "active_time_intervals"):
        for name in getattr(section, field):
            if name not in names.intervals:
                found.add(
                    (*place, field), f"there is no time interval {name!r}; define it under time_intervals"
                )
    children = []
    seen: Counter[str] = Counter()
    for i, child in enumerate(section.routes):
        node = _node(child, here, f"{key}/", f"{id}/", names, (*place, "routes", i), found)
        seen[node.id] += 1
        # Nodes of the same matchers are told apart by their number.
        twin = f"{node.id}#{seen[node.id]}"
        children.append(node if seen[node.id] == 1 else _renamed(node, node.id, twin))
    return Route(
        id=id,
        key=key,
        receiver=here.receiver,
        matchers=own,
        group_by=here.group_by,
        group_wait_ms=here.group_wait_ms,
        group_interval_ms=here.group_interval_ms,
        repeat_interval_ms=here.repeat_interval_ms,
        continues=section.continues,
        mute_intervals=section.mute_time_intervals,
        active_intervals=section.active_time_intervals,
        routes=tuple(children),
    )


def _renamed(node: Route, old: str, new: str) -> Route:
    below = tuple(_renamed(child, old, new) for child in node.routes)
    return replace(node, id=new + node.id.removeprefix(old), routes=below)


def _inherited(section: RouteSection, above: Inherited, place: Location, found: Notes) -> Inherited:
    group_by = above.group_by
    if section.group_by is not None:
        group_by = section.group_by
        if _ALL in group_by:
            if len(group_by) > 1:
                found.add((*place, "group_by"), "'...' stands for all labels; give it alone")
            group_by = None
        elif len(set(group_by)) < len(group_by):
            found.add((*place, "group_by"), "names a label twice")

    def own(value: int | None, inherited: int) -> int:
        return inherited if value is None else value

    return Inherited(
        section.receiver or above.receiver,
        group_by,
        own(section.group_wait_ms, above.group_wait_ms),
        own(section.group_interval_ms, above.group_interval_ms),
        own(section.repeat_interval_ms, above.repeat_interval_ms),
    )


def matchers(
    texts: Sequence[str],
    equal: Mapping[str, str],
    expressions: Mapping[str, str],
    place: Location,
    fields: tuple[str, str],
    found: Notes,
) -> list[Matcher]:
    """Of a list of matchers and the two older maps; mistakes are noted at the fields of these names."""
    some: list[Matcher] = []

    def add(field: str, read: Callable[[], Sequence[Matcher]]) -> None:
        try:
            some.extend(read())
        except ValueError as e:
            found.add((*place, field), str(e))

    for text in texts:
        add(fields[0], lambda text=text: parse_matchers(text))  # type: ignore[misc]  # bound at once
    add(fields[1], lambda: from_maps(equal, expressions))
    return some
