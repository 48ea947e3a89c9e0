"""What a configuration says of paging, as the pager takes it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.config.paging import FallbackConfig, PagingConfig
from monitor.errors import ConfigError
from monitor.paging.actions.configured import actions
from monitor.paging.calm.configured import calm_mistakes, damping, digests, page_budgets
from monitor.paging.document import from_mapping, load
from monitor.paging.links.settings import LinkSettings, key_in
from monitor.paging.matching import matcher
from monitor.paging.mistakes import Noted, unknown_receivers
from monitor.paging.oncall.duties import hours, on_call_receivers, rotations
from monitor.paging.oncall.escalation import Level
from monitor.paging.receivers.notices import notices
from monitor.paging.settings import Fallback, Hold, Matcher, PagerSettings
from monitor.paging.templates import DEFAULT

__all__ = ["inline_document", "pager_settings", "paging_mistakes", "paging_warnings"]

_INLINE = ("global", "route", "receivers", "inhibit_rules", "time_intervals")
_PLACE: Location = ("paging",)


def pager_settings(config: PagingConfig) -> PagerSettings:
    """The settings of a section without mistakes. Raises ConfigError for mistakes in its file."""
    found = Noted()
    settings = _settings(config, found)
    return replace(
        settings,
        external_url=config.external_url,
        links=_links(config),
        max_alerts=config.max_alerts,
        incident_by=config.incident_by,
        escalations={
            owner: tuple(Level(lv.receiver, lv.after_ms, lv.above_burn) for lv in said.escalation)
            for owner, said in config.owners.items()
        },
        templates=DEFAULT.over(config.templates),
        actions=actions(config, Noted()),
        fallback=_fallback(config.fallback),
        fallbacks={name: one for name, said in config.fallbacks.items() if (one := _fallback(said))},
        damping=damping(config.damping),
        page_budgets=page_budgets(config),
        digests=digests(config),
        silence_warning_ms=config.silence_warning_ms,
        holds=tuple(
            Hold(f"quiet hours of {owner}", _can_wait(owner), hours(said.quiet_hours).contains)
            for owner, said in config.owners.items()
            if said.quiet_hours is not None
        ),
    )


def _links(config: PagingConfig) -> LinkSettings:
    """Raises ConfigError where the file of the key is wrong."""
    try:
        key = None if config.link_key_file is None else key_in(config.link_key_file)
    except ValueError as e:
        raise ConfigError([f"paging.link_key_file: {e}"]) from None
    return LinkSettings(key, config.link_valid_ms)


def _can_wait(owner: str) -> tuple[Matcher, ...]:
    return matcher("owner", "=", owner), matcher("severity", "=~", "ticket|info")


def paging_mistakes(config: PagingConfig) -> Iterator[Mistake]:
    """What is wrong with the routes and receivers, here and in the file that the section names."""
    if config.to == "alertmanager":
        for i, url in enumerate(config.alertmanagers):
            if not url.startswith(("http://", "https://")):
                yield Mistake((*_PLACE, "alertmanagers", i), f"{url!r} is no URL; write http://host:9093")
    if config.to != "embedded":
        return
    if config.link_key_file is not None:
        try:
            key_in(config.link_key_file)
        except ValueError as e:
            yield Mistake((*_PLACE, "link_key_file"), str(e))
    given = [key for key in _INLINE if inline_document(config).get(key)]
    if config.config_file is not None and given:
        yield Mistake((*_PLACE, "config_file"), f"stands beside {given[0]}; keep one of the two", (_PLACE,))
        return
    if config.config_file is None and not config.receivers:
        yield Mistake((*_PLACE, "receivers"), "are missing: name who is to be told, or a config_file")
        return
    found = Noted()
    try:
        settings = _settings(config, found)
    except ConfigError as e:
        several = "" if len(e.problems) == 1 else f"has {len(e.problems)} mistakes:\n  "
        yield Mistake((*_PLACE, "config_file"), several + "\n  ".join(e.problems))
        return
    actions(config, found)
    yield from found.mistakes
    yield from _escalations(config, settings)
    yield from _fallbacks(config, settings)
    yield from calm_mistakes(config, settings)
    for name, rotation in config.rotations.items():
        layers: Location = (*_PLACE, "rotations", name, "layers")
        if not rotation.layers:
            yield Mistake(layers, "are missing: name people who take turns", (layers,))
        for i, layer in enumerate(rotation.layers):
            if not layer.people:
                place: Location = (*layers, i, "people")
                yield Mistake(place, "are missing: name receivers, one for each person", (place,))
            yield from unknown_receivers(("rotations", name, "layers", i, "people"), layer.people, settings)
        for i, override in enumerate(rotation.overrides):
            person: Location = ("rotations", name, "overrides", i, "person")
            yield from unknown_receivers(person, (override.person,), settings)


def _escalations(config: PagingConfig, settings: PagerSettings) -> Iterator[Mistake]:
    for owner, said in config.owners.items():
        place: Location = ("owners", owner, "escalation")
        for i, level in enumerate(said.escalation):
            here: Location = (*place, i, "receiver")
            yield from unknown_receivers(here, (level.receiver,), settings)
            if level.receiver in settings.receivers.keys() & {lv.receiver for lv in said.escalation[:i]}:
                yield Mistake((*_PLACE, *here), "was told by an earlier level; an escalation ends")
            if i and level.after_ms <= said.escalation[i - 1].after_ms:
                yield Mistake((*_PLACE, *place, i, "after"), "must be later than the level before")


def _fallback(said: FallbackConfig | None) -> Fallback | None:
    return None if said is None else Fallback(said.receiver, said.after_ms)


def _fallbacks(config: PagingConfig, settings: PagerSettings) -> Iterator[Mistake]:
    if config.fallback is not None:
        yield from unknown_receivers(("fallback", "receiver"), (config.fallback.receiver,), settings)
    for name, said in config.fallbacks.items():
        yield from unknown_receivers(("fallbacks", name), (name,), settings)
        yield from unknown_receivers(("fallbacks", name, "receiver"), (said.receiver,), settings)
        if said.receiver == name:
            yield Mistake((*_PLACE, "fallbacks", name, "receiver"), "falls back on itself; name another")


def paging_warnings(config: PagingConfig) -> Iterator[Mistake]:
    """What of the receivers works otherwise than it is written; nothing of a section with mistakes."""
    if config.to != "embedded" or next(paging_mistakes(config), None) is not None:
        return
    if not config.external_url:
        sentence = "is missing, so that messages link to no incident and nobody can acknowledge from one"
        yield Mistake((*_PLACE, "external_url"), f"{sentence}; say where people reach this server")
    place = (*_PLACE, "config_file") if config.config_file is not None else _PLACE
    for key, sentence in notices(pager_settings(config)):
        yield Mistake((*place, key), sentence)


def _settings(config: PagingConfig, found: Noted) -> PagerSettings:
    duties = partial(on_call_receivers, rotations(config))
    if config.config_file is not None:
        return load(config.config_file, duties=duties)
    return from_mapping(inline_document(config), _PLACE, found, duties)


def inline_document(config: PagingConfig) -> dict[str, Any]:
    """The keys of an Alertmanager file that the section has itself."""
    document: dict[str, Any] = {
        "global": dict(config.global_),
        "route": config.route,
        "receivers": list(config.receivers),
        "inhibit_rules": list(config.inhibit_rules),
        "time_intervals": list(config.time_intervals),
    }
    if config.route is None and config.receivers:
        document["route"] = _default_route(str(config.receivers[0].get("name")))
    return {key: value for key, value in document.items() if value}


def _default_route(receiver: str) -> dict[str, Any]:
    """All that is the same trouble in one group; what can wait is told less often."""
    return {
        "receiver": receiver,
        "group_by": ["model", "version", "objective"],
        "routes": [
            {
                "matchers": ['severity=~"ticket|info"'],
                "group_wait": "5m",
                "group_interval": "30m",
                "repeat_interval": "24h",
            }
        ],
    }
