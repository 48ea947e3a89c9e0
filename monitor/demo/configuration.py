"""The demo's configuration: a file like anyone's, so that every command can be tried with -c."""

import json
from importlib import resources
from pathlib import Path
from string import Template

__all__ = ["FILE", "write_configuration"]

FILE = "monitor.yaml"
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
