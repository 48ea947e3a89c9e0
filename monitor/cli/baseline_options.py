"""What the baseline commands share: options, finding a baseline by number, and when it begins."""

import getpass
from typing import Annotated

import typer

from monitor.clock import rfc3339
from monitor.config import Config
from monitor.errors import QueryError
from monitor.sli.question import unknown
from monitor.sli.times import parse_time_ms
from monitor.store import Store
from monitor.store.activations import next_window_s
from monitor.store.baselines import Baseline, features_of, models_with_baselines

__all__ = [
    "AuthorOption",
    "ModelOption",
    "NoActivateOption",
    "NumberOption",
    "WhenOption",
    "author_of",
    "numbered",
    "of_model",
    "say_stored",
    "starts_at",
]

ModelOption = Annotated[str, typer.Option("--model", "-m", help="The model.")]
NumberOption = Annotated[int, typer.Option("--number", "-n", min=0, help="The baseline's number.")]
AuthorOption = Annotated[str | None, typer.Option("--author", help="Who decided; else who runs this.")]
WhenOption = Annotated[
    str | None,
    typer.Option(
        "--active-from",
        metavar="TIME",
        help="Event time; else from the next feature window, or the beginning.",
    ),
]
NoActivateOption = Annotated[
    bool, typer.Option("--no-activate", help="Only store it; see `monitor baseline activate`.")
]


def author_of(author: str | None) -> str:
    """Who decided."""
    if author:
        return author[:200]
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def of_model(store: Store, model: str) -> list[Baseline]:
    """The model's baselines, oldest first. Raises QueryError where it has none."""
    found = features_of(store, model)
    if not found:
        raise unknown("model", model, models_with_baselines(store))
    return found


def numbered(store: Store, model: str, number: int) -> Baseline:
    """The baseline of that number. Raises QueryError, naming those there are."""
    found = of_model(store, model)
    for baseline in found:
        if baseline.number == number:
            return baseline
    there = ", ".join(str(b.number) for b in found)
    raise QueryError(f"--number: {model!r} has no baseline {number}; it has {there}")


def starts_at(
    store: Store, settings: Config, model: str, version: str, given: str | None, now_ms: int
) -> int:
    """The event time, s, from which a change holds: what was given, else where nobody has counted yet."""
    if given is not None:
        return -(-parse_time_ms("--active-from", given, now_ms) // 1000)
    return next_window_s(store, model, version, settings.windows.features_s)


def say_stored(baseline: Baseline, rows: int, from_s: int | None) -> None:
    """Tells what was stored."""
    of = f"version {baseline.version}" if baseline.version else "all versions"
    when = (
        f"not active; see `monitor baseline activate --model {baseline.model} --number {baseline.number}`"
        if from_s is None
        else "active from the beginning"
        if from_s == 0
        else f"active from {rfc3339(from_s * 1000)}; windows already counted stay as they are"
    )
    holds = f"{rows} rows, {len(baseline.features)} features"
    print(f"baseline {baseline.number} of {baseline.model}, {of}: {holds}; {when}")
