"""Good objects to start a test from; each test breaks one thing."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.ingest.source import Chunk
from monitor.records import Partition

__all__ = ["NOW_MS", "PARTITION", "T0_MS", "chunk", "encode", "label", "record"]

T0_MS = 1_700_000_040_000  # the begin of a minute, not of an hour
PARTITION = Partition("t", 0)
NOW_MS = T0_MS + 3_600_000


def record(**changes: Any) -> dict[str, Any]:
    """A valid inference; `changes` replace fields, None as value stays null, ... removes the field."""
    good: dict[str, Any] = {
        "id": "r-1",
        "ts": T0_MS,
        "model": "fraud",
        "version": "3",
        "endpoint": "/v1/predict",
        "segment": {"country": "DE"},
        "status": 200,
        "latency_ms": 12.5,
        "features": {"amount": 10.0, "plan": "basic", "new": True},
        "prediction": "yes",
        "score": 0.75,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }
    return {k: v for k, v in {**good, **changes}.items() if v is not ...}


def label(**changes: Any) -> dict[str, Any]:
    """A valid label for `record()`; `changes` as there."""
    good: dict[str, Any] = {"id": "r-1", "label": "yes", "ts": T0_MS + 1000}
    return {k: v for k, v in {**good, **changes}.items() if v is not ...}


def encode(value: Any) -> bytes:
    """JSON as most clients write it: compact, NaN as NaN."""
    return json.dumps(value, separators=(",", ":")).encode()


def chunk(
    values: Sequence[bytes], first: int = 0, append_ms: int = NOW_MS, partition: Partition = PARTITION
) -> Chunk:
    """Consecutive messages of one partition."""
    n = len(values)
    positions = np.arange(first, first + n, dtype=np.int64)
    return Chunk(partition, values, positions, first + n, np.full(n, append_ms, np.int64))
