"""Alertmanager's Go templates in a configuration: known as such, never run, and told of."""

import re
from collections.abc import Sequence

from monitor.config.section import Section
from monitor.paging.receivers.kind import Note
from monitor.paging.templates import Part, Templates
from monitor.paging.templates.checking import checked

__all__ = ["is_go", "own", "unused"]

_WORDS = "template|range|end|if|with|define|else|block|len|index|eq|ne|printf|join|and|or|not|toUpper|title"
_GO = re.compile(r"\{\{-?\s*(?:[.$`\"]|/\*|(?:" + _WORDS + r")\b)")


def is_go(text: str) -> bool:
    """Whether it holds an expression as only Go writes it: `{{ .CommonLabels.x }}`, `{{ template "x" . }}`.

    Jinja's begin with a name.
    """
    return _GO.search(text) is not None


def unused(config: Section, fields: Sequence[str], instead: str = "ours is used instead") -> list[Note]:
    """A warning for each of the fields that holds a Go template."""
    return [
        (name.rstrip("_"), f"is a Go template of Alertmanager, which isn't run; {instead}")
        for name in fields
        if is_go(str(getattr(config, name)))
    ]


def own(templates: Templates, given: Sequence[tuple[Part, str]]) -> Templates:
    """The templates, with those over them that Alertmanager's keys give and that are Jinja or plain text."""
    usable: dict[Part, str] = {}
    for part, source in given:
        if not source or is_go(source):
            continue
        try:
            usable[part] = checked(source)
        except ValueError:
            # It was warned of when the configuration was read.
            continue
    return templates.over(usable)
