"""The templates that a configuration gives in place of ours."""

from typing import Annotated

from pydantic import AfterValidator

from monitor.config.section import Section, Text

__all__ = ["TemplatesSection"]


def _checked(source: str) -> str:
    # Not above: it needs what depends on this package.
    from monitor.paging.templates.checking import checked

    return checked(source)


_Source = Annotated[Text, AfterValidator(_checked)]


class TemplatesSection(Section):
    """Jinja templates in place of the default ones; a file's is written `${file:/path}`."""

    title: _Source | None = None
    short: _Source | None = None
    text: _Source | None = None
    markdown: _Source | None = None
    html: _Source | None = None
