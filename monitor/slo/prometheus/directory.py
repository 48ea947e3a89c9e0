"""The directory that rule files are kept in: what would have to change for it to be up to date."""

from collections.abc import Mapping
from pathlib import Path

from monitor.slo.prometheus.groups import HEADER

__all__ = ["differences", "write"]


def differences(directory: Path, files: Mapping[str, str]) -> list[str]:
    """A line for each file that is missing, differs, or is generated and no longer wanted."""
    found = []
    for name, text in files.items():
        path = directory / name
        if not path.exists():
            found.append(f"{path}: missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{path}: is not what the configuration gives")
    return found + [
        f"{path}: nothing in the configuration gives this file" for path in _stale(directory, files)
    ]


def write(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes the files and takes away generated ones that are no longer wanted; returns the latter.

    Files of other origin are left alone. Raises OSError.
    """
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    stale = _stale(directory, files)
    for path in stale:
        path.unlink()
    return stale


def _stale(directory: Path, files: Mapping[str, str]) -> list[Path]:
    wanted = {directory / name for name in files}
    return [
        path
        for path in sorted(directory.rglob("*.yaml"))
        if path not in wanted and path.read_text(encoding="utf-8").startswith(HEADER)
    ]
