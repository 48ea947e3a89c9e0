"""`monitor demo`: the main job on real inference logs, with nothing to set up."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from monitor.cli.render import render
from monitor.cli.slo_alerts import alerts
from monitor.cli.slo_standing import list_objectives
from monitor.clock import rfc3339
from monitor.config import load_config
from monitor.config.model import LogConfig
from monitor.demo.configuration import FILE, INCIDENTS
from monitor.logs import set_up
from monitor.paging.incidents import asking
from monitor.paging.outbox.item import item_of
from monitor.paging.templates import DEFAULT, Part
from monitor.store.paging import read_outbox
from monitor.store.store import Store

__all__ = ["demo"]

_PIPED_WIDTH = 120
_MOST_MESSAGES = 10_000


def demo(
    once: Annotated[bool, typer.Option("--once", help="Replay all at once, print the table, exit.")] = False,
    directory: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where spool and store go; made anew.")
    ] = Path("monitor-demo"),
    live_s: Annotated[
        int, typer.Option("--live", min=0, metavar="SECONDS", help="How much of the end plays live.")
    ] = 180,
    port: Annotated[int, typer.Option("--port", help="Where to serve /metrics and the API.")] = 8080,
) -> None:
    """Replay real inference logs into SQLite and watch indicators and objectives."""
    from monitor.demo.run import run_live, run_once  # half a second that other commands need not wait

    log = LogConfig(level="warning", format="text")
    set_up(log.level, log.format)
    if once:
        run_once(directory, Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH))
        _show_objectives(directory)
    else:
        run_live(directory, Console(), live_s, port)


def _show_pages(directory: Path) -> None:
    """Whom the pager would have woken, had it run then."""
    store = Store.open(load_config(directory / FILE).store)
    try:
        found = [item_of(row) for row in reversed(read_outbox(store, _MOST_MESSAGES))]
        incidents = asking.incidents(store, since_ms=0)
    finally:
        store.close()
    pages = [i.message for i in found if i.message.severity == "page" and i.message.reason == "first"]
    print(f"{len(incidents)} incidents; messages that were not sent, for this is a replay: {len(found)}")
    print(f"{len(pages)} of them would have woken somebody:\n")
    render(
        [
            {
                "at": rfc3339(page.at_ms),
                "receiver": page.receiver,
                "incident": page.incident,
                "page": DEFAULT.render(Part.TITLE, page),
            }
            for page in pages
        ]
    )


def _show_objectives(directory: Path) -> None:
    """What the commands that are named at the end say of the whole log."""
    config = directory / FILE
    print()
    list_objectives(config=config)
    print()
    alerts(config=config)
    print()
    _show_pages(directory)
    print("\nAsk for more, such as:")
    print(f"  monitor incident list --all -c {config}")
    print(f"  monitor slo show availability --model late-arrival -c {config}")
    print(f"  monitor slo alerts --history -c {config}")
    print(f"  monitor backtest --since 3d --incidents {directory / INCIDENTS} -c {config}")
    print(f"  monitor gate --model late-arrival -c {config}")
    print(f"  monitor query --model late-arrival --sli latency_p99 --step 1h -c {config}")
