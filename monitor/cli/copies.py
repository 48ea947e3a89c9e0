"""`monitor backup` and `monitor restore`."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.store import Store
from monitor.store.backup import backup as write_backup
from monitor.store.backup import restore as read_backup

__all__ = ["backup", "restore"]

_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a SQLite file.")]


def backup(file: _FileArgument, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Write the store as it is now to a new file, while the service runs."""
    opened = Store.open(configured(config, store).store)
    size = write_backup(opened, file)
    opened.close()
    print(f"{file}: {size / 1e6:.1f} MB")


def restore(file: _FileArgument, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Fill an empty store from a backup; reading goes on where the backup was taken."""
    opened = Store.open(configured(config, store).store)
    read_backup(opened, file)
    opened.close()
    print(f"restored from {file}")
