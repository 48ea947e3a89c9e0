"""`monitor audit`: what is missing of each model, and `monitor audit log`: everything that a person or a rule
did, in order."""

from typing import Annotated

import typer

from monitor.cards.auditing import audit, shown_audited
from monitor.cards.settings import from_config
from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.errors import QueryError
from monitor.paging.incidents import asking
from monitor.paging.incidents.shown import shown_entry
from monitor.store.store import Store

__all__ = ["app", "missing"]

app = typer.Typer(help="What is missing of each model; `monitor audit log` has who did what.")

_ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="This model only.")]
_StrictOption = Annotated[bool, typer.Option("--strict", help="Exit code 1 where something is missing.")]


@app.callback(invoke_without_command=True)
def gaps(
    context: typer.Context,
    model: _ModelOption = None,
    strict: _StrictOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
    last: Annotated[int | None, typer.Option("--last", hidden=True)] = None,
) -> None:
    """List what is missing of each model: owner, logs, labels, objectives, runbook, approval, baseline, card.

    Owners, objectives and cards stand in the configuration: give it. Who did what: `monitor audit log`.
    """
    if last is not None:
        raise QueryError(f"--last: who did what is `monitor audit log --last {last}` now")
    if context.invoked_subcommand is None:
        missing(model, strict, config, store, format)


def missing(
    model: _ModelOption = None,
    strict: _StrictOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List what is missing of each model, as `monitor audit` does."""
    known = configured(config, store)
    opened = Store.open(known.store)
    try:
        found = audit(opened, from_config(known), model, WallClock().now_ms())
    finally:
        opened.close()
    rows = [
        {"model": one.model, "owner": one.owner or "nobody", "missing": str(gap.part), "what to do": gap.why}
        for one in found
        for gap in one.missing
    ]
    if format is Format.JSON:
        render([shown_audited(one) for one in found], format)
    elif rows or format is not Format.TABLE:
        render(rows, format)
    else:
        print(f"nothing is missing of {len(found)} models" if found else "no model is known yet")
    if strict and rows:
        raise typer.Exit(FAILED)


@app.command("log")
def log(
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
