"""CloudEvents for tests."""

from typing import Any

import numpy as np

from monitor.ingest.source import Chunk
from monitor.records import Partition
from tests.builders import NOW_MS, encode

__all__ = ["chunk_of", "event"]

EXAMPLES: dict[str, dict[str, Any]] = {
    "deployment": {"model": "fraud", "version": "4", "traffic_share": 0.1, "commit": "3f2a"},
    "rollback": {"model": "fraud", "to_version": 3, "from_version": 4},
    "training_run": {"id": "run-1", "model": "fraud", "status": "succeeded", "cost": 3, "currency": "EUR"},
    "pipeline_run": {"id": "p-1", "pipeline": "features", "status": "failed", "failure_class": "timeout"},
    "dataset": {"name": "payments", "rows": 90, "expected_rows": 100},
    "cost": {"begin": NOW_MS - 86_400_000, "end": NOW_MS, "amount": 12.5, "currency": "EUR"},
    "registry": {"model": "fraud", "version": 4, "registry": "mlflow"},
    "capacity": {"model": "fraud", "replicas": 3, "max_rps": 300, "cpu_use": 0.5},
    "heartbeat": {"device": "till-7", "connectivity": "degraded", "buffered": 12},
    "credential": {"name": "scorer", "expires": "2027-01-01T00:00:00Z"},
    "retrain_requested": {"model": "fraud", "reason": "drift", "policy": "weekly"},
}


def event(kind: str = "deployment", id: str = "e-1", **data: Any) -> dict[str, Any]:
    """An event in structured mode: the kind's example with `data` over it; what is `...` is left out."""
    filled = {**EXAMPLES.get(kind, {}), **data}
    return {
        "specversion": "1.0",
        "id": id,
        "source": "ci",
        "type": f"monitor.{kind}",
        "data": {name: value for name, value in filled.items() if value is not ...},
    }


def chunk_of(*messages: dict[str, Any] | bytes) -> Chunk:
    """The messages as they come from a log, from offset 7 on."""
    values = [message if isinstance(message, bytes) else encode(message) for message in messages]
    n = len(values)
    return Chunk(Partition("events", 0), values, np.arange(7, 7 + n), 7 + n, np.full(n, NOW_MS, np.int64))
