"""`monitor dead-letters list|replay`: messages that are no records."""

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339, rfc3339_or_none
from monitor.store import Store, dead
from monitor.store.pair_rows import MAX_LABELS, MAX_PREDICTIONS
from monitor.store.pairs import CROWDED_OUT, ORPHAN

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
            "replayed": rfc3339_or_none(k.replayed_ms),
            **({"payload": k.payload.decode("utf-8", "backslashreplace")} if payload else {}),
        }
        for k in kept
    ]
    render(rows, format)
    print(_summary(dead.totals(opened)), file=sys.stderr)
    opened.close()


def _summary(totals: Mapping[tuple[str, str], int]) -> str:
    """All dead letters, and, where there are any, the predictions and labels that no pair keeps."""
    letters = [f"{n} {name}" for (kind, name), n in sorted(totals.items()) if kind == "dead_letter"]
    dropped = sum(n for (kind, _), n in totals.items() if kind == "dead_letter_dropped")
    lines = [f"in all: {', '.join(letters) or 'none'}; {dropped} of them dropped at the cap"]
    crowded = {half: totals.get((CROWDED_OUT, half), 0) for half in ("prediction", "label")}
    if any(crowded.values()):
        lines.append(
            f"never joined: {crowded['prediction']} predictions and {crowded['label']} labels whose keys "
            f"have more than are kept ({MAX_PREDICTIONS} predictions, {MAX_LABELS} labels)"
        )
    orphans = sum(n for (kind, _), n in totals.items() if kind == ORPHAN)
    if orphans:
        lines.append(f"never joined: {orphans} labels for which no prediction came within the horizon")
    return "\n".join(lines)


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
