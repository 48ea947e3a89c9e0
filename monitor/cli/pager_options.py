"""What the commands around the pager have in common."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.paging.document import load
from monitor.paging.settings import PagerSettings

__all__ = ["PagerFileOption", "pager_settings"]

PagerFileOption = Annotated[
    Path,
    typer.Option(
        "--config.file", "-c", metavar="FILE", help="An Alertmanager configuration, or monitor's own file."
    ),
]


def pager_settings(path: Path) -> PagerSettings:
    """The settings of a file. Raises ConfigError."""
    return load(path)
