"""Ways to reach somebody, by the name that a configuration has for them."""

from collections.abc import Mapping

from monitor.paging.receivers import (
    apprise,
    chats,
    console,
    email,
    github,
    heartbeat,
    jira,
    opsgenie,
    pagerduty,
    pushes,
    slack,
    webhook,
)
from monitor.paging.receivers.kind import Kind, with_global

__all__ = ["KINDS", "Kind", "with_global"]

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        webhook.KIND,
        email.KIND,
        pagerduty.KIND,
        opsgenie.KIND,
        slack.KIND,
        *chats.KINDS,
        *pushes.KINDS,
        apprise.KIND,
        jira.KIND,
        github.KIND,
        heartbeat.KIND,
        console.KIND,
    )
}
