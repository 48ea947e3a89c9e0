"""Others on the same records, in the same run: `python -m tests.bench.peers` (make bench-peers).

whylogs tracks the 10 features of each record, row by row and in DataFrames of 20,000; Quix Streams reads
the same topic of the same broker into windows of a minute. Ours does all it does, from the broker to what
is committed. Where a peer starts from lines in memory, it is spared the broker. Scouter works out the PSI of
columns in memory, and so does ours beside it. Peers and ours take turns; a ratio is the median of rounds.
"""

import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench import in_memory
from tests.bench.broker import filled_topic
from tests.bench.environments import installed, python_of, run_peer
from tests.bench.figures import OUTPUT, Figure, at_least, plain, show, write
from tests.bench.rates import product, sqlite_store
from tests.bench.records import make
from tests.servers import Kafka

__all__ = ["NAMES", "PEERS", "Size", "installed", "measure", "measure_on"]

_HERE = Path(__file__).resolve().parent
PEERS = ("whylogs", "quix", "scouter")
_RATIOS = ("whylogs_rows", "whylogs_frames", "quix")
_RATES = ("ours", *_RATIOS, "whylogs_frames_ready")
NAMES = (
    *(f"ours_vs_{name}" for name in _RATIOS),
    *(f"peers_{name}" for name in _RATES),
    *in_memory.NAMES,
)


@dataclass(frozen=True, slots=True)
class Size:
    """Records for ours, whylogs by rows, whylogs in frames and Quix Streams; rounds; and for Scouter."""

    ours: int = 1_000_000
    rows: int = 40_000
    frames: int = 400_000
    quix: int = 200_000
    rounds: int = 3
    scouter: in_memory.Size = field(default_factory=in_memory.Size)


def measure(size: Size) -> list[Figure]:
    """All figures of this module."""
    with Kafka() as kafka:
        return measure_on(kafka, size)


def measure_on(kafka: Kafka, size: Size) -> list[Figure]:
    """The same on a broker that runs already."""
    pythons = {name: python_of(name) for name in PEERS}
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
    return [*_figures(rounds), *in_memory.measure(size.scouter)]


def _round(
    kafka: Kafka, topic: str, lines: Path, state: Path, pythons: dict[str, Path], size: Size
) -> dict[str, float]:
    """The rates of one round, in records a second, by name."""
    with sqlite_store() as path:
        ours = product(kafka, topic, f"sqlite:///{path}")
    whylogs = [pythons["whylogs"], _HERE / "peer_whylogs.py", lines]
    rows = run_peer([*whylogs, "rows", size.rows])
    frames = run_peer([*whylogs, "frames", size.frames])
    quix = run_peer([pythons["quix"], _HERE / "peer_quix.py", kafka.bootstrap, topic, state, size.quix])
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


def main() -> int:
    figures = measure(Size())
    write(figures, OUTPUT)
    show([asdict(each) for each in figures])
    return 0 if all(each.ok is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
