"""Pairs on both databases: two writers at once, numbers of classes, late labels, expiry."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from monitor.errors import StoreBusy
from monitor.profiles.series import SeriesKey
from monitor.records import Partition
from monitor.store import Store, dead, ownership
from monitor.store.classes import MAX_CLASSES, Classes, class_names
from monitor.store.dead import Cap
from monitor.store.flush import Committed, Flush, commit
from monitor.store.names import series_ids
from monitor.store.pair_codec import Halves
from monitor.store.pair_rows import MAX_LABELS, MAX_PREDICTIONS
from monitor.store.pairing import Pairing, PairingSettings
from monitor.store.pairs import CROWDED_OUT, ORPHAN, drop_expired_pairs
from tests.exactly_once.pair_oracle import Label, Prediction, count_pairs
from tests.store.halves import class_score_counts, label_half, prediction_half, quality_counts

DAY_MS = 86_400_000
BEGIN_MS = 1_700_000_040_000
RECORDS, LABELS = Partition("records", 0), Partition("labels", 0)
SERIES = (SeriesKey("fraud", "3"), SeriesKey("fraud", "3", "", "country", "DE"))


class Writer:
    """Commits halves under a partition of its own."""

    def __init__(self, store: Store, partition: Partition) -> None:
        self._store = store
        self.claim = ownership.claim(store, partition, "test", 0)
        self._at: int | None = None
        self._pairing = Pairing(store, PairingSettings())

    def write(self, predictions: Sequence[Halves], labels: Sequence[Halves]) -> Committed:
        to_offset = (self._at or 0) + 1
        flush = Flush(
            partition=self.claim.partition,
            writer=self.claim.writer,
            epoch=self.claim.epoch,
            from_offset=self._at,
            to_offset=to_offset,
            marks=self.claim.marks,
            rows=(),
            now_ms=0,
            predictions=predictions,
            labels=labels,
        )
        while True:
            try:
                committed = commit(self._store, flush, Cap(), self._pairing)
                break
            except StoreBusy:  # the other writer was first; the same flush again
                continue
        self._at = to_offset
        return committed


class Bench:
    """Two writers, and the halves that they write."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.writers = {p: Writer(store, p) for p in (RECORDS, LABELS)}
        self._numbers = {p: writer.claim.writer for p, writer in self.writers.items()}
        self._ids = dict(zip(SERIES, series_ids(store, SERIES), strict=True))
        self.predictions: list[Prediction] = []
        self.labels: list[Label] = []

    def prediction(
        self,
        name: str,
        ts_ms: int = BEGIN_MS,
        value: object = "yes",
        key: str | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> Halves:
        rank = (ts_ms, *RECORDS, len(self.predictions))
        join = ("i", name) if key is None else ("k", key)
        self.predictions.append(Prediction(join, "fraud", name, value, 0.5, SERIES, rank))
        return prediction_half(self.predictions[-1], self._ids, self._numbers, scores)

    def label(
        self,
        name: str,
        ts_ms: int = BEGIN_MS + DAY_MS,
        value: object = "no",
        annotator: str | None = None,
        by: str = "i",
    ) -> Halves:
        rank = (ts_ms, *LABELS, len(self.labels))
        self.labels.append(Label((by, name), None, annotator, value, rank))
        return label_half(self.labels[-1], self._numbers)

    def check(self) -> None:
        assert quality_counts(self.store) == count_pairs(self.predictions, self.labels)


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_two_writers_that_bring_the_two_halves_at_once_miss_no_match(bench: Bench) -> None:
    rounds, a_round = 40, 25
    names = [[f"{i}-{k}" for k in range(a_round)] for i in range(rounds)]
    predictions = [[bench.prediction(name) for name in some] for some in names]
    labels = [[bench.label(name) for name in reversed(some)] for some in names]
    matched: Counter[Partition] = Counter()
    failed: list[BaseException] = []
    gate = threading.Barrier(2)

    def run(partition: Partition) -> None:
        try:
            for i in range(rounds):
                gate.wait(60)
                given = (predictions[i], []) if partition == RECORDS else ([], labels[i])
                matched[partition] += bench.writers[partition].write(*given).matched
        except BaseException as e:
            gate.abort()
            failed.append(e)

    threads = [threading.Thread(target=run, args=(p,)) for p in (RECORDS, LABELS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not failed
    assert matched.total() == rounds * a_round
    bench.check()


def test_a_label_30_days_late_changes_its_own_windows_and_nothing_else(bench: Bench) -> None:
    for hour in range(6):
        at_ms = BEGIN_MS + hour * 3_600_000
        halves = [bench.prediction(f"{hour}-{i}", at_ms) for i in range(3)]
        bench.writers[RECORDS].write(halves, [])
        bench.writers[LABELS].write([], [bench.label(f"{hour}-{i}", at_ms + 1000) for i in range(2)])
    before = quality_counts(bench.store)
    late_ms = BEGIN_MS + 30 * DAY_MS
    assert bench.writers[LABELS].write([], [bench.label("2-2", late_ms)]).matched == 1
    after = quality_counts(bench.store)
    bench.check()
    changed = {row[:2] + row[3:] for row in before.keys() | after.keys() if before.get(row) != after.get(row)}
    hour_s, day_s = 3600, 86_400
    window_ms = BEGIN_MS + 2 * 3_600_000
    assert changed == {
        (kind, tier_s, ms // 1000 // tier_s * tier_s)
        for kind, ms in (("quality", window_ms), ("learned", late_ms))
        for tier_s in (hour_s, day_s)
    }


def test_labels_over_many_windows_are_put_aside_and_count_all_the_same(bench: Bench) -> None:
    names = [(f"p{i}", BEGIN_MS + i * 1_800_000) for i in range(1500)]
    bench.writers[RECORDS].write([bench.prediction(name, at_ms) for name, at_ms in names], [])
    for part in range(3):
        halves = [bench.label(name, BEGIN_MS + 40 * DAY_MS) for name, _ in names[part::3]]
        bench.writers[LABELS].write([], halves)
        bench.check()


def test_classes_get_numbers_once_up_to_the_limit(store: Store) -> None:
    one, two = Classes(store), Classes(store)
    one.register({"m": [f"c{i}" for i in range(40)]})
    two.register({"m": [f"c{i}" for i in range(20, 90)], "n": ["c1"]})
    known = class_names(store, "m")
    assert sorted(known.values()) == list(range(MAX_CLASSES))
    assert {f"c{i}" for i in range(40)} <= known.keys()
    assert class_names(store, "n") == {"c1": 0}


def test_scores_of_classes_count_whoever_brings_the_label_and_are_taken_out_by_a_correction(
    bench: Bench,
) -> None:
    """The writer of the labels has never seen the names of the classes: it learns their numbers."""
    scores = {"a": 0.2, "b": 0.5, "c": 0.3}
    bench.writers[RECORDS].write([bench.prediction("1", value="b", scores=scores)], [])
    bench.writers[LABELS].write([], [bench.label("1", value="a")])
    n = len(SERIES)
    assert class_score_counts(bench.store) == {("a", True): n, ("b", False): n, ("c", False): n}
    bench.writers[LABELS].write([], [bench.label("1", value="c", ts_ms=BEGIN_MS + 2 * DAY_MS)])
    assert class_score_counts(bench.store) == {("a", False): n, ("b", False): n, ("c", True): n}
    bench.check()


def test_pairs_go_when_the_horizon_ends_and_orphans_are_counted(bench: Bench) -> None:
    names = [f"p{i}" for i in range(20)]
    bench.writers[RECORDS].write([bench.prediction(name) for name in names], [])
    bench.writers[LABELS].write([], [bench.label(name) for name in [*names[:5], "nobody", "none"]])
    counted = quality_counts(bench.store)
    assert drop_expired_pairs(bench.store, 90, BEGIN_MS + 90 * DAY_MS) == 0
    assert drop_expired_pairs(bench.store, 90, BEGIN_MS + 91 * DAY_MS) == 20
    assert drop_expired_pairs(bench.store, 90, BEGIN_MS + 92 * DAY_MS) == 2
    assert drop_expired_pairs(bench.store, 90, BEGIN_MS + 92 * DAY_MS) == 0
    assert dead.totals(bench.store)[ORPHAN, "expired"] == 2
    assert quality_counts(bench.store) == counted


def test_what_a_crowded_key_has_no_room_for_is_counted(bench: Bench) -> None:
    n = MAX_PREDICTIONS + 40
    predictions = [bench.prediction(f"p{i}", key="order-1") for i in range(n)]
    labels = [bench.label("order-1", annotator=f"a{i}", by="k") for i in range(MAX_LABELS + 3)]
    committed = [bench.writers[RECORDS].write(predictions[part::7], []) for part in range(7)]
    committed += [bench.writers[LABELS].write([], labels[part::2]) for part in range(2)]
    assert sum(c.crowded_out.get("prediction", 0) for c in committed) == 40
    assert sum(c.crowded_out.get("label", 0) for c in committed) == 3
    totals = dead.totals(bench.store)
    assert (totals[CROWDED_OUT, "prediction"], totals[CROWDED_OUT, "label"]) == (40, 3)
    # One that comes again is dropped again; those that were kept are known.
    assert bench.writers[RECORDS].write(predictions[:1], []).crowded_out == {"prediction": 1}
    assert not bench.writers[RECORDS].write(predictions[-1:], []).crowded_out
    counted = quality_counts(bench.store)
    kept = Counter({("predicted",): MAX_PREDICTIONS, ("labelled",): MAX_PREDICTIONS})
    row = counted["quality", 86_400, SERIES[0], BEGIN_MS // DAY_MS * 86_400]
    assert kept <= row
    assert row["predicted",] == MAX_PREDICTIONS
