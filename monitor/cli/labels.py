"""`monitor labels load`: labels from files."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.config.secrets import mask_url
from monitor.errors import ConfigError
from monitor.logs import set_up

__all__ = ["app"]

app = typer.Typer(help="Labels: what turned out to be true.")


@app.callback()
def labels() -> None:
    """Labels: what turned out to be true."""


@app.command("load")
def load(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, Parquet or JSON lines.")],
    config: ConfigOption = None,
    store: StoreOption = None,
    id_column: Annotated[str | None, typer.Option("--id-column", metavar="ID")] = None,
    key_column: Annotated[str | None, typer.Option("--key-column", metavar="KEY")] = None,
    label_column: Annotated[str | None, typer.Option("--label-column", metavar="Y")] = None,
    ts_column: Annotated[str | None, typer.Option("--ts-column", metavar="T")] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="M", help="The model that all labels are for.")
    ] = None,
) -> None:
    """Load labels from files into the spool or label topic of the configuration, or with --store alone into
    the store itself.

    Columns are called as in `monitor schema --labels`; others can be named. Times without an offset are UTC.
    """
    if config is None and store is None:
        raise ConfigError(["labels load: give a configuration with -c, or a store with --store"])
    loaded = configured(config, store)
    set_up("warning", "text", secrets=loaded.secrets())
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise ConfigError([f"{path}: no such file" for path in missing])
    # Half a second that other commands need not wait.
    from monitor.ingest.label_files import LabelColumns
    from monitor.loading import load_labels

    named = {"id": id_column, "key": key_column, "label": label_column, "ts": ts_column}
    columns = LabelColumns({name: column for name, column in named.items() if column is not None}, model)
    with _bar() as bar:
        task = bar.add_task("labels", total=sum(path.stat().st_size for path in files))
        done = load_labels(loaded, files, columns, progress=lambda read: bar.update(task, completed=read))
    if done.where is not None:
        print(f"{done.taken:,} labels sent to {done.where}; they count when the job has read them")
    else:
        print(f"{done.taken:,} labels loaded into {mask_url(loaded.store)}")
        if done.before:
            print("these files had been loaded before: what was there counts once")
    if done.refused:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(done.refused.items()))
        total = sum(done.refused.values())
        print(f"{total:,} rows are no labels: {reasons}; see `monitor dead-letters list`", file=sys.stderr)


def _bar() -> Progress:
    """A bar of bytes on standard error, on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("loading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
