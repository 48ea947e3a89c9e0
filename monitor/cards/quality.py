"""How good a model was in the 30 days before a moment, as a whole and by group: reads the store."""

from typing import Any

from monitor.clock import DAY_MS
from monitor.errors import QueryError
from monitor.sli.fairness_question import FairnessQuestion, ask_fairness
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.sli.windows import Bases
from monitor.store.store import Store

__all__ = ["DAYS", "groups", "quality"]

DAYS = 30
# Those that a model has no labels for have no value, and are left out.
_METRICS = ("accuracy", "precision", "recall", "roc_auc", "mae", "rmse", "ndcg_at_10", "exact_match")
_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
_KEPT = ("value", "low", "high", "count")


def quality(store: Store, model: str, at_ms: int, bases: Bases) -> list[dict[str, Any]]:
    """Metrics of each version, with 95 % intervals and the share of its predictions that have labels."""
    found = []
    for metric in _METRICS:
        question = Question(model, metric, at_ms - DAYS * DAY_MS, at_ms, by=("version",))
        found += [
            {
                "version": row["version"],
                "metric": metric,
                **{name: row.get(name) for name in (*_KEPT, "label_coverage")},
            }
            for row in answer(store, question, at_ms, bases)
            if row["value"] is not None
        ]
    return sorted(found, key=lambda row: (row["version"] or "", _METRICS.index(row["metric"])))


def groups(store: Store, model: str, by: str | None, at_ms: int, bases: Bases) -> dict[str, Any] | None:
    """The same between the groups of a segment label; None where none is asked for. `why` nothing is told."""
    if by is None:
        return None
    asked = FairnessQuestion(model, by, at_ms - DAYS * DAY_MS, at_ms)
    try:
        found = ask_fairness(store, asked, bases)
    except QueryError as e:
        return {"by": by, "groups": [], "hidden": [], "why": str(e)}
    if found is None or not (found["groups"] or found["hidden"]):
        return {"by": by, "groups": [], "hidden": [], "why": f"no labelled prediction in {DAYS} days"}
    rows = [
        {"group": group["group"], **{rate: {n: group[rate][n] for n in _KEPT} for rate in _RATES}}
        for group in found["groups"]
    ]
    return {"by": by, "groups": rows, "hidden": found["hidden"], "why": None}
