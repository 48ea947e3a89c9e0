"""What must never be shown: which settings hold a secret, and how one is masked."""

import re
from collections.abc import Mapping
from urllib.parse import quote_plus

import sqlalchemy as sa

__all__ = ["MASK", "is_secret", "mask_options", "mask_url", "url_secrets"]

MASK = "***"

# Names of librdkafka properties, and of the query parameters of a database URL.
_SECRET_NAME = re.compile(
    r"password|passphrase|passwd|secret|\.pem$|jaas|oauthbearer\.config|private\.key(?!\.file)|(^|\.)token$",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(://[^/@:]*):.*@")


def is_secret(name: str) -> bool:
    """Whether the value of a setting of this name must not be shown."""
    return _SECRET_NAME.search(name) is not None


def mask_options(options: Mapping[str, str]) -> dict[str, str]:
    """The options with the values of the secret ones masked."""
    return {name: MASK if is_secret(name) and value else value for name, value in options.items()}


def mask_url(url: str) -> str:
    """The database URL without its password, whether that stands before the host or in the query."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        return _USER_INFO.sub(rf"\1:{MASK}@", url)
    query = {name: MASK if is_secret(name) else value for name, value in parsed.query.items()}
    shown = parsed.set(query=query).render_as_string(hide_password=True)
    return shown.replace(quote_plus(MASK), MASK)


def url_secrets(url: str) -> list[str]:
    """The secrets that a database URL holds; none where it is no URL."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        return []
    found = [str(parsed.password)] if parsed.password else []
    for name, value in parsed.query.items():
        if is_secret(name):
            found.extend([value] if isinstance(value, str) else value)
    return found
