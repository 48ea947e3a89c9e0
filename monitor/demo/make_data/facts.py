"""faults.json: what was done to the stream and when, and what the files hold, counted on their contents."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # has no types

from monitor.demo.make_data.labels import MALFORMED_LABELS, Label
from monitor.demo.make_data.models import BANDS
from monitor.demo.make_data.records import MALFORMED, Line, Record
from monitor.demo.make_data.timeline import (
    DATA_START_MS,
    DAY_MS,
    FAULTS,
    FOLD_DAYS,
    LOG_DAYS,
    LOG_END_MS,
    LOG_START_MS,
    MODELS,
    ROUTES,
    SEED,
    SHADOW,
    Fault,
)

__all__ = ["facts"]

_LATE_BY_MS = 600_000
_TRUE = ("final", "provisional")


def facts(found: Sequence[Record], lines: Sequence[Line], labels: Sequence[Label]) -> dict[str, Any]:
    """Everything that faults.json says. Counts don't depend on how fast the machine was; latencies do."""
    return {
        "stream": _stream(found),
        "models": [_model(name, found) for name in MODELS],
        "records": _records(found, lines),
        "labels": _labels(labels),
        "quality": _quality(found, labels),
        "deployments": [_deployment(i) for i in range(len(ROUTES))],
        "shadow": {
            "model": SHADOW.model,
            "version": SHADOW.version,
            "share": SHADOW.share,
            "paired_by": "trace_id",
            **_window(SHADOW.start_s, SHADOW.end_s),
        },
        "faults": [_fault(fault, found) for fault in FAULTS],
    }


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _window(start_s: int, end_s: int) -> dict[str, int | str]:
    start, end = (LOG_START_MS + s * 1000 for s in (start_s, end_s))
    return {
        "start_s": start_s,
        "end_s": end_s,
        "start_ms": start,
        "end_ms": end,
        "start": _rfc3339(start),
        "end": _rfc3339(end),
    }


def _stream(found: Sequence[Record]) -> dict[str, Any]:
    times = [r.planned.ts for r in found]
    return {
        "start_ms": LOG_START_MS,
        "end_ms": LOG_END_MS,
        "first_ts_ms": min(times),
        "last_ts_ms": max(times),
        "days": LOG_DAYS,
        "data_days_per_day": FOLD_DAYS,
        "data_start": _rfc3339(DATA_START_MS),
        "data_end": _rfc3339(DATA_START_MS + LOG_DAYS * FOLD_DAYS * DAY_MS),
        "seed": SEED,
    }


def _model(name: str, found: Sequence[Record]) -> dict[str, Any]:
    spec, mine = MODELS[name], [r.fields for r in found if r.planned.model == name]
    return {
        "name": name,
        "kind": spec.kind,
        "classes": {"binary": [False, True], "multiclass": list(BANDS)}.get(spec.kind),
        "versions": sorted({f["version"] for f in mine}),
        "endpoints": sorted({f["endpoint"] for f in mine}),
        "modes": sorted({f["mode"] for f in mine}),
        "segments": {k: sorted({f["segment"][k] for f in mine}) for k in ("origin", "carrier_group")},
        "features": list(spec.features),
    }


def _outcome(fields: Mapping[str, Any]) -> str:
    """The class of a record: ok, quality, auth, client, timeout or infrastructure."""
    status = fields["status"]
    if status == 200:
        return "quality" if "error_type" in fields else "ok"
    if status < 500:
        return "auth" if status in (401, 403) else "client"
    return "timeout" if status == 504 else "infrastructure"


def _count(found: Iterable[Record], key: Callable[[Mapping[str, Any]], Any]) -> dict[str, int]:
    return {str(k): n for k, n in sorted(Counter(key(r.fields) for r in found).items())}


def _records(found: Sequence[Record], lines: Sequence[Line]) -> dict[str, Any]:
    fields = [r.fields for r in found]
    newest, behind = 0, []
    for r in found:
        newest = max(newest, r.planned.ts)
        behind.append(newest - r.planned.ts)
    on_time = [b for r, b in zip(found, behind, strict=True) if not r.planned.late_ms]
    by_model = {name: [r for r in found if r.planned.model == name] for name in MODELS}
    return {
        "lines": len(lines),
        "valid": len(found),
        "malformed": {kind: sum(line.broken == kind for line in lines) for kind in MALFORMED},
        "late": {
            "by_more_than_ms": _LATE_BY_MS,
            "count": sum(b > _LATE_BY_MS for b in behind),
            "most_ms": max(behind),
        },
        "disorder_ms": max(on_time),
        "shadow": sum("shadow" in f for f in fields),
        "cold_start": sum("cold_start" in f for f in fields),
        "with_trace_id": sum("trace_id" in f for f in fields),
        "with_attributions": sum("attributions" in f for f in fields),
        "with_cost": sum("cost" in f for f in fields),
        "by_model": _count(found, lambda f: f["model"]),
        "by_version": {m: _count(rs, lambda f: f["version"]) for m, rs in by_model.items()},
        "by_endpoint": {m: _count(rs, lambda f: f["endpoint"]) for m, rs in by_model.items()},
        "by_origin": {m: _count(rs, lambda f: f["segment"]["origin"]) for m, rs in by_model.items()},
        "by_mode": _count(found, lambda f: f["mode"]),
        "by_status": _count(found, lambda f: f["status"]),
        "by_outcome": {m: _count(rs, _outcome) for m, rs in by_model.items()},
    }


