"""`monitor report drift`: a page about how a window's records differ from the baseline."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.clock import WallClock
from monitor.config.sampling import sample_settings
from monitor.errors import MonitorError
from monitor.sli.times import parse_step_s, parse_time_ms
from monitor.store import Store

__all__ = ["app"]

app = typer.Typer(help="Pages for people to read.")


@app.callback()
def reports() -> None:
    """Pages for people to read."""


@app.command("drift")
def drift_report(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write it.")],
    window: Annotated[
        str,
        typer.Option("--window", metavar="DURATION", help="The last so much; or --from and --to."),
    ] = "1h",
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on; now-1d, RFC 3339, ..")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to then.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="This version only.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Write Evidently's drift report, HTML, of a window's random sample against the baseline."""
    # Seconds that the other commands need not wait.
    from monitor.reports.drift_page import drift_page
    from monitor.reports.drift_rows import DriftQuestion, drift_rows

    now_ms = WallClock().now_ms()
    question = DriftQuestion(
        model=model,
        version=version,
        window_s=parse_step_s("--window", window),
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        rows = drift_rows(opened, question, sample_settings(settings))
    finally:
        opened.close()
    page = drift_page(rows)
    try:
        output.write_text(page, "utf-8")
    except OSError as e:
        raise MonitorError(f"{output}: {(e.strerror or str(e)).lower()}; name another file with -o") from None
    typer.echo(f"wrote {output}: {rows.title}, {len(rows.columns)} columns")
    for note in rows.notes:
        typer.echo(f"  {note}")
