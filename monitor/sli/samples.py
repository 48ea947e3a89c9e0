"""Samples as they are asked for and shown: by `monitor samples list` and by the API alike."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from monitor.clock import rfc3339
from monitor.errors import QueryError
from monitor.profiles.layout import Service
from monitor.profiles.samples import Reason, SampleSettings
from monitor.store.samples import Found, list_samples
from monitor.store.store import Store

__all__ = ["MAX_SAMPLES", "REASONS", "SampleQuestion", "parse_reasons", "samples"]

MAX_SAMPLES = 10_000
REASONS = tuple(r.name.lower() for r in Reason)


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """Which samples of a model are asked for; without `reasons` those of all but random ones."""

    model: str
    reasons: tuple[Reason, ...] = ()
    version: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int = 100


def parse_reasons(option: str, given: Sequence[str]) -> tuple[Reason, ...]:
    """The reasons of `wrong` or `slow,failed`. Raises QueryError that names `option`."""
    names = [name.strip().lower() for each in given for name in each.split(",") if name.strip()]
    for name in names:
        if name not in REASONS:
            near = get_close_matches(name, REASONS, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(REASONS)}"
            raise QueryError(f"{option}: there is no reason {name[:100]!r}; {hint}")
    return tuple(dict.fromkeys(Reason[name.upper()] for name in names))


def samples(
    store: Store, question: SampleQuestion, settings: SampleSettings, in_full: bool = True
) -> list[dict[str, Any]]:
    """The samples, the newest window first; what may hold personal data (features, prediction, label) only
    `in_full`. Raises QueryError where the range is empty."""
    from_ms, to_ms = question.from_ms, question.to_ms
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise QueryError("from: is not before to; turn them round")
    found = list_samples(
        store,
        settings,
        model=question.model,
        version=question.version,
        reasons=question.reasons,
        from_s=None if from_ms is None else from_ms // 1000,
        to_s=None if to_ms is None else -(-to_ms // 1000),
        limit=question.limit,
    )
    return [_shown(each, in_full) for each in found]


def _shown(found: Found, in_full: bool) -> dict[str, Any]:
    sample = found.sample
    shown: dict[str, Any] = {
        "ts": rfc3339(sample.ts_ms),
        "window": rfc3339(sample.start_s * 1000),
        "model": found.model,
        "version": found.version,
        "endpoint": sample.endpoint,
        "reason": Reason(sample.reason).name.lower(),
        "id": sample.id,
        "trace_id": sample.trace_id,
        "outcome": Service(sample.outcome).name.lower(),
        "latency_ms": sample.latency_ms,
        "score": sample.score,
    }
    if in_full:
        shown |= {name: _parsed(getattr(sample, name)) for name in ("prediction", "label", "features")}
    return shown


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