def _labels(labels: Sequence[Label]) -> dict[str, Any]:
    kinds = Counter(label.kind for label in labels)
    labelled = Counter({label.id: label.model for label in labels if label.kind in _TRUE}.values())
    return {
        "lines": len(labels),
        "final": kinds["final"],
        "provisional": kinds["provisional"],
        "orphans": kinds["orphan"],
        "malformed": {kind: kinds[kind] for kind in MALFORMED_LABELS},
        "labelled": {m: labelled[m] for m in MODELS},
    }


def _quality(found: Sequence[Record], labels: Sequence[Label]) -> dict[str, Any]:
    """By model and version, over all pairs of a prediction and the last label that came for it."""
    truth = {label.id: label.value for label in labels if label.kind in _TRUE}
    pairs: dict[tuple[str, str], list[tuple[dict[str, Any], Any]]] = {}
    for r in found:
        if r.planned.id in truth:
            pairs.setdefault((r.planned.model, r.planned.version), []).append((r.fields, truth[r.planned.id]))
    measured: dict[str, dict[str, Any]] = {}
    for (model, version), of in sorted(pairs.items()):
        measured.setdefault(model, {})[version] = _measured(MODELS[model].kind, of)
    return measured


def _measured(kind: str, pairs: Sequence[tuple[Mapping[str, Any], Any]]) -> dict[str, Any]:
    if kind == "regression":
        errors = np.array([f["prediction"] - value for f, value in pairs])
        return {
            "pairs": len(pairs),
            "mae": round(float(np.abs(errors).mean()), 6),
            "rmse": round(float(np.sqrt((errors**2).mean())), 6),
            "bias": round(float(errors.mean()), 6),
        }
    right = sum(f["prediction"] == value for f, value in pairs)
    result = {"pairs": len(pairs), "accuracy": round(right / len(pairs), 6)}
    if kind == "binary":
        auc = roc_auc_score([value for _, value in pairs], [f["score"] for f, _ in pairs])
        result["roc_auc"] = round(float(auc), 6)
    return result


def _deployment(i: int) -> dict[str, Any]:
    route = ROUTES[i]
    later = [r.start_s for r in ROUTES[i + 1 :] if r.model == route.model]
    end_s = later[0] if later else LOG_DAYS * 86_400
    window = _window(route.start_s, end_s)
    return {"model": route.model, "event": route.event, "shares": dict(route.shares), **window}


def _fault(fault: Fault, found: Sequence[Record]) -> dict[str, Any]:
    def of(start_s: int, end_s: int, version: str | None) -> dict[str, Any]:
        return _summary(
            [
                r
                for r in found
                if r.planned.model == fault.model
                and r.planned.mode == "online"
                and not r.planned.shadow
                and start_s <= r.planned.offset_s < end_s
                and version in (None, r.planned.version)
            ]
        )

    return {
        "name": fault.name,
        "kind": fault.kind,
        "model": fault.model,
        "version": fault.version,
        "endpoint": "/v1/predict",
        **_window(fault.start_s, fault.end_s),
        "seen": fault.seen,
        "online": of(fault.start_s, fault.end_s, fault.version),
        "hour_before": of(fault.start_s - 3600, fault.start_s, None),
    }


def _summary(found: Sequence[Record]) -> dict[str, Any]:
    """Counts and percentiles (numpy's, linear) of the records of a time."""
    fields = [r.fields for r in found]
    summary: dict[str, Any] = {"records": len(fields), "outcomes": _count(found, _outcome)}
    summary["cold_start"] = sum("cold_start" in f for f in fields)
    for name in ("latency_ms", "feature_ms"):
        values = [f[name] for f in fields if name in f]
        if values:
            p50, p99 = np.percentile(values, (50, 99)).tolist()
            summary |= {f"{name[:-3]}_p50_ms": round(p50, 3), f"{name[:-3]}_p99_ms": round(p99, 3)}
    ages = [f["ts"] - f["feature_ts"] for f in fields if "feature_ts" in f]
    if ages:
        summary["feature_age_max_ms"] = max(ages)
    answers = [f["prediction"] for f in fields if isinstance(f.get("prediction"), int | float)]
    if answers:
        summary["prediction_mean"] = round(sum(answers) / len(answers), 6)
    rows = [f["features"] for f in fields if "features" in f]
    names = sorted({name for row in rows for name in row})
    summary["null_share"] = {
        n: round(sum(row.get(n) is None for row in rows) / len(rows), 6) for n in names if rows
    }
    return summary
