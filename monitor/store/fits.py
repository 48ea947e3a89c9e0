"""Writing baselines: the provisional one as it grows, and fitted ones, whole and once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.profiles.bins import MAX_CATEGORIES, Bins, to_json
from monitor.profiles.feature_contract import FeatureContract
from monitor.profiles.feature_contract import to_json as contract_json
from monitor.profiles.features import Feature
from monitor.records import Floats
from monitor.store.activations import say
from monitor.store.baseline_rows import packed, rows_of
from monitor.store.baselines import Baseline, features_in, find
from monitor.store.engine import reading, writing
from monitor.store.schema import activations, baseline_counts, baseline_rows, baselines, bins
from monitor.store.store import Store, insert

__all__ = [
    "Counts",
    "NewBaseline",
    "check_free",
    "create",
    "fitted",
    "keep_reference",
    "like",
    "provisional",
    "register",
]

WHOLE = -1


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of a baseline, as `codec.encode_rows` writes a feature profile, over so many windows.

    `dispersion` (float64) is by feature, in the order of their numbers.
    """

    rows: int
    windows: int
    counts: bytes
    sums: bytes | None = None
    dispersion: Floats | None = None


@dataclass(frozen=True, slots=True)
class NewBaseline:
    """All that a baseline consists of. `slots` maps WHOLE, and hours of the week, to their counts; `rows`
    are a few of those that it was fitted on, by feature."""

    model: str
    version: str
    author: str
    source: str
    features: Mapping[str, Feature]
    slots: Mapping[int, Counts]
    importance: Mapping[str, float] = field(default_factory=dict)
    time_zone: str | None = None
    quality: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()


def provisional(store: Store, model: str, now_ms: int) -> int:
    """The id of the model's provisional baseline, made if it has none."""
    mine = sa.select(baselines.c.id).where(baselines.c.model == model, baselines.c.number == 0)
    with reading(store.engine) as connection:
        known = connection.scalar(mine)
    if known is not None:
        return int(known)
    with writing(store.engine) as connection:
        _make_provisional(store, connection, model, now_ms)
        return int(connection.execute(mine).scalar_one())


def _make_provisional(store: Store, connection: sa.Connection, model: str, now_ms: int) -> None:
    connection.execute(
        insert(store, baselines)
        .values(model=model, version="", number=0, provisional=True, created_ms=now_ms, author="monitor")
        .on_conflict_do_nothing()
    )


def register(store: Store, baseline: int, names: Sequence[str], limit: int) -> Baseline:
    """The baseline with at least the features `names`, as far as `limit` features in all allow."""
    found = find(store, baseline)
    if all(n in found.features for n in names) or len(found.features) >= limit:
        return found
    with writing(store.engine) as connection:
        # The row lock makes processes take turns, so that no two features get the same number.
        connection.execute(sa.select(baselines.c.id).where(baselines.c.id == baseline).with_for_update())
        known = features_in(connection, baseline)
        missing = [n for n in names if n not in known][: max(0, limit - len(known))]
        if missing:
            connection.execute(
                sa.insert(bins),
                [
                    {"baseline": baseline, "feature": len(known) + i + 1, "name": name, "spec": None}
                    for i, name in enumerate(missing)
                ],
            )
    return find(store, baseline)


def fitted(store: Store, baseline: int, specs: Mapping[int, Bins]) -> Baseline:
    """The baseline with bins for more features; where another process was first, its bins hold."""
    with writing(store.engine) as connection:
        for feature, spec in specs.items():
            connection.execute(
                sa.update(bins)
                .where(bins.c.baseline == baseline, bins.c.feature == feature, bins.c.spec.is_(None))
                .values(spec=to_json(spec))
            )
    return find(store, baseline)


def create(
    store: Store,
    new: NewBaseline,
    now_ms: int,
    active_from_s: int | None,
    in_place_of: int | None = None,
) -> Baseline:
    """Stores a baseline and, unless `active_from_s` is None, activates it from that event time on.

    `in_place_of` is the id of the baseline that it takes over from, which is retired then. Raises StoreError
    where the model's version has another baseline.
    """
    with writing(store.engine) as connection:
        _make_provisional(store, connection, new.model, now_ms)
        # Its row lock makes writers take turns: no number is given twice, no version has two baselines.
        connection.execute(
            sa.select(baselines.c.id)
            .where(baselines.c.model == new.model, baselines.c.number == 0)
            .with_for_update()
        )
        _refuse_second(connection, new.model, new.version, in_place_of)
        highest = connection.scalar(
            sa.select(sa.func.max(baselines.c.number)).where(baselines.c.model == new.model)
        )
        baseline = connection.execute(
            sa.insert(baselines)
            .values(
                model=new.model,
                version=new.version,
                number=(highest or 0) + 1,
                provisional=False,
                created_ms=now_ms,
                author=new.author,
                source=new.source,
                time_zone=new.time_zone,
                quality=new.quality,
            )
            .returning(baselines.c.id)
        ).scalar_one()
        connection.execute(sa.insert(bins), _bins_rows(baseline, new))
        connection.execute(sa.insert(baseline_counts), [_counts_row(baseline, *s) for s in new.slots.items()])
        if new.rows:
            connection.execute(sa.insert(baseline_rows), {"baseline": baseline, "rows": packed(new.rows)})
        if active_from_s is not None:
            if in_place_of is not None:
                say(connection, in_place_of, active_from_s, new.author, now_ms, retired=True)
            say(connection, baseline, active_from_s, new.author, now_ms)
    return find(store, baseline)


