"""Memory: flat over a long stream, and bounded with many models of many features.

A generated stream goes through the whole job into SQLite, in a process of its own that holds nothing
else but the records to repeat (which count). The wide one has windows of a minute for features too,
so that three windows of every kind are open.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench import children
from tests.bench.figures import Figure, at_most, plain
from tests.bench.rates import sqlite_store

__all__ = ["NAMES", "Size", "measure"]

NAMES = ("rss_flat_20m", "rss_after_20m", "rss_50x40", "rss_50x40_half_hour")


@dataclass(frozen=True, slots=True)
class Size:
    """Records of the long stream, after how many of them it counts as warm, and records of the wide one."""

    records: int = 20_000_000
    warm: int = 2_000_000
    wide_records: int = 1_000_000
    tails: int = 20_000


def measure(size: Size) -> list[Figure]:
    """All figures of this module."""
    return [*_flat(size), *_wide(size)]


def _flat(size: Size) -> list[Figure]:
    """Resident size over the last third of the stream over that of the first third after the warm part.

    It swings by a tenth between flushes, and so does its median over a short stretch. The stream's time
    passes 30 minutes or so.
    """
    samples = 8
    third = samples * max(1, (size.records - size.warm) // (3 * size.warm))
    with sqlite_store() as path:
        given = {"store": f"sqlite:///{path}", "records": size.records, "models": 5, "features": 10}
        more = {"tails": size.tails, "per_s": 10_000, "spread_ms": 180_000, "every": size.warm // samples}
        resident = children.run("tests.bench.memory_child", {**given, **more})["resident"]
    before = statistics.median(resident[samples : samples + third])
    after = statistics.median(resident[-third:])
    return [at_most("rss_flat_20m", after / before, "ratio", 1.1), plain("rss_after_20m", after, "MiB")]


def _wide(size: Size) -> list[Figure]:
    """The peak with 50 models of 40 features each, 1,200 series in all, in three open windows of a minute;
    and, with a quarter of the records over half an hour, in the default's three windows of features."""
    three = _peak(size, size.wide_records, 180_000, {"features_s": 60})
    half_hour = _peak(size, size.wide_records // 4, 1_800_000, {})
    return [at_most("rss_50x40", three, "MiB", 600), plain("rss_50x40_half_hour", half_hour, "MiB")]


def _peak(size: Size, records: int, spread_ms: int, settings: Mapping[str, Any]) -> float:
    with sqlite_store() as path:
        given = {"store": f"sqlite:///{path}", "records": records, "models": 50, "features": 40}
        time = {"per_s": max(1, records * 500 // spread_ms), "spread_ms": spread_ms}
        more = {"tails": size.tails, "every": size.warm, "settings": settings}
        return float(children.run("tests.bench.memory_child", {**given, **time, **more})["peak_mib"])
