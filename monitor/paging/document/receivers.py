"""Receivers: each entry read by the section of its kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.config.document import Location
from monitor.config.validating import Notes, validated
from monitor.paging.document.beneath import Beneath
from monitor.paging.receivers import KINDS, with_global
from monitor.paging.settings import Integration, Receiver

__all__ = ["receivers"]

_SUFFIX = "_configs"
# Known to Alertmanager; in the order in which it has the integrations of a receiver.
_KNOWN = (
    *(
        "discord",
        "email",
        "incidentio",
        "jira",
        "mattermost",
        "msteams",
        "msteamsv2",
        "opsgenie",
        "pagerduty",
    ),
    *("pushover", "rocketchat", "slack", "sns", "telegram", "victorops", "webex", "webhook", "wechat"),
)
# As Alertmanager's `BuildReceiverIntegrations` goes through them.
_ORDER = ("webhook", "email", "pagerduty", "opsgenie", "wechat", "slack", "victorops", "pushover", "sns")


def receivers(
    entries: Sequence[Mapping[str, Any]], place: Location, found: Notes, shared: Mapping[str, Any]
) -> dict[str, Receiver]:
    """By name; mistakes are noted in `found`. What an entry leaves out it has from `shared`, the file's
    `global`."""
    known: dict[str, Receiver] = {}
    for i, entry in enumerate(entries):
        here = (*place, i)
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            found.add((*here, "name"), "is missing: routes name receivers")
            continue
        if name in known:
            found.add((*here, "name"), f"there are two receivers {name!r}; rename one")
        known[name] = Receiver(name, tuple(_integrations(entry, here, found, shared)))
    return known


def _integrations(
    entry: Mapping[str, Any], place: Location, found: Notes, shared: Mapping[str, Any]
) -> list[Integration]:
    some: list[Integration] = []
    keys = [key for key in entry if key != "name"]
    for key in sorted(keys, key=_rank):
        kind = KINDS.get(key.removesuffix(_SUFFIX)) if key.endswith(_SUFFIX) else None
        if kind is None:
            found.add((*place, key), _unknown(key))
            continue
        values = entry[key]
        if not isinstance(values, list):
            found.add((*place, key), "must be a list, with one entry for each target")
            continue
        for i, value in enumerate(values):
            here = (*place, key, i)
            if not isinstance(value, dict):
                found.add(here, "must be a mapping with the settings of one target")
                continue
            config = validated(kind.config, with_global(kind, value, shared), Beneath(found, here))
            given = [field for field in kind.needs if getattr(config, field)]
            if kind.needs and len(given) != 1 and not found.within(here):
                choice = " or ".join(kind.needs)
                found.add(here, f"needs {choice}" + (", and not both" if given else ""))
            if not found.within(here):
                for name, sentence in kind.problems(config):
                    found.add((*here, name) if name else here, sentence)
            wants = getattr(config, "send_resolved", True)
            some.append(Integration(kind.name, len(some), config, wants))
    return some


def _rank(key: str) -> tuple[int, str]:
    name = key.removesuffix(_SUFFIX)
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _unknown(key: str) -> str:
    name = key.removesuffix(_SUFFIX)
    if name in _KNOWN:
        return f"Alertmanager's {name} can't be reached from here; use apprise_configs or webhook_configs"
    ours = ", ".join(f"{known}{_SUFFIX}" for known in KINDS)
    return f"means nothing here; there is {ours}"
