"""`monitor audit`: everything that a person or a rule did, in order."""

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.paging.incidents import asking
from monitor.paging.incidents.shown import shown_entry
from monitor.store.store import Store

__all__ = ["audit"]


def audit(
    last: Annotated[int, typer.Option("--last", metavar="N", help="How many entries, the newest.")] = 100,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show who did what, when and why, over all incidents; nothing of it is ever changed."""
    opened = Store.open(configured(config, store).store)
    try:
        rows = [shown_entry(entry) for entry in asking.entries(opened, limit=last)]
    finally:
        opened.close()
    if format is Format.TABLE and not rows:
        print("nothing has happened yet")
    else:
        render(rows, format)
