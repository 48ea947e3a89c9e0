"""What of pairs is no plain column: lists, texts that are no classes, scores of every class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.layout import OTHER_CLASS
from monitor.profiles.quality import ClassScores
from monitor.records import Ints
from monitor.store.classes import Classes
from monitor.store.pair_codec import Entries, ValueKind, short_hash
from monitor.store.pair_values import Decoded, Texts

__all__ = ["Lists", "class_scores"]


@dataclass(frozen=True, slots=True)
class Lists:
    """Predictions that are lists or texts that are no classes, which are looked at one by one."""

    predicted: Decoded
    told: Decoded
    index: Ints
    label: Ints
    code: Ints
    actual: Ints

    def ranked(self) -> dict[int, tuple[tuple[str, ...], object]]:
        """(prediction, label) of the pairs whose prediction is a list."""
        lists = np.flatnonzero((self.predicted.kind[self.index] == ValueKind.LIST) & (self.label >= 0))
        found: dict[int, tuple[tuple[str, ...], object]] = {}
        for i in lists.tolist():
            label = int(self.label[i])
            items = tuple(map(str, self.predicted.value(int(self.index[i]))))
            if self.told.kind[label] in (ValueKind.LIST, ValueKind.GRADES):
                found[i] = (items, self.told.value(label))
            elif self.told.kind[label] == ValueKind.TEXT or self.told.code[label]:
                found[i] = (items, (self.told.texts.text(int(self.told.code[label])),))
        return found

    def texts(self, predicted_class: Ints, actual_class: Ints) -> dict[int, tuple[str, str]]:
        """(prediction, label) of the pairs of texts of which one has no class number of its own."""
        bare = (predicted_class < 0) | (predicted_class > OTHER_CLASS) | (actual_class > OTHER_CLASS)
        bare &= (self.label >= 0) & (self.actual > 0)
        bare &= self.predicted.kind[self.index] == ValueKind.TEXT
        text = self.predicted.texts.text
        return {
            i: (text(int(self.code[i])), text(int(self.actual[i])))
            for i in np.flatnonzero(bare).tolist()
            if self.told.kind[int(self.label[i])] == ValueKind.TEXT
        }


def class_scores(
    predictions: Entries,
    texts: Texts,
    index: Ints,
    actual: Ints,
    models: Sequence[str],
    model: Ints,
    known: Classes,
) -> ClassScores | None:
    """The scores of the classes of each pair, None where no prediction has any. `index` are the predictions,
    `actual` (int64) the codes of the labels' texts, `model` (int64) the index of each one's among `models`. A
    class without a score was given none. Raises Unnumbered."""
    n = len(index)
    pair, name, score = predictions.class_scores(index)
    if not len(pair):
        return None
    codes, place = np.unique(actual, return_inverse=True)
    hashes = np.array([short_hash(texts.text(code)) for code in codes.tolist()], np.int64)[place]
    wanted, of = np.unique(model[pair] << 32 | name, return_inverse=True)
    numbers = known.numbers_of_hashes((models[each >> 32], each & 0xFFFF_FFFF) for each in wanted.tolist())
    number = np.array(numbers, np.int64)[of]
    given = np.zeros(n, np.bool_)
    given[pair] = True
    hit = name == hashes[pair]
    actual_score, squares = np.zeros(n), np.zeros(n)
    np.add.at(actual_score, pair[hit], score[hit])
    np.add.at(squares, pair, score**2)
    return ClassScores(given, actual_score, squares, pair, number, score, hit)
