"""Deployments: how often, how quickly, how many stay; whether all say the same of what is in production."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from monitor.clock import DAY_MS
from monitor.ingest.events.kinds import Deployment, Registry, Rollback, moment_ms
from monitor.operations.facts import Facts
from monitor.operations.measures import Fold, Mark, Marks, Measure, Spans, Traffic, Windowed
from monitor.operations.production import PRODUCTION, is_live, serving
from monitor.records import Floats, Ints

__all__ = ["DELIVERY_MEASURES"]

# A version that is taken back later than that served well for long.
_STAYS_MS = 7 * DAY_MS
# While a deployment rolls out, servers, registry and events may differ.
_ROLL_OUT_MS = 120_000
# Fewer requests, or a smaller share of them, say nothing of what is in production.
_FEWEST, _LEAST_SHARE = 20, 0.01


def _deployments(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, 1.0) for at_ms, data in facts.of(Deployment) if is_live(data))


def _lead_times(facts: Facts) -> Iterator[Mark]:
    for at_ms, data in facts.of(Deployment):
        if is_live(data) and data.created is not None:
            yield at_ms, (at_ms - moment_ms(data.created)) / 1000


def _changes(facts: Facts) -> Iterator[tuple[int, int | None]]:
    """Each change to production, and when it was mended; None where it stays, or isn't mended yet and failed:
    then the second is 0."""
    tried = [
        (at_ms, data)
        for at_ms, data in facts.of(Deployment)
        if data.stage == PRODUCTION and data.status in ("succeeded", "failed")
    ]
    back = [(at_ms, data) for at_ms, data in facts.of(Rollback) if data.stage == PRODUCTION]
    for i, (at_ms, data) in enumerate(tried):
        good = (at for at, later in tried[i + 1 :] if later.status == "succeeded")
        next_ms = next(good, None)
        if data.status == "failed":
            restored = [at for at, _ in back if at >= at_ms] + ([next_ms] if next_ms is not None else [])
            yield at_ms, min(restored, default=0)
            continue
        until_ms = min(at_ms + _STAYS_MS, next_ms if next_ms is not None else at_ms + _STAYS_MS)
        undone = (
            at
            for at, rolled in back
            if at_ms <= at < until_ms and str(rolled.from_version or data.version) == str(data.version)
        )
        yield at_ms, next(undone, None)


def _failures(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, float(mended is not None)) for at_ms, mended in _changes(facts))


def _restores(facts: Facts) -> Iterator[Mark]:
    return ((mended, (mended - at_ms) / 1000) for at_ms, mended in _changes(facts) if mended)


def _consistent(facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    """1 where the logs, the registry and the last deployment agree on the version in production, 0 where two
    of them do not; NaN where fewer than two say anything, or something changed a moment ago."""
    tellers = [_Said.registry(facts), _Said.deployed(facts)]
    requests = traffic.by_version()
    total = np.sum(list(requests.values()), axis=0) if requests else np.zeros(len(windows.begin_s))
    value = np.full(len(windows.begin_s), np.nan)
    for i, (begin_s, end_s) in enumerate(zip(windows.begin_s.tolist(), windows.end_s.tolist(), strict=True)):
        said = [teller.at(end_s * 1000) for teller in tellers]
        mains = {each.main for each in said if each.main is not None}
        changed_ms = max(each.since_ms for each in said)
        seen = bool(total[i] >= _FEWEST)
        tell = sum(each.main is not None for each in said) + seen
        if not mains or tell < 2 or changed_ms > end_s * 1000 - _ROLL_OUT_MS:
            continue
        served = {v for v, n in requests.items() if seen and n[i] >= _LEAST_SHARE * total[i]}
        allowed = frozenset[str]().union(*(t.allowed(begin_s * 1000, end_s * 1000) for t in tellers))
        # What was served before the change, in the same window, was right then.
        late = changed_ms > begin_s * 1000
        value[i] = float(len(mains) == 1 and served <= allowed and (late or not seen or bool(served & mains)))
    return value, np.where(np.isnan(value), 0, np.maximum(total, 1)).astype(np.int64)


class _Step(NamedTuple):
    """Since when the version that has most of production is `main`, and all that may serve are `serving`."""

    since_ms: int
    main: str | None
    serving: frozenset[str]


class _Said:
    """What one teller says over time, step by step."""

    def __init__(self, steps: Iterable[_Step]) -> None:
        self._steps = [_Step(0, None, frozenset()), *steps]
        self._at_ms = [step.since_ms for step in self._steps]

    def at(self, ms: int) -> _Step:
        """As of a moment."""
        return self._steps[bisect_right(self._at_ms, ms) - 1]

    def allowed(self, from_ms: int, to_ms: int) -> frozenset[str]:
        """All versions that might serve at some time of [from_ms, to_ms]."""
        first, last = bisect_right(self._at_ms, from_ms) - 1, bisect_right(self._at_ms, to_ms)
        return frozenset[str]().union(*(step.serving for step in self._steps[first:last]))

    @classmethod
    def registry(cls, facts: Facts) -> "_Said":
        found = ((at, data) for at, data in facts.of(Registry) if data.stage == PRODUCTION)
        versions = ((at, None if data.version is None else str(data.version)) for at, data in found)
        return cls(_Step(at, v, frozenset() if v is None else frozenset((v,))) for at, v in versions)

    @classmethod
    def deployed(cls, facts: Facts) -> "_Said":
        """The last deployments, and who took most of the traffic by them."""
        steps: list[_Step] = []
        main: str | None = None
        for at_ms, live in serving(facts.events):
            most = (version for version, share in live.items() if share is not None and share >= 0.5)
            main = next(most, main if main in live else next(iter(live), None))
            steps.append(_Step(at_ms, main, frozenset(live)))
        return cls(steps)


DELIVERY_MEASURES: tuple[Measure, ...] = (
    Measure(
        "deployments",
        "deployments",
        "versions that went into production",
        (Deployment,),
        Marks(_deployments, Fold.SUM),
    ),
    Measure(
        "deployment_frequency",
        "1/d",
        "versions that went into production, per day",
        (Deployment,),
        Marks(_deployments, Fold.PER_DAY),
    ),
    Measure(
        "deployment_lead_time",
        "s",
        "from the change to its deployment (created, deployed)",
        (Deployment,),
        Marks(_lead_times),
    ),
    Measure(
        "change_failure_rate",
        "share",
        "deployments that failed, or were taken back within seven days",
        (Deployment, Rollback),
        Marks(_failures),
    ),
    Measure(
        "time_to_restore",
        "s",
        "from a deployment that failed to the one that mended it",
        (Deployment, Rollback),
        Marks(_restores),
    ),
    Measure(
        "registry_consistency",
        "share",
        "1 where logs, registry and last deployment agree on the version in production, 0 where not",
        (Deployment, Rollback, Registry),
        Spans(_consistent),
    ),
)
