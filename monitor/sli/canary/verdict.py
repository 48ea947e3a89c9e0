"""What the changes of all indicators come to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.sli.canary.contrast import Change, Unit

__all__ = ["Judgement", "Verdict", "judge", "of_change", "sentence"]


class Verdict(StrEnum):
    """`NO_WORSE`: by no more than the margin, surely. `NOT_ENOUGH`: neither is sure yet."""

    WORSE = "worse"
    NOT_ENOUGH = "not enough data"
    NO_WORSE = "no worse than margin"
    BETTER = "better"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a candidate, why, and the changes with the verdict on each. `needed` is how many more
    requests of the candidate, or labels, would tell; None where that isn't known."""

    verdict: Verdict
    reasons: tuple[str, ...]
    changes: tuple[tuple[Change, Verdict], ...]
    needed: int | None = None


def of_change(change: Change) -> Verdict:
    if change.low > change.margin:
        return Verdict.WORSE
    if change.high < 0:
        return Verdict.BETTER
    return Verdict.NO_WORSE if change.high <= change.margin else Verdict.NOT_ENOUGH


def judge(changes: Sequence[Change]) -> Judgement:
    """The worst decides; all that are no worse make one that is, and one that is better beside them a better
    one."""
    each = tuple((change, of_change(change)) for change in changes)
    found = {verdict for _, verdict in each}
    whole = next(
        (v for v in (Verdict.WORSE, Verdict.NOT_ENOUGH, Verdict.BETTER) if v in found), Verdict.NO_WORSE
    )
    if not each:
        whole = Verdict.NOT_ENOUGH
    decisive = [change for change, verdict in each if verdict is whole]
    needed = [c.needed for c in decisive if c.needed is not None] if whole is Verdict.NOT_ENOUGH else []
    return Judgement(whole, tuple(map(sentence, decisive)), each, max(needed, default=None))


def sentence(change: Change) -> str:
    """A change in words."""
    if change.why:
        return f"{change.sli}: {change.why}"
    one, other = (_value(value, change) for value in (change.candidate, change.champion))
    figures = f"{change.sli} is {one}, the champion's {other}"
    match of_change(change):
        case Verdict.WORSE:
            least, allowed = (_change(share, change) for share in (change.low, change.margin))
            said = f"worse by at least {least}, allowed are {allowed}"
        case Verdict.BETTER:
            said = f"better by at least {_change(-change.high, change)}"
        case Verdict.NO_WORSE:
            said = f"worse by {_change(max(change.high, 0.0), change)} at most"
        case Verdict.NOT_ENOUGH:
            said = "it may be chance"
            if change.needed:
                said += f"; about {change.needed:,} more would tell"
    if change.left_out:
        said += f"; {change.left_out:,} have nothing of the champion's to compare with, and are left out"
    return f"{figures}: {said}"


def _value(value: float, change: Change) -> str:
    return f"{100 * value:.3g} %" if change.unit is Unit.POINTS else f"{value:.4g}"


def _change(share: float, change: Change) -> str:
    if not math.isfinite(share):
        return "any"
    return f"{100 * share:.2g} points" if change.unit is Unit.POINTS else f"{100 * share:.2g} %"
