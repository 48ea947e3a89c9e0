"""What a configuration says of actions, and what is wrong with that."""

from collections.abc import Mapping
from typing import Any

from monitor.config.document import Location
from monitor.config.paging import ActionConfig, PagingConfig
from monitor.config.validating import Notes, validated
from monitor.paging.document.beneath import Beneath
from monitor.paging.matching import parse_matcher
from monitor.paging.receivers.webhook import WebhookConfig
from monitor.paging.settings import Action, Do, Limit, Matcher

__all__ = ["actions", "webhook"]


def actions(config: PagingConfig, found: Notes) -> tuple[Action, ...]:
    """Those of a section; mistakes are noted in `found`."""
    names: set[str] = set()
    some = []
    for i, said in enumerate(config.actions):
        place: Location = ("paging", "actions", i)
        if said.name in names:
            found.add((*place, "name"), f"{said.name} is given twice; rename one")
        names.add(said.name)
        some.append(_action(said, place, found))
    return tuple(some)


def webhook(said: Mapping[str, Any], place: Location, found: Notes) -> WebhookConfig:
    """A webhook whose keys are those of a `webhook_configs` entry; mistakes are noted in `found`."""
    read = validated(WebhookConfig, dict(said), Beneath(found, place))
    if bool(read.url) == bool(read.url_file) and not found.within(place):
        found.add(place, "needs url or url_file" + (", and not both" if read.url else ""))
    return read


def _action(said: ActionConfig, place: Location, found: Notes) -> Action:
    posted_to = webhook(said.webhook, (*place, "webhook"), found)
    if said.version != "previous" and said.do != "rollback":
        found.add((*place, "version"), f"is for a rollback, and this one is to {said.do}; leave it out")
    matchers: list[Matcher] = []
    for n, text in enumerate(said.matchers):
        try:
            matchers.append(parse_matcher(text))
        except ValueError as e:
            found.add((*place, "matchers", n), str(e))
    limit = None if said.limit is None else Limit(said.limit.times, said.limit.per_ms)
    return Action(
        said.name,
        Do(said.do),
        tuple(matchers),
        posted_to,
        said.version,
        said.once_per_incident,
        limit,
        said.dry_run,
    )
