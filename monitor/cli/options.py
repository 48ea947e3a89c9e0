"""The options that commands share, and the configuration that they make together."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.render import Format
from monitor.config import Config, default_config, load_config, overridden
from monitor.errors import ConfigError

__all__ = ["ConfigOption", "FilesOption", "FormatOption", "LabelsOption", "ListenOption", "StoreOption"]
__all__ += ["WhoOption", "configured"]

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", envvar="MONITOR_CONFIG", help="The configuration, YAML."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help="The store, in place of the configuration's: sqlite:///m.db."
    ),
]
FilesOption = Annotated[
    Path | None,
    typer.Option("--files", metavar="DIR", help="Read the JSON-lines files of this directory; without -c."),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="DIR", help="Read the labels in JSON-lines files of this directory; without -c."
    ),
]
ListenOption = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST:PORT", help="Where to serve, in place of the configuration's."),
]
WhoOption = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Who does it; else the user of this machine.")
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print the answer.")]


def configured(
    config: Path | None,
    store: str | None = None,
    files: Path | None = None,
    listen: str | None = None,
    labels: Path | None = None,
) -> Config:
    """The file's configuration, or the defaults without one, and over it what the options say.

    Raises ConfigError with every mistake.
    """
    if config is None:
        return default_config(files=files, store=store, listen=listen, labels=labels)
    for option, given in (("--files", files), ("--labels", labels)):
        if given is not None:
            raise ConfigError(
                [f"{option}: the configuration names the source; give {option} or -c, not both"]
            )
    return overridden(load_config(config), store=store, listen=listen)
