"""What a configuration says of actions, and what is wrong with that."""

from monitor.config.document import Location
from monitor.config.paging import ActionConfig, PagingConfig
from monitor.config.validating import Notes, validated
from monitor.paging.document.beneath import Beneath
from monitor.paging.matching import parse_matcher
from monitor.paging.receivers.webhook import WebhookConfig
from monitor.paging.settings import Action, Do, Limit, Matcher

__all__ = ["actions"]


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


def _action(said: ActionConfig, place: Location, found: Notes) -> Action:
    here = (*place, "webhook")
    webhook = validated(WebhookConfig, dict(said.webhook), Beneath(found, here))
    if bool(webhook.url) == bool(webhook.url_file) and not found.within(here):
        found.add(here, "needs url or url_file" + (", and not both" if webhook.url else ""))
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
        webhook,
        said.version,
        said.once_per_incident,
        limit,
        said.dry_run,
    )
