"""What new halves of pairs change in the quality profiles, found out in the transaction that stores them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa

from monitor.ingest.contract import POSITIVE
from monitor.profiles.layout import OTHER_CLASS, Kind, Quality
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import Pairs, count_quality
from monitor.profiles.rows import RowKeys
from monitor.profiles.sample_rows import Sample
from monitor.profiles.samples import SampleSettings
from monitor.records import Bools, Ints, Partition
from monitor.store import pairs
from monitor.store.classes import Classes, Unnumbered
from monitor.store.pair_codec import (
    LABEL,
    PREDICTION,
    Bytes,
    Entries,
    Flags,
    Halves,
    parse,
    short_hash,
)
from monitor.store.pair_details import Lists, class_scores
from monitor.store.pair_rows import MAX_LABELS, MAX_PREDICTIONS, Outcomes, Standing, match, ranks, standing
from monitor.store.pair_samples import Judged, Place, WrongSamples
from monitor.store.pair_values import Decoded, Texts, alike, decode, is_positive
from monitor.store.schema import progress, series
from monitor.store.store import Store

__all__ = ["Paired", "Pairing", "PairingSettings"]


@dataclass(frozen=True, slots=True)
class PairingSettings:
    """`tiers_s` are the lengths of the windows, the base first. `positive_classes` names the positive
    class of the models for which it is none of POSITIVE."""

    tiers_s: tuple[int, ...] = (3600, 86_400)
    positive_classes: Mapping[str, str] = field(default_factory=dict)
    samples: SampleSettings = field(default_factory=SampleSettings)

    def positive(self, model: str) -> Collection[str]:
        """What the model's positive class is called."""
        name = self.positive_classes.get(model)
        return POSITIVE if name is None else (name,)


@dataclass(frozen=True, slots=True)
class Paired:
    """What a flush's halves came to: profiles of the base tier to add, how many predictions and labels there
    were, how many predictions got their first label, and how many halves (`prediction` or `label`) were
    dropped, for their key has more than are kept. Of the ones dropped nothing is remembered: one that comes
    again is dropped, and counted, again."""

    profiles: Profiles
    predictions: int = 0
    labels: int = 0
    matched: int = 0
    wrong: Sequence[Sample] = ()
    righted: Sequence[Place] = ()
    crowded_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Side:
    """The entries of one side of the rows, their ranks and values, and which came with this flush."""

    entries: Entries
    rank: Ints
    values: Decoded
    fresh: Bools


