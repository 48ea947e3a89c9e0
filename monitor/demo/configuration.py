"""The demo's files: a configuration like anyone's, so that every command can be tried with -c, and what went
wrong in its logs as incidents for `monitor backtest`."""

import json
from importlib import resources
from pathlib import Path
from string import Template

from monitor.clock import rfc3339
from monitor.demo import data

__all__ = ["FILE", "INCIDENTS", "write_configuration", "write_incidents"]

FILE = "monitor.yaml"
INCIDENTS = "incidents.yaml"
_TEMPLATE = resources.files("monitor.demo") / "data" / FILE


def write_configuration(directory: Path, port: int) -> Path:
    """Writes `monitor.yaml` into the demo's directory; its paths are whole, so it works from anywhere."""
    whole = directory.resolve()
    values = {
        "store": json.dumps(f"sqlite:///{whole / 'monitor.db'}"),
        "spool": json.dumps(str(whole / "spool")),
        "labels": json.dumps(str(whole / "labels")),
        "port": str(port),
    }
    path = directory / FILE
    path.write_text(Template(_TEMPLATE.read_text("utf-8")).substitute(values), "utf-8")
    return path


def write_incidents(directory: Path, delta_ms: int = 0) -> Path:
    """Writes the faults of the logs, moved by `delta_ms` as they are, as `incidents.yaml`."""
    lines = ["# What was done to the logs, and when; data/SOURCE.md and faults.json tell more.", "incidents:"]
    for fault in data.faults()["faults"]:
        start, end = (rfc3339((fault[key] + delta_ms) // 1000 * 1000) for key in ("start_ms", "end_ms"))
        lines.append(f"  - {{name: {fault['name']}, model: {fault['model']}, start: {start}, end: {end}}}")
    path = directory / INCIDENTS
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
