"""Matchers as people write them: `owner="risk"`, `severity!="page"`, `model=~"fraud|churn"`.

Both of Alertmanager's grammars are read: the classic one, and the one of 0.27 in which a name may hold any
text (`"größe"="L"`). Regular expressions are RE2's, as in the original, so that none takes for ever.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import re2

from monitor.paging.settings import Matcher

__all__ = [
    "from_maps",
    "matcher",
    "matcher_text",
    "matchers_text",
    "parse_matcher",
    "parse_matchers",
    "regex",
    "sorted_matchers",
]

# What comes after the operator is stripped apart: a pattern that does so takes the square of its length.
_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)(.*)", re.DOTALL)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ANY = re.compile(
    rf"\s*({_QUOTED}|[^\s{{}}!=~,\\\"'`]+)\s*(=~|=|!=|!~)\s*({_QUOTED}|[^\s{{}}!=~,\\\"'`]*)\s*", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPACE = " \t\n\f\r"
_SHOWN = 200
_ORDER = ("=", "!=", "=~", "!~")
_MAX_REGEX = 10_000


def regex(text: str) -> Any:
    """The regular expression compiled, to be matched from end to end. Raises ValueError with what is wrong
    with it."""
    if len(text) > _MAX_REGEX:
        raise ValueError(
            f"a regular expression of {len(text):,} characters is too long; {_MAX_REGEX:,} at most"
        )
    options = re2.Options()
    options.log_errors = False

    try:
        return re2.compile(f"(?:{text})", options)
    except re2.error as e:
        wrong = e.args[0].decode() if isinstance(e.args[0], bytes) else str(e.args[0])
        raise ValueError(f"{text!r} is no regular expression: {wrong.split(':')[0]}") from None


def matcher(name: str, operator: str, value: str) -> Matcher:
    """Raises ValueError for a regular expression that is none."""
    is_regex = operator.endswith("~")
    return Matcher(name, value, operator in ("=", "=~"), regex(value) if is_regex else None, is_regex)


def parse_matcher(text: str) -> Matcher:
    """One matcher. Raises ValueError with a sentence that says what to write."""
    if (found := _CLASSIC.fullmatch(text)) is not None and (
        value := _classic_value(found[3].strip(_SPACE))
    ) is not None:
        return matcher(found[1], found[2], value)
    if (found := _ANY.fullmatch(text)) is not None:
        name = _unquoted(found[1])
        if name:
            return matcher(name, found[2], _unquoted(found[3]))
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + ".."
    raise ValueError(f'{shown!r} is no matcher; write name="value", with =, !=, =~ or !~')


def _classic_value(text: str) -> str | None:
    """The value without its quotes; None where a quote stands alone."""
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            return None
        text = text[1:-1]
        if text.endswith("\\") and not text.endswith("\\\\"):
            return None
    if re.search(r'(?<!\\)(?:\\\\)*"', text):
        return None
    return _unescaped(text)


def _unquoted(text: str) -> str:
    return _unescaped(text[1:-1]) if text.startswith('"') else text


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: {"n": "\n", '"': '"', "\\": "\\"}.get(m[1], m[0]), text)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Matchers with commas between them, in braces or not; none for an empty text. Raises ValueError."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}") or inner == "{":
        raise ValueError(f"{text!r}: a brace is missing")
    if inner.startswith("{"):
        inner = inner[1:-1]
    parts = list(_split(inner))
    # A comma after the last is allowed.
    if parts and not parts[-1].strip():
        parts.pop()
    return tuple(parse_matcher(part) for part in parts)


def _split(text: str) -> Iterator[str]:
    """At the commas that no quotes surround."""
    begin, quoted, escaped = 0, False, False
    for i, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield text[begin:i]
            begin = i + 1
    yield text[begin:]


def _operator(one: Matcher) -> str:
    return ("=~" if one.equal else "!~") if one.regex else ("=" if one.equal else "!=")


def matcher_text(one: Matcher) -> str:
    """As Alertmanager writes it: `name="value"`."""
    value = one.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    name = one.name
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name):
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        name = f'"{escaped}"'
    return f'{name}{_operator(one)}"{value}"'


def matchers_text(some: tuple[Matcher, ...]) -> str:
    """All of them in braces, as in the key of a route."""
    return "{" + ",".join(map(matcher_text, some)) + "}"


def sorted_matchers(some: list[Matcher]) -> tuple[Matcher, ...]:
    """By name, value and operator, as a route has them."""
    return tuple(sorted(some, key=lambda m: (m.name, m.value, _ORDER.index(_operator(m)))))


def from_maps(equal: Mapping[str, str], expressions: Mapping[str, str]) -> list[Matcher]:
    """Of the older `match` and `match_re`. Raises ValueError."""
    return [
        *(matcher(name, "=", equal[name]) for name in sorted(equal)),
        *(matcher(name, "=~", expressions[name]) for name in sorted(expressions)),
    ]
