"""Ends servers whose starter is gone: the one way out that works for a crash, `kill -9` and Ctrl-C alike.

The first server starts this file as a process of its own with a pipe as its standard input. Each line there
is an order: `watch PID`, `forget PID`, `own DIRECTORY`, `disown DIRECTORY`. The pipe ends when the starter
does, and then the process groups still watched are killed and the directories still owned are removed.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

SETTLE_S = 0.5


class Reaper:
    """The starter's end of the pipe. Methods don't block for longer than a write to a pipe takes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            bufsize=1,
        )
        # A forked child of the tests would hold the pipe open beyond the starter's death.
        os.register_at_fork(after_in_child=lambda: os.close(self._orders.fileno()))

    @property
    def _orders(self) -> TextIO:
        if self._process.stdin is None:
            raise RuntimeError("the reaper was started without a pipe")
        return self._process.stdin

    def watch(self, pid: int) -> None:
        """Kill the process group led by `pid` when this interpreter is gone."""
        self._order(f"watch {pid}")

    def forget(self, pid: int) -> None:
        """Take back `watch`: the process has ended, and its id may be someone else's soon."""
        self._order(f"forget {pid}")

    def own(self, directory: Path) -> None:
        """Remove `directory` when this interpreter is gone."""
        self._order(f"own {directory}")

    def disown(self, directory: Path) -> None:
        """Take back `own`: the directory has been removed."""
        self._order(f"disown {directory}")

    def _order(self, line: str) -> None:
        self._orders.write(line + "\n")
        self._orders.flush()


@functools.cache
def reaper() -> Reaper:
    """Return this interpreter's reaper, started at the first call."""
    return Reaper()


def follow(orders: TextIO) -> tuple[set[int], set[str]]:
    """Read orders until the pipe ends; return the processes still watched and the directories still owned."""
    pids: set[int] = set()
    directories: set[str] = set()
    for line in orders:
        verb, _, what = line.rstrip("\n").partition(" ")
        if verb == "watch":
            pids.add(int(what))
        elif verb == "forget":
            pids.discard(int(what))
        elif verb == "own":
            directories.add(what)
        elif verb == "disown":
            directories.discard(what)
    return pids, directories


def main() -> None:
    """Outlive the starter, then clean up after it."""
    pids, directories = follow(sys.stdin)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if pids:
        time.sleep(SETTLE_S)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
