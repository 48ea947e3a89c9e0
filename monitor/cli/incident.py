"""`monitor incident ..`: what is wrong now, who has it, and what was done about it."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, WhoOption, configured
from monitor.cli.render import Format, render
from monitor.clock import DAY_S, WallClock
from monitor.errors import ConfigError
from monitor.paging.incidents import asking
from monitor.paging.incidents.costs import costs_of
from monitor.paging.incidents.incident import Act, Deed, Incident
from monitor.paging.incidents.postmortem import postmortem as drafted
from monitor.paging.incidents.shown import shown_entry, shown_incident
from monitor.sli.times import parse_time_ms
from monitor.slo.settings import from_config
from monitor.store.store import Store

__all__ = ["app"]

app = typer.Typer(help="Incidents: what is wrong now, who has it, and what was done about it.")

_WAIT_S = 3.0
_IdArgument = Annotated[int, typer.Argument(metavar="ID", help="As `monitor incident list` has it.")]
_TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="For the timeline.")]
_WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; it stands in the timeline.")]


@contextmanager
def _opened(config: Path | None, store: str | None) -> Iterator[Store]:
    opened = Store.open(configured(config, store).store)
    try:
        yield opened
    finally:
        opened.close()


@app.command("list")
def list_all(
    every: Annotated[bool, typer.Option("--all", help="Those that are resolved, too.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Resolved ones too, since then: 7d, ..")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="NAME", help="Of this owner only.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List incidents, the newest first: those that are open, unless asked for more."""
    since_ms = None if since is None else parse_time_ms("--since", since, WallClock().now_ms())
    with _opened(config, store) as opened:
        found = asking.incidents(opened, 0 if every else since_ms, owner)
    if format is not Format.TABLE:
        render([shown_incident(i) for i in found], format)
    elif not found:
        print("no incident is open" if not (every or since) else "there are no incidents")
    else:
        render([_line(i) for i in found])


def _line(incident: Incident) -> dict[str, Any]:
    shown = shown_incident(incident)
    who = shown["acknowledged_by"] or ""
    return {
        "id": incident.id,
        "phase": shown["phase"] + (f" by {who}" if who else ""),
        "severity": incident.severity,
        "owner": incident.owner,
        "opened": shown["opened"],
        "resolved": shown["resolved"] or "",
        "alerts": ", ".join(shown["alerts"]),
        "title": incident.title,
    }


@app.command("show")
def show(
    id: _IdArgument,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show an incident and its timeline: every alert, message, and what people did and why."""
    with _opened(config, store) as opened:
        incident, entries = asking.incident(opened, id), asking.entries(opened, id)
    if format is not Format.TABLE:
        render([{**shown_incident(incident), "timeline": [shown_entry(e) for e in entries]}], format)
        return
    for name, value in shown_incident(incident).items():
        if value not in (None, "", 0, [], {}):
            print(f"{name.replace('_', ' '):>23}  {_plain(value)}")
    print()
    render([{k: v for k, v in shown_entry(e).items() if k != "incident"} for e in entries])


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@app.command("ack")
def acknowledge(
    id: _IdArgument,
    who: WhoOption = None,
    why: _WhyOption = "",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say that somebody is at it: nobody else is woken, and nothing is repeated."""
    _do(config, store, Act.ACKNOWLEDGE, id, who, why, "acknowledged")


@app.command("mitigate")
def mitigate(
    id: _IdArgument,
    who: WhoOption = None,
    why: _WhyOption = "",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say that users no longer suffer, though the cause is not mended."""
    _do(config, store, Act.MITIGATE, id, who, why, "mitigated")


@app.command("note")
def note(
    id: _IdArgument,
    text: _TextArgument,
    who: WhoOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Add to the timeline what you found or did."""
    _do(config, store, Act.NOTE, id, who, text, "noted")


@app.command("assign")
def assign(
    id: _IdArgument,
    commander: Annotated[str, typer.Argument(metavar="NAME", help="Who leads from here on.")],
    who: WhoOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say who leads: the commander of the incident."""
    _do(config, store, Act.ASSIGN, id, who, commander, f"led by {commander}")


@app.command("resolve")
def resolve(
    id: _IdArgument,
    who: WhoOption = None,
    why: _WhyOption = "",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say that it is over; by itself it is once all of its alerts have ended."""
    _do(config, store, Act.RESOLVE, id, who, why, "resolved")


def _do(
    config: Path | None, store: str | None, act: Act, id: int, who: str | None, text: str, done: str
) -> None:
    deed = Deed(id, act, who if who is not None else getpass.getuser(), text, WallClock().now_ms())
    with _opened(config, store) as opened:
        taken = asking.act(opened, deed, _WAIT_S)
    later = "" if taken else "; the pager takes it up once it runs: nothing answered so far"
    print(f"incident {id}: {done}{later}")


@app.command("postmortem")
def postmortem(
    id: _IdArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it is printed.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Draft a postmortem in Markdown: the timeline, budget and quality lost, what changed before, and which
    alerts missed it. What it cost takes the objectives: give the configuration."""
    known = configured(config, store)
    with _opened(config, store) as opened:
        incident, entries = asking.incident(opened, id), asking.entries(opened, id)
        others = [o for o in asking.incidents(opened, incident.began_ms) if _overlaps(o, incident)]
        fine_s = known.retention.minute_days * DAY_S
        costs = costs_of(opened, incident, from_config(known), fine_s, WallClock().now_ms())
    text = drafted(incident, entries, costs, others)
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as e:
        raise ConfigError([f"--output {output}: {e.strerror or e}"]) from None
    print(output)


def _overlaps(other: Incident, incident: Incident) -> bool:
    ended = incident.resolved_ms is not None and other.opened_ms > incident.resolved_ms
    return other.id != incident.id and not ended
