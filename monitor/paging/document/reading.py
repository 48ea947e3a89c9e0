"""From the file to the settings; every mistake at once, with its line."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monitor.config.document import Location, read_document
from monitor.config.environment import Resolver
from monitor.config.found import Found
from monitor.config.validating import Notes, given, remove, validated
from monitor.errors import ConfigError
from monitor.paging.document.beneath import Beneath
from monitor.paging.document.intervals import time_intervals
from monitor.paging.document.receivers import receivers
from monitor.paging.document.routes import DEFAULTS, matchers, route_tree
from monitor.paging.document.sections import FileSection, InhibitSection
from monitor.paging.settings import InhibitRule, PagerSettings, Receiver, Route

__all__ = ["from_mapping", "load"]


Duties = Callable[[Mapping[str, Receiver]], Mapping[str, Receiver]]


def _nobody(known: Mapping[str, Receiver]) -> Mapping[str, Receiver]:
    return {}


def load(
    path: str | Path, environ: Mapping[str, str] | None = None, duties: Duties = _nobody
) -> PagerSettings:
    """The settings of an Alertmanager file, with `${NAME}` taken from `environ` (the process's by default).
    `duties` gives further receivers, made of those of the file.

    Raises ConfigError with one line for each mistake: `alertmanager.yml:12: route.receiver: ..`.
    """
    document = read_document(Path(path))
    found = Found(document)
    if not isinstance(document.data, dict):
        found.add((), "the file must be a mapping with keys such as route and receivers")
        found.raise_any()
    data = given(document.data)
    resolver = Resolver(os.environ if environ is None else environ)
    data = resolver.resolve(data)
    for place, sentence in resolver.problems:
        found.add(place, sentence)
        remove(data, place)
    try:
        settings = from_mapping(data, (), found, duties)
    except RecursionError:
        raise ConfigError([f"{path}: route: nests hundreds of routes deep; make it flatter"]) from None
    found.raise_any()
    return settings


def from_mapping(
    data: dict[str, Any], place: Location, found: Notes, duties: Duties = _nobody
) -> PagerSettings:
    """The settings of a mapping with Alertmanager's keys; mistakes are noted in `found`, whose places begin
    with `place`."""
    section = validated(FileSection, data, Beneath(found, place))
    known = receivers(section.receivers, (*place, "receivers"), found, dict(section.global_))
    known |= duties(known)
    older = [((*place, "mute_time_intervals", i), s) for i, s in enumerate(section.mute_time_intervals)]
    newer = [((*place, "time_intervals", i), s) for i, s in enumerate(section.time_intervals)]
    intervals = time_intervals([*older, *newer], found)
    if section.route is None:
        found.add((*place, "route"), "is missing: it says who gets what")
        root = Route("{}", "{}", "", (), (), *_timings())
    else:
        root = route_tree(section.route, list(known), list(intervals), (*place, "route"), found)
    rules = tuple(
        _inhibit_rule(rule, (*place, "inhibit_rules", i), found)
        for i, rule in enumerate(section.inhibit_rules)
        if rule is not None
    )
    return PagerSettings(
        root,
        known,
        rules,
        intervals,
        section.global_.resolve_timeout_ms,
        go_templates=section.templates,
    )


def _timings() -> tuple[int, int, int]:
    return DEFAULTS.group_wait_ms, DEFAULTS.group_interval_ms, DEFAULTS.repeat_interval_ms


def _inhibit_rule(section: InhibitSection, place: Location, found: Notes) -> InhibitRule:
    s = section
    source = matchers(
        s.source_matchers,
        s.source_match,
        s.source_match_re,
        place,
        ("source_matchers", "source_match_re"),
        found,
    )
    target = matchers(
        s.target_matchers,
        s.target_match,
        s.target_match_re,
        place,
        ("target_matchers", "target_match_re"),
        found,
    )
    return InhibitRule(tuple(source), tuple(target), s.equal)
