"""Which cell of a profile counts what.

A profile is a sparse vector over numbered cells, one numbering for each kind of profile. Numbers
are stored, so a cell once given keeps its meaning.
"""

from enum import IntEnum

import numpy as np

from monitor.records import Floats, Ints

__all__ = [
    "BUCKETS",
    "CELL_BITS",
    "CLASS_SCORE",
    "CLASS_SCORE_SUM",
    "CONFUSION",
    "FEATURE_ROWS",
    "FEATURE_STRIDE",
    "LABEL_BUCKETS",
    "LABEL_NUMBER",
    "LAG",
    "MEASURES",
    "OTHER_CLASS",
    "SCORE",
    "SCORE_EDGES",
    "SCORE_SUM",
    "SECONDS",
    "THRESHOLDS",
    "FeatureBin",
    "Kind",
    "Quality",
    "Service",
    "bucket_edge",
    "bucket_of",
    "bucket_place",
    "bucket_value",
]

CELL_BITS = 20


class Kind(IntEnum):
    """Kinds of profile; stored."""

    SERVICE = 1
    LATENCY = 2
    FEATURES = 3
    QUEUE = 4
    NETWORK = 5
    FEATURE_FETCH = 6
    COMPUTE = 7
    FEATURE_AGE = 8
    COLD_START_LATENCY = 9
    QUALITY = 10
    LEARNED = 11


class Service(IntEnum):
    """Cells of a service profile. The first six are the outcomes, in the order of contract.Outcome.

    A cell's count is of records; where records were sampled, its sum holds the weight in excess of
    that count. Cells named SUM_ have sums only: of the weighted amounts.
    """

    OK = 0
    INFRASTRUCTURE = 1
    TIMEOUT = 2
    CLIENT = 3
    AUTH = 4
    QUALITY = 5
    SHADOW = 8
    COLD_START = 9
    LATE = 10
    TOO_LATE = 11
    SAMPLED = 13
    LATENCY_COUNT = 14
    WITH_TOKENS_IN = 16
    WITH_TOKENS_OUT = 17
    WITH_COST = 18
    SUM_TOKENS_IN = 24
    SUM_TOKENS_OUT = 25
    SUM_COST = 26


# Service profiles: THRESHOLDS + i counts online requests with latency_ms <= the i-th threshold known
# to the store; SECONDS + s counts the requests of second s of the window, in the base tier only.
THRESHOLDS = 128
SECONDS = 4096

# Each measured time has a profile of its own, so that a question reads no more than it needs. Its cells
# are its buckets; its maximum is that of cell 0.
MEASURES = {
    "latency_ms": Kind.LATENCY,
    "queue_ms": Kind.QUEUE,
    "network_ms": Kind.NETWORK,
    "feature_ms": Kind.FEATURE_FETCH,
    "compute_ms": Kind.COMPUTE,
    "feature_age_ms": Kind.FEATURE_AGE,
    "cold_start_latency_ms": Kind.COLD_START_LATENCY,
}
BUCKETS = 4096
_PER_DOUBLING = 64
_OFFSET = 20 * _PER_DOUBLING + 1

# Feature profiles: FEATURE_ROWS counts the records, feature i (from 1) has the cells
# i * FEATURE_STRIDE .. A record without a value is counted in no cell of the feature, so that nulls are
# FEATURE_ROWS less the feature's other cells: a feature unknown so far was null all along.
FEATURE_ROWS = 0
FEATURE_STRIDE = 256


class FeatureBin(IntEnum):
    """The last cells of every feature; those below `BELOW` are the bins or categories of its baseline.

    BELOW, ABOVE and FRACTIONAL count values that broke the schema contract, beside the bin that counts
    them anyhow; so does ATTRIBUTION. NULL itself is never stored: see FEATURE_ROWS.
    """

    BELOW = 240
    ABOVE = 241
    FRACTIONAL = 242
    NULL = 250
    NONFINITE = 251
    INVALID = 252
    OTHER = 253
    UNBINNED = 254
    ATTRIBUTION = 255


