"""What an exclusion leaves out."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitor.slo.counting_axes import HOUR_S
from monitor.slo.standing import Exclusion
from monitor.slo.tally import Tally

__all__ = ["concerns", "cuts", "without"]


def concerns(exclusion: Exclusion, model: str, objective: str | None) -> bool:
    """Whether the exclusion holds for a model and one of its objectives (None: for the model itself)."""
    if exclusion.revoked_ms is not None or exclusion.model not in (None, model):
        return False
    return exclusion.objective is None or exclusion.objective == objective


def cuts(exclusion: Exclusion) -> Iterator[int]:
    """The moments, s, at which it begins and ends within an hour."""
    if exclusion.revoked_ms is None:
        yield from (s for s in (exclusion.from_s, exclusion.to_s) if s % HOUR_S)


def without(tally: Tally, exclusions: Sequence[Exclusion]) -> Tally:
    """The tally without the slots that lie in an exclusion, be it in part."""
    kept = np.ones(len(tally), np.bool_)
    for e in exclusions:
        kept &= (tally.end_s <= e.from_s) | (tally.begin_s >= e.to_s)
    if kept.all():
        return tally
    return Tally(tally.begin_s[kept], tally.end_s[kept], tally.good[kept], tally.total[kept])