class Pairing:
    """Exchanges halves and counts what that changes. Caches names; one flush at a time."""

    def __init__(self, store: Store, settings: PairingSettings) -> None:
        self._store = store
        self._settings = settings
        self._classes = Classes(store)
        self._wrong = WrongSamples(settings.samples)
        self._models: dict[int, str] = {}
        self._sources: dict[int, Partition] = {}

    @property
    def tiers_s(self) -> tuple[int, ...]:
        """The tiers that pairs are counted in, the base first."""
        return self._settings.tiers_s

    def number(self, missing: Unnumbered) -> None:
        """Numbers new classes, outside of the transaction that has met them."""
        self._classes.register(missing.missing)

    def pair(
        self, connection: sa.Connection, predictions: Sequence[Halves], labels: Sequence[Halves]
    ) -> Paired:
        """Stores the halves in the caller's transaction; what they add is the caller's to store.

        Raises Unnumbered: roll back, call `number`, and begin again.
        """
        predictions, labels = [h for h in predictions if len(h)], [h for h in labels if len(h)]
        if not predictions and not labels:
            return Paired(Profiles())
        self._classes.numbers(each for halves in predictions for each in halves.classes)
        new = pairs.incoming(predictions, labels)
        held = pairs.exchange(self._store, connection, new)
        texts = Texts()
        predicted = self._side(connection, held.predictions, new.prediction_sizes, PREDICTION, texts)
        told = self._side(connection, held.labels, new.label_sizes, LABEL, texts)
        models = self._models_of(connection, predicted.entries.head["series"])
        after, standings = _outcomes(predicted, told, models, before=False)
        before, _ = _outcomes(predicted, told, models, before=True)
        _compact(connection, new, predicted.entries, told.entries, standings)
        halves = [*predictions, *labels]
        profiles, wrong, righted = self._count(
            connection, predicted, told, models, before, after, new.keys, halves
        )
        first = (after.label >= 0) & (after.state >= 0) & ~((before.state >= 0) & (before.label >= 0))
        n_first = int(np.count_nonzero(first))
        dropped = zip(("prediction", "label"), standings, strict=True)
        return Paired(
            profiles,
            sum(map(len, predictions)),
            sum(map(len, labels)),
            n_first,
            wrong,
            righted,
            {half: stands.crowded_out for half, stands in dropped if stands.crowded_out},
        )

    def _side(
        self,
        connection: sa.Connection,
        blobs: Sequence[bytes | None],
        added: Ints,
        dtype: "np.dtype[np.void]",
        texts: Texts,
    ) -> _Side:
        entries = parse(blobs, dtype)
        sizes = np.fromiter((0 if b is None else len(b) for b in blobs), np.int64, len(blobs))
        fresh = entries.at >= (sizes - added)[entries.row]
        self._learn_sources(connection, entries)
        return _Side(entries, ranks(entries, self._sources), decode(entries, texts), fresh)

    def _learn_sources(self, connection: sa.Connection, entries: Entries) -> None:
        if set(np.unique(entries.head["writer"]).tolist()) - self._sources.keys():
            rows = connection.execute(sa.select(progress.c.writer, progress.c.topic, progress.c.part))
            self._sources = {writer: Partition(topic, part) for writer, topic, part in rows}

    def _models_of(
        self, connection: sa.Connection, numbers: "np.ndarray[tuple[int], np.dtype[np.uint32]]"
    ) -> "_Models":
        found, index = np.unique(numbers, return_inverse=True)
        unknown = [n for n in found.tolist() if n not in self._models]
        for at in range(0, len(unknown), 1000):
            some = sa.select(series.c.id, series.c.model).where(series.c.id.in_(unknown[at : at + 1000]))
            self._models |= {row.id: row.model for row in connection.execute(some)}
        return _Models([self._models[n] for n in found.tolist()], index.astype(np.int64))

    def _count(
        self,
        connection: sa.Connection,
        predicted: _Side,
        told: _Side,
        models: "_Models",
        before: Outcomes,
        after: Outcomes,
        keys: Bytes,
        halves: Sequence[Halves],
    ) -> tuple[Profiles, list[Sample], list[Place]]:
        changed = before.state != after.state
        minus = np.flatnonzero(changed & (before.state >= 0))
        plus = np.flatnonzero(changed & (after.state >= 0))
        profiles = Profiles()
        index = np.concatenate((minus, plus))
        if not len(index):
            return profiles, [], []
        outcomes = Outcomes(
            *(
                np.concatenate((getattr(before, name)[minus], getattr(after, name)[plus]))
                for name in ("state", "label", "corrected", "annotated", "disagreed")
            )
        )
        columns = self._columns(predicted, told, models, index, outcomes)
        of, number = _memberships(predicted.entries, index)
        at_s = predicted.entries.head["ts_ms"][index] // 1000
        sampled = (predicted.entries.head["flags"][index] & Flags.SAMPLED) > 0
        self._add(profiles, Kind.QUALITY, columns, sampled, of, number, at_s[of], len(minus))
        labelled = columns.labelled[of]
        if labelled.any():
            of, number = of[labelled], number[labelled]
            learnt_s = told.entries.head["ts_ms"][outcomes.label[of]] // 1000
            self._add(profiles, Kind.LEARNED, columns, sampled, of, number, learnt_s, len(minus))
        judged = Judged(
            predicted.entries,
            predicted.values,
            told.entries,
            told.values,
            index,
            outcomes.label,
            len(minus),
            keys,
        )
        return profiles, *self._wrong.pick(connection, judged, columns, halves)

    def _add(
        self,
        profiles: Profiles,
        kind: Kind,
        columns: Pairs,
        sampled: Bools,
        of: Ints,
        number: Ints,
        at_s: Ints,
        n_minus: int,
    ) -> None:
        """Counts each pair `of` in the window of `at_s` of a series; the first `n_minus` pairs go away."""
        base_s = self.tiers_s[0]
        window = at_s // base_s
        first = int(window.min())
        width = int(window.max()) - first + 1
        packed = number * width + (window - first)
        rows, index = np.unique(packed, return_inverse=True)
        keys = RowKeys.windows(kind, base_s, rows // width, (rows % width + first) * base_s)
        row = profiles.rows_for(keys)[index]
        sign = np.where(of < n_minus, -1, 1)
        count_quality(profiles, row, of, sign, columns)
        if sampled.any():
            mine = sampled[of]
            cell = np.full(np.count_nonzero(mine), int(Quality.SAMPLED), np.int64)
            profiles.add_counts(row[mine], cell, sign[mine])

    def _columns(
        self, predicted: _Side, told: _Side, models: "_Models", index: Ints, outcomes: Outcomes
    ) -> Pairs:
        """The pairs as quality counts them."""
        n, label = len(index), outcomes.label
        labelled = label >= 0
        at = np.flatnonzero(labelled)
        head, said, p, v = (
            predicted.entries.head[index],
            told.entries.head[label[at]],
            predicted.values,
            told.values,
        )
        code, number = p.code[index], p.number[index]
        actual_number, weight, rating = np.full(n, np.nan), np.ones(n), np.full(n, np.nan)
        actual, lag_ms = np.zeros(n, np.int64), np.zeros(n, np.int64)
        actual_number[at] = v.number[label[at]]
        actual[at] = alike(p, code[at], v.code[label[at]])
        weight[at] = said["weight"]
        lag_ms[at] = np.maximum(said["ts_ms"] - head["ts_ms"][at], 0)
        rated = at[(said["flags"] & Flags.RATING) > 0]
        rating[rated], actual_number[rated], actual[rated] = actual_number[rated], np.nan, 0
        model = models.index[index]
        positive = models.positive(p.texts, self._settings.positive)
        predicted_class, actual_class = self._numbered(predicted, models, index, code, actual)
        lists = Lists(p, v, index, label, code, actual)
        return Pairs(
            predicted_number=number,
            actual_number=actual_number,
            predicted_class=predicted_class,
            actual_class=actual_class,
            predicted_positive=positive[model, code],
            actual_positive=positive[model, actual],
            score=head["score"].astype(np.float64),
            labelled=labelled,
            lag_ms=lag_ms,
            corrected=outcomes.corrected,
            annotated=outcomes.annotated,
            disagreed=outcomes.disagreed,
            rating=rating,
            weight=weight,
            ranked=lists.ranked(),
            texts=lists.texts(predicted_class, actual_class),
            class_scores=class_scores(
                predicted.entries, p.texts, index, actual, models.names, model, self._classes
            ),
        )

    def _numbered(
        self, predicted: _Side, models: "_Models", index: Ints, code: Ints, actual: Ints
    ) -> tuple[Ints, Ints]:
        """The class numbers of both sides, -1 for what is no class; a label is one where its prediction is.

        Those without a number of the store's are above OTHER_CLASS, and differ where the classes do."""
        texts = predicted.values.texts
        able = texts.classlike()
        of = np.flatnonzero(able[code])
        both = of[able[actual[of]]]
        found = (np.full(len(code), -1, np.int64), np.full(len(code), -1, np.int64))
        if not len(of):
            return found
        width = len(texts)
        model = models.index[index] * width
        wanted, place = np.unique(
            np.concatenate((model[of] + code[of], model[both] + actual[both])), return_inverse=True
        )
        named = [(models.names[w // width], texts.text(w % width)) for w in wanted.tolist()]
        given = np.array(self._classes.numbers(named), np.int64)
        numbers = np.where(given == OTHER_CLASS, OTHER_CLASS + 1 + wanted % width, given)[place]
        found[0][of], found[1][both] = numbers[: len(of)], numbers[len(of) :]
        return found


class _Models:
    """The models of the predictions: `names`, and for each prediction the `index` (int64) of its own."""

    def __init__(self, of_series: Sequence[str], index: Ints) -> None:
        self.names = sorted(set(of_series))
        place = {name: i for i, name in enumerate(self.names)}
        self.index = np.array([place[name] for name in of_series], np.int64)[index]
        self.hashes = np.array([short_hash(name) for name in self.names], np.int64)[self.index]

    def positive(
        self, texts: Texts, of_model: Callable[[str], Collection[str]]
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
        """Whether a text (by code, second) is of the positive class of a model (first)."""
        words = [texts.text(code) for code in range(len(texts))]
        table = [is_positive(words, of_model(name)) for name in self.names]
        return np.array(table, np.bool_).reshape(len(self.names), len(words))


def _outcomes(
    predicted: _Side, told: _Side, models: _Models, before: bool
) -> tuple[Outcomes, tuple[Standing, Standing]]:
    """What became of the predictions: of all entries, or `before` of those that were there already."""
    p, t = predicted.entries, told.entries
    chosen = (
        (~predicted.fresh, ~told.fresh) if before else (np.ones(len(p), np.bool_), np.ones(len(t), np.bool_))
    )
    which = standing(p, p.head["who"].view(np.int64), predicted.rank, chosen[0], MAX_PREDICTIONS)
    giver = (t.head["model"].astype(np.int64) << 32) | t.head["annotator"]
    stated = standing(t, giver, told.rank, chosen[1], MAX_LABELS, told.values)
    return match(p, models.hashes, which, t, stated, told.rank, told.values), (which, stated)


def _memberships(entries: Entries, index: Ints) -> tuple[Ints, Ints]:
    """(pair, series): the whole series and every marginal of each pair; `index` are the pairs' entries."""
    entry, marginal = entries.marginals()
    begin, end = np.searchsorted(entry, index, "left"), np.searchsorted(entry, index, "right")
    count = end - begin
    of = np.repeat(np.arange(len(index)), count)
    place = np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(len(of))
    whole = entries.head["series"][index].astype(np.int64)
    return np.concatenate((np.arange(len(index)), of)), np.concatenate((whole, marginal[place]))


def _compact(
    connection: sa.Connection,
    new: pairs.Incoming,
    predicted: Entries,
    told: Entries,
    standings: tuple[Standing, Standing],
) -> None:
    """Rewrites the rows that hold entries which count no more."""
    n = len(new)
    crowded = np.zeros(n, np.bool_)
    for entries, stands in ((predicted, standings[0]), (told, standings[1])):
        kept = np.bincount(entries.row[stands.index], minlength=n)
        crowded |= np.bincount(entries.row, minlength=n) > kept
    rows = np.flatnonzero(crowded).tolist()
    if not rows:
        return
    parts = [_kept(predicted, standings[0], crowded), _kept(told, standings[1], crowded)]
    pairs.rewrite(
        connection,
        [new.keys[row].tobytes() for row in rows],
        [(parts[0].get(row), parts[1].get(row)) for row in rows],
    )


def _kept(entries: Entries, stands: Standing, crowded: Bools) -> dict[int, bytes]:
    """The bytes of the entries that stand, by row, of the crowded rows."""
    found: defaultdict[int, bytes] = defaultdict(bytes)
    flags = entries.head.dtype.fields["flags"][1]  # type: ignore[index]  # both have fields
    for i, differs in zip(stands.index.tolist(), stands.differs.tolist(), strict=True):
        row = int(entries.row[i])
        if crowded[row]:
            raw = bytearray(entries.entry(i))
            if differs and entries.head.dtype is LABEL:
                raw[flags] |= Flags.CORRECTED
            found[row] += bytes(raw)
    return found