def like(store: Store, baseline: int, author: str, contracts: Mapping[str, FeatureContract]) -> NewBaseline:
    """A baseline with the bins and counts of another and the contracts given.

    A category that only a contract has becomes one more bin, without rows. Raises StoreError where there is
    no room for it.
    """
    found = find(store, baseline)
    with reading(store.engine) as connection:
        counts = connection.execute(
            sa.select(baseline_counts).where(baseline_counts.c.baseline == baseline)
        ).all()
        importance = connection.execute(
            sa.select(bins.c.name, bins.c.importance).where(
                bins.c.baseline == baseline, bins.c.importance.is_not(None)
            )
        ).all()
        quality = connection.scalar(sa.select(baselines.c.quality).where(baselines.c.id == baseline))
    return NewBaseline(
        model=found.model,
        version=found.version,
        author=author,
        source=f"like baseline {found.number}, with another contract",
        features={
            name: Feature(f.number, _extended(name, f.bins, contracts.get(name)), contracts.get(name))
            for name, f in found.features.items()
        },
        slots={
            r.slot: Counts(
                r.n_rows,
                r.windows,
                r.counts,
                r.sums,
                None if r.dispersion is None else np.frombuffer(r.dispersion, "<f8").astype(np.float64),
            )
            for r in counts
        },
        importance={r.name: r.importance for r in importance},
        time_zone=found.time_zone,
        quality=quality,
        rows=rows_of(store, baseline),
    )


def _extended(name: str, spec: Bins | None, contract: FeatureContract | None) -> Bins | None:
    if spec is None or spec.categories is None or contract is None or contract.categories is None:
        return spec
    new = tuple(c for c in contract.categories if c not in spec.categories)
    if len(spec.categories) + len(new) > MAX_CATEGORIES:
        raise StoreError(
            f"{name}: {len(spec.categories)} categories and {len(new)} new ones are more than "
            f"{MAX_CATEGORIES}; write `categories: open`, or fit anew"
        )
    return Bins(categories=(*spec.categories, *new)) if new else spec


def check_free(store: Store, model: str, version: str) -> None:
    """Raises StoreError, as `create` would, where the model's version has a baseline."""
    with reading(store.engine) as connection:
        _refuse_second(connection, model, version, None)


def _refuse_second(connection: sa.Connection, model: str, version: str, in_place_of: int | None) -> None:
    """One baseline at a time for a version: those before it must have been retired."""
    last_word = (
        sa.select(activations.c.retired)
        .where(activations.c.baseline == baselines.c.id)
        .order_by(activations.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = sa.select(baselines.c.id, baselines.c.number).where(
        baselines.c.model == model,
        baselines.c.version == version,
        baselines.c.number > 0,
        sa.func.coalesce(last_word, sa.false()).is_(sa.false()),
    )
    for row in connection.execute(query):
        if row.id != in_place_of:
            of = f"version {version!r} of {model!r}" if version else f"all versions of {model!r}"
            raise StoreError(
                f"{of} has baseline {row.number} already, and may have one at a time: retire it "
                f"first with `monitor baseline retire --model {model} --number {row.number}`, or name "
                "another --version"
            )


def _bins_rows(baseline: int, new: NewBaseline) -> list[dict[str, object]]:
    return [
        {
            "baseline": baseline,
            "feature": feature.number,
            "name": name,
            "spec": None if feature.bins is None else to_json(feature.bins),
            "contract": None if feature.contract is None else contract_json(feature.contract),
            "importance": new.importance.get(name),
        }
        for name, feature in new.features.items()
    ]


def _counts_row(baseline: int, slot: int, counts: Counts) -> dict[str, object]:
    return {
        "baseline": baseline,
        "slot": slot,
        "n_rows": counts.rows,
        "windows": counts.windows,
        "counts": counts.counts,
        "sums": counts.sums,
        "dispersion": None if counts.dispersion is None else counts.dispersion.astype("<f8").tobytes(),
    }


def keep_reference(store: Store, baseline: int, counts: Counts) -> bool:
    """Stores the provisional baseline's counts; False where another process was first: its counts hold."""
    row = _counts_row(baseline, WHOLE, counts)
    with writing(store.engine) as connection:
        upsert = insert(store, baseline_counts).values(row).on_conflict_do_nothing()
        written = connection.execute(upsert.returning(baseline_counts.c.slot)).first()
    return written is not None
