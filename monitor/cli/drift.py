"""`monitor drift`: the verdicts on a model's features in one window."""

from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.query import segment_of
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.sli.drift_verdict import State
from monitor.sli.drifting import Against
from monitor.sli.times import parse_step_s, parse_time_ms
from monitor.sli.verdicts import DriftQuestion, WindowDrift, drift
from monitor.store import Store

__all__ = ["drift_command"]


def drift_command(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="A moment in the window; else that of the last record."),
    ] = None,
    window: Annotated[
        str, typer.Option("--window", metavar="DURATION", help="How long the window is.")
    ] = "1h",
    version: Annotated[str | None, typer.Option("--version", help="This version only.")] = None,
    segment: Annotated[
        str | None,
        typer.Option(
            "--segment", metavar="LABEL=VALUE", help="This segment only, where features are kept by it."
        ),
    ] = None,
    against: Annotated[
        Against, typer.Option("--against", help="The baseline, or the window before.")
    ] = Against.BASELINE,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether a model's inputs, predictions or quality moved in a window, by how much, and how sure that
    is."""
    now_ms = WallClock().now_ms()
    question = DriftQuestion(
        model=model,
        at_ms=None if at is None else parse_time_ms("--at", at, now_ms),
        window_s=parse_step_s("--window", window),
        version=version,
        segment=dict([segment_of(segment)] if segment else []),
        against=against,
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        found = drift(opened, question, settings.windows)
    finally:
        opened.close()
    if format is Format.TABLE:
        _print(found)
    elif format is Format.JSON:
        render(found, format)
    else:
        render([_flat(window, feature) for window in found for feature in window["features"]], format)


def _print(found: list[WindowDrift]) -> None:
    if not found:
        typer.echo("nothing found")
    for i, window in enumerate(found):
        typer.echo(("\n" if i else "") + f"{_name(window)}: {window['verdict']['sentence']}")
        typer.echo(_heading(window))
        for alarm in window["concept"]:
            typer.echo(
                f"  concept drift at {_moment(alarm['at'])} ({alarm['detector']}): "
                f"mean loss {alarm['after']:.3g}, was {alarm['before']:.3g}"
            )
        if window["note"]:
            typer.echo(f"  {window['note']}")
        else:
            render([_line(feature) for feature in window["features"]])


def _name(window: WindowDrift) -> str:
    name = " ".join(filter(None, (window["model"], window["version"])))
    return name + "".join(f" {label}={value}" for label, value in window["segment"].items())


def _moment(time: str) -> str:
    return time.replace("T", " ").removesuffix("Z")


def _heading(window: WindowDrift) -> str:
    state = window["state"] + (" (2 of 3 windows)" if window["confirmed"] else "")
    baseline = "no baseline" if window["baseline"] is None else f"baseline {window['baseline']}"
    against = f"{baseline}{' (provisional)' if window['provisional'] else ''}"
    if window["against"] == Against.PREVIOUS:
        against = f"the window before, on the bins of {against}"
    begin, end = _moment(window["start"]), _moment(window["end"])
    rest = f"{window['rows']} rows against {against}: {state}"
    if window["model_drift"] is not None:
        rest += f", model drift {window['model_drift']:.3f}"
    if window["attribution_ndcg"] is not None:
        rest += f", attributions in order to {window['attribution_ndcg']:.3f}"
    return f"{begin} to {end}: {rest}"


def _line(feature: Any) -> dict[str, Any]:
    sure = feature["confirmed"] and feature["state"] == State.DRIFTED.label
    state = feature["state"] + (" (confirmed)" if sure else "")
    figures = {name: feature[name] for name in ("effect", "psi", "ks", "q")}
    return {"feature": feature["feature"], "state": state, **figures, "what": feature["sentence"]}


def _flat(window: WindowDrift, feature: Any) -> dict[str, Any]:
    named = {
        name: value
        for name, value in window.items()
        if name not in ("features", "state", "confirmed", "rows", "quality", "concept")
    }
    return {**named, "verdict": window["verdict"]["kind"], **feature}
