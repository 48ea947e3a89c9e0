"""Metrics of quality as answers: the value, and what has to be read with it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monitor.profiles.layout import Quality
from monitor.sli.entries import Beside, Placed, Values, join
from monitor.sli.quality import Metric
from monitor.sli.quality_cells import Estimates, QualityCells, Why
from monitor.sli.quality_labels import label_coverage, label_lag

__all__ = ["beside", "quality_values"]


def quality_values(placed: Sequence[Placed], n_slots: int, metric: Metric, by_label: bool = False) -> Values:
    """A metric in every slot, with its interval, the share of labels that came and how long they took.

    `by_label`: the slots are those of the labels' arrival, where no predictions means no labels."""
    cells = QualityCells.of(join(placed, n_slots))
    found = metric.compute(cells)
    if not by_label:
        nothing = (found.why == int(Why.NO_LABELS)) & (cells.counts(Quality.PREDICTED) <= 0)
        found = replace(found, why=np.where(nothing, int(Why.NO_PREDICTIONS), found.why))
    return beside(cells, found)


def beside(cells: QualityCells, found: Estimates) -> Values:
    """The estimates as values, with the share of labels that came and how long they took."""
    more = Beside(
        low=found.low,
        high=found.high,
        label_coverage=label_coverage(cells).value,
        label_lag_p50_ms=label_lag(cells, 0.5).value,
        why=found.why.astype(np.int64),
    )
    return Values(found.value, found.count, cells.counts(Quality.SAMPLED) > 0, more)
