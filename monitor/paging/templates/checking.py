"""Whether a template is one, before it is needed."""

from jinja2 import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from monitor.paging.templates.facts import KEYS
from monitor.paging.templates.sandbox import environment

__all__ = ["checked"]


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
