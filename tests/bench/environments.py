"""Peers, each in an environment of its own under build/peers."""

import json
import os
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.children import ROOT, ChildFailed

__all__ = ["PACKAGES", "installed", "python_of", "run_peer"]

_ENVIRONMENTS = ROOT / "build" / "peers"
PACKAGES = {
    "whylogs": ("whylogs==1.6.4", "numpy<2", "pandas", "orjson"),
    "quix": ("quixstreams==3.28.1", "orjson"),
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "pandas<3", "statsmodels"),
    "scouter": ("scouter-ml==0.25.0", "pandas<3", "pyarrow"),
}
# Every one of them reports home unless told not to.
_SILENT = {
    "WHYLOGS_NO_ANALYTICS": "True",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONWARNINGS": "ignore",
}


def installed(name: str) -> bool:
    """Whether the peer's environment is there."""
    complete = _ENVIRONMENTS / name / ".complete"
    return complete.exists() and complete.read_text() == "\n".join(PACKAGES[name])


def python_of(name: str) -> Path:
    """The Python of the peer's environment, made where it is not there yet. Blocks for a minute or so."""
    folder = _ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not installed(name):
        venv.create(folder, clear=True, with_pip=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([python, "-m", "pip", "install", *quiet, *PACKAGES[name]], check=True)
        (folder / ".complete").write_text("\n".join(PACKAGES[name]))
    return python


def run_peer(command: Sequence[object]) -> dict[str, Any]:
    """Runs a peer's script to its end, its telemetry off; returns its last line."""
    environment = {**os.environ, **_SILENT}
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChildFailed(f"{command[1]} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
