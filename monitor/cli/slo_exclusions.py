"""`monitor slo exclude add|list|revoke`: spans of time that objectives do not count."""

import getpass
from typing import Annotated, Any

import typer

from monitor.cli import slo_words as words
from monitor.cli.options import ConfigOption, FormatOption, StoreOption
from monitor.cli.render import Format, render
from monitor.cli.slo_options import asking
from monitor.clock import WallClock
from monitor.errors import QueryError
from monitor.sli.times import parse_time_ms
from monitor.slo.excluding import NewExclusion
from monitor.slo.shown import shown_exclusion

__all__ = ["app"]

app = typer.Typer(help="Maintenance and other spans of time that budgets and alerts do not count.")

_AuthorOption = Annotated[
    str | None, typer.Option("--author", metavar="NAME", help="Who says so; else the user of this machine.")
]


@app.command("add")
def add(
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="RFC 3339, now-1h, ..")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="RFC 3339, now+2h, ..")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it shows with every figure it changes.")],
    author: _AuthorOption = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Of this model; else of all.")] = None,
    objective: Annotated[
        str | None, typer.Option("--objective", metavar="NAME", help="Of this objective; else of all.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Exclude a span of time, past or to come. It is widened to whole minutes (base windows)."""
    now_ms = WallClock().now_ms()
    wanted = NewExclusion(
        from_ms=parse_time_ms("--from", begin, now_ms),
        to_ms=parse_time_ms("--to", end, now_ms),
        author=author if author is not None else getpass.getuser(),
        reason=reason,
        model=model,
        objective=objective,
    )
    with asking(config, store) as ask:
        added = ask.exclude(wanted, now_ms)
    shown = shown_exclusion(added)
    print(f"exclusion {added.id}: {words.span(shown['from'], shown['to'])} UTC of {_scope(shown)}: {reason}")


@app.command("list")
def list_all(
    every: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List what is excluded, by whom and why."""
    with asking(config, store) as ask:
        rows = [shown_exclusion(e) for e in ask.exclusions(revoked=every)]
    if format is not Format.TABLE:
        render(rows, format)
    elif not rows:
        print("nothing is excluded; `monitor slo exclude add --from .. --to .. --reason ..` does")
    else:
        render(list(map(_line, rows)))


@app.command("revoke")
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `monitor slo exclude list` has it.")],
    author: _AuthorOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Take an exclusion back: its time counts again, and it stays in the list as revoked."""
    with asking(config, store) as ask:
        by = author if author is not None else getpass.getuser()
        revoked = ask.revoke(number, by, WallClock().now_ms())
    if not revoked:
        raise QueryError(
            f"there is no exclusion {number} in force; `monitor slo exclude list` lists those there are"
        )
    print(f"exclusion {number}: revoked; its time counts again")


def _scope(shown: dict[str, Any]) -> str:
    objective = "all objectives" if shown["objective"] is None else shown["objective"]
    return f"{objective} of {'all models' if shown['model'] is None else shown['model']}"


def _line(shown: dict[str, Any]) -> dict[str, Any]:
    line = {
        "id": shown["id"],
        "excluded": words.span(shown["from"], shown["to"]),
        "of": _scope(shown),
        "by": shown["author"],
        "why": shown["reason"],
    }
    return line if shown["revoked"] is None else {**line, "revoked": words.moment(shown["revoked"])}
