"""A figure, its target, and the file and table where all of them end up."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

__all__ = ["OUTPUT", "Figure", "at_least", "at_most", "machine", "plain", "show", "write"]

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
_PACKAGES = (
    "confluent-kafka",
    "kafka-python",
    "msgspec",
    "numpy",
    "orjson",
    "polars",
    "psycopg",
    "sqlalchemy",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """`target` reads as in the issue, such as "> 100000"; None where the figure is only stated."""

    name: str
    value: float
    unit: str
    target: str | None = None
    ok: bool | None = None


def plain(name: str, value: float, unit: str) -> Figure:
    """A figure without a target."""
    return Figure(name, _short(value), unit)


def at_least(name: str, value: float, unit: str, target: float) -> Figure:
    """A figure that is to be `target` or more."""
    return Figure(name, _short(value), unit, f">= {target:g}", value >= target)


def at_most(name: str, value: float, unit: str, target: float) -> Figure:
    """A figure that is to be `target` or less."""
    return Figure(name, _short(value), unit, f"<= {target:g}", value <= target)


def _short(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()}",
        "versions": {name: metadata.version(name) for name in _PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def write(figures: Iterable[Figure], path: Path = OUTPUT) -> list[dict[str, Any]]:
    """Merges the figures by name with those already in the file; returns all that it then holds."""
    held = json.loads(path.read_text())["figures"] if path.exists() else []
    merged = {each["name"]: each for each in held} | {each.name: asdict(each) for each in figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"machine": machine(), "figures": list(merged.values())}, indent=2) + "\n")
    fresh.replace(path)
    return list(merged.values())


def show(figures: Sequence[dict[str, Any]]) -> None:
    """Prints the figures as a table."""
    table = Table("figure", "value", "unit", "target", "")
    for each in figures:
        verdict = {True: "ok", False: "MISSED", None: ""}[each["ok"]]
        table.add_row(each["name"], f"{each['value']:,.6g}", each["unit"], each["target"] or "", verdict)
    Console(width=120).print(table)
