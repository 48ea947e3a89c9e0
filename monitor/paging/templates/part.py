"""The ways to tell one message."""

from enum import StrEnum

__all__ = ["Part"]


class Part(StrEnum):
    """What a provider wants of a message."""

    TITLE = "title"  # one line
    SHORT = "short"  # what fits an SMS
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
