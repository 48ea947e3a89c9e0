"""`monitor check`: every mistake of a configuration at once, or what it will do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.config import load_config, warnings
from monitor.config.summary import summary
from monitor.errors import ConfigError

__all__ = ["check"]


def check(
    config: Annotated[
        Path,
        typer.Option("--config", "-c", metavar="FILE", envvar="MONITOR_CONFIG", help="The file to check."),
    ],
) -> None:
    """Check a configuration file: print every mistake with its line, or what will be run."""
    try:
        loaded = load_config(config)
    except ConfigError as e:
        print("\n".join(e.problems))
        count = len(e.problems)
        print(f"{config}: {count} {'mistake' if count == 1 else 'mistakes'}", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    print(f"{config}: ok")
    rows = summary(loaded)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    for warning in warnings(loaded):
        print(f"warning: {'.'.join(map(str, warning.place))}: {warning.sentence}")
