"""Reads the whole store back under the oracle's names and compares every count."""

import math
from collections import Counter
from typing import Any

import numpy as np
import sqlalchemy as sa

from monitor.profiles.bins import Bins
from monitor.profiles.codec import decode_counts, decode_values
from monitor.profiles.layout import (
    FEATURE_STRIDE,
    MEASURES,
    SECONDS,
    THRESHOLDS,
    FeatureBin,
    Kind,
    Service,
)
from monitor.profiles.series import SeriesKey
from monitor.store import dead, fits, names
from monitor.store.engine import reading
from monitor.store.schema import bins, dead_letters, profiles, series
from monitor.store.store import Store
from tests.exactly_once.oracle import BINS, Counted, Oracle
from tests.exactly_once.pair_oracle import crowded_out
from tests.store.halves import quality_counts

__all__ = ["check", "differences", "give_bins", "read_store"]

_TIMES = {int(kind): name for name, kind in MEASURES.items()}
_FEATURES = ("amount", "plan", "new", "age", "@prediction", "@score")


def give_bins(store: Store) -> None:
    """Stores the bins of some features, so that no run of the stream fits its own."""
    for model in ("fraud", "churn", "eta"):
        baseline = fits.register(store, fits.provisional(store, model, 0), _FEATURES, 100)
        specs = {baseline.features[name].number: _bins(given) for name, given in BINS.items()}
        fits.fitted(store, baseline.id, specs)


def _bins(given: tuple[Any, ...]) -> Bins:
    return Bins(categories=given) if isinstance(given[0], str) else Bins(edges=np.array(given, np.float64))


class _Names:
    """The names that a store's numbers stand for."""

    def __init__(self, store: Store) -> None:
        with reading(store.engine) as connection:
            self.series = {
                r.id: SeriesKey(r.model, r.version, r.endpoint, r.label, r.value)
                for r in connection.execute(sa.select(series))
            }
            self._features = {(r.baseline, r.feature): r.name for r in connection.execute(sa.select(bins))}
        self._thresholds = {n: value for value, n in names.threshold_ids(store, (), 0).items()}

    def cell(self, kind: int, baseline: int, cell: int) -> tuple[Any, ...]:
        if kind in _TIMES:
            return (_TIMES[kind], cell)
        if kind == Kind.SERVICE:
            if cell >= SECONDS:
                return ("second", cell - SECONDS)
            if cell >= THRESHOLDS:
                return ("threshold", self._thresholds[cell - THRESHOLDS])
            return (Service(cell).name.lower(),)
        if cell < FEATURE_STRIDE:
            return ("rows",)
        name = self._features[baseline, cell // FEATURE_STRIDE]
        number = cell % FEATURE_STRIDE
        if number in (FeatureBin.NONFINITE, FeatureBin.ATTRIBUTION):
            return ("feature", name, FeatureBin(number).name.lower())
        if name not in BINS:
            return ("feature", name, "any")
        return ("feature", name, number if number < FeatureBin.NULL else FeatureBin(number).name.lower())


def read_store(store: Store) -> Counted:
    """All profiles, summed over their writers."""
    known, whole = _Names(store), Counted()
    with reading(store.engine) as connection:
        # Quality is compared by itself, for part of it may be put aside.
        quality = profiles.c.kind.in_([int(Kind.QUALITY), int(Kind.LEARNED)])
        rows = connection.execute(sa.select(profiles).where(~quality)).all()
    kinds = {int(kind): "latency" if kind in _TIMES else kind.name.lower() for kind in Kind}
    keys = [(kinds[r.kind], r.tier_s, known.series[r.series], r.start_s) for r in rows]
    for row, cell, count in zip(*(a.tolist() for a in decode_counts([r.counts for r in rows])), strict=True):
        whole.counts[keys[row]][known.cell(rows[row].kind, rows[row].baseline, cell)] += count
    for row, cell, value in zip(*(a.tolist() for a in decode_values([r.sums for r in rows])), strict=True):
        whole.sums[keys[row]][known.cell(rows[row].kind, rows[row].baseline, cell)] += value
    for row, _, value in zip(*(a.tolist() for a in decode_values([r.maxima for r in rows])), strict=True):
        whole.highest(keys[row], (_TIMES[rows[row].kind],), value)
    return whole


def differences(store: Store, oracle: Oracle) -> list[str]:
    """Every count, sum, maximum, dead letter and unknown field that is not the oracle's, as a line each."""
    found, wanted = read_store(store), oracle.counted()
    lines = _compare("count", wanted.counts, found.counts, exactly=True)
    lines += _compare("sum", wanted.sums, found.sums, exactly=False)
    lines += _compare("maximum", wanted.maxima, found.maxima, exactly=True)
    lines += _compare("pairs", oracle.pairs(), quality_counts(store), exactly=True)
    return lines + _compare_dead(store, oracle)


def _compare(what: str, wanted: Any, found: Any, exactly: bool) -> list[str]:
    lines = []
    for row in wanted.keys() | found.keys():
        want, have = wanted.get(row, {}), found.get(row, {})
        for cell in want.keys() | have.keys():
            a, b = want.get(cell, 0), have.get(cell, 0)
            if a != b and (exactly or not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)):
                lines.append(f"{what} {row} {cell}: {b}, not {a}")
    return lines


def _compare_dead(store: Store, oracle: Oracle) -> list[str]:
    by_name: dict[str, Counter[str]] = {"dead_letter": Counter(), "unknown_field": Counter()}
    for (kind, name), n in dead.totals(store).items():
        by_name.setdefault(kind, Counter())[name] += n
    lines = []
    crowded = Counter(prediction=crowded_out(oracle.predictions))
    for kind, want in (
        ("dead_letter", Counter(oracle.dead.values())),
        ("unknown_field", oracle.unknown),
        ("dead_letter_dropped", Counter[str]()),
        ("crowded_out", crowded),
    ):
        have = by_name.get(kind, Counter[str]())
        if have != want:
            lines.append(f"{kind}: {dict(have)}, not {dict(want)}")
    with reading(store.engine) as connection:
        kept = {
            (oracle.topics.get(r.topic, r.topic), r.part, r.position): r.reason
            for r in connection.execute(sa.select(dead_letters))
        }
    wrong = sum(kept.get(at) != oracle.dead.get(at) for at in kept.keys() | oracle.dead.keys())
    return [*lines, f"{wrong} dead letters differ"] if wrong else lines


def check(store: Store, oracle: Oracle) -> None:
    """Raises AssertionError, with the first differences, unless the store holds what the oracle counted."""
    wrong = differences(store, oracle)
    shown = "\n".join(sorted(wrong)[:20])
    if wrong:
        raise AssertionError(f"{len(wrong)} values differ from the oracle's:\n{shown}")
