"""From a message to what a person reads."""

import functools
import html
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from typing import Annotated, Any

from jinja2 import Template, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from pydantic import AfterValidator

from monitor.config.section import Section, Text
from monitor.paging.message import Message
from monitor.paging.templates.facts import KEYS, facts
from monitor.paging.templates.sandbox import environment
from monitor.paging.templates.wording import cut, headline, one_line
from monitor.paging.templates.worker import TemplateFailed, Worker

__all__ = ["DEFAULT", "Part", "Templates", "TemplatesSection", "checked"]


class Part(StrEnum):
    """What a provider wants of a message."""

    TITLE = "title"  # one line
    SHORT = "short"  # what fits an SMS
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


_LONGEST = {Part.TITLE: 200, Part.SHORT: 480, Part.TEXT: 20_000, Part.MARKDOWN: 20_000, Part.HTML: 60_000}


def checked(source: str) -> str:
    """The source, if it is a template that names only what there is. Raises ValueError with its mistake."""
    try:
        unknown = find_undeclared_variables(environment().parse(source)) - KEYS
    except TemplateSyntaxError as e:
        raise ValueError(f"is no Jinja template: line {e.lineno}: {e.message}") from None
    except RecursionError:
        raise ValueError("is no Jinja template: it is nested too deeply") from None
    if unknown:
        names = " and ".join(sorted(unknown))
        raise ValueError(f"names {names}, which no message has; there are {', '.join(sorted(KEYS))}")
    return source


Source = Annotated[Text, AfterValidator(checked)]


class TemplatesSection(Section):
    """Templates in place of the default ones; a file's is written `${file:/path}`."""

    title: Source | None = None
    short: Source | None = None
    text: Source | None = None
    markdown: Source | None = None
    html: Source | None = None

    def given(self) -> dict[Part, str]:
        """Those that are there."""
        return {part: source for part in Part if (source := getattr(self, part)) is not None}


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a configuration; the default ones where `own` has none. May be used from any thread.

    `failures` counts, by part, those that gave no text, so that a plain one went out instead.
    """

    own: Mapping[Part, str] = field(default_factory=dict)
    failures: Counter[Part] = field(default_factory=Counter, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def over(self, section: TemplatesSection | None) -> "Templates":
        """These with others over them, which count their failures here."""
        given = section.given() if section is not None else {}
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
            return _instead(part, message, values, str(e))


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
