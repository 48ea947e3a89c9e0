"""The models: real estimators, trained on what was known before the time that they serve."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer  # type: ignore[import-untyped]  # has no types
from sklearn.ensemble import (  # type: ignore[import-untyped]  # has no types
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # has no types
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]  # has no types
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # type: ignore[import-untyped]  # has no types

from monitor.demo.make_data.flights import FeatureStore, Flight
from monitor.demo.make_data.plan import request_of
from monitor.demo.make_data.timeline import DATA_START_MS, DAY_MS, FOLD_DAYS, MODELS, SEED, ModelSpec

__all__ = ["BANDS", "LATE_MIN", "Predictor", "band", "train"]

LATE_MIN = 15
BANDS = ("early", "on_time", "late", "very_late")
_CATEGORICAL = ("carrier", "dest")
_TRAINING_LEAD_MS = 5_400_000

Features = Mapping[str, str | float | int | None]


def band(arr_delay: int) -> str:
    """The class of a delay in minutes: more than 10 early, on time, more than 15 late, more than 60 late."""
    return BANDS[sum(arr_delay > edge for edge in (-11, LATE_MIN, 60))]


@dataclass(frozen=True)
class Predictor:
    """An estimator with what it needs to read features: `codes` of the categories, `typical` values.

    `example` is a row of the training; `mistaken` marks the release whose feature code is wrong.
    """

    spec: ModelSpec
    estimator: Any
    codes: Mapping[str, Mapping[str, int]]
    typical: NDArray[np.float64]
    example: Features
    mistaken: bool = False

    def features(self, found: Features) -> dict[str, str | float | int | None]:
        """What this release takes, by its own names and in its own units, of the features `found`."""
        taken = {name: found[name] for name in self.spec.features}
        if self.mistaken:
            recent = taken["recent_delay"]
            taken["recent_delay"] = None if recent is None else round(float(recent) * 60)
            taken["distance"] = str(taken["distance"])
            taken["windspeed"] = taken.pop("wind_speed")
        return taken

    def matrix(self, rows: Sequence[Features]) -> NDArray[np.float64]:
        """float64 (rows, features) in the order of the training; null and what is unknown is NaN."""
        return _matrix(self.spec, self.codes, rows)

    def predict(self, rows: Sequence[Features]) -> list[dict[str, Any]]:
        """The prediction of each row, with a score where the kind has one, rounded to 3 decimals."""
        x = self.matrix(rows)
        if self.spec.kind == "regression":
            return [{"prediction": round(float(y), 1)} for y in self.estimator.predict(x)]
        if self.spec.kind == "binary":
            return [{"prediction": bool(p >= 0.5), "score": round(float(p), 3)} for p in self._positive(x)]
        shares = self.estimator.predict_proba(x)
        names = [BANDS[int(c)] for c in self.estimator.classes_]
        return [
            {
                "prediction": names[int(np.argmax(row))],
                "scores": {name: round(float(p), 3) for name, p in zip(names, row, strict=True)},
            }
            for row in shares
        ]

    def _positive(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self.estimator.predict_proba(x)
        return shares[:, 1]

    def attributions(self, row: Features) -> dict[str, float]:
        """How much the answer moves when each feature in turn is put back to its typical value."""
        x = np.repeat(self.matrix([row]), len(self.spec.features) + 1, axis=0)
        for i, value in enumerate(self.typical):
            x[i + 1, i] = value
        if self.spec.kind == "multiclass":
            shares = self.estimator.predict_proba(x)
            answer = shares[:, int(np.argmax(shares[0]))]
        else:
            answer = self.estimator.predict(x) if self.spec.kind == "regression" else self._positive(x)
        moved = answer[0] - answer[1:]
        return {name: round(float(m), 3) for name, m in zip(self.spec.features, moved, strict=True)}


def _number(value: str | float | int | None) -> float:
    return np.nan if value is None else float(value)


def _matrix(
    spec: ModelSpec, codes: Mapping[str, Mapping[str, int]], rows: Sequence[Features]
) -> NDArray[np.float64]:
    x = np.empty((len(rows), len(spec.features)))
    for j, name in enumerate(spec.features):
        if name in codes:
            x[:, j] = [codes[name].get(str(row[name]), np.nan) for row in rows]
        else:
            x[:, j] = [_number(row.get(name)) for row in rows]
    return x


def _target(kind: str, arr_delay: int) -> float:
    if kind == "regression":
        return float(min(arr_delay, 300))
    return float(arr_delay > LATE_MIN) if kind == "binary" else float(BANDS.index(band(arr_delay)))


def _linear(spec: ModelSpec) -> Any:
    categorical = [i for i, name in enumerate(spec.features) if name in _CATEGORICAL]
    numeric = [i for i, name in enumerate(spec.features) if name not in _CATEGORICAL]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore"), categorical),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=500))


def _estimator(spec: ModelSpec, version: str) -> Any:
    categorical = [i for i, name in enumerate(spec.features) if name in _CATEGORICAL]
    boosting = {"categorical_features": categorical, "random_state": SEED, "learning_rate": 0.08}
    if spec.kind == "multiclass":
        return _linear(spec)
    if spec.kind == "regression":
        return HistGradientBoostingRegressor(max_iter=80, **boosting)
    if version == "3":
        forest = RandomForestClassifier(60, min_samples_leaf=20, random_state=SEED, n_jobs=1)
        return make_pipeline(SimpleImputer(strategy="median"), forest)
    return HistGradientBoostingClassifier(max_iter=60 if version == "1" else 120, **boosting)


# A version and the last data day (from the stream's start) that it was trained on; none of them is
# later than what its first request could know.
_RELEASES = {
    ("late-arrival", "1"): 0,
    ("late-arrival", "2"): FOLD_DAYS,
    ("late-arrival", "3"): 2 * FOLD_DAYS,
    ("arrival-delay", "1"): 0,
    ("arrival-delay", "2"): 2 * FOLD_DAYS,
    ("arrival-delay", "3"): 2 * FOLD_DAYS,
    ("delay-band", "1"): 0,
}


def train(flights: Sequence[Flight], store: FeatureStore, folder: Path) -> None:
    """Trains every release and writes it to `folder` as <model>-<version>.pickle."""
    for (name, version), days in _RELEASES.items():
        spec, until = MODELS[name], DATA_START_MS + (days - 1) * DAY_MS
        known = [f for f in flights if f.arr_delay is not None and f.departure_ms < until]
        rows = []
        for flight in known:
            at = flight.departure_ms - _TRAINING_LEAD_MS
            rows.append(store.lookup(request_of(flight, at), store.observation(flight.origin, at)))
        codes = {
            c: {v: i for i, v in enumerate(sorted({str(r[c]) for r in rows}))}
            for c in _CATEGORICAL
            if c in spec.features
        }
        x = _matrix(spec, codes, rows)
        y = np.array([_target(spec.kind, f.arr_delay) for f in known if f.arr_delay is not None])
        predictor = Predictor(
            spec,
            _estimator(spec, version).fit(x, y),
            codes,
            np.nanmedian(x, axis=0),
            rows[0],
            mistaken=(name, version) == ("arrival-delay", "2"),
        )
        (folder / f"{name}-{version}.pickle").write_bytes(pickle.dumps(predictor))
