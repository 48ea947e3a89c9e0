"""Baselines: which bins the features of a model are counted on, and what they are held against."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from monitor.profiles.bins import from_json
from monitor.profiles.codec import decode_counts, decode_values
from monitor.profiles.feature_contract import from_json as contract_from_json
from monitor.profiles.features import Feature
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin
from monitor.records import Floats, Ints
from monitor.store.activations import active, list_activations
from monitor.store.engine import reading
from monitor.store.schema import baseline_counts, baselines, bins
from monitor.store.store import Store

__all__ = [
    "Baseline",
    "Reference",
    "dense",
    "features_in",
    "features_of",
    "find",
    "models_with_baselines",
    "reference",
    "reference_at",
    "references",
    "waiting",
]

WHOLE = -1
_VALUED = slice(0, int(FeatureBin.BELOW)), slice(int(FeatureBin.NULL), int(FeatureBin.ATTRIBUTION))


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline of a model; `version` '' is for all. `features` are by name, in the order of numbers."""

    id: int
    model: str
    version: str
    number: int
    provisional: bool
    created_ms: int
    author: str
    source: str | None
    time_zone: str | None
    features: Mapping[str, Feature]


@dataclass(frozen=True, slots=True)
class Reference:
    """A baseline with its counts, as the numbers to hold a window against.

    `names[i]` is the feature of `counts[i]` (int64, (f, 256), NULL filled in, ATTRIBUTION the rows that have
    one), of `dispersion[i]` (float64: how much wider than independent draws the baseline's own windows
    spread; 1 where not known), `attribution[i]` (float64: mean of its absolute values, NaN without) and
    `importance[i]` (float64, NaN where not given). A feature without bins has nothing to be held against.
    `slot` is the hour of the week that the counts are of, -1 for the whole. `quality` holds the cells of a
    quality profile over the validation labels: {"counts": {cell: n}, "sums": {cell: x}}, and `classes` names
    the classes there by number.
    """

    baseline: Baseline
    names: tuple[str, ...]
    rows: int
    windows: int
    counts: Ints
    dispersion: Floats
    attribution: Floats
    importance: Floats
    quality: Mapping[str, Mapping[int, float]] | None
    slot: int
    classes: tuple[str, ...] = ()

    @property
    def features(self) -> Mapping[str, Feature]:
        """By name: number, bins (None: nothing to be held against) and contract."""
        return self.baseline.features


def find(store: Store, baseline: int) -> Baseline:
    """The baseline of that id."""
    with reading(store.engine) as connection:
        row = connection.execute(sa.select(baselines).where(baselines.c.id == baseline)).one()
        return _baseline(connection, row)


def features_of(store: Store, model: str) -> list[Baseline]:
    """Every baseline of a model, oldest first."""
    with reading(store.engine) as connection:
        rows = connection.execute(
            sa.select(baselines).where(baselines.c.model == model).order_by(baselines.c.id)
        ).all()
        return [_baseline(connection, row) for row in rows]


def models_with_baselines(store: Store) -> list[str]:
    """The models that have a baseline, if only a provisional one."""
    with reading(store.engine) as connection:
        return list(connection.scalars(sa.select(baselines.c.model).distinct().order_by(baselines.c.model)))


def _baseline(connection: sa.Connection, row: Any) -> Baseline:
    return Baseline(
        row.id,
        row.model,
        row.version,
        row.number,
        row.provisional,
        row.created_ms,
        row.author,
        row.source,
        row.time_zone,
        features_in(connection, row.id),
    )


def features_in(connection: sa.Connection, baseline: int) -> dict[str, Feature]:
    """The features of a baseline, by name, in the order of their numbers."""
    rows = connection.execute(sa.select(bins).where(bins.c.baseline == baseline).order_by(bins.c.feature))
    return {
        r.name: Feature(
            r.feature,
            None if r.spec is None else from_json(r.spec),
            None if r.contract is None else contract_from_json(r.contract),
        )
        for r in rows
    }


def reference(store: Store, baseline: int, at_s: int | None = None) -> Reference | None:
    """The reference of a baseline's id; None where it has no counts (a provisional one that is too young).

    With `at_s`, and where the baseline has counts of that hour of the week, it is of these.
    """
    found = find(store, baseline)
    slot = WHOLE if at_s is None else _slot(found.time_zone, at_s)
    with reading(store.engine) as connection:
        held = {
            r.slot: r
            for r in connection.execute(
                sa.select(baseline_counts).where(
                    baseline_counts.c.baseline == baseline, baseline_counts.c.slot.in_((WHOLE, slot))
                )
            )
        }
        importance = dict(
            connection.execute(
                sa.select(bins.c.name, bins.c.importance).where(
                    bins.c.baseline == baseline, bins.c.importance.is_not(None)
                )
            ).all()
        )
        quality = connection.scalar(sa.select(baselines.c.quality).where(baselines.c.id == baseline))
    if WHOLE not in held:
        return None
    return _reference(found, held, slot if slot in held else WHOLE, importance, quality)


