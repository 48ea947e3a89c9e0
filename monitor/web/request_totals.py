"""What was requested of the models, as totals since this process started, from committed flushes.

One row of a matrix per (model, version, endpoint), so that a flush is added with a few array operations.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from prometheus_client.core import Exemplar as PrometheusExemplar
from prometheus_client.metrics_core import Metric as Family

from monitor.ingest.contract import Outcome
from monitor.job.report import CommittedFlush, Exemplar
from monitor.profiles.layout import (
    BUCKETS,
    CELL_BITS,
    SECONDS,
    THRESHOLDS,
    Kind,
    Service,
    bucket_of,
    bucket_value,
)
from monitor.profiles.series import SeriesKey
from monitor.records import Floats, Ints
from monitor.web import metric_names as names
from monitor.web.families import OTHER, counter, histogram, le_label

__all__ = ["RequestTotals"]

_CELL_MASK = (1 << CELL_BITS) - 1
_NONE = -1
# Powers of two of a millisecond are edges of the latency buckets, so these bounds count exactly.
_LADDER_MS = np.exp2(np.arange(17))
# OpenMetrics allows an exemplar 128 characters; what is in no trace id is kept out of the exposition.
_TRACE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")


class _Column(IntEnum):
    """The columns of the matrix; the first six are the outcomes. After them come the steps of the
    ladder (not cumulative) and then the thresholds (cumulative), as they become known."""

    COLD_START = 6
    SAMPLED = 7
    TOKENS_IN = 8
    TOKENS_OUT = 9
    COST = 10
    LATENCY_COUNT = 11
    LATENCY_SUM = 12
    LADDER = 13


_FIRST_THRESHOLD = int(_Column.LADDER) + len(_LADDER_MS)
_SERVICE_COLUMNS = {
    Service.COLD_START: _Column.COLD_START,
    Service.SAMPLED: _Column.SAMPLED,
    Service.SUM_TOKENS_IN: _Column.TOKENS_IN,
    Service.SUM_TOKENS_OUT: _Column.TOKENS_OUT,
    Service.SUM_COST: _Column.COST,
    Service.LATENCY_COUNT: _Column.LATENCY_COUNT,
}


def _service_columns() -> Ints:
    columns = np.full(SECONDS, _NONE, np.int64)
    columns[: len(Outcome)] = np.arange(len(Outcome))
    for cell, column in _SERVICE_COLUMNS.items():
        columns[cell] = column
    return columns


def _ladder_columns() -> Ints:
    """The step of each latency bucket; past the end of the ladder only the +Inf bucket counts."""
    step = np.searchsorted(bucket_of(_LADDER_MS), np.arange(BUCKETS), side="left")
    return np.where(step < len(_LADDER_MS), _Column.LADDER + step, _NONE)


_LADDER_COLUMNS = _ladder_columns()
_BUCKET_SECONDS = bucket_value(np.arange(BUCKETS)) / 1000


class RequestTotals:
    """The totals. Not thread-safe: the caller holds a lock around `add` and `copied`."""

    def __init__(self, max_series_per_model: int, max_models: int) -> None:
        self._max_series, self._max_models = max_series_per_model, max_models
        self._slots: dict[tuple[str, str, str], int] = {}
        self._per_model: dict[str, int] = {}
        self._overflow: dict[str, float] = {}
        self._columns = _service_columns()
        self._thresholds: dict[float, int] = {}
        self._matrix = np.zeros((16, _FIRST_THRESHOLD + 4))
        self._exemplars: dict[int, dict[float, Exemplar]] = {}

    def add(self, flush: CommittedFlush) -> None:
        """Adds a flush's fresh profiles of whole series; those of segments are parts of them."""
        self._learn_thresholds(flush.thresholds_ms)
        slot_of, over = self._slots_of(flush)
        added = np.zeros((len(self._slots), self._matrix.shape[1]))
        for keys, values in (flush.fresh.counts, flush.fresh.sums):
            self._add_entries(added, flush, slot_of, keys, values.astype(np.float64))
        self._matrix[: len(added)] += added
        self._count_overflow(flush, over)
        for exemplar in flush.exemplars:
            self._keep_exemplar(exemplar, flush.series)

    def _slots_of(self, flush: CommittedFlush) -> tuple[Ints, list[tuple[int, str]]]:
        """The slot of each fresh row (int64, or -1), and the rows whose series went over the cap."""
        slots, over = [], []
        for number, row in enumerate(flush.fresh.rows):
            key = flush.series.get(row.series)
            if key is None or key.label or row.kind not in (Kind.SERVICE, Kind.LATENCY):
                slots.append(_NONE)
                continue
            slot, fits = self._slot(key)
            slots.append(slot)
            if not fits and row.kind == Kind.SERVICE:
                over.append((number, key.model))
        return np.array(slots, np.int64), over

    def _slot(self, key: SeriesKey) -> tuple[int, bool]:
        name = (key.model, key.version, key.endpoint)
        slot = self._slots.get(name)
        if slot is not None:
            return slot, True
        model = key.model if self._knows(key.model) else OTHER
        if model == key.model and self._per_model.get(model, 0) < self._max_series:
            self._per_model[model] = self._per_model.get(model, 0) + 1
            return self._new_slot(name), True
        name = (model, OTHER, OTHER)
        slot = self._slots.get(name)
        return (self._new_slot(name) if slot is None else slot), False

    def _knows(self, model: str) -> bool:
        return model in self._per_model or len(self._per_model) < self._max_models

    def _new_slot(self, name: tuple[str, str, str]) -> int:
        self._slots[name] = slot = len(self._slots)
        if slot >= len(self._matrix):
            self._matrix = np.concatenate((self._matrix, np.zeros_like(self._matrix)))
        return slot

    def _learn_thresholds(self, thresholds_ms: Mapping[int, float]) -> None:
        """A column for each new threshold, begun with what is surely under it, so that buckets only grow."""
        for number, value_ms in thresholds_ms.items():
            column = self._thresholds.get(value_ms)
            if column is None:
                column = _FIRST_THRESHOLD + len(self._thresholds)
                if column >= self._matrix.shape[1]:
                    self._matrix = np.pad(self._matrix, ((0, 0), (0, 8)))
                self._thresholds[value_ms] = column
                steps = int(np.searchsorted(_LADDER_MS, value_ms, side="right"))
                below = self._matrix[:, _Column.LADDER : _Column.LADDER + steps]
                self._matrix[:, column] = below.sum(axis=1)
            if THRESHOLDS + number < SECONDS:
                self._columns[THRESHOLDS + number] = column

    def _add_entries(
        self, added: Floats, flush: CommittedFlush, slot_of: Ints, keys: Ints, values: Floats
    ) -> None:
        if not len(keys):
            return
        kind = flush.fresh.rows.kind[keys >> CELL_BITS]
        slot, cell = slot_of[keys >> CELL_BITS], keys & _CELL_MASK
        mine = (slot >= 0) & (kind == Kind.SERVICE) & (cell < SECONDS)
        self._add_at(added, slot[mine], self._columns[cell[mine]], values[mine])
        mine = (slot >= 0) & (kind == Kind.LATENCY) & (cell < BUCKETS)
        self._add_at(added, slot[mine], _LADDER_COLUMNS[cell[mine]], values[mine])
        np.add.at(added[:, _Column.LATENCY_SUM], slot[mine], values[mine] * _BUCKET_SECONDS[cell[mine]])

    @staticmethod
    def _add_at(added: Floats, slot: Ints, column: Ints, values: Floats) -> None:
        known = column >= 0
        np.add.at(added, (slot[known], column[known]), values[known])

    def _count_overflow(self, flush: CommittedFlush, over: Sequence[tuple[int, str]]) -> None:
        if not over:
            return
        requests = np.zeros(len(flush.fresh.rows))
        for keys, values in (flush.fresh.counts, flush.fresh.sums):
            mine = (keys & _CELL_MASK) < len(Outcome)
            np.add.at(requests, keys[mine] >> CELL_BITS, values[mine])
        for number, model in over:
            model = model if self._knows(model) else OTHER
            self._overflow[model] = self._overflow.get(model, 0.0) + float(requests[number])

    def _keep_exemplar(self, exemplar: Exemplar, series: Mapping[int, SeriesKey]) -> None:
        key = series.get(exemplar.series)
        if key is None or key.label or not _TRACE_ID.fullmatch(exemplar.trace_id):
            return
        slot, _ = self._slot(key)
        bounds = self._bounds_ms()
        at = bisect_left(bounds, exemplar.latency_ms)
        bound = bounds[at] if at < len(bounds) else float("inf")
        self._exemplars.setdefault(slot, {})[bound] = exemplar

    def _bounds_ms(self) -> list[float]:
        return sorted({*_LADDER_MS.tolist(), *self._thresholds})

    def copied(self) -> "RequestTotals":
        """These totals as they are now, for showing while others are added."""
        copy = RequestTotals(self._max_series, self._max_models)
        copy._slots = dict(self._slots)
        copy._overflow = dict(self._overflow)
        copy._thresholds = dict(self._thresholds)
        copy._matrix = self._matrix[: len(self._slots)].copy()
        copy._exemplars = {slot: dict(found) for slot, found in self._exemplars.items()}
        return copy

    def families(self) -> list[Family]:
        """All totals as families of prometheus_client."""
        slots = list(self._slots.items())
        rows = self._matrix

        def column(number: int, *labels: str) -> list[tuple[Sequence[str], float]]:
            return [((*name, *labels), float(rows[slot, number])) for name, slot in slots]

        def nonzero(number: int, *labels: str) -> list[tuple[Sequence[str], float]]:
            return [v for v in column(number, *labels) if v[1]]

        outcomes = [v for o in Outcome for v in column(int(o), o.name.lower())]
        directions = [
            *nonzero(_Column.TOKENS_IN, "in"),
            *nonzero(_Column.TOKENS_OUT, "out"),
        ]
        return [
            counter(names.REQUESTS, outcomes),
            self._latency(slots),
            counter(names.COLD_STARTS, nonzero(_Column.COLD_START)),
            counter(names.TOKENS, directions),
            counter(names.COST, nonzero(_Column.COST)),
            counter(names.SAMPLED, nonzero(_Column.SAMPLED)),
            counter(names.SERIES_OVERFLOW, [((model,), n) for model, n in self._overflow.items()]),
        ]

    def _latency(self, slots: Sequence[tuple[tuple[str, str, str], int]]) -> Family:
        family = histogram(names.LATENCY)
        for name, slot in slots:
            row = self._matrix[slot]
            if not row[_Column.LATENCY_COUNT]:
                continue
            family.add_metric(
                name, self._buckets(row, self._exemplars.get(slot, {})), float(row[_Column.LATENCY_SUM])
            )
        return family

    def _buckets(
        self, row: Floats, exemplars: Mapping[float, Exemplar]
    ) -> list[tuple[str, float] | tuple[str, float, PrometheusExemplar]]:
        ladder: list[float] = np.cumsum(row[_Column.LADDER : _FIRST_THRESHOLD]).tolist()
        under = dict(zip(_LADDER_MS.tolist(), ladder, strict=True))
        for value_ms, column in self._thresholds.items():
            steps = int(np.searchsorted(_LADDER_MS, value_ms, side="right"))
            surely = ladder[steps - 1] if steps else 0.0
            # A threshold that the store knows but nobody counts any more falls behind, and is left out.
            if row[column] >= surely * (1 - 1e-9):
                under[value_ms] = float(row[column])
        under[float("inf")] = float(row[_Column.LATENCY_COUNT])
        buckets: list[tuple[str, float] | tuple[str, float, PrometheusExemplar]] = []
        highest = 0.0
        for bound_ms in sorted(under):
            # Sums of weights may differ in their last digit; a bucket must not be below the one before.
            highest = max(highest, under[bound_ms])
            le, found = le_label(bound_ms / 1000), exemplars.get(bound_ms)
            buckets.append((le, highest) if found is None else (le, highest, _shown(found)))
        return buckets


def _shown(exemplar: Exemplar) -> PrometheusExemplar:
    return PrometheusExemplar(
        {"trace_id": exemplar.trace_id}, exemplar.latency_ms / 1000, exemplar.ts_ms / 1000
    )
