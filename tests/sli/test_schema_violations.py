"""Violations of the schema contract: what breaks it, at which rate, in a window's counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.layout import FeatureBin, Kind
from monitor.sli.schema_violations import KINDS, Violations, violations
from monitor.store import Store, fits
from monitor.store.baselines import dense, reference
from monitor.store.names import find_series
from monitor.store.schema import profiles
from tests.builders import record
from tests.filling import SETTINGS, fill
from tests.making import AMOUNT, new_baseline

NULL = int(FeatureBin.NULL)


def window(store: Store, model: str = "fraud") -> tuple[int, np.ndarray[Any, Any]]:
    """(rows, counts with NULL) of the one feature window that is stored."""
    import sqlalchemy as sa

    names = {i for k, i in find_series(store, model).items() if not k.label}
    with store.engine.connect() as connection:
        found = connection.execute(
            sa.select(profiles).where(
                profiles.c.kind == int(Kind.FEATURES), profiles.c.tier_s == SETTINGS.features_s
            )
        ).all()
        (row,) = (r for r in found if r.series in names)
    known = reference(store, row.baseline)
    assert known is not None
    counts, _ = dense(row.counts, row.sums, len(known.names))
    rows = 100
    counts[:, NULL] = rows - counts[:, :240].sum(axis=1) - counts[:, 251:255].sum(axis=1)
    return rows, counts


CONTRACTS = {
    "amount": FeatureContract(ValueType.INTEGER, True, 0.0, 100.0),
    "plan": FeatureContract(ValueType.TEXT, False, categories=("a",), null_share_max=0.1),
}
FEATURES = {"amount": AMOUNT, "plan": Bins(categories=("a", "b"))}


def judged(tmp_path: Path, changed: list[Mapping[str, Any]]) -> Violations:
    """A window of 100 records, in which `changed` replaces features of the first ones."""
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    made = fits.create(store, new_baseline(features=FEATURES, contracts=CONTRACTS), 0, 0)
    good: dict[str, Any] = {"amount": 15, "plan": "a"}
    rows = [
        {k: v for k, v in {**good, **(changed[i] if i < len(changed) else {})}.items() if v is not ...}
        for i in range(100)
    ]
    fill(store, [record(id=str(i), features=f, prediction=..., score=...) for i, f in enumerate(rows)])
    known = reference(store, made.id)
    assert known is not None
    found = violations(known, *window(store))
    store.close()
    return found


@pytest.mark.parametrize(
    ("changed", "feature", "kind", "rate"),
    [
        ([], "amount", "type", 0.0),
        ([{"amount": "many"}] * 3, "amount", "type", 0.03),
        ([{"plan": 3.5}] * 2, "plan", "type", 0.02),
        ([{"amount": -1}, {"amount": 101}, {"amount": 100}, {"amount": 0}], "amount", "range", 0.02),
        ([{"amount": 1.5}], "amount", "fractional", 0.01),
        ([{"amount": float("inf")}], "amount", "not_finite", 0.01),
        ([{"plan": "zzz"}, {"plan": "b"}], "plan", "unseen", 0.02),
        ([{"amount": None}, {"amount": ...}], "amount", "missing", 0.02),
        ([{"plan": None}] * 30, "plan", "null_surge", 0.3),
        ([{"plan": None}] * 12, "plan", "null_surge", 0.0),  # twelve where ten are due is chance
        ([{"extra": 1.0}] * 4, "extra", "unexpected", 0.04),
    ],
)
def test_a_violation_and_its_rate(
    tmp_path: Path, changed: list[Mapping[str, Any]], feature: str, kind: str, rate: float
) -> None:
    found = judged(tmp_path, changed)
    i = found.names.index(feature)
    assert {k: float(v[i]) for k, v in found.rates.items() if v[i]} == ({kind: rate} if rate else {})
    assert found.rate[i] == rate
    assert found.total == pytest.approx(found.rate.mean())
    assert set(found.rates) == set(KINDS)


def test_a_window_without_rows_violates_nothing(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    known = reference(store, fits.create(store, new_baseline(contracts=CONTRACTS), 0, 0).id)
    assert known is not None
    found = violations(known, 0, np.zeros((1, 256), np.int64))
    assert found.rate.tolist() == [0.0]
    assert found.total == 0.0
    store.close()
