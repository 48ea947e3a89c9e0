"""Durations and sizes as people write them: `10s`, `14d`, `PT5M`, `1MiB`."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from monitor.clock import DAY_MS

__all__ = [
    "DAY_MS",
    "Bytes",
    "Days",
    "Milliseconds",
    "Seconds",
    "format_duration",
    "format_size",
    "parse_duration_ms",
    "parse_size",
]

_UNITS_MS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "y": 365 * DAY_MS,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<y>\d+)Y)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)


def parse_duration_ms(text: str) -> int:
    """Milliseconds of `10s`, `1h30m`, `14d`, `5y` (365 days each) or ISO 8601 (`PT5M`; no months).

    Raises ValueError, with a sentence that says what to write, on anything else and on part milliseconds.
    """
    stripped = text.strip()
    total = _iso_ms(stripped) if stripped.startswith("P") else _short_ms(stripped)
    if total is None:
        hint = f"; did you mean {stripped}s?" if stripped.isdecimal() else ""
        raise ValueError(f"{text!r} is no duration: write it with a unit, as 500ms, 10s, 5m, 1h or 14d{hint}")
    if total != int(total):
        raise ValueError(f"{text!r} is finer than a millisecond")
    return int(total)


def _short_ms(text: str) -> float | None:
    if text == "0":
        return 0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(_times(number, _UNITS_MS[unit]) for number, unit in parts)


def _iso_ms(text: str) -> float | None:
    match = _ISO.fullmatch(text)
    given = {unit: number for unit, number in match.groupdict().items() if number} if match else {}
    if not given or text.endswith("T"):
        return None
    return sum(_times(number, _UNITS_MS[unit]) for unit, number in given.items())


def _times(number: str, unit: int) -> float:
    # 0.29 * 1000 is not 290 in floats, and a whole number of units must come out whole.
    return round(float(number) * unit, 6) if "." in number else int(number) * unit


def format_duration(ms: int) -> str:
    """The shortest way to write it that `parse_duration_ms` reads back: 90000 is `90s`."""
    for unit in ("y", "d", "h", "m", "s"):
        if ms and ms % _UNITS_MS[unit] == 0:
            return f"{ms // _UNITS_MS[unit]}{unit}"
    return f"{ms}ms" if ms else "0s"


def parse_size(text: str) -> int:
    """Bytes of `1MiB`, `64kB` or `1048576`. Raises ValueError, with a sentence that says what to write."""
    match = _SIZE.fullmatch(text.strip())
    unit = _SIZES.get(match[2] or "B") if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is no size: write bytes, or a unit such as 64KiB, 1MiB or 1GB")
    size = _times(match[1], unit)
    if size != int(size):
        raise ValueError(f"{text!r} is no whole number of bytes")
    return int(size)


def format_size(size: int) -> str:
    """The shortest way to write it that `parse_size` reads back: 1048576 is `1MiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _SIZES[unit] == 0:
            return f"{size // _SIZES[unit]}{unit}"
    return str(size)


def _in_units(unit: str) -> BeforeValidator:
    """Reads a text into whole units; an integer, which only code can give, counts units already."""

    def parse(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        whole, rest = divmod(parse_duration_ms(value), _UNITS_MS[unit])
        if rest:
            names = {"s": "seconds", "d": "days"}
            raise ValueError(f"{value!r} is no whole number of {names[unit]}")
        return whole

    return BeforeValidator(parse)


def _shown_in(unit: str) -> PlainSerializer:
    return PlainSerializer(lambda value: format_duration(value * _UNITS_MS[unit]), return_type=str)


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


Milliseconds = Annotated[int, _in_units("ms"), _shown_in("ms")]
Seconds = Annotated[int, _in_units("s"), _shown_in("s")]
Days = Annotated[int, _in_units("d"), _shown_in("d")]
Bytes = Annotated[int, BeforeValidator(_size), PlainSerializer(format_size, return_type=str)]
