"""Others on the same records, in the same run: `python -m tests.bench.peers` (make bench-peers).

whylogs tracks the 10 features of each record, row by row and in DataFrames of 20,000; Quix Streams reads
the same topic of the same broker into windows of a minute. Ours does all it does, from the broker to what
is committed. Where a peer starts from lines in memory, it is spared the broker. Peers and ours take
turns; a ratio is the median of rounds.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.broker import filled_topic
from tests.bench.children import ROOT, ChildFailed
from tests.bench.figures import OUTPUT, Figure, at_least, plain, show, write
from tests.bench.rates import product, sqlite_store
from tests.bench.records import make
from tests.servers import Kafka

__all__ = ["NAMES", "PEERS", "Size", "installed", "measure", "measure_on"]

_HERE = Path(__file__).resolve().parent
_ENVIRONMENTS = ROOT / "build" / "peers"
_PACKAGES = {
    "whylogs": ("whylogs==1.6.4", "numpy<2", "pandas", "orjson"),
    "quix": ("quixstreams==3.28.1", "orjson"),
}
PEERS = tuple(_PACKAGES)
_RATIOS = ("whylogs_rows", "whylogs_frames", "quix")
_RATES = ("ours", *_RATIOS, "whylogs_frames_ready")
NAMES = (*(f"ours_vs_{name}" for name in _RATIOS), *(f"peers_{name}" for name in _RATES))


@dataclass(frozen=True, slots=True)
class Size:
    """Records for ours, whylogs by rows, whylogs in frames and Quix Streams, and rounds."""

    ours: int = 1_000_000
    rows: int = 40_000
    frames: int = 400_000
    quix: int = 200_000
    rounds: int = 3


def measure(size: Size) -> list[Figure]:
    """All figures of this module."""
    with Kafka() as kafka:
        return measure_on(kafka, size)


def measure_on(kafka: Kafka, size: Size) -> list[Figure]:
    """The same on a broker that runs already."""
    pythons = {name: _environment(name) for name in _PACKAGES}
    pool = make(min(200_000, size.ours))
    folder = Path(tempfile.mkdtemp(prefix="monitor-peers-"))
    try:
        lines = folder / "records.jsonl"
        with lines.open("wb") as file:
            for i in range(size.frames):
                file.write(pool[i % len(pool)].payload + b"\n")
        topic = filled_topic(kafka, pool, size.ours)
        states = [folder / f"state-{i}" for i in range(size.rounds)]
        rounds = [_round(kafka, topic, lines, state, pythons, size) for state in states]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kafka.delete_topics([topic])
    return _figures(rounds)


def _round(
    kafka: Kafka, topic: str, lines: Path, state: Path, pythons: dict[str, Path], size: Size
) -> dict[str, float]:
    """The rates of one round, in records a second, by name."""
    with sqlite_store() as path:
        ours = product(kafka, topic, f"sqlite:///{path}")
    whylogs = [pythons["whylogs"], _HERE / "peer_whylogs.py", lines]
    rows = _peer([*whylogs, "rows", size.rows])
    frames = _peer([*whylogs, "frames", size.frames])
    quix = _peer([pythons["quix"], _HERE / "peer_quix.py", kafka.bootstrap, topic, state, size.quix])
    return {
        "ours": ours["records"] / ours["seconds"],
        "whylogs_rows": rows["records"] / rows["seconds"],
        "whylogs_frames": frames["records"] / frames["seconds"],
        "whylogs_frames_ready": frames["records"] / frames["ready_seconds"],
        "quix": quix["records"] / quix["seconds"],
    }


def _figures(rounds: Sequence[dict[str, float]]) -> list[Figure]:
    found = []
    for name in _RATIOS:
        ratio = statistics.median(r["ours"] / r[name] for r in rounds)
        found.append(at_least(f"ours_vs_{name}", ratio, "ratio", 1.0))
    best = {name: max(r[name] for r in rounds) for name in rounds[0]}
    return [*found, *(plain(f"peers_{name}", value, "records/s") for name, value in best.items())]


def installed(name: str) -> bool:
    """Whether the peer's environment is there."""
    complete = _ENVIRONMENTS / name / ".complete"
    return complete.exists() and complete.read_text() == "\n".join(_PACKAGES[name])


def _environment(name: str) -> Path:
    """The Python of the peer's environment, made where it is not there yet. Blocks for a minute or so."""
    folder = _ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not installed(name):
        venv.create(folder, clear=True, with_pip=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([python, "-m", "pip", "install", *quiet, *_PACKAGES[name]], check=True)
        (folder / ".complete").write_text("\n".join(_PACKAGES[name]))
    return python


def _peer(command: Sequence[object]) -> dict[str, Any]:
    """Runs a peer's script to its end, its telemetry off; returns its last line."""
    environment = {**os.environ, "WHYLOGS_NO_ANALYTICS": "True", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChildFailed(f"{command[1]} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def main() -> int:
    figures = measure(Size())
    write(figures, OUTPUT)
    show([asdict(each) for each in figures])
    return 0 if all(each.ok is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
