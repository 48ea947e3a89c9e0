"""Every metric of quality: its name, unit, meaning, and how it comes from quality profiles."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from monitor.sli import quality_classes as classes
from monitor.sli import quality_labels as labels
from monitor.sli import quality_numbers as numbers
from monitor.sli import quality_scores as scores
from monitor.sli.quality_cells import Estimates, QualityCells

__all__ = ["METRICS", "PATTERNS", "Metric", "Needs", "find_metric"]


class Needs(Enum):
    """What predictions or labels must hold for a metric to have a value."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    CLASSES = "predictions and labels that are classes"
    POSITIVE_CLASS = "predictions and labels that are classes, one of them the positive one"
    SCORES = "scores from 0 to 1 and labels that are classes, one of them the positive one"
    PROBABILITIES = "a score from 0 to 1 of the positive class or of each class, and labels that are classes"
    NUMBERS = "predictions and labels that are numbers"
    LISTS = "predictions that are lists, and labels of their relevant items"
    TEXTS = "predictions and labels that are texts"
    RATINGS = "ratings"
    ANNOTATORS = "labels by several annotators"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of quality; `higher_is_better` is None where neither is. `compute` is pure."""

    name: str
    unit: str
    meaning: str
    higher_is_better: bool | None
    needs: Needs
    compute: Callable[[QualityCells], Estimates]


_C, _P, _S, _N, _L = Needs.CLASSES, Needs.POSITIVE_CLASS, Needs.SCORES, Needs.NUMBERS, Needs.LABELS
_A = Needs.PROBABILITIES
_SHARE, _SAME = "share", "units of the prediction"


def _lag(p: str) -> Metric:
    meaning = f"{p}th percentile of the time from a prediction to its label"
    return Metric(f"label_lag_p{p}", "ms", meaning, False, _L, partial(labels.label_lag, q=float(p) / 100))


def _at(kind: str, k: str) -> Metric:
    """`k` is a number of predictions, or a percentage with a p behind it."""
    share = k.endswith("p")
    amount = float(k[:-1]) / 100 if share else float(k)
    first = f"the {k[:-1]} %" if share else f"the {k}"
    name = f"{kind}_at_{k}"
    if kind == "precision":
        meaning = f"share of positive labels among {first} of highest score"
        return Metric(name, _SHARE, meaning, True, _S, partial(scores.precision_at, k=amount, share=share))
    meaning = f"share of positive labels among {first} of highest score, over that among all"
    return Metric(name, "ratio", meaning, True, _S, partial(scores.lift_at, k=amount, share=share))


# The table. Other percentiles of the lag and other k are accepted by pattern.
METRICS: tuple[Metric, ...] = (
    Metric("accuracy", _SHARE, "predictions equal to their label", True, _C, classes.accuracy),
    Metric(
        "balanced_accuracy", _SHARE, "mean recall of the labels' classes", True, _C, classes.balanced_accuracy
    ),
    Metric("precision", _SHARE, "positive labels among predicted positives", True, _P, classes.precision),
    Metric("recall", _SHARE, "predicted positives among positive labels", True, _P, classes.recall),
    Metric("sensitivity", _SHARE, "recall by another name", True, _P, classes.recall),
    Metric("specificity", _SHARE, "predicted negatives among negative labels", True, _P, classes.specificity),
    Metric(
        "fpr", _SHARE, "predicted positives among negative labels", False, _P, classes.false_positive_rate
    ),
    Metric(
        "fnr", _SHARE, "predicted negatives among positive labels", False, _P, classes.false_negative_rate
    ),
    Metric("f1", _SHARE, "harmonic mean of precision and recall", True, _P, classes.f1),
    Metric("f1_macro", _SHARE, "mean F1 of all classes", True, _C, classes.f1_macro),
    Metric("precision_macro", _SHARE, "mean precision of all classes", True, _C, classes.precision_macro),
    Metric("recall_macro", _SHARE, "mean recall of all classes", True, _C, classes.recall_macro),
    Metric("mcc", "correlation", "Matthews' correlation of predictions and labels", True, _C, classes.mcc),
    Metric("log_loss", "nats", "mean -ln of the probability given to the label", False, _A, scores.log_loss),
    Metric("brier", _SHARE, "mean squared distance of scores and label", False, _A, scores.brier),
    Metric("roc_auc", _SHARE, "area under the ROC curve", True, _S, scores.roc_auc),
    Metric(
        "pr_auc",
        _SHARE,
        "area under the precision-recall curve (average precision)",
        True,
        _S,
        scores.average_precision,
    ),
    Metric(
        "ece",
        _SHARE,
        "expected calibration error over ten bins of the score",
        False,
        _A,
        scores.expected_calibration_error,
    ),
    _at("precision", "10p"),
    _at("lift", "10p"),
    _at("precision", "100"),
    Metric("mae", _SAME, "mean absolute error", False, _N, numbers.mae),
    Metric("rmse", _SAME, "root of the mean squared error", False, _N, numbers.rmse),
    Metric("mape", _SHARE, "mean |error / label| where the label isn't zero", False, _N, numbers.mape),
    Metric("wape", _SHARE, "sum of |error| over sum of |label|", False, _N, numbers.wape),
    Metric("bias", _SAME, "mean of prediction less label", None, _N, numbers.bias),
    Metric(
        "tracking_signal",
        "mean errors",
        "sum of the errors over the mean absolute error",
        None,
        _N,
        numbers.tracking_signal,
    ),
    Metric("r2", _SHARE, "share of the labels' variance that is explained", True, _N, numbers.r2),
    Metric(
        "ctr",
        _SHARE,
        "positive labels among all predictions, labelled or not",
        True,
        Needs.PREDICTIONS,
        labels.ctr,
    ),
    Metric("ndcg_at_10", _SHARE, "NDCG of the first ten items", True, Needs.LISTS, labels.ndcg),
    Metric(
        "hit_rate", _SHARE, "lists with a relevant item in the first ten", True, Needs.LISTS, labels.hit_rate
    ),
    Metric("mrr", _SHARE, "mean of 1 / place of the first relevant item", True, Needs.LISTS, labels.mrr),
    Metric(
        "exact_match",
        _SHARE,
        "texts equal to their label when normalised",
        True,
        Needs.TEXTS,
        labels.exact_match,
    ),
    Metric("token_f1", _SHARE, "mean F1 of the words in text and label", True, Needs.TEXTS, labels.token_f1),
    Metric("lead_time", "s", "mean time from a positive predicted to its event", True, _P, labels.lead_time),
    Metric("missed_events", _SHARE, "events that were not foretold", False, _P, classes.false_negative_rate),
    Metric("rating_mean", "rating", "mean rating by people", True, Needs.RATINGS, labels.rating_mean),
    Metric(
        "label_coverage",
        _SHARE,
        "predictions whose label has come",
        True,
        Needs.PREDICTIONS,
        labels.label_coverage,
    ),
    _lag("50"),
    _lag("90"),
    _lag("99"),
    Metric("correction_rate", _SHARE, "labels that replaced another", False, _L, labels.correction_rate),
    Metric(
        "disagreement_rate",
        _SHARE,
        "labels on which annotators differ, of those with several",
        False,
        Needs.ANNOTATORS,
        labels.disagreement_rate,
    ),
    Metric(
        "label_positive_share",
        _SHARE,
        "positive labels among all labels",
        None,
        _L,
        labels.label_positive_share,
    ),
)
_BY_NAME = {metric.name: metric for metric in METRICS}

PATTERNS = ("label_lag_p<percentile>", "precision_at_<k or percent>p", "lift_at_<k or percent>p")
_LAG = re.compile(r"label_lag_p(\d{1,2}(?:\.\d{1,6})?|100)")
_AT = re.compile(r"(precision|lift)_at_([1-9]\d{0,8}|(?:100|\d{1,2}(?:\.\d{1,6})?)p)")


def find_metric(name: str) -> Metric | None:
    """The metric of that name, None where there is none."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if match := _LAG.fullmatch(name):
        return _lag(match[1])
    match = _AT.fullmatch(name)
    return None if match is None or match[2].strip("0.") == "p" else _at(match[1], match[2])
