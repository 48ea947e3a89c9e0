"""`monitor offsets show|reset`: where each partition stands, and moving it on purpose."""

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339, rfc3339_or_none
from monitor.errors import ConfigError, QueryError
from monitor.records import Partition
from monitor.store import Store, ownership

__all__ = ["app"]

app = typer.Typer(help="Where each partition stands, and moving it on purpose.")


@app.command("show")
def show(config: ConfigOption = None, store: StoreOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show every partition: next offset, watermark, owner; and the gaps that were made."""
    opened = Store.open(configured(config, store).store)
    rows = [
        {
            "topic": p.partition.topic,
            "partition": p.partition.number,
            "next_offset": p.next_offset,
            "watermark": rfc3339_or_none(p.marks.watermark_ms),
            "idle": p.idle_since_ms is not None,
            "owner": p.owner,
            "epoch": p.epoch,
            "updated": rfc3339(p.updated_ms),
        }
        for p in ownership.list_progress(opened)
    ]
    render(rows, format)
    for gap in ownership.list_gaps(opened):
        print(f"gap: {gap.partition} from {gap.from_offset} to {gap.to_offset}: {gap.reason}")
    opened.close()


@app.command("reset")
def reset(
    topic: Annotated[str, typer.Option("--topic")],
    partition: Annotated[int, typer.Option("--partition", min=0)],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the gap.")],
    to: Annotated[
        str, typer.Option("--to", help="An offset; or `start`: anew, as the source's configuration says.")
    ] = "start",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Move a partition, and record the gap. A running service reads on from there by itself."""
    if not reason.strip():
        raise ConfigError(["--reason: say why, it is kept with the gap"])
    if to != "start" and not to.isdecimal():
        raise ConfigError([f"--to: {to!r} is neither an offset nor `start`"])
    opened = Store.open(configured(config, store).store)
    target = None if to == "start" else int(to)
    moved = Partition(topic, partition)
    before = ownership.reset(opened, moved, target, reason.strip(), WallClock().now_ms())
    opened.close()
    if before is None:
        raise QueryError(f"the store knows no {moved}; `monitor offsets show` lists what it knows")
    print(f"{moved}: from {before.next_offset} to {to}; its owner was {before.owner}")
