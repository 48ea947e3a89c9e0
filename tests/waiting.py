"""Waiting for what another thread or process does, with an end."""

import time
from collections.abc import Callable
from typing import Any

__all__ = ["until"]


def until(question: Callable[[], Any], within_s: float = 60.0) -> Any:
    """The first true answer; an OSError is none yet. Raises AssertionError after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if found := question():
                return found
        except OSError:
            pass  # Not listening yet.
        time.sleep(0.02)
    raise AssertionError(f"no answer within {within_s:g} s")
