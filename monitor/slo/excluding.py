"""Spans of time to exclude, as somebody asks for them, and what they take out of a figure."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.errors import QueryError
from monitor.slo.exclusions import concerns
from monitor.slo.objective import Objective
from monitor.slo.question import SloQuestion, chosen
from monitor.slo.standing import Excluded, Exclusion
from monitor.slo.tally import Tally

__all__ = ["NewExclusion", "checked", "taken_out"]

_MAX_AUTHOR, _MAX_REASON = 200, 2000
_LATEST_S = 253_402_300_799  # the end of the year 9999: what a timestamp can show


@dataclass(frozen=True, slots=True)
class NewExclusion:
    """What is to be excluded; `model` and `objective` None: all."""

    from_ms: int
    to_ms: int
    author: str
    reason: str
    model: str | None = None
    objective: str | None = None


def checked(
    wanted: NewExclusion, objectives: Iterable[Objective], seen: Iterable[str], base_s: int
) -> tuple[int, int]:
    """The span [from_s, to_s) to exclude, widened to whole base windows. `seen` are the models that have
    records.

    Raises QueryError that names what is wrong. A model or an objective that is neither seen nor configured
    is taken for a mistake, unless nothing is known at all.
    """
    author, reason = wanted.author.strip(), wanted.reason.strip()
    if not author or len(author) > _MAX_AUTHOR or not author.isprintable():
        raise QueryError(f"author: 1 to {_MAX_AUTHOR} printable characters are needed; say who you are")
    if not reason or len(reason) > _MAX_REASON or "\0" in reason:
        raise QueryError(f"reason: 1 to {_MAX_REASON} characters are needed; it shows with every figure")
    from_s, to_s = wanted.from_ms // 1000, -(-wanted.to_ms // 1000)
    if from_s >= to_s:
        raise QueryError("to: the exclusion ends before it begins; give an end that is later")
    if from_s < 0 or to_s > _LATEST_S - base_s:
        raise QueryError("from, to: must lie between the years 1970 and 9999")
    _check_names(wanted, list(objectives), set(seen))
    return from_s // base_s * base_s, -(-to_s // base_s) * base_s


def _check_names(wanted: NewExclusion, objectives: list[Objective], seen: set[str]) -> None:
    if not objectives and not seen:
        return
    if wanted.objective is not None and objectives:
        chosen(objectives, SloQuestion(wanted.model, wanted.objective), seen)
    elif wanted.model is not None and wanted.model not in seen:
        chosen(objectives, SloQuestion(wanted.model), seen)


def taken_out(
    whole: Tally, objective: Objective, exclusions: Iterable[Exclusion], from_s: int, to_s: int
) -> list[Excluded]:
    """What each exclusion takes out of an objective over [from_s, to_s), given all that was counted."""
    found = []
    for exclusion in exclusions:
        begin_s, end_s = max(exclusion.from_s, from_s), min(exclusion.to_s, to_s)
        if begin_s >= end_s or not concerns(exclusion, objective.meter.model, objective.name):
            continue
        slots = (whole.end_s > begin_s) & (whole.begin_s < end_s)
        total, good = float(whole.total[slots].sum()), float(whole.good[slots].sum())
        found.append(Excluded(exclusion, end_s - begin_s, total - good, total))
    return found
