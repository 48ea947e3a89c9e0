"""`monitor event ..`: what happens around models: deployments, runs, costs and the like."""

import getpass
import json
import socket
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339
from monitor.config.secrets import mask_url
from monitor.errors import ConfigError, QueryError
from monitor.ingest.events.kinds import KINDS, PREFIX, event_schema
from monitor.logs import set_up
from monitor.operations.asking import MAX_EVENTS, EventQuestion, ask_events, parse_kinds
from monitor.sli.times import parse_time_ms
from monitor.store.store import Store

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What happens around models: deployments, runs, costs ..")


@app.command("send")
def send(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help=f"Of {', '.join(KINDS)}.")] = None,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="As tags.team=risk, too.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="CloudEvents instead, a JSON object a line; - is stdin."),
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", help="Names the event: sent twice, it counts once; else a new one.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Who says so; else the user of this machine.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--time", metavar="TIME", help="When it happened, else now.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Send an event to where the configuration reads events, or with --store alone into the store itself.

    Exit code 1 if an event was refused; `monitor dead-letters list` has it then, with the reason.

    Example: monitor event send deployment model=fraud version=4 traffic_share=0.05 -c monitor.yaml
    """
    if config is None and store is None:
        raise ConfigError(["event send: give a configuration with -c, or a store with --store"])
    if (kind is None) == (file is None):
        raise ConfigError(["event send: name a kind and its fields, or a --file of events"])
    loaded = configured(config, store)
    set_up("warning", "text", secrets=loaded.secrets())
    lines = _lines(file) if file is not None else [_event(kind or "", fields or [], id, source, at)]
    # Half a second that other commands need not wait.
    from monitor.loading import send_events

    done = send_events(loaded, lines)
    where = f"sent to {done.where}" if done.where is not None else f"in {mask_url(loaded.store)}"
    print(f"{done.taken:,} event{'' if done.taken == 1 else 's'} {where}")
    if done.refused:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(done.refused.items()))
        total = done.refused.total()
        print(f"{total:,} refused: {reasons}; see `monitor dead-letters list`", file=sys.stderr)
        raise typer.Exit(FAILED)


def _lines(file: Path) -> list[bytes]:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as e:
        raise ConfigError([f"--file: {file}: {e.strerror}"]) from None
    return [line for line in data.splitlines() if line.strip()]


def _event(kind: str, fields: list[str], id: str | None, source: str | None, at: str | None) -> bytes:
    """The event in structured mode. Raises QueryError for what is no such event."""
    (name,) = parse_kinds("event send", (kind,)) or ("",)
    now_ms = WallClock().now_ms()
    event = {
        "specversion": "1.0",
        "id": id or uuid.uuid4().hex,
        "source": source or f"monitor://{getpass.getuser()}@{socket.gethostname()}",
        "type": PREFIX + name,
        "time": rfc3339(now_ms if at is None else parse_time_ms("--time", at, now_ms)),
        "data": _data(name, fields),
    }
    return msgspec.json.encode(event)


def _data(kind: str, fields: list[str]) -> dict[str, Any]:
    """The data, each text as what the contract says of its field."""
    given: dict[str, Any] = {}
    known = [field.name for field in msgspec.structs.fields(KINDS[kind])]
    for text in fields:
        name, equals, value = text.partition("=")
        first, dot, rest = name.partition(".")
        if not equals or first not in known:
            raise QueryError(f"{text[:80]!r}: write FIELD=VALUE; {kind} has {', '.join(known)}")
        if dot:
            given.setdefault(first, {})[rest] = value
        else:
            given[first] = value
    try:
        # From text, so lax: 0.1 is a number where a number is wanted, and text where text is.
        data = msgspec.convert(given, KINDS[kind], strict=False)
    except (msgspec.ValidationError, AttributeError, TypeError) as e:
        raise QueryError(f"event send {kind}: {e}; see `monitor event schema {kind}`") from None
    built: dict[str, Any] = msgspec.to_builtins(data)
    return {name: built[name] for name in given}


@app.command("list")
def list_all(
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Of these only; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Of this model only.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on; now-1d, RFC 3339, ..")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before then.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_EVENTS, help="The newest so many.")] = 50,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List events, what happened last first."""
    now_ms = WallClock().now_ms()
    asked = EventQuestion(
        kinds=parse_kinds("--kind", kinds or ()),
        model=model,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        limit=limit,
    )
    opened = Store.open(configured(config, store).store)
    try:
        found = ask_events(opened, asked)
    finally:
        opened.close()
    if format is Format.TABLE:
        render([{name: row[name] for name in ("at", "kind", "model", "version", "what")} for row in found])
    elif format is Format.JSON:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        rows = [{**row, "data": msgspec.json.encode(row["data"]).decode()} for row in found]
        render(rows, format)


@app.command("schema")
def schema(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Of one kind only.")] = None,
) -> None:
    """Print the contract of events as JSON Schema: CloudEvents 1.0 and the data of each kind."""
    if kind is not None:
        parse_kinds("event schema", (kind,))
    print(json.dumps(event_schema(kind), indent=2, ensure_ascii=False))
