"""Named places where a crash test kills the process. Without MONITOR_FAILPOINT they do nothing.

MONITOR_FAILPOINT=flush.after_swap:3 kills this process (SIGKILL) the third time it gets there.
"""

import os
import signal

__all__ = ["hit"]

_name, _, _times = os.environ.get("MONITOR_FAILPOINT", "").partition(":")
_left = {_name: int(_times or 1)} if _name else {}


def hit(name: str) -> None:
    """Dies here if this is the place and the time."""
    if name in _left:
        _left[name] -= 1
        if _left[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