def _slot(time_zone: str | None, at_s: int) -> int:
    if time_zone is None:
        return WHOLE
    local = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(time_zone))
    return local.weekday() * 24 + local.hour


def _reference(
    found: Baseline, held: Mapping[int, Any], slot: int, importance: Mapping[str, float], quality: str | None
) -> Reference:
    row = held[slot]
    names = tuple(found.features)
    counts, sums = dense(row.counts, row.sums, len(names))
    rows = row.n_rows
    if found.provisional:
        # A feature fitted after the first windows was counted there without bins: no reference for it.
        early = counts[:, int(FeatureBin.UNBINNED)] > 0
        if early.any():
            features = {
                n: f._replace(bins=None) if early[i] else f for i, (n, f) in enumerate(found.features.items())
            }
            found = _with_features(found, features)
    counts[:, int(FeatureBin.NULL)] = rows - sum(counts[:, part].sum(axis=1) for part in _VALUED)
    dispersion = np.ones(len(names))
    if held[WHOLE].dispersion is not None:
        stored = np.frombuffer(held[WHOLE].dispersion, "<f8")
        dispersion[: len(stored)] = stored[: len(names)]
    attributed = counts[:, int(FeatureBin.ATTRIBUTION)]
    with np.errstate(divide="ignore", invalid="ignore"):
        attribution = np.where(attributed > 0, sums / attributed, np.nan)
    return Reference(
        baseline=found,
        names=names,
        rows=rows,
        windows=row.windows,
        counts=counts,
        dispersion=dispersion,
        attribution=attribution,
        importance=np.array([importance.get(n, np.nan) for n in names], np.float64),
        quality=None if quality is None else _cells(quality),
        slot=slot,
        classes=() if quality is None else tuple(json.loads(quality).get("classes", ())),
    )


def _with_features(found: Baseline, features: Mapping[str, Feature]) -> Baseline:
    return Baseline(**{**{n: getattr(found, n) for n in Baseline.__slots__}, "features": features})


def _cells(quality: str) -> Mapping[str, Mapping[int, float]]:
    held = json.loads(quality)
    return {part: {int(c): v for c, v in held[part].items()} for part in ("counts", "sums")}


def dense(counts: bytes, sums: bytes | None, n: int) -> tuple[Ints, Floats]:
    """(counts int64 (n, 256), sums of |attribution| float64 (n,)) of an encoded feature profile."""
    table = np.zeros((n + 1) * FEATURE_STRIDE, np.int64)
    _, cell, count = decode_counts([counts])
    kept = (cell != FEATURE_ROWS) & (cell < len(table))
    np.add.at(table, cell[kept], count[kept])
    totals = np.zeros(len(table))
    _, cell, value = decode_values([sums])
    np.add.at(totals, cell[cell < len(table)], value[cell < len(table)])
    return (
        table.reshape(n + 1, FEATURE_STRIDE)[1:],
        totals.reshape(n + 1, FEATURE_STRIDE)[1:, int(FeatureBin.ATTRIBUTION)].copy(),
    )


def reference_at(
    store: Store, model: str, version: str, at_s: int, seasonal: bool = True
) -> Reference | None:
    """The reference that is active for a model's version at an event time, of its hour of the week where
    the baseline is `seasonal`; None where there is none yet.

    A window's own baseline is in its profile rows: see `reference`.
    """
    number = active(list_activations(store, model), version, at_s)
    if number is None:
        with reading(store.engine) as connection:
            number = connection.scalar(
                sa.select(baselines.c.id).where(baselines.c.model == model, baselines.c.number == 0)
            )
    return None if number is None else reference(store, number, at_s if seasonal else None)


def references(store: Store, model: str) -> Sequence[Reference]:
    """The references of all baselines of a model, oldest first, each of the whole."""
    found = (reference(store, b.id) for b in features_of(store, model))
    return [r for r in found if r is not None]


def waiting(store: Store) -> list[int]:
    """The ids of the provisional baselines that have no counts yet."""
    there = sa.select(baseline_counts.c.slot).where(baseline_counts.c.baseline == baselines.c.id).exists()
    with reading(store.engine) as connection:
        return list(connection.scalars(sa.select(baselines.c.id).where(baselines.c.provisional, ~there)))
