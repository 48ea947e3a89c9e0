"""The records that are measured: about 480 bytes of JSON, 10 features, 200 series, three minutes mixed.

5 models x 2 versions x 2 endpoints x 9 countries make 20 series and 180 of a segment value, 200 in all.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = ["BEGIN_MS", "CATEGORIES", "COUNTRIES", "ENDPOINTS", "MINUTES", "MODELS", "NUMBERS", "VERSIONS"]
__all__ += ["Made", "make", "wide"]

BEGIN_MS = 1_750_000_020_000  # the begin of a minute
MINUTES = 3
MODELS = ("fraud", "credit", "churn", "pricing", "demand")
VERSIONS = ("2026.10", "2026.11")
ENDPOINTS = ("/v1/predict", "/v1/explain")
COUNTRIES = ("DE", "FR", "GB", "US", "IN", "BR", "JP", "SE", "PL")
NUMBERS = ("amount", "age_days", "balance", "visits", "ratio", "distance_km", "price")
CATEGORIES = ("plan", "channel", "device")
_VALUES = (("basic", "plus", "pro"), ("web", "app", "branch", "phone"), ("ios", "android", "desktop"))


class Made(NamedTuple):
    """A message, its key (what Quix Streams groups by) and its time."""

    payload: bytes
    key: bytes
    ts_ms: int


def make(n: int, seed: int = 7) -> list[Made]:
    """`n` records in mixed order of time; the same for the same seed."""
    rng = np.random.default_rng(seed)
    picks = [rng.integers(0, len(v), n).tolist() for v in (MODELS, VERSIONS, ENDPOINTS, COUNTRIES)]
    times = (BEGIN_MS + rng.integers(0, MINUTES * 60_000, n)).tolist()
    latency = np.round(rng.lognormal(3.0, 0.6, n), 3).tolist()
    status = rng.choice([200, 200, 200, 200, 200, 200, 200, 200, 200, 503], n).tolist()
    numbers = np.round(rng.gamma(2.0, 40.0, (n, len(NUMBERS))), 4).tolist()
    texts = [rng.integers(0, len(v), n).tolist() for v in _VALUES]
    score = np.round(rng.beta(2.0, 5.0, n), 6).tolist()
    made = []
    for i in range(n):
        model, version = MODELS[picks[0][i]], VERSIONS[picks[1][i]]
        endpoint, country = ENDPOINTS[picks[2][i]], COUNTRIES[picks[3][i]]
        features: dict[str, object] = dict(zip(NUMBERS, numbers[i], strict=True))
        features |= {name: _VALUES[k][texts[k][i]] for k, name in enumerate(CATEGORIES)}
        record = {
            "id": f"{seed:04x}-{i:024x}",
            "ts": times[i],
            "model": model,
            "version": version,
            "endpoint": endpoint,
            "segment": {"country": country},
            "status": status[i],
            "latency_ms": latency[i],
            "queue_ms": round(latency[i] * 0.1, 3),
            "compute_ms": round(latency[i] * 0.8, 3),
            "features": features,
            "prediction": "yes" if score[i] > 0.5 else "no",
            "score": score[i],
            "trace_id": f"{i:032x}",
        }
        payload = json.dumps(record, separators=(",", ":")).encode()
        made.append(Made(payload, f"{model}/{version}/{endpoint}".encode(), times[i]))
    return made


def wide(n: int, models: int, features: int, seed: int = 7) -> Iterator[bytes]:
    """The part after the time of `n` records of many models with many features: `{"ts":%d` + this."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        values = np.round(rng.gamma(2.0, 40.0, features), 4).tolist()
        record = {
            "id": f"{i:024x}",
            "model": f"model-{i % models}",
            "version": VERSIONS[int(rng.integers(2))],
            "endpoint": ENDPOINTS[int(rng.integers(2))],
            "segment": {"country": COUNTRIES[int(rng.integers(5))]},
            "status": 200,
            "latency_ms": round(float(rng.lognormal(3.0, 0.6)), 3),
            "features": {f"feature_{k}": value for k, value in enumerate(values)},
            "score": round(float(rng.beta(2.0, 5.0)), 6),
        }
        yield b"," + json.dumps(record, separators=(",", ":")).encode()[1:]
