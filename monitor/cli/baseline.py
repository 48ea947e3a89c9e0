"""`monitor baseline list|show|activate|retire|diff|contract`: what windows are held against."""

from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.baseline_fit import fit
from monitor.cli.baseline_options import (
    AuthorOption,
    ModelOption,
    NoActivateOption,
    NumberOption,
    WhenOption,
    author_of,
    numbered,
    of_model,
    say_stored,
    starts_at,
)
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339
from monitor.errors import QueryError
from monitor.profiles.layout import FeatureBin
from monitor.store import Store, fits
from monitor.store.activations import activate as write_activation
from monitor.store.activations import active, list_activations, next_window_s
from monitor.store.baselines import Baseline, Reference, features_of, models_with_baselines, reference

__all__ = ["app"]

app = typer.Typer(help="What windows are held against: fit it, look at it, say from when on it holds.")
app.command("fit")(fit)
_FOREVER_S = 2**40

SinceOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Event time; else the next feature window.")
]


@app.command("list")
def list_baselines(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only of this model.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List baselines, and which is active for what comes next."""
    opened = Store.open(configured(config, store).store)
    try:
        chosen = models_with_baselines(opened) if model is None else [of_model(opened, model)[0].model]
        render([_listed(opened, b) for name in chosen for b in features_of(opened, name)], format)
    finally:
        opened.close()


def _listed(store: Store, baseline: Baseline) -> dict[str, Any]:
    said = list_activations(store, baseline.model)
    begins = [a.from_s for a in said if a.baseline == baseline.id and not a.retired]
    ends = [a.from_s for a in said if a.baseline == baseline.id and a.retired]
    now = active(said, baseline.version, _FOREVER_S)
    counted = reference(store, baseline.id)
    return {
        "model": baseline.model,
        "number": baseline.number,
        "version": baseline.version or "all",
        "state": _state(baseline, now, ends),
        "active_from": _when(begins[-1]) if begins else None,
        "retired_from": _when(ends[-1]) if ends else None,
        "rows": None if counted is None else counted.rows,
        "windows": None if counted is None else counted.windows,
        "features": len(baseline.features),
        "author": baseline.author,
        "created": rfc3339(baseline.created_ms),
        "source": baseline.source,
    }


def _state(baseline: Baseline, now: int | None, ends: list[int]) -> str:
    if baseline.provisional:
        return "provisional" if now is None else "provisional, superseded"
    if now == baseline.id:
        return "active"
    return "retired" if ends else "not active"


def _when(at_s: int) -> str:
    return "the beginning" if at_s == 0 else rfc3339(at_s * 1000)


@app.command("show")
def show(
    model: ModelOption,
    number: NumberOption,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the features of a baseline: types, nulls, ranges, categories, importance."""
    opened = Store.open(configured(config, store).store)
    try:
        baseline = numbered(opened, model, number)
        found = reference(opened, baseline.id)
        names = list(baseline.features)
        render([_feature(baseline, found, name, i) for i, name in enumerate(names)], format)
    finally:
        opened.close()


def _feature(baseline: Baseline, found: Reference | None, name: str, i: int) -> dict[str, Any]:
    feature = baseline.features[name]
    contract, bins = feature.contract, feature.bins
    row: dict[str, Any] = {
        "feature": name,
        "type": None if contract is None else str(contract.type),
        "required": None if contract is None else contract.required,
        "minimum": None if contract is None else contract.minimum,
        "maximum": None if contract is None else contract.maximum,
        "bins": None
        if bins is None
        else len(bins.categories)
        if bins.categories is not None
        else _size(bins.edges),
        "categories": None
        if contract is None or contract.categories is None
        else ", ".join(contract.categories[:8]),
    }
    if found is not None:
        counts = found.counts[i]
        row |= {
            "null_share": float(counts[FeatureBin.NULL]) / max(1, found.rows),
            "other_share": float(counts[FeatureBin.OTHER]) / max(1, found.rows),
            "invalid": int(counts[FeatureBin.INVALID]),
            "importance": float(found.importance[i]),
            "dispersion": float(found.dispersion[i]),
        }
    return row


def _size(edges: Any) -> int:
    return 0 if edges is None else len(edges) + 1


@app.command("activate")
def activate(
    model: ModelOption,
    number: NumberOption,
    begin: SinceOption = None,
    author: AuthorOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say from when on a baseline is active. Windows already counted stay on theirs."""
    _say(model, number, begin, author, config, store, retired=False)


@app.command("retire")
def retire(
    model: ModelOption,
    number: NumberOption,
    begin: SinceOption = None,
    author: AuthorOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Say from when on a baseline is no longer active; its version may then have another."""
    _say(model, number, begin, author, config, store, retired=True)


def _say(
    model: str,
    number: int,
    begin: str | None,
    author: str | None,
    config: Path | None,
    store: str | None,
    *,
    retired: bool,
) -> None:
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        baseline = numbered(opened, model, number)
        if baseline.provisional:
            raise QueryError("--number: 0 is the provisional baseline: active wherever no other is")
        now_ms = WallClock().now_ms()
        from_s = starts_at(opened, settings, model, baseline.version, begin, now_ms)
        write_activation(opened, baseline.id, from_s, author_of(author), now_ms, retired=retired)
        counted_s = next_window_s(opened, model, baseline.version, settings.windows.features_s)
        said = "retired" if retired else "active"
        note = "; windows already counted stay as they are" if from_s < counted_s else ""
        print(f"baseline {number} of {model}: {said} from {_when(from_s)}{note}")
    finally:
        opened.close()


@app.command("diff")
def diff(
    model: ModelOption,
    a: Annotated[int, typer.Argument(metavar="A", min=0, help="The number of a baseline.")],
    b: Annotated[int, typer.Argument(metavar="B", min=0, help="The number of another.")],
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Compare two baselines: features, types, distributions, nulls, ranges, importance."""
    from monitor.baselines.diff import differences

    opened = Store.open(configured(config, store).store)
    try:
        sides = [_counted(opened, model, number) for number in (a, b)]
        rows = [
            {
                "feature": d.feature,
                "change": d.change,
                "psi": d.psi,
                "ks": d.ks,
                "compared": d.compared,
                "nulls_a": None if d.null_share is None else d.null_share[0],
                "nulls_b": None if d.null_share is None else d.null_share[1],
                "importance_a": None if d.importance is None else d.importance[0],
                "importance_b": None if d.importance is None else d.importance[1],
            }
            for d in differences(*sides)
        ]
        render(rows, format)
    finally:
        opened.close()


def _counted(store: Store, model: str, number: int) -> Reference:
    found = reference(store, numbered(store, model, number).id)
    if found is None:
        raise QueryError(f"baseline {number} of {model!r} is provisional and has too few rows yet")
    return found


@app.command("contract")
def contract(
    model: ModelOption,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=0, help="The baseline; else the one active last.")
    ] = None,
    apply: Annotated[
        Path | None, typer.Option("--apply", metavar="FILE", help="Make a new baseline with this contract.")
    ] = None,
    author: AuthorOption = None,
    active_from: WhenOption = None,
    no_activate: NoActivateOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Print the schema contract as YAML, or make a new baseline with an edited one."""
    from monitor.baselines.contract_yaml import read_contract, render_contract

    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        baseline = _latest(opened, model) if number is None else numbered(opened, model, number)
        if apply is None:
            print(render_contract(model, baseline.number, baseline.features), end="")
            return
        if baseline.provisional:
            raise QueryError(
                "--apply: a provisional baseline can't have a contract; `monitor baseline fit` one first"
            )
        now_ms, by = WallClock().now_ms(), author_of(author)
        new = fits.like(opened, baseline.id, by, read_contract(apply, baseline.features))
        from_s = (
            None if no_activate else starts_at(opened, settings, model, baseline.version, active_from, now_ms)
        )
        say_stored(fits.create(opened, new, now_ms, from_s, baseline.id), new.slots[-1].rows, from_s)
    finally:
        opened.close()


def _latest(store: Store, model: str) -> Baseline:
    found = of_model(store, model)
    said = list_activations(store, model)
    for version in ("", *sorted({b.version for b in found})):
        number = active(said, version, _FOREVER_S)
        if number is not None:
            return next(b for b in found if b.id == number)
    return found[-1]
