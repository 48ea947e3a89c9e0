"""`monitor query`: an indicator of a model over windows and groups."""

from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.errors import QueryError
from monitor.sli.drifting import Against
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question, Time
from monitor.sli.times import parse_step_s, parse_time_ms
from monitor.store import Store

__all__ = ["query", "segment_of"]

# What only some answers say; the others mean this.
_USUAL: dict[str, Any] = {"estimate": False, "coverage": 1.0}
_COLUMNS = ("start", "end", "model", "version", "endpoint", "segment", "value", "count", *_USUAL)
_BESIDE = ("low", "high", "label_coverage", "label_lag_p50_s", "why")
_TIME = "now-1h, 2026-11-23, RFC 3339 or epoch milliseconds"


def query(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    sli: Annotated[str, typer.Option("--sli", help="The indicator: latency_p99, error_rate, throughput, ..")],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help=f"{_TIME}; else the first record's.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help=f"{_TIME}; else the last record's.")
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="DURATION", help="Windows of 1m, 5m, 1h, ..; else one.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="NAME", help="Group by version, endpoint or a segment label."),
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="This version only.")] = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="This endpoint only.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", metavar="LABEL=VALUE", help="This segment only.")
    ] = None,
    feature: Annotated[
        str | None,
        typer.Option(
            "--feature", help="The feature, for null_share and drift_psi, ..; or @prediction, @score."
        ),
    ] = None,
    against: Annotated[
        Against, typer.Option("--against", help="What drift is measured from.")
    ] = Against.BASELINE,
    time: Annotated[
        Time, typer.Option("--time", help="Quality of the predictions of a window, or of its labels.")
    ] = Time.PREDICTION,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Answer a question about a model: percentiles, rates and counts over any window and group."""
    now_ms = WallClock().now_ms()
    question = Question(
        model=model,
        sli=sli,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        step_s=None if step is None else parse_step_s("--step", step),
        by=tuple(name.strip() for given in by or () for name in given.split(",") if name.strip()),
        version=version,
        endpoint=endpoint,
        segment=dict(map(segment_of, segment or ())),
        feature=feature,
        against=against,
        time=time,
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        found = answer(opened, question, now_ms, settings.windows)
    finally:
        opened.close()
    _print(found, format)


def _print(found: list[Answer], format: Format) -> None:
    if format is Format.TABLE:
        render(list(map(_for_people, found)), format)
    elif format is Format.CSV:
        more = [name for name in _BESIDE if any(name in row for row in found)]
        render([{**_USUAL, **row} for row in found], format, (*_COLUMNS, *more))
    else:
        given = {k: v for k, v in _USUAL.items() if any(k in row for row in found)}
        render([{**row, **given, **{k: v for k, v in row.items() if k in given}} for row in found], format)


def segment_of(text: str) -> tuple[str, str]:
    """The label and value of `label=value`. Raises QueryError."""
    label, equals, value = text.partition("=")
    if not label or not equals:
        raise QueryError(f"--segment: {text[:100]!r} is no label=value, such as country=DE")
    return label, value


def _for_people(row: Answer) -> dict[str, Any]:
    """Without what every row has in common, and times without their letters."""
    shown: dict[str, Any] = {"start": _time(row["start"]), "end": _time(row["end"])}
    parts = {"version": row["version"], "endpoint": row["endpoint"]}
    shown |= {name: value for name, value in parts.items() if value is not None}
    shown |= {**row["segment"], "value": row["value"], "count": row["count"]}
    if "estimate" in row:
        shown["estimate"] = True
    if "coverage" in row:
        shown["coverage"] = row["coverage"]
    if "low" in row:
        shown["95 % from"], shown["to"] = row["low"], row["high"]
        shown["labels in"], shown["median lag s"] = row["label_coverage"], row["label_lag_p50_s"]
    if "why" in row:
        shown["why"] = row["why"]
    return shown


def _time(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")
