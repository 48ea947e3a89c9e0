"""What is expected of quality before labels come, as answers: where the calibration is taken from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.records import Floats, Ints
from monitor.sli.comparing import first_labels
from monitor.sli.entries import Entries, Placed, Values, join
from monitor.sli.estimated import Calibration, Expected, calibrate, expectation_error
from monitor.sli.quality_cells import Estimates, QualityCells, Why
from monitor.sli.quality_values import beside
from monitor.store.baselines import references
from monitor.store.store import Store

__all__ = ["Foretold", "calibration_of", "entries_of", "expected_values"]

# So many labels are enough to calibrate on, where no baseline has any.
_ENOUGH = 1_000


@dataclass(frozen=True, slots=True)
class Foretold:
    """An expected metric, or by how much it missed the labels that came (expected less actual)."""

    expected: Expected
    error: bool = False


def calibration_of(
    store: Store, model: str, version: str | None, series: Sequence[int]
) -> Calibration | None:
    """How scores of a model become probabilities: learnt from the validation labels of its newest baseline
    that has scores with labels, one of the version before others; without one, from the first days of the
    stream that have 1,000 labels together. None without labels."""
    found = [r for r in references(store, model) if r.quality is not None]
    wanted = [r for r in found if r.baseline.version in ("", version or "")]
    for each in reversed(wanted or found):
        learnt = calibrate(QualityCells.of(entries_of(each.quality or {})))
        if learnt is not None:
            return learnt
    cells = first_labels(store, series, _ENOUGH)
    return None if cells is None else calibrate(cells)


def entries_of(quality: Mapping[str, Mapping[int, float]]) -> Entries:
    """A baseline's quality (`Reference.quality`) as the entries of one slot."""

    def columns(cells: Mapping[int, float]) -> tuple[Ints, Ints, Floats]:
        cell = np.array(sorted(cells), np.int64)
        return np.zeros(len(cell), np.int64), cell, np.array([cells[c] for c in cell.tolist()], np.float64)

    slot, cell, count = columns(quality.get("counts", {}))
    none = np.zeros(0, np.int64)
    return Entries(
        1, slot, cell, count.astype(np.int64), *columns(quality.get("sums", {})), none, none, np.zeros(0)
    )


def expected_values(
    placed: Sequence[Placed], n_slots: int, foretold: Foretold, calibration: Calibration | None
) -> Values:
    """The expected metric in every slot, with its interval and the share of labels that came."""
    cells = QualityCells.of(join(placed, n_slots))
    if calibration is None:
        nan = np.full(n_slots, np.nan)
        why = np.full(n_slots, int(Why.NO_CALIBRATION), np.int64)
        found = Estimates(nan, nan, nan, np.zeros(n_slots, np.int64), why)
    elif foretold.error:
        found = expectation_error(cells, calibration, foretold.expected)
    else:
        found = foretold.expected.compute(cells, calibration)
    return beside(cells, found)
