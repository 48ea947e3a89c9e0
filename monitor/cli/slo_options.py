"""What the commands about objectives share: their options, and an open store to ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import configured
from monitor.slo.asking import Asking
from monitor.slo.settings import from_config
from monitor.store import Store

__all__ = ["AtOption", "ModelOption", "VersionOption", "asking"]

ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="This model only.")]
VersionOption = Annotated[
    str | None, typer.Option("--version", help="Objectives that are about this version only.")
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="How things stood then; else now, in event time.")
]


@contextmanager
def asking(config: Path | None, store: str | None) -> Iterator[Asking]:
    """An open store with the objectives of the configuration; closed afterwards."""
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        yield Asking(opened, settings.windows, from_config(settings))
    finally:
        opened.close()
