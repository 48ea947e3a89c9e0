"""What rows of `pairs` come to: which label each prediction has, and how that differs from before.

Everything is a function of the set of entries of a row, whatever their order and however often each is
there: of the predictions of one (model, id) the highest-ranked counts, of the labels of one
(model, annotator) too, and a prediction has the highest-ranked label that is for every model or for its
own. The rank is (time, topic, partition, offset).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitor.records import Bools, Ints, Partition
from monitor.store.pair_codec import Entries, Flags
from monitor.store.pair_values import Decoded

__all__ = ["MAX_LABELS", "MAX_PREDICTIONS", "Outcomes", "Sources", "Standing", "match", "standing"]

# Of one key at most so many are kept, those of the highest rank: a row is read and written as a whole.
MAX_PREDICTIONS = 256
MAX_LABELS = 64

Sources = Mapping[int, Partition]


@dataclass(frozen=True, slots=True)
class Standing:
    """The entries that count: their indices (int64, ascending), and for each whether its giver gave another
    value too (bool; labels only). `crowded_out` is how many would count in rows of any length."""

    index: Ints
    differs: Bools
    crowded_out: int = 0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of every prediction of the rows. `state` (int64, one for each entry) is -1 where another
    entry goes before it; two outcomes of an entry are the same where their states are.

    `label` (int64) is the entry of its label, -1 for none."""

    state: Ints
    label: Ints
    corrected: Bools
    annotated: Bools
    disagreed: Bools


def ranks(entries: Entries, sources: Sources) -> Ints:
    """A number (int64) for each entry that orders them all by (time, topic, partition, offset)."""
    writers, writer = np.unique(entries.head["writer"], return_inverse=True)
    named = sorted(range(len(writers)), key=lambda i: sources[int(writers[i])])
    place = np.empty(len(writers), np.int64)
    place[named] = np.arange(len(writers))
    order = np.lexsort((entries.head["offset"], place[writer], entries.head["ts_ms"]))
    rank = np.empty(len(entries), np.int64)
    rank[order] = np.arange(len(entries))
    return rank


def standing(
    entries: Entries, group: Ints, rank: Ints, chosen: Bools, most: int, values: Decoded | None = None
) -> Standing:
    """Of the `chosen` entries the highest-ranked of each group within its row, at most `most` of a row.

    `group` (int64) tells entries of one row apart; `values` are compared where given."""
    n_rows = int(entries.row.max()) + 1 if len(entries) else 0
    crowded = np.bincount(entries.row[chosen], minlength=n_rows)[entries.row] > 1
    corrected = (entries.head["flags"] & Flags.CORRECTED) > 0
    alone = np.flatnonzero(chosen & ~crowded)
    several = np.flatnonzero(chosen & crowded)
    if not len(several):
        return Standing(alone, corrected[alone])
    order = several[np.lexsort((rank[several], group[several], entries.row[several]))]
    row, grouped = entries.row[order], group[order]
    first = np.concatenate(([True], (row[1:] != row[:-1]) | (grouped[1:] != grouped[:-1])))
    last = np.concatenate((first[1:], [True]))
    begins = np.flatnonzero(first)
    differs = corrected[order]
    if values is not None:
        differs[1:] |= ~first[1:] & ~values.same(order[1:], order[:-1])
    ever = np.logical_or.reduceat(differs, begins)
    highest = order[last]
    kept = _topmost(entries.row[highest], rank[highest], most)
    index = np.concatenate((alone, highest[kept]))
    by_place = np.argsort(index, kind="stable")
    differs = np.concatenate((corrected[alone], ever[kept]))[by_place]
    return Standing(index[by_place], differs, len(kept) - int(np.count_nonzero(kept)))


def _topmost(row: Ints, rank: Ints, most: int) -> Bools:
    """Those among the `most` highest-ranked of their row; rows come together."""
    counts = np.bincount(row)
    if counts.max() <= most:
        return np.ones(len(row), np.bool_)
    order = np.lexsort((-rank, row))
    begins = np.cumsum(counts) - counts
    place = np.empty(len(row), np.int64)
    place[order] = np.arange(len(row)) - begins[row[order]]
    return place < most


def match(
    predictions: Entries,
    model: Ints,
    which: Standing,
    labels: Entries,
    told: Standing,
    rank: Ints,
    v: Decoded,
) -> Outcomes:
    """The label of each prediction that stands, among the labels that do.

    `model` (int64, one for each prediction entry) is the hash of its model, `rank` that of the labels, `v`
    their values."""
    n = len(predictions)
    outcomes = Outcomes(
        np.full(n, -1, np.int64), np.full(n, -1, np.int64), *(np.zeros(n, np.bool_) for _ in range(3))
    )
    outcomes.state[which.index] = 0
    if not len(told.index) or not len(which.index):
        return outcomes
    place, label = _candidates(predictions, model, which.index, labels, told.index)
    order = np.lexsort((rank[told.index[label]], place))
    place, label = place[order], label[order]
    last = np.concatenate((place[1:] != place[:-1], [True])) if len(place) else np.zeros(0, np.bool_)
    chosen, given = which.index[place[last]], told.index[label[last]]
    outcomes.label[chosen] = given
    outcomes.corrected[chosen] = told.differs[label[last]]
    if not last.all():
        _annotations(outcomes, which.index[place], labels, told.index[label], v)
    flags = outcomes.corrected * 1 + outcomes.annotated * 2 + outcomes.disagreed * 4
    outcomes.state[which.index] = ((outcomes.label + 1) * 8 + flags)[which.index]
    return outcomes


def _candidates(
    predictions: Entries, model: Ints, which: Ints, labels: Entries, told: Ints
) -> tuple[Ints, Ints]:
    """Every (prediction, label) of one row that are for one model: indices into `which` and `told`."""
    row, label_row = predictions.row[which], labels.row[told]
    begin = np.searchsorted(label_row, row, side="left")
    count = np.searchsorted(label_row, row, side="right") - begin
    place = np.repeat(np.arange(len(which)), count)
    label = np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(len(place))
    of = labels.head["model"][told[label]].astype(np.int64)
    fits = (of == 0) | (of == model[which[place]])
    return place[fits], label[fits]


def _annotations(outcomes: Outcomes, prediction: Ints, labels: Entries, label: Ints, v: Decoded) -> None:
    """Sets `annotated` where two named annotators or more gave a label, `disagreed` where these differ.

    (prediction, label) come in the order of the predictions, and of the ranks of their labels."""
    annotator = labels.head["annotator"][label].astype(np.int64)
    named = annotator != 0
    prediction, label, annotator = prediction[named], label[named], annotator[named]
    order = np.lexsort((np.arange(len(label)), annotator, prediction))
    prediction, label, annotator = prediction[order], label[order], annotator[order]
    if not len(label):
        return
    # An annotator's own label for the model and that for all models: the newer counts.
    newest = np.concatenate(((prediction[1:] != prediction[:-1]) | (annotator[1:] != annotator[:-1]), [True]))
    prediction, label = prediction[newest], label[newest]
    again = prediction[1:] == prediction[:-1]
    outcomes.annotated[prediction[1:][again]] = True
    differ = again & ~v.same(label[1:], label[:-1])
    outcomes.disagreed[prediction[1:][differ]] = True
