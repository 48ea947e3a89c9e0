"""A seeded stream of inference logs, together with the truth about each message."""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

__all__ = ["BEGIN_MS", "LABELS", "PARTITIONS", "RECORDS", "Generator", "Sent"]

PARTITIONS = 4
# Names in the oracle for the topics of a run; each has partitions of its own.
RECORDS, LABELS = "records", "labels"
BEGIN_MS = 1_700_000_040_000  # 2023-11-14T22:14:00Z: the stream runs over an hour's end and a day's.
_DAY_MS = 86_400_000
_STEP_MS = 1_700
_COUNTRIES = ("DE", "FR", "US", "JP", "BR")
_PLANS = ("basic", "pro", "team")
_STATUSES: tuple[Any, ...] = (200,) * 20 + (500, 503, 504, 401, 422, "ok", "timeout", "invalid", "200")
_MODELS = (
    ("fraud", "3", "/v1/predict"),
    ("fraud", "4", "/v1/predict"),
    ("fraud", "4", "/v1/bulk"),
    ("churn", "1", None),
    ("eta", "7", "/eta"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: the `record` or `label` that it is, with its time `ts_ms`, or the `reason` for neither."""

    partition: int
    payload: bytes
    ts_ms: int = 0
    record: dict[str, Any] | None = None
    reason: str | None = None
    topic: str = RECORDS
    label: dict[str, Any] | None = None


class Generator:
    """Makes messages in the order in which they are produced; the same seed makes the same ones."""

    def __init__(self, seed: int, partitions: int = PARTITIONS, step_ms: int = _STEP_MS) -> None:
        self._random = random.Random(seed)
        self._labelling = random.Random(-seed - 1)
        self._partitions = partitions
        self._step_ms = step_ms
        self._made = 0

    def take(self, n: int) -> list[Sent]:
        """The next `n` messages."""
        return [self._message() for _ in range(n)]

    def _message(self) -> Sent:
        rng = self._random
        self._made += 1
        partition = rng.randrange(self._partitions)
        now_ms = BEGIN_MS + self._made * self._step_ms
        if rng.random() < 0.03:
            payload, reason = self._malformed(now_ms)
            return Sent(partition, payload, reason=reason)
        ts_ms = self._time(now_ms)
        record = self._record(ts_ms)
        return Sent(partition, json.dumps(record).encode(), ts_ms, record)

    def labels(self, n: int) -> list[Sent]:
        """`n` labels for what was made so far, or will be: some late by a month, some for nothing at all."""
        return [self._label() for _ in range(n)]

    def _label(self) -> Sent:
        rng = self._labelling
        number = rng.randrange(max(1, self._made - 60), self._made + 15)
        now_ms = BEGIN_MS + self._made * self._step_ms
        ts_ms = now_ms + (30 * _DAY_MS if rng.random() < 0.3 else rng.randrange(-5_000, 5_000_000))
        label: dict[str, Any] = {"ts": ts_ms}
        joined = ("key", f"order-{number % 7}") if rng.random() < 0.2 else ("id", f"r-{number}")
        label[joined[0]] = joined[1]
        label["label"] = rng.choice(("yes", "no", "no", True, False, 1, 12, 7.25))
        if rng.random() < 0.3:
            label["model"] = rng.choice(("fraud", "churn", "eta"))
        if rng.random() < 0.4:
            label["annotator"] = rng.choice(("ann", "bob"))
        partition = rng.randrange(self._partitions)
        if rng.random() < 0.03:
            label["label"] = {"a": -1}
            return Sent(partition, json.dumps(label).encode(), reason="label.negative", topic=LABELS)
        if rng.random() < 0.03:
            label["source"] = "tool"
        return Sent(partition, json.dumps(label).encode(), ts_ms, topic=LABELS, label=label)

    def _time(self, now_ms: int) -> int:
        rng = self._random
        kind = rng.random()
        if kind < 0.005:
            return now_ms - 16 * _DAY_MS - rng.randrange(_DAY_MS)
        if kind < 0.04:
            return now_ms - rng.randrange(20_000, 5_000_000)
        return now_ms - rng.randrange(8_000)

    def _record(self, ts_ms: int) -> dict[str, Any]:
        rng = self._random
        model, version, endpoint = rng.choice(_MODELS)
        ts: int | str = ts_ms
        if rng.random() < 0.2:
            ts = datetime.fromtimestamp(ts_ms // 1000, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{ts_ms % 1000:03d}Z")
        record: dict[str, Any] = {
            "id": f"r-{self._made}",
            "ts": ts,
            "model": model,
            "version": version,
            "endpoint": endpoint,
            "segment": {"country": rng.choice(_COUNTRIES), "plan": rng.choice((*_PLANS, None))},
            "status": rng.choice(_STATUSES),
            "latency_ms": round(rng.lognormvariate(3, 1), 3),
            "compute_ms": round(rng.uniform(0, 20), 3),
            "trace_id": f"{self._made:032x}",
            "features": self._features(model),
        }
        self._answer(record, model)
        self._extras(record, ts_ms)
        return record

    def _features(self, model: str) -> dict[str, Any]:
        rng = self._random
        features: dict[str, Any] = {
            "amount": round(rng.gauss(50, 30), 2),
            "plan": rng.choice((*_PLANS, "trial", None)),
            "new": rng.random() < 0.5,
            "age": rng.randrange(18, 90),
        }
        odd = rng.random()
        if odd < 0.01:
            features["amount"] = float("nan")
        elif odd < 0.02:
            features["amount"] = rng.choice(["12", {"value": 12}])
        elif odd < 0.05:
            del features["amount"]
        if model == "eta":
            features["distance"] = rng.randrange(100)
        return features

    def _answer(self, record: dict[str, Any], model: str) -> None:
        rng = self._random
        if rng.random() < 0.05:
            return
        if model == "eta":
            record["prediction"] = round(rng.uniform(0, 60), 2)
            record["tokens_in"], record["cost"] = rng.randrange(500), round(rng.random(), 4)
        else:
            record["prediction"] = rng.choice(("yes", "no", "maybe"))
            record["score"] = round(rng.random(), 4)

    def _extras(self, record: dict[str, Any], ts_ms: int) -> None:
        rng = self._random
        extras: tuple[tuple[float, str, Any], ...] = (
            (0.10, "sample_rate", rng.choice((0.1, 0.25, 0.5))),
            (0.05, "mode", rng.choice(("batch", "edge"))),
            (0.03, "shadow", True),
            (0.03, "cold_start", True),
            (0.05, "queue_ms", round(rng.random() * 5, 3)),
            (0.05, "feature_ts", ts_ms - rng.randrange(3_600_000)),
            (0.05, "error_type", rng.choice(("timeout", "quality", "auth", "other"))),
            (0.02, "attributions", {"amount": rng.gauss(0, 1)}),
            (0.15, "key", f"order-{self._made % 7}"),
            (0.02, "region_hint", "x"),
            (0.01, "debug", {"deep": [1, 2]}),
        )
        record.update({name: value for share, name, value in extras if rng.random() < share})
        if rng.random() < 0.05:
            del record["latency_ms"]

    def _malformed(self, now_ms: int) -> tuple[bytes, str]:
        good = {"id": f"bad-{self._made}", "ts": now_ms, "model": "fraud"}
        cases: list[tuple[Any, str]] = [
            (b'{"id": "x", ', "bad_json"),
            (b"\xff\xfe{}", "bad_json"),
            (b'{"id": "\xc3\x28", "ts": 1, "model": "m"}', "invalid_utf8"),
            (b"[1, 2]", "not_an_object"),
            (good | {"id": None}, "missing_id"),
            (good | {"ts": None}, "missing_ts"),
            (good | {"model": None}, "missing_model"),
            (good | {"ts": "yesterday"}, "bad_ts"),
            (good | {"ts": now_ms // 1000}, "bad_ts"),
            (good | {"ts": 4_102_444_800_000}, "future_ts"),
            (good | {"latency_ms": -1}, "negative"),
            (good | {"latency_ms": float("nan")}, "not_finite"),
            (good | {"latency_ms": "fast"}, "bad_type"),
            (good | {"sample_rate": 0}, "bad_value"),
            (good | {"status": "perhaps"}, "bad_value"),
        ]
        payload, reason = self._random.choice(cases)
        if isinstance(payload, dict) and self._random.random() < 0.5:
            payload |= {"region_hint": "only records count their unknown fields"}
        return payload if isinstance(payload, bytes) else json.dumps(payload).encode(), reason
