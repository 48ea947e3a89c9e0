"""What several kinds of receivers make of a message in the same way."""

import hashlib
from typing import Annotated

from pydantic import Field

from monitor.config.paging_templates import TemplatesSection
from monitor.config.section import Section
from monitor.paging.message import Message, Purpose
from monitor.paging.templates import Part, Templates, facts
from monitor.paging.templates.wording import one_line

__all__ = ["ReceiverSection", "links_of", "marker_of", "severity_of", "summary_line"]

_NEWS = (Purpose.DIGEST, Purpose.BUDGET, Purpose.NOTE, Purpose.HEARTBEAT, Purpose.TEST)


class ReceiverSection(Section):
    """What every entry may say: whether it is told of the end, and its own templates."""

    send_resolved: bool = True
    templates: Annotated[TemplatesSection | None, Field(repr=False)] = None


def severity_of(message: Message) -> str:
    """`critical`, `error`, `warning` or `info`: the label where it says one of these, else by how bad."""
    said = dict(message.common_labels).get("severity", "").lower()
    if message.purpose in _NEWS and not message.firing:
        return "info"
    known = {"critical": "critical", "error": "error", "warning": "warning", "info": "info"}
    ours = {"page": "critical", "ticket": "warning", "info": "info"}
    return known.get(said) or ours.get(said) or ours.get(message.severity.lower(), "error")


def links_of(message: Message) -> list[tuple[str, str]]:
    """Name and URL of each link, for providers that show them by themselves."""
    return [(name.capitalize(), url) for name, url in facts(message)["links"].items()]


def summary_line(templates: Templates, message: Message, most: int) -> str:
    """The title, cut to what the provider takes."""
    return one_line(templates.render(Part.TITLE, message), most) or str(message.status)


def marker_of(message: Message) -> str:
    """A word for the dedup key, of letters, digits and `-` only, by which a ticket is found again."""
    return f"monitor-{hashlib.sha256(message.dedup_key.encode()).hexdigest()[:20]}"
