"""The program's own log: one JSON object a line for machines, or plain text for a terminal.

A message is an event, its facts are fields: `_log.info("store migrated", extra={"to_schema": "0003"})`.
Fields named like a secret, and secret values wherever they appear, are masked.
"""

import json
import logging
import math
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from numbers import Integral, Real
from typing import Any, Literal, TextIO

from monitor.config.secrets import MASK, is_secret

__all__ = ["JsonFormatter", "Masker", "TextFormatter", "correlation", "correlation_id", "set_up"]

_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)

# What a record has of its own; anything else came in through `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_RESERVED = ("ts", "level", "logger", "event", "correlation_id", "error")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHORTEST_SECRET = 4


@contextmanager
def correlation(identifier: str) -> Iterator[None]:
    """Whatever is logged inside carries this correlation id, also from tasks that start inside."""
    token = _correlation.set(identifier)
    try:
        yield
    finally:
        _correlation.reset(token)


def correlation_id() -> str | None:
    """The correlation id in force, if any."""
    return _correlation.get()


def set_up(
    level: str = "info",
    format: Literal["json", "text"] = "json",
    stream: TextIO | None = None,
    secrets: Collection[str] = (),
) -> None:
    """Sends the log of the whole process to `stream` (standard error), in place of where it went before."""
    masker = Masker(secrets)
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter(masker) if format == "json" else TextFormatter(masker))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, JsonFormatter | TextFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Migrations tell of themselves through our own message; and URLs of receivers hold secrets.
    for name in ("alembic", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


class Masker:
    """Takes secrets out of texts: those given by value, and what looks like one."""

    _patterns = (
        (re.compile(r"(://[^/\s:@]*):[^\s/@]+@"), rf"\1:{MASK}@"),
        (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
        (re.compile(r"\bmon_[A-Za-z0-9_-]{20,}"), f"mon_{MASK}"),
        (
            re.compile(r"((?:password|secret|passphrase)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+", re.I),
            rf"\1{MASK}",
        ),
    )

    def __init__(self, secrets: Collection[str] = ()) -> None:
        # A very short secret would mask half the log, and is no secret anyway.
        known = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text with every secret in it masked."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in self._patterns:
            text = pattern.sub(replacement, text)
        return text

    def value(self, name: str, value: Any) -> Any:
        """A field's value as plain JSON: masked, finite, and with keys that are text."""
        if is_secret(name) and isinstance(value, str | bytes):
            return MASK
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Integral):
            return int(value)
        if isinstance(value, Real):
            return float(value) if math.isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.value(str(k), v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(name, item) for item in value]
        return self.text(str(value))


class _Formatter(logging.Formatter):
    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        given = {k: v for k, v in vars(record).items() if k not in _OWN}
        return {f"{k}_" if k in _RESERVED else k: self._masker.value(k, v) for k, v in given.items()}

    def _event(self, record: logging.LogRecord) -> str:
        return self._masker.text(record.getMessage())

    def _error(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and record.exc_info[0] is not None:
            return self._masker.text(self.formatException(record.exc_info))
        return self._masker.text(record.exc_text) if record.exc_text else None


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(_Formatter):
    """One JSON object a line: ts (RFC 3339, UTC), level, logger, event, correlation_id, the fields, error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._event(record),
        }
        identifier = correlation_id()
        if identifier is not None:
            line["correlation_id"] = self._masker.text(identifier)
        line |= self._fields(record)
        error = self._error(record)
        if error is not None:
            line["error"] = error
        return json.dumps(line, ensure_ascii=False).translate(_LINE_ENDS)


# JSON allows these two inside a text, but some readers take them for the end of a line.
_LINE_ENDS = {0x2028: "\\u2028", 0x2029: "\\u2029"}


class TextFormatter(_Formatter):
    """For a terminal: time, level, event, `field=value`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self._fields(record)
        identifier = correlation_id()
        if identifier is not None:
            fields["correlation_id"] = self._masker.text(identifier)
        shown = "".join(f"  {k}={_shown(v)}" for k, v in fields.items())
        line = f"{_time(record)[11:23]} {record.levelname.lower():<7} {_escaped(self._event(record))}{shown}"
        error = self._error(record)
        return line if error is None else f"{line}\n{error}"


def _shown(value: Any) -> str:
    plain = isinstance(value, str) and value and not re.search(r'[\s"=]', value)
    return _escaped(value if plain else json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """What a message brought in can't start a line of its own, or steer the terminal."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
