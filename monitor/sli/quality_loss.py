"""How much quality was lost, window by window: the verdict's own comparison as a figure."""

from collections.abc import Sequence

import numpy as np

from monitor.profiles.layout import Kind
from monitor.sli.drifting import References
from monitor.sli.entries import Beside, Values
from monitor.sli.quality_cells import Why
from monitor.sli.quality_change import ChangeSettings, QualityState
from monitor.sli.question import Group, Question
from monitor.sli.window_quality import ModelQuality
from monitor.sli.windows import Windows
from monitor.store.baselines import Reference, features_of
from monitor.store.store import Store

__all__ = ["quality_loss"]


def quality_loss(
    store: Store, question: Question, groups: Sequence[Group], windows: Windows, kind: Kind, quality_s: int
) -> Values:
    """By how much of the reference's value each group's metric is worse in each window: 0 where it held, no
    value where it can't be told. The count is of labels."""
    quality = ModelQuality(store, question.model, quality_s, question.against, kind)
    references = References(store, features_of(store, question.model))
    n = len(groups) * windows.n
    value, count = np.full(n, np.nan), np.zeros(n, np.int64)
    coverage, why = np.full(n, np.nan), np.zeros(n, np.int64)
    for i, group in enumerate(groups):
        for w in range(windows.n):
            window = Windows(windows.from_s + w * windows.step_s, windows.step_s, 1)
            found = quality.of(group, window, _reference(references, group, window))
            change, slot = found.change, i * windows.n + w
            count[slot], coverage[slot] = change.labels, found.coverage
            if change.state is not QualityState.UNKNOWN:
                value[slot] = change.worse if change.state is QualityState.LOST else 0.0
            else:
                few = change.labels < ChangeSettings().min_labels
                why[slot] = (
                    Why.NO_LABELS if not change.labels else Why.FEW_LABELS if few else Why.NO_REFERENCE
                )
    none = np.full(n, np.nan)
    return Values(value, count, np.zeros(n, np.bool_), Beside(none, none, coverage, none, why))


def _reference(references: References, group: Group, window: Windows) -> Reference | None:
    """The newest baseline of the group's version, or of all, that has validation labels."""
    for number in sorted(references.baselines, reverse=True):
        if references.baselines[number].version in ("", group.version):
            found = references.at(number, window.from_s, window.step_s)
            if found is not None and found.quality is not None:
                return found
    return None
