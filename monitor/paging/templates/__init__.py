"""What a message says: Jinja templates, sandboxed and bounded, with a default for each way to tell it."""

from monitor.paging.templates.facts import facts
from monitor.paging.templates.part import Part
from monitor.paging.templates.rendering import DEFAULT, Templates

__all__ = ["DEFAULT", "Part", "Templates", "facts"]
