"""`monitor canary`: a candidate version against the champion, as a gate for pipelines."""

import json
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.sli.canary.question import USUAL_SLIS, CanaryAnswer, CanaryQuestion, Margins, ask_canary
from monitor.sli.canary.verdict import Verdict
from monitor.sli.times import parse_share, parse_time_ms
from monitor.store import Store

__all__ = ["NOT_ENOUGH", "app"]

# Neither passed nor failed: ask again later.
NOT_ENOUGH = 3

app = typer.Typer(no_args_is_help=True, help="Compare versions of a model while both serve.")


@app.command("verdict")
def verdict(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    candidate: Annotated[str, typer.Option("--candidate", help="The version that is on trial.")],
    champion: Annotated[
        str | None, typer.Option("--champion", help="The one before; else the other with most requests.")
    ] = None,
    latency: Annotated[
        str, typer.Option("--max-latency-regression", metavar="SHARE", help="How much slower it may be.")
    ] = "5%",
    errors: Annotated[
        str, typer.Option("--max-error-increase", metavar="POINTS", help="How much more may fail.")
    ] = "0.5%",
    quality: Annotated[
        str, typer.Option("--max-quality-loss", metavar="SHARE", help="How much worse it may predict.")
    ] = "5%",
    slis: Annotated[
        list[str] | None,
        typer.Option("--sli", help="What to compare, in place of errors and latencies; may be repeated."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="LABEL", help="Compare like with like of this segment label."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Else from the candidate's first request.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Else to the last.")] = None,
    confidence: Annotated[
        str, typer.Option("--confidence", metavar="SHARE", help="Of all intervals, at all looks together.")
    ] = "99%",
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether a candidate is better, no worse than the margins, or worse than what it is to replace.

    Exit code 0 if it is better or no worse, 1 if it is worse, 3 if there is not enough data yet. It may be
    asked as often as one likes: the intervals hold at all looks together.
    """
    now_ms = WallClock().now_ms()
    asked = CanaryQuestion(
        model=model,
        candidate=candidate,
        champion=champion,
        slis=tuple(slis) if slis else USUAL_SLIS,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        by=by,
        margins=Margins(
            parse_share("--max-latency-regression", latency),
            parse_share("--max-error-increase", errors),
            parse_share("--max-quality-loss", quality),
        ),
        confidence=parse_share("--confidence", confidence),
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        found = ask_canary(opened, asked, settings.windows)
    finally:
        opened.close()
    if format is Format.JSON:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif format is Format.CSV:
        render(found["changes"], format)
    else:
        _print(found)
    if found["verdict"] in (Verdict.WORSE, Verdict.NOT_ENOUGH):
        raise typer.Exit(FAILED if found["verdict"] == Verdict.WORSE else NOT_ENOUGH)


def _print(found: CanaryAnswer) -> None:
    typer.echo(f"{found['model']} {found['candidate']} against {found['champion']}: {found['verdict']}")
    for reason in found["reasons"]:
        typer.echo(f"  {reason}")
    percent = f"{100 * found['confidence']:g} %"
    typer.echo(f"\n{found['start']} to {found['end']}; together the intervals hold with {percent}\n")
    render(
        [
            {
                "sli": c["sli"],
                "champion": c["champion"],
                "candidate": c["candidate"],
                "change": _change(c["change"], c["unit"]),
                "from": _change(c["low"], c["unit"]),
                "to": _change(c["high"], c["unit"]),
                "allowed": _change(c["margin"], c["unit"]),
                "verdict": c["verdict"],
            }
            for c in found["changes"]
        ]
    )


def _change(share: float | None, unit: str) -> str:
    if share is None:
        return "-"
    return f"{100 * share:+.3g} {'points' if unit == 'points' else '%'}"
