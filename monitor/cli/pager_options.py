"""What the commands around the pager have in common."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.config import load_config
from monitor.config.document import read_document
from monitor.paging.configured import pager_settings as of_section
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
    """The settings of an Alertmanager file, or of the section `paging` of ours. Raises ConfigError."""
    document = read_document(path)
    if isinstance(document.data, dict) and "paging" in document.data:
        return of_section(load_config(path).paging)
    return load(path)
