"""Baselines: which bins the features of a model are counted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.profiles.bins import Bins, from_json, to_json
from monitor.store.engine import reading, writing
from monitor.store.schema import baselines, bins
from monitor.store.store import Store, insert

__all__ = ["Baseline", "features_of", "fitted", "with_features"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline and, by name, each feature's number and bins (None: not fitted yet)."""

    id: int
    features: Mapping[str, tuple[int, Bins | None]]


def with_features(store: Store, model: str, names: Sequence[str], now_ms: int) -> Baseline:
    """The provisional baseline of a model, made if it has none, with at least the features `names`."""
    with writing(store.engine) as connection:
        connection.execute(
            insert(store, baselines)
            .values(
                model=model,
                provisional=True,
                valid_from_s=0,
                created_ms=now_ms,
                author="monitor",
                version="",
                number=0,
            )
            .on_conflict_do_nothing()
        )
        # The row lock makes processes take turns, so that no two features get the same number.
        number = connection.execute(
            sa.select(baselines.c.id)
            .where(baselines.c.model == model, baselines.c.version == "", baselines.c.number == 0)
            .with_for_update()
        ).scalar_one()
        known = _features(connection, number)
        missing = [n for n in names if n not in known]
        if missing:
            connection.execute(
                sa.insert(bins),
                [
                    {"baseline": number, "feature": len(known) + i + 1, "name": name, "spec": None}
                    for i, name in enumerate(missing)
                ],
            )
            known = _features(connection, number)
    return Baseline(number, known)


def fitted(store: Store, baseline: Baseline, specs: Mapping[int, Bins]) -> Baseline:
    """The baseline with bins for more features; where another process was first, its bins hold."""
    with writing(store.engine) as connection:
        for feature, spec in specs.items():
            connection.execute(
                sa.update(bins)
                .where(bins.c.baseline == baseline.id, bins.c.feature == feature, bins.c.spec.is_(None))
                .values(spec=to_json(spec))
            )
        return Baseline(baseline.id, _features(connection, baseline.id))


def features_of(store: Store, model: str) -> list[Baseline]:
    """Every baseline of a model, oldest first."""
    with reading(store.engine) as connection:
        ids = connection.scalars(
            sa.select(baselines.c.id).where(baselines.c.model == model).order_by(baselines.c.id)
        ).all()
        return [Baseline(i, _features(connection, i)) for i in ids]


def _features(connection: sa.Connection, baseline: int) -> dict[str, tuple[int, Bins | None]]:
    rows = connection.execute(sa.select(bins).where(bins.c.baseline == baseline).order_by(bins.c.feature))
    return {r.name: (r.feature, None if r.spec is None else from_json(r.spec)) for r in rows}
