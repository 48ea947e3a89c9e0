"""`monitor baseline fit`: a baseline from files, from the stored stream, or like another."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.baseline_options import (
    AuthorOption,
    ModelOption,
    NoActivateOption,
    WhenOption,
    author_of,
    numbered,
    say_stored,
    starts_at,
)
from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.clock import WallClock
from monitor.config import Config
from monitor.errors import ConfigError, QueryError
from monitor.profiles.feature_contract import FeatureContract
from monitor.sli.times import parse_time_ms
from monitor.store import Store, fits
from monitor.store.baselines import features_of

__all__ = ["fit"]


def fit(
    model: ModelOption,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Parquet, CSV or JSON lines, also .gz or .zst."),
    ] = None,
    version: Annotated[
        str, typer.Option("--version", help="The model's version that it is for; else all.")
    ] = "",
    prediction: Annotated[str | None, typer.Option("--prediction", metavar="COLUMN")] = None,
    score: Annotated[str | None, typer.Option("--score", metavar="COLUMN")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="The truth.")] = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="COLUMN", help="ISO 8601, or epoch milliseconds.")
    ] = None,
    features: Annotated[
        str | None, typer.Option("--features", metavar="A,B,..", help="Else every other column.")
    ] = None,
    importance: Annotated[
        list[str] | None,
        typer.Option("--importance", metavar="FILE.json|COLUMN=N", help="Of features, by name; may repeat."),
    ] = None,
    seasonal: Annotated[bool, typer.Option("--seasonal", help="Also by hour of the week.")] = False,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Of the hours of the week.")] = "UTC",
    contract: Annotated[
        Path | None, typer.Option("--contract", metavar="FILE", help="An edited schema contract, YAML.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From the stored stream, from then on.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="To then; else to now.")] = None,
    like: Annotated[
        int | None, typer.Option("--like", metavar="N", help="As baseline N, with another --contract.")
    ] = None,
    author: AuthorOption = None,
    active_from: WhenOption = None,
    no_activate: NoActivateOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Fit a baseline: bins, counts, schema contract; from files, the stored stream, or like another."""
    ways = {"FILE...": bool(files), "--from": begin is not None, "--like": like is not None}
    if sum(ways.values()) != 1:
        given = " and ".join(way for way, there in ways.items() if there) or "nothing"
        raise ConfigError(
            [f"fit: name files, or a range --from --to, or --like N: one of the three, not {given}"]
        )
    _zone(time_zone)
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        by, now_ms = author_of(author), WallClock().now_ms()
        in_place_of = None
        if like is None:
            fits.check_free(opened, model, version)
        if like is not None:
            before = numbered(opened, model, like)
            contracts = _contract(contract, before.features)
            new, in_place_of = fits.like(opened, before.id, by, contracts), before.id
            version = before.version
        elif begin is not None:
            new = _from_stream(
                opened, settings, model, version, by, begin, end, time_zone if seasonal else None
            )
        else:
            parts = {"prediction": prediction, "score": score, "label": label, "time": time}
            new = _from_files(
                opened,
                settings,
                files or [],
                {"model": model, "version": version, "author": by, **parts},
                chosen=features,
                weights=_importance(importance or []),
                zone=time_zone if seasonal else None,
                contracts=_contract(contract, None),
            )
        from_s = None if no_activate else starts_at(opened, settings, model, version, active_from, now_ms)
        say_stored(fits.create(opened, new, now_ms, from_s, in_place_of), new.slots[-1].rows, from_s)
    finally:
        opened.close()


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError([f"--time-zone: there is no {name!r}; write one such as Europe/Berlin"]) from None


def _contract(path: Path | None, known: object) -> dict[str, FeatureContract]:
    from monitor.baselines.contract_yaml import read_contract

    if path is None and known is not None:
        raise ConfigError(["--like: give the edited contract with --contract FILE"])
    return {} if path is None else read_contract(path, known)  # type: ignore[arg-type]  # features, or None


def _from_stream(
    store: Store,
    settings: Config,
    model: str,
    version: str,
    author: str,
    begin: str,
    end: str | None,
    zone: str | None,
) -> fits.NewBaseline:
    from monitor.baselines.stream import from_stream
    from monitor.sli.drift_dispersion import dispersion

    now_ms = WallClock().now_ms()
    from_s = parse_time_ms("--from", begin, now_ms) // 1000
    to_s = -(-parse_time_ms("--to", end or "now", now_ms) // 1000)
    if from_s >= to_s:
        raise QueryError("--to: the range ends before it begins; give an end that is later")
    features_s = settings.windows.features_s
    return from_stream(store, model, version, author, from_s, to_s, features_s, dispersion, zone)


def _from_files(
    store: Store,
    settings: Config,
    files: list[Path],
    named: dict[str, str | None],
    *,
    chosen: str | None,
    weights: dict[str, float],
    zone: str | None,
    contracts: dict[str, FeatureContract],
) -> fits.NewBaseline:
    # A second that the other commands need not wait.
    from monitor.baselines.fit import FitOptions, fit_files
    from monitor.sli.drift_dispersion import dispersion

    options = FitOptions(
        **named,  # type: ignore[arg-type]  # the model is a text
        features=None if chosen is None else tuple(n.strip() for n in chosen.split(",") if n.strip()),
        importance=weights,
        seasonal=zone is not None,
        time_zone=zone or "UTC",
        contract=contracts,
        categories=settings.limits.categories,
        window_s=settings.windows.features_s,
        redact=settings.samples.redact,
    )
    with _bar() as progress:
        fitted = fit_files(files, options, dispersion, progress)
    for warning in (*fitted.warnings, *_unlike_the_stream(store, options.model, set(fitted.new.features))):
        print(f"warning: {warning}", file=sys.stderr)
    return fitted.new


def _unlike_the_stream(store: Store, model: str, fitted: set[str]) -> Iterator[str]:
    """What the stream has and the files don't, and the other way round."""
    seen = {name for b in features_of(store, model) if b.provisional for name in b.features}
    if not seen:
        return
    for names, sentence in (
        (fitted - seen, "the stream has never had"),
        (seen - fitted, "the stream has, and the files don't"),
    ):
        if names:
            shown = ", ".join(sorted(names)[:20]) + (", .." if len(names) > 20 else "")
            yield f"{len(names)} features that {sentence}: {shown}"


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, where that is a terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("fitting"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("fitting")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _importance(given: list[str]) -> dict[str, float]:
    """{feature: weight} of `amount=0.4,age=0.1` and of JSON files."""
    found: dict[str, float] = {}
    for each in given:
        if "=" in each:
            found |= dict(_weight(*part.rpartition("=")[::2]) for part in each.split(","))
            continue
        try:
            held = json.loads(Path(each).read_text())
        except OSError as e:
            reason = (e.strerror or str(e)).lower()
            raise ConfigError([f"--importance: {each}: {reason}; name a JSON file, or COLUMN=N"]) from None
        except ValueError as e:
            raise ConfigError([f"--importance: {each}: is not JSON: {e}"]) from None
        if not isinstance(held, dict):
            raise ConfigError([f"--importance: {each}: must be an object of a number for each feature"])
        found |= dict(_weight(name, value) for name, value in held.items())
    return found


def _weight(name: str, value: object) -> tuple[str, float]:
    try:
        weight = float(value)  # type: ignore[arg-type]  # that is the question
    except (TypeError, ValueError):
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise ConfigError([f"--importance: {name}: {value!r} is no number of at least 0"])
    return name.strip(), weight
