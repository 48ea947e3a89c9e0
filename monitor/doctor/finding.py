"""What a look at one thing gave."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "failed", "fine", "warned"]

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, what was seen, and what to do where it is not `ok`."""

    name: str
    state: State
    seen: str
    advice: str = ""


def fine(name: str, seen: str) -> Finding:
    return Finding(name, "ok", seen)


def warned(name: str, seen: str, advice: str) -> Finding:
    return Finding(name, "warn", seen, advice)


def failed(name: str, seen: str, advice: str) -> Finding:
    return Finding(name, "fail", seen, advice)
