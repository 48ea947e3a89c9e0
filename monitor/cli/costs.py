"""`monitor costs ..`: what models cost, of the exports of clouds."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.config.secrets import mask_url
from monitor.errors import ConfigError, SourceError
from monitor.ingest.costs.exports import BadRow, cost_events, read_exports
from monitor.logs import set_up
from monitor.operations.cost_question import ask_costs, parse_month
from monitor.sli.times import parse_time_ms
from monitor.store.store import Store

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What models cost, of the exports of clouds.")

_SHOWN = 20


@app.command("load")
def load(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, .csv.gz or .parquet; of one export, all.")
    ],
    issued: Annotated[
        str | None,
        typer.Option("--issued", metavar="TIME", help="When it was exported, else when the files changed."),
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Load an export of costs: FOCUS 1.0, or Azure Cost Management (actual or amortized).

    Costs are added up per day, service, resource, tags and category. A later export of a sub-account's day
    takes the place of the earlier one, all of it; the same files again change nothing. Rows that can't be
    are refused with file and line, and the exit code is 1; the others are loaded.

    Example: monitor costs load october.csv.gz -c monitor.yaml
    """
    if config is None and store is None:
        raise ConfigError(["costs load: give a configuration with -c, or a store with --store"])
    loaded = configured(config, store)
    set_up("warning", "text", secrets=loaded.secrets())
    now_ms = WallClock().now_ms()
    issued_ms = _changed_ms(files) if issued is None else parse_time_ms("--issued", issued, now_ms)
    added = read_exports(files, now_ms)
    # Half a second that other commands need not wait.
    from monitor.loading import send_events

    events = list(cost_events(added, issued_ms))
    done = send_events(loaded, events)
    where = f"sent to {done.where}" if done.where is not None else f"in {mask_url(loaded.store)}"
    before = ", as they were before" if done.before else ""
    print(f"{added.rows:,} rows, as {done.taken:,} events {where}{before}")
    refused = [*_refused(added.bad)]
    refused += [f"{n:,} events refused: {reason}" for reason, n in sorted(done.refused.items())]
    for line in refused:
        print(line, file=sys.stderr)
    if refused:
        raise typer.Exit(FAILED)


@app.command("show")
def show(
    by: Annotated[
        str, typer.Option("--by", help="team, model, environment, service or any tag; '' all in one.")
    ] = "team",
    month: Annotated[str | None, typer.Option("--month", help="As 2026-10 (UTC), else this one.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what a month costs: by whom, what is untagged, and where it will end against the budgets.

    Budgets, and how shared costs are divided, stand in the configuration under `costs`.
    """
    loaded = configured(config, store)
    asked = parse_month("--month", month, by, WallClock().now_ms())
    opened = Store.open(loaded.store)
    try:
        found = ask_costs(opened, loaded.costs, asked, loaded.windows)
    finally:
        opened.close()
    if format is Format.JSON:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif format is not Format.TABLE:
        render(found["rows"], format)
    elif not found["rows"]:
        print(f"no costs from {found['from']} to {found['to']}; load some with `monitor costs load`")
    else:
        render(found["rows"])
        for currency, share in (found["untagged_share"] if by else {}).items():
            print(f"{share:.1%} of the {currency} have no {by}")
        print(f"costs until {found['costs_until']}; {found['shared']}")
        print(f"forecast: {found['forecast']}")


def _changed_ms(files: list[Path]) -> int:
    try:
        return max(file.stat().st_mtime_ns // 1_000_000 for file in files)
    except OSError as e:
        raise SourceError(f"{e.filename}: {e.strerror}") from e


def _refused(bad: list[BadRow]) -> list[str]:
    if not bad:
        return []
    lines = [f"{row.place}: {row.detail} ({row.reason})" for row in bad[:_SHOWN]]
    more = f"; the first {_SHOWN} of them above" if len(bad) > _SHOWN else ""
    return [*lines, f"{len(bad):,} rows refused{more}"]
