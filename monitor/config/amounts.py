"""Shares and bounds as people write them: `99.9`, `5%`, `300ms`, `0.02`."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from monitor.config.durations import format_duration, parse_duration_ms

__all__ = ["Amount", "Bounding", "Percent", "Written", "in_unit", "parse_amount", "share_of"]


_MS = {"ms": 1, "s": 1000}
_TIMES = {"ms": "300ms", "s": "1h"}


class Written(StrEnum):
    """How an amount was written: a number by itself, a percentage, or a duration, which is kept in ms."""

    NUMBER = "number"
    PERCENT = "percent"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Amount:
    """A bound with the unit that it was written in; what it is a bound of says whether that fits."""

    value: float
    written: Written = Written.NUMBER

    def __str__(self) -> str:
        if self.written is Written.DURATION:
            return format_duration(round(self.value))
        return f"{_shortest(self.value)}{'%' if self.written is Written.PERCENT else ''}"


def parse_amount(text: str) -> Amount:
    """Reads `0.95`, `95%` or `300ms`. Raises ValueError with a sentence that says what to write."""
    stripped = text.strip()
    number = _number(stripped.removesuffix("%"))
    if number is not None:
        return Amount(number, Written.PERCENT if stripped.endswith("%") else Written.NUMBER)
    try:
        return Amount(parse_duration_ms(stripped), Written.DURATION)
    except ValueError:
        raise ValueError(f"{text!r} is no amount: write a number, a percentage as 95%, or 300ms") from None


def in_unit(amount: Amount, unit: str) -> float:
    """The bound in the unit of its indicator. Raises ValueError where it was written in none that fits."""
    if unit in _MS:
        if amount.written is not Written.DURATION:
            raise ValueError(f"{amount} needs a unit of time: write for example {_TIMES[unit]}")
        return amount.value / _MS[unit]
    if amount.written is Written.DURATION:
        raise ValueError(f"{amount} is a time; write {'95% or 0.95' if unit == 'share' else 'a number'}")
    if amount.written is Written.PERCENT:
        if unit != "share":
            raise ValueError(f"{amount} is a percentage; write a number ({unit})")
        return share_of(amount.value)
    if unit == "share" and amount.value >= 2:
        raise ValueError(f"{amount} stands for {amount.value * 100:g} %; write {amount}% or a share below 1")
    return amount.value


def share_of(percent: float | Decimal) -> float:
    """The share that a percentage is, to the last decimal that was written: 99.9 is 0.999."""
    return float(Decimal(str(percent)) / 100)


def _number(text: str) -> float | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None


def _shortest(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _amount(value: Any) -> Any:
    if isinstance(value, str):
        return parse_amount(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Amount(float(value))
    if isinstance(value, Amount):
        return value
    raise ValueError("must be a number, a percentage as 95%, or a duration as 300ms")


def _percent(value: Any) -> Any:
    return value.strip().removesuffix("%").strip() if isinstance(value, str) else value


Bounding = Annotated[Amount, BeforeValidator(_amount), PlainSerializer(str, return_type=str)]
Percent = Annotated[float, BeforeValidator(_percent)]
