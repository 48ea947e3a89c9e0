"""The sentence that explains a verdict, in a person's words and with figures."""

import numpy as np

from monitor.records import Floats, Ints
from monitor.sli.drift_distance import FLOOR, shares
from monitor.sli.drift_shape import DECILES, SPECIAL, Shape
from monitor.sli.drift_verdict import Assessment, DriftSettings, State

__all__ = ["sentence"]

_SPECIAL = (
    "nulls are",
    "NaN and infinite values are",
    "values of a wrong type are",
    "categories that the baseline does not have are",
    "values that no bins exist for are",
)
# A clause is worth its words where it carries that part of the PSI; categories named at most.
_WORTH = 0.1
_NAMED = 4
# Ranks' z from which a direction is named.
_CLEAR = 3.0


def sentence(shape: Shape, found: Assessment, i: int, settings: DriftSettings) -> str:
    """What happened to feature `i`, such as "amount moved up: 31 % of rows above the baseline's top decile,
    was 10 %; PSI 0.42"."""
    name, state = shape.names[i], State(int(found.state[i]))
    if state is State.TOO_FEW:
        rows, of = int(found.rows[i]), "the window"
        if found.reference_rows[i] < rows:
            rows, of = int(found.reference_rows[i]), "the baseline"
        return f"{name}: {rows:,} rows in {of}, a verdict needs {settings.min_rows:,}"
    if state is State.NONE:
        if found.psi[i] < settings.watch_psi:
            return f"{name} held: PSI {found.psi[i]:.3f}"
        return f"{name}: PSI {found.psi[i]:.2f}, no more than so few rows and restless windows give by chance"
    p, q = (shares(side[i : i + 1])[0] for side in (found.cells.reference, found.cells.current))
    weight = (np.maximum(q, FLOOR) - np.maximum(p, FLOOR)) * np.log(
        np.maximum(q, FLOOR) / np.maximum(p, FLOOR)
    )
    values = len(p) - len(SPECIAL)
    clauses = [
        (
            weight[values + k],
            f"{name}: {words} {_percent(q[values + k])} of rows, {_was(p[values + k], 'were')}",
        )
        for k, words in enumerate(_SPECIAL)
    ]
    own = float(weight[:values].sum())
    told = _numbers(shape, found, i, p, q) if shape.numeric[i] else _categories(shape, i, p, q, weight)
    clauses.append((own, f"{name} {told}" if shape.numeric[i] else f"{name}: {told}"))
    total = float(weight.sum())
    kept = sorted((c for c in clauses if c[0] >= _WORTH * total and c[0] > 0), key=lambda c: -c[0])
    first, *rest = [text for _, text in kept] or [f"{name} moved"]
    end = f"PSI {found.psi[i]:.2f}"
    if found.q[i] >= settings.alpha:
        end += f", by chance in {_percent(float(found.q[i]))} of such cases at most"
    return "; ".join([first, *(text.removeprefix(name).lstrip(": ") for text in rest), end])


def _numbers(shape: Shape, found: Assessment, i: int, p: Floats, q: Floats) -> str:
    """How the numbers moved, by the clearer of a shift and a spread."""
    p, q = p[:DECILES], q[:DECILES]
    location, scale = float(found.evidence.location[i]), float(found.evidence.scale[i])
    if max(abs(location), abs(scale)) < _CLEAR:
        k = int(np.argmax(np.abs(q - p)))
        return f"changed shape: {_percent(q[k])} of rows {_between(shape, found, i, k)}, {_was(p[k])}"
    if abs(scale) > abs(location):
        word = "spread out" if scale > 0 else "drew together"
        outer, was = q[0] + q[-1], p[0] + p[-1]
        if 0.1 <= was <= 0.3 and (outer - was) * scale > 0:
            return f"{word}: {_percent(outer)} of rows in the baseline's outer deciles, {_was(was)}"
        k = int(np.argmax(np.abs(q - p)))
        return f"{word}: {_percent(q[k])} of rows {_between(shape, found, i, k)}, {_was(p[k])}"
    up = location > 0
    end = -1 if up else 0
    word, side, which = ("up", "above", "top") if up else ("down", "below", "bottom")
    if 0.05 <= p[end] <= 0.15 and q[end] > 1.2 * p[end]:
        where = f"{side} the baseline's {which} decile"
        return f"moved {word}: {_percent(q[end])} of rows {where}, {_was(p[end])}"
    cut = found.cells.cut[i]
    was, now = 1 - np.cumsum(p)[:-1] / p.sum(), 1 - np.cumsum(q)[:-1] / max(q.sum(), FLOOR)
    k = int(np.argmax(np.where(cut >= 0, (now - was) * (1 if up else -1), -np.inf)))
    if cut[k] < 0:
        return f"moved {word}"
    now_k, was_k = float(now[k]), float(was[k])
    edge = _figure(shape.edges[i, cut[k]])
    if up:
        return f"moved up: {_percent(now_k)} of values at or above {edge}, {_was(was_k)}"
    return f"moved down: {_percent(1 - now_k)} of values below {edge}, {_was(1 - was_k)}"


def _between(shape: Shape, found: Assessment, i: int, k: int) -> str:
    """The range of values of decile cell `k`."""
    cut = found.cells.cut[i]
    low = shape.edges[i, cut[k - 1]] if k > 0 and cut[k - 1] >= 0 else None
    high = shape.edges[i, cut[k]] if k < DECILES - 1 and cut[k] >= 0 else None
    if low is None:
        return "at any value" if high is None else f"below {_figure(high)}"
    return f"at or above {_figure(low)}" if high is None else f"from {_figure(low)} to below {_figure(high)}"


def _categories(shape: Shape, i: int, p: Floats, q: Floats, weight: Floats) -> str:
    """Which categories gained and which lost, those that count most for the PSI first."""
    names = shape.categories[i]
    order: Ints = np.argsort(-weight[: len(names)], kind="stable")[:_NAMED]
    worth = [k for k in order.tolist() if weight[k] > 0 and weight[k] >= _WORTH * weight[order[0]]]
    told = [
        f"'{names[k]}' {'gained' if q[k] > p[k] else 'lost'}, {_percent(q[k])} of rows, {_was(p[k])}"
        for k in worth
    ]
    return "; ".join(told) or "the shares of its categories moved"


def _was(share: float, verb: str = "was") -> str:
    return f"{verb} {_percent(share)}"


def _percent(share: float) -> str:
    if share <= 0:
        return "0 %"
    percent = 100 * share
    if percent < 0.1:
        return "under 0.1 %"
    return f"{percent:.1f} %" if percent < 9.95 and f"{percent:.1f}"[-1] != "0" else f"{percent:.0f} %"


def _figure(value: float) -> str:
    return f"{value:.6g}"