class Quality(IntEnum):
    """Cells of a quality profile. A cell's count is of predictions; where labels have weights, its sum holds
    the weight in excess of that count. Cells named SUM_ have sums only: of the weighted amounts.
    """

    PREDICTED = 0
    LABELLED = 1
    CORRECTED = 2
    ANNOTATED = 3
    DISAGREED = 4
    CLASSIFIED = 5
    CORRECT = 6
    RATED = 7
    # The labels' squared weights in excess of their counts: what the weights cost in precision.
    SUM_WEIGHT_SQUARED = 8
    # The positive class against the rest, of the CLASSIFIED; true negatives are what is left of them.
    TRUE_POSITIVE = 9
    FALSE_POSITIVE = 10
    FALSE_NEGATIVE = 11
    # Predictions with a class, labelled or not; those of the positive one; labels of the positive one.
    WITH_CLASS = 12
    PREDICTED_POSITIVE = 13
    ACTUAL_POSITIVE = 14
    # Predictions of a model of which only a share of the pairs is kept.
    SAMPLED = 15
    # Numbers predicted, error = prediction less label.
    MEASURED = 16
    NONZERO = 17
    SUM_ERROR = 18
    SUM_ABSOLUTE = 19
    SUM_SQUARED = 20
    SUM_FOURTH = 21
    SUM_RELATIVE = 22
    SUM_ACTUAL = 23
    SUM_ACTUAL_SQUARED = 24
    SUM_ACTUAL_ABSOLUTE = 25
    SUM_RELATIVE_SQUARED = 26
    # Pairs that are no measure of anything: infinite, or beyond 1e30.
    BEYOND = 27
    SUM_ACTUAL_CUBED = 28
    SUM_ACTUAL_FOURTH = 29
    SUM_SQUARED_ACTUAL = 30
    SUM_SQUARED_ACTUAL_SQUARED = 31
    # Probabilities of the positive class, or, of predictions with a score for each of several classes, of the
    # class predicted: those labelled; and scores outside 0 to 1, labelled or not, which are in no other cell.
    SCORED = 32
    UNSCALED = 33
    SUM_BRIER = 34
    SUM_LOG_LOSS = 35
    SUM_BRIER_SQUARED = 36
    SUM_LOG_LOSS_SQUARED = 37
    # Predictions with a score for each of several classes, labelled or not.
    SEVERAL = 38
    # Lists predicted.
    RANKED = 48
    HIT = 49
    SUM_NDCG = 50
    SUM_NDCG_SQUARED = 51
    SUM_RECIPROCAL_RANK = 52
    SUM_RECIPROCAL_RANK_SQUARED = 53
    # Texts predicted.
    EXTRACTED = 64
    EXACT = 65
    SUM_TOKEN_F1 = 66
    SUM_TOKEN_F1_SQUARED = 67
    # Events foretold: how long before its label the prediction of a positive that came true was made.
    FORETOLD = 80
    SUM_LEAD_MS = 81
    SUM_LEAD_S_SQUARED = 82
    # Ratings by people.
    SUM_RATING = 96
    SUM_RATING_SQUARED = 97
    # Numbers predicted, continued: the sums of |error * label| and of error * |error|.
    SUM_ABSOLUTE_ACTUAL = 112
    SUM_SIGNED_SQUARED = 113


# Quality profiles: LAG + bucket counts labelled predictions by the label's arrival less the prediction's
# time, ms. LABEL_NUMBER + negative * LABEL_BUCKETS + bucket // 4 counts labels that are numbers by the bucket
# of their size. CONFUSION + predicted * 256 + actual counts classes by the numbers that the store gave them;
# the classes beyond its limit are OTHER_CLASS. SCORE + (bin * 2 + predicted positive) * 3 + outcome (0
# negative, 1 positive, 2 not labelled yet) counts predictions by the bin of their score among SCORE_EDGES,
# and SCORE_SUM + the same holds the sums of those scores. Of SEVERAL classes the score is that of the class
# predicted, which counts as the positive one: the outcome is whether the prediction was right; and
# CLASS_SCORE + (class * bins + bin) * 2 + whether it is the label's class counts the score of every class of
# what is labelled, classes beyond the store's limit left out; CLASS_SCORE_SUM + the same holds their sums.
LAG = 4096
LABEL_NUMBER = 8192
LABEL_BUCKETS = BUCKETS // 4
CONFUSION = 1 << 16
OTHER_CLASS = 255
SCORE = 1 << 17
SCORE_SUM = 1 << 18
CLASS_SCORE = 1 << 19
CLASS_SCORE_SUM = 3 << 18


def _score_edges() -> Floats:
    """Every hundredth, and even steps of the logit: fine where scores crowd at 0 or 1."""
    logit = np.linspace(-12, 12, 385)
    edges = np.concatenate((np.arange(1, 100) / 100, 1 / (1 + np.exp(-logit))))
    return np.unique(np.round(edges, 12))


# A score on an edge belongs to the bin above it.
SCORE_EDGES = _score_edges()


def bucket_of(values: Floats) -> Ints:
    """Exponential buckets of non-negative values, int64 below BUCKETS.

    Bucket 0 holds zero; the others grow by 2^(1/64), as in an OpenTelemetry histogram of scale 6,
    from 2^-20 to 2^43: any value in a bucket is within 0.55 % of `bucket_value`.
    """
    with np.errstate(divide="ignore"):
        index = np.ceil(np.log2(values) * _PER_DOUBLING) + (_OFFSET - 1)
    return np.where(values > 0, np.clip(index, 1, BUCKETS - 1), 0).astype(np.int64)


def bucket_edge(place: float) -> float:
    """The value at a place on the scale of the buckets: at a whole number the lower edge of that bucket; 0 in
    bucket 0."""
    return 2.0 ** ((place - _OFFSET) / _PER_DOUBLING) if place >= 1 else 0.0


def bucket_place(value: float) -> float:
    """The place of a positive value: `bucket_edge` gives it back."""
    return float(np.log2(value)) * _PER_DOUBLING + _OFFSET


def bucket_value(buckets: Ints) -> Floats:
    """The geometric middle of each bucket, float64; 0 for bucket 0."""
    middle = np.exp2((buckets - _OFFSET + 0.5) / _PER_DOUBLING)
    return np.where(buckets > 0, middle, 0.0)
