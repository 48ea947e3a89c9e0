"""Drift: false alarms, power and time; `python -m tests.bench.drift` (make bench-drift).

Nothing changes in the windows of the false alarms; Evidently and NannyML look at the same kind of windows,
drawn alike, for as many as they manage in their time.
"""

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from monitor.profiles.bins import Bins
from monitor.sli.drift import distances, judge
from monitor.sli.drift_shape import describe
from tests.bench.drift_alarms import alarms, alerts_in
from tests.bench.drift_power import CHANGES, METHODS, Least, least_changes
from tests.bench.environments import python_of, run_peer
from tests.bench.figures import OUTPUT, Figure, at_most, plain, show, write

__all__ = ["PEERS", "Size", "ask", "measure", "tables"]

_HERE = Path(__file__).resolve().parent
PEERS = ("evidently", "nannyml")
_WEEKS_20 = 20 * 7 * 24 * 6


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of windows, windows of each; windows of ten minutes, of how many models and rows; windows for each
    power; seconds for each peer and size, 0 for no peers, and the rows up to which they are asked."""

    rows: tuple[int, ...] = (100, 1_000, 10_000, 100_000, 1_000_000)
    windows: int = 2_000
    weeks: int = _WEEKS_20
    models: int = 2
    week_rows: int = 100
    power_windows: int = 400
    peer_s: float = 15.0
    peer_rows: int = 100_000
    workers: int = 2


def measure(size: Size) -> list[Figure]:
    """All figures of this module, the false alarms in percent of windows."""
    ours = [*_speed(), *_false_alarms(size), *_power(size)]
    sizes = [rows for rows in size.rows if rows <= size.peer_rows]
    return ours + [f for peer in PEERS if size.peer_s for f in ask(peer, sizes, size.peer_s)]


def _speed() -> list[Figure]:
    """From the counts of 100 features to their verdicts with sentences, and to all distances; best of 20."""
    rng = np.random.default_rng(1)
    shape = describe({f"x{i}": Bins(edges=np.arange(1.0, 200)) for i in range(100)})
    table = np.zeros((2, 100, 256), np.int64)
    table[0, :, :200] = rng.multinomial(50_000, np.full(200, 1 / 200), 100)
    skewed = np.linspace(0.5, 1.5, 200) / 200
    table[1, :, :200] = rng.multinomial(5_000, skewed / skewed.sum(), 100)
    best = {"drift_100_features": math.inf, "drift_100_distances": math.inf}
    for _ in range(20):
        begun = time.perf_counter()
        judge(shape, table[0], table[1])
        then = time.perf_counter()
        distances(shape, table[0], table[1])
        times = (then - begun, time.perf_counter() - then)
        best = {name: min(s, t) for (name, s), t in zip(best.items(), times, strict=True)}
    return [at_most(name, 1000 * seconds, "ms", 20) for name, seconds in best.items()]


def _false_alarms(size: Size) -> list[Figure]:
    found = []
    for rows in size.rows:
        _say(f"false alarms, windows of {rows:,}")
        seen = alarms(rows, size.windows, size.workers)
        found.append(at_most(f"drift_false_alarms_{rows}", 100 * seen.drifted / seen.windows, "%", 1.0))
        found.append(plain(f"drift_false_alarms_{rows}_no_gate", 100 * seen.significant / seen.windows, "%"))
    _say("false alerts in 20 weeks")
    alerts = alerts_in(size.week_rows, size.weeks, size.models, size.workers)
    return [*found, at_most("drift_false_alerts_20_weeks", alerts, "per model", 1.0)]


def _power(size: Size) -> list[Figure]:
    found: list[Least] = []
    for rows in size.rows:
        _say(f"power, windows of {rows:,}")
        found += least_changes(CHANGES, rows, size.power_windows)
    figures = [
        plain(f"drift_least_{each.change}_{each.rows}_{method}", each.size[method], _unit(each.change))
        for each in found
        for method in METHODS
        if not math.isnan(each.size[method])
    ]
    worst = max(each.size["ours"] / each.size["ks"] for each in found if not math.isnan(each.size["ks"]))
    return [*figures, at_most("drift_worst_least_change_vs_ks", worst, "ratio", 1.1)]


def _unit(change: str) -> str:
    kinds = {"mean": "scales", "scale": "of scale", "category": "of rows"}
    return kinds[change.split("_")[0]]


def ask(peer: str, sizes: Sequence[int], seconds: float) -> list[Figure]:
    """The false alarms of a peer in as many windows of each size as it manages in that time, one at least."""
    found = []
    python = python_of(peer)
    for rows in sizes:
        _say(f"{peer}, windows of {rows:,}")
        seen = run_peer([python, _HERE / f"peer_{peer}.py", rows, seconds])
        share = 100 * seen["alarms"] / seen["windows"]
        found.append(plain(f"{peer}_false_alarms_{rows}", share, "%"))
        found.append(plain(f"{peer}_windows_{rows}", seen["windows"], "windows"))
    return found


def tables(figures: Sequence[Figure], size: Size) -> list[Table]:
    """False alarms and power, by window size."""
    value: Mapping[str, float] = {each.name: each.value for each in figures}
    heads = [f"{rows:,}" for rows in size.rows]
    false = Table("windows with any drifted feature, nothing changed, %", *heads)
    lines = {
        "ours": "drift_false_alarms_{}",
        "ours, effect gate off": "drift_false_alarms_{}_no_gate",
        "Evidently 0.7 DataDriftPreset": "evidently_false_alarms_{}",
        "NannyML 0.13 univariate drift": "nannyml_false_alarms_{}",
    }
    for label, pattern in lines.items():
        false.add_row(label, *(_cell(value.get(pattern.format(rows))) for rows in size.rows))
    power = Table("smallest change found in 90 % of windows", "by", *heads)
    labels = {"ours": "ours, gate off", "ours_gated": "ours", "ks": "KS"}
    for change in CHANGES:
        for method, label in labels.items():
            cells = [value.get(f"drift_least_{change.name}_{rows}_{method}") for rows in size.rows]
            power.add_row(f"{change.name}, {_unit(change.name)}", label, *map(_cell, cells))
    return [false, power]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def main() -> int:
    size = Size()
    figures = measure(size)
    write(figures, OUTPUT)
    for table in tables(figures, size):
        Console(width=120).print(table)
    named = ("drift_100", "drift_false", "drift_worst")
    show([asdict(each) for each in figures if each.name.startswith(named)])
    return 0 if all(each.ok is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
