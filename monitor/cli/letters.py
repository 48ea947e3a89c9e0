"""`monitor dead-letters list|replay`: messages that are no records."""

import sys
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339
from monitor.store import Store, dead

__all__ = ["app"]

app = typer.Typer(help="Messages that are no records: list them, and replay them after a fix.")
_ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only letters of this reason.")]


@app.command("list")
def list_letters(
    config: ConfigOption = None,
    store: StoreOption = None,
    reason: _ReasonOption = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only letters of this topic.")] = None,
    pending: Annotated[bool, typer.Option("--pending", help="Only letters that were not replayed.")] = False,
    payload: Annotated[bool, typer.Option("--payload", help="Show the messages too.")] = False,
    after: Annotated[int, typer.Option("--after", help="Only letters with a higher id than this.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    format: FormatOption = Format.TABLE,
) -> None:
    """List kept dead letters: where each was, why it is no record, what to do."""
    opened = Store.open(configured(config, store).store)
    kept = dead.list_kept(opened, reason=reason, topic=topic, pending=pending, after_id=after, limit=limit)
    rows = [
        {
            "id": k.id,
            "at": rfc3339(k.at_ms),
            "where": k.place,
            "reason": k.reason,
            "detail": k.detail,
            "replayed": None if k.replayed_ms is None else rfc3339(k.replayed_ms),
            **({"payload": k.payload.decode("utf-8", "backslashreplace")} if payload else {}),
        }
        for k in kept
    ]
    render(rows, format)
    totals = {name: n for (kind, name), n in dead.totals(opened).items() if kind == "dead_letter"}
    dropped = sum(n for (kind, _), n in dead.totals(opened).items() if kind == "dead_letter_dropped")
    listed = ", ".join(f"{n} {name}" for name, n in sorted(totals.items())) or "none"
    print(f"in all: {listed}; {dropped} of them dropped at the cap", file=sys.stderr)
    opened.close()


@app.command("replay")
def replay(config: ConfigOption = None, store: StoreOption = None, reason: _ReasonOption = None) -> None:
    """Replay letters that were not replayed yet; those that are still no records stay."""
    # Half a second that the other commands need not wait.
    from monitor.job.replay import replay as replay_letters
    from monitor.service import job_settings, owner_name

    loaded = configured(config, store)
    opened = Store.open(loaded.store)
    done = replay_letters(opened, job_settings(loaded, owner_name()), WallClock(), reason)
    print(f"{done.counted} letters are records now; {done.still_dead} are still none")
    opened.close()
