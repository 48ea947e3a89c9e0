"""Child processes: each is given its arguments as JSON and answers with JSON lines on stdout."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "ChildFailed", "arguments", "peak_mib", "run", "spawn", "tell"]

ROOT = Path(__file__).resolve().parents[2]


class ChildFailed(RuntimeError):
    """A child ended with an error; the message holds the end of what it wrote."""


def spawn(
    module: str, given: Mapping[str, Any], python: str = sys.executable, **environment: str
) -> subprocess.Popen[str]:
    """Starts `python -m module`; the caller reads its stdout and waits for it."""
    return subprocess.Popen(
        [python, "-m", module, json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    module: str, given: Mapping[str, Any], python: str = sys.executable, **environment: str
) -> dict[str, Any]:
    """Runs a child to its end and returns the last line that it wrote. Raises ChildFailed."""
    child = spawn(module, given, python, **environment)
    out, err = child.communicate()
    lines = out.strip().splitlines()
    if child.returncode != 0 or not lines:
        raise ChildFailed(f"{module} ended with {child.returncode}:\n{out[-2000:]}\n{err[-4000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def arguments() -> dict[str, Any]:
    """What the parent gave, in the child."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def peak_mib() -> float:
    """The most memory that was resident in this process, MiB.

    From /proc, where it begins anew at exec; ru_maxrss would begin with the peak of the parent.
    """
    status = Path("/proc/self/status").read_text()
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak) / 1024


def tell(answer: Mapping[str, Any]) -> None:
    """One line for the parent."""
    print(json.dumps(answer), flush=True)
