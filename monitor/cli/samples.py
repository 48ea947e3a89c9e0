"""`monitor samples list`: records to look at, a few of each window and reason."""

from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.config.sampling import sample_settings
from monitor.sli.samples import MAX_SAMPLES, REASONS, SampleQuestion, parse_reasons, samples
from monitor.sli.times import parse_time_ms
from monitor.store import Store

__all__ = ["app"]

app = typer.Typer(help="Records to look at: slow, failed, odd and wrong ones, and some of all.")
_COLUMNS = (
    *("ts", "window", "model", "version", "endpoint", "reason", "id", "trace_id", "outcome"),
    *("latency_ms", "score", "prediction", "label", "features"),
)


@app.command("list")
def list_samples(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    reason: Annotated[
        list[str] | None,
        typer.Option("--reason", metavar="NAME", help=f"Of {', '.join(REASONS)}; else all but random."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Windows from then on; now-1h, RFC 3339, ..")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Windows up to then.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="This version only.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_SAMPLES, help="The newest so many.")] = 50,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List sampled records, the newest window first; a wrong prediction is in the window of its label.

    A correction that puts a prediction right takes it out again, and what it had left no room for stays out:
    such a window may show fewer wrong ones than it is allowed. Without corrections they are exact.
    """
    now_ms = WallClock().now_ms()
    question = SampleQuestion(
        model=model,
        reasons=parse_reasons("--reason", reason or ()),
        version=version,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        limit=limit,
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        found = samples(opened, question, sample_settings(settings))
    finally:
        opened.close()
    if format is Format.TABLE:
        render(_for_people(found))
    else:
        render(found, format, _COLUMNS)


def _for_people(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what every row has in common, and without columns that nothing fills."""
    rows = [{**row, "ts": row["ts"].replace("T", " ").removesuffix("Z")} for row in found]
    filled = [c for c in _COLUMNS if any(row[c] not in (None, "") for row in rows)]
    return [{c: row[c] for c in filled if c not in ("window", "model")} for row in rows]
