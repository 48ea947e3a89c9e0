"""From a message to what a person reads."""

import functools
import html
import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from jinja2 import Template

from monitor.config.paging_templates import TemplatesSection
from monitor.paging.message import Message
from monitor.paging.templates.facts import facts
from monitor.paging.templates.part import Part
from monitor.paging.templates.sandbox import environment
from monitor.paging.templates.wording import cut, headline, one_line
from monitor.paging.templates.worker import TemplateFailed, Worker

__all__ = ["DEFAULT", "Templates"]


_LOG = logging.getLogger(__name__)
_LONGEST = {Part.TITLE: 200, Part.SHORT: 480, Part.TEXT: 20_000, Part.MARKDOWN: 20_000, Part.HTML: 60_000}


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a configuration; the default ones where `own` has none. May be used from any thread.

    `failures` counts, by part, those that gave no text, so that a plain one went out instead.
    """

    own: Mapping[Part, str] = field(default_factory=dict)
    failures: Counter[Part] = field(default_factory=Counter, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def over(self, others: TemplatesSection | Mapping[Part, str] | None) -> "Templates":
        """These with others over them, which count their failures here."""
        given = _given(others) if isinstance(others, TemplatesSection) else others
        return Templates({**self.own, **given}, self.failures, self._lock) if given else self

    def render(self, part: Part, message: Message) -> str:
        """The text; where the template fails, a plain one that says so. Raises nothing."""
        values = facts(message)
        source = self.own.get(part)
        if source is None:
            return _tidy(part, _default(part).render(values))
        try:
            return _tidy(part, _worker().render(source, part is Part.HTML, values))
        except TemplateFailed as e:
            with self._lock:
                self.failures[part] += 1
            _LOG.warning("the template for the %s of a message to %s failed: %s", part, message.receiver, e)
            return _instead(part, message, values, str(e))


def _given(section: TemplatesSection) -> dict[Part, str]:
    return {part: source for part in Part if (source := getattr(section, part)) is not None}


# Those over it count their failures here: the process's.
DEFAULT = Templates()


@functools.cache
def _worker() -> Worker:
    return Worker()


@functools.cache
def _default(part: Part) -> Template:
    source = resources.files(__package__).joinpath("default", f"{part}.j2").read_text(encoding="utf-8")
    return environment(html=part is Part.HTML).from_string(source)


def _instead(part: Part, message: Message, values: dict[str, Any], why: str) -> str:
    """The default text, and that it isn't the one that was wanted."""
    said = f"(The template for the {part} failed, so that this is the default: {one_line(why, 200)})"
    match part:
        case Part.TITLE:
            return headline(message)
        case Part.SHORT:
            return _tidy(part, _default(part).render(values))
        case Part.HTML:
            return f"{_tidy(part, _default(part).render(values))}\n<p>{html.escape(said)}</p>"
    return f"{_tidy(part, _default(part).render(values))}\n\n{said}"


def _tidy(part: Part, text: str) -> str:
    """Without gaps, and no longer than a provider takes."""
    if part in (Part.TITLE, Part.SHORT):
        return one_line(text, _LONGEST[part])
    if part is Part.HTML:
        return text.strip() if len(text) <= _LONGEST[part] else _cut_html(text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    return cut(re.sub(r"\n{3,}", "\n\n", text).strip(), _LONGEST[part])


def _cut_html(text: str) -> str:
    """Cut before a tag, so that none is left half; browsers close what is open."""
    kept = text[: _LONGEST[Part.HTML]]
    return kept[: kept.rfind("<")] + f"<p>… (cut; {len(text):,} characters)</p>"
