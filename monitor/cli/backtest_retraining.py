"""What policies of retraining would have asked for, for people."""

from collections.abc import Sequence
from typing import TextIO

from monitor.backtest.retraining import Retraining
from monitor.cli.render import Format, render
from monitor.clock import rfc3339
from monitor.config.durations import format_duration

__all__ = ["print_retraining"]


def print_retraining(found: Sequence[Retraining], out: TextIO) -> None:
    """A line for each policy with how often it was held back, and each request with its reason."""
    for one in found:
        held = ", ".join(f"{n} {why}" for why, n in sorted(one.looks.items()))
        times = f"{len(one.asked)} request{'' if len(one.asked) == 1 else 's'}"
        every = format_duration(one.every_s * 1000)
        out.write(f"\nretraining {one.policy.name}: {times}; looked at every {every}: {held}\n")
        if one.asked:
            rows = [{"at": rfc3339(at_ms), "reason": reason} for at_ms, reason in one.asked]
            render(rows, Format.TABLE, out=out)
