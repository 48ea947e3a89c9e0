"""The codes of money."""

import iso4217

__all__ = ["check_currency"]

_CODES = frozenset(currency.code for currency in iso4217.Currency)


def check_currency(code: str) -> str:
    """The code as it is. Raises ValueError with a sentence where it is none of ISO 4217."""
    if code not in _CODES:
        raise ValueError(f"{code[:20]!r} is no code of ISO 4217, such as EUR")
    return code
