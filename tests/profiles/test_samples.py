"""Samples: the lowest of each window and reason, whatever the batches, the partitions and the order."""

import itertools
import json
import random
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ingest.decode import Decoder
from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.features import BinSet, Feature
from monitor.profiles.hashing import hashes_of
from monitor.profiles.profiler import Profiler, Settings
from monitor.profiles.reservoir import Reservoir
from monitor.profiles.sample_rows import REDACTED, Redaction, Sample
from monitor.profiles.samples import Reason, SampleSettings
from monitor.profiles.series import SeriesKey
from monitor.profiles.watermark import Marks
from tests.builders import T0_MS, chunk, encode, record

SMALL = SampleSettings(per_window=3, random_per_window=7)
AMOUNT = Feature(
    1,
    Bins(edges=np.array([0.0, 10.0, 20.0])),
    FeatureContract(ValueType.NUMBER, required=True, minimum=-5, maximum=100),
)
PLAN = Feature(2, Bins(categories=("basic", "pro")), FeatureContract(ValueType.TEXT, categories=("basic",)))
BINS = BinSet(1, 600, {"amount": AMOUNT, "plan": PLAN})


class Names:
    """Implements profiler.Registry without a store."""

    def __init__(self) -> None:
        self.numbers: dict[SeriesKey, int] = {}

    def series(self, keys: Any) -> Any:
        found = [self.numbers.setdefault(key, len(self.numbers)) for key in keys]
        return np.array(found, np.int64), np.zeros(len(found), np.bool_)

    def baselines(self, series: Any, start_s: Any) -> Any:
        return np.ones(len(series), np.int64)

    def bins(self, baseline: int, columns: Any) -> BinSet:
        return BINS


def sampled(
    records: list[dict[str, Any]],
    of: SampleSettings = SMALL,
    cuts: list[int] | None = None,
    positions: list[int] | None = None,
    names: Names | None = None,
) -> list[Sample]:
    """What a reservoir keeps of the records, read in batches that end at `cuts`."""
    names = names or Names()
    profiler = Profiler(names, Settings({}, notes=True, disorder_ms=10**12))
    reservoir, marks, decoder = Reservoir(of, names.series), Marks(), Decoder()
    at = [0, *sorted(cuts or []), len(records)]
    for begin, end in itertools.pairwise(at):
        if begin == end:
            continue
        part = chunk([encode(r) for r in records[begin:end]], begin)
        if positions is not None:
            part = part.__class__(
                part.partition,
                part.values,
                np.array(positions[begin:end], np.int64),
                positions[end - 1] + 1,
                part.append_ms,
            )
        batch = decoder.decode(part).batch
        profiled = profiler.profile(batch, marks)
        marks = profiled.marks
        reservoir.offer(batch, profiled.dropped, profiled.notes)
    return sorted(reservoir.take(), key=lambda s: (s.series, s.start_s, s.reason, s.bound))


def some(n: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        record(
            id=f"r-{seed}-{rng.randrange(n)}",  # some ids twice
            ts=T0_MS + rng.randrange(3_000_000),
            model=rng.choice(["fraud", "churn"]),
            version=rng.choice(["3", "4"]),
            status=rng.choice([200] * 8 + [500, 504, 404]),
            latency_ms=float(rng.randrange(20)),  # many ties
            features={
                "amount": rng.choice([5.0, 15.0, -1.0, 25.0, 200.0, "x", None]),
                "plan": rng.choice("ab"),
            },
        )
        for _ in range(n)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**30), st.integers(1, 400), st.lists(st.integers(0, 400), max_size=6))
def test_batching_changes_nothing(seed: int, n: int, cuts: list[int]) -> None:
    records = some(n, seed)
    names = Names()
    whole = sampled(records, names=names)
    assert sampled(records, cuts=[min(c, n) for c in cuts], names=names) == whole


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**30), st.integers(2, 300))
def test_samples_merge(seed: int, n: int) -> None:
    """The lowest of two halves' lowest are the lowest of the whole."""
    records, names = some(n, seed), Names()
    half = n // 2
    whole = sampled(records, names=names)
    parts = sampled(records[:half], names=names) + sampled(
        records[half:], positions=list(range(half, n)), names=names
    )
    by_window: defaultdict[tuple[int, int, int], list[Sample]] = defaultdict(list)
    for sample in parts:
        by_window[sample.series, sample.start_s, sample.reason].append(sample)
    merged = [
        sample
        for (_, _, reason), found in by_window.items()
        for sample in sorted(found, key=lambda s: s.bound)[: SMALL.size(reason)]
    ]
    assert sorted(merged, key=lambda s: (s.series, s.start_s, s.reason, s.bound)) == whole


def test_each_reason_keeps_what_it_says() -> None:
    records = [
        record(id=f"r-{i}", latency_ms=float(i), features={"amount": 5.0, "plan": "basic"}) for i in range(50)
    ]
    records[7] |= {"status": 500}
    records[8] |= {"status": 404}
    records[9] |= {"features": {"amount": "ten", "plan": "basic"}}
    records[10] |= {"features": {"plan": "basic"}}
    records[11] |= {"features": {"amount": 500.0, "plan": "gold"}}
    records[12] |= {"features": {"amount": -1.0, "plan": "basic"}}
    records[13] |= {"features": {"amount": 5.0, "plan": "pro"}}
    records[49] |= {"shadow": True}
    found: defaultdict[int, list[str]] = defaultdict(list)
    for sample in sampled(records, SampleSettings(5, 7)):
        found[sample.reason].append(sample.id)
    assert found[Reason.SLOW] == ["r-48", "r-47", "r-46", "r-45", "r-44"]
    assert found[Reason.FAILED] == ["r-7"]
    assert found[Reason.SCHEMA][0] == "r-11"  # two features at once: too high, and a category it may not have
    assert set(found[Reason.SCHEMA]) == {"r-9", "r-10", "r-11", "r-13"}
    assert found[Reason.TAIL] == ["r-11", "r-12"]
    by_hash = sorted((f"r-{i}" for i in range(49)), key=lambda i: int(hashes_of([i], 0x5EED)[0]))
    assert found[Reason.RANDOM] == by_hash[:7]


def test_a_random_sample_is_one() -> None:
    """Every record has the same chance, whatever its place in the window."""
    records = [record(id=f"q{i}", ts=T0_MS + i) for i in range(20_000)]
    (window,) = {s.start_s for s in sampled(records)}
    of = SampleSettings(1, 2000)
    ts = [s.ts_ms - T0_MS for s in sampled(records, of) if s.reason == Reason.RANDOM]
    assert len(ts) == 2000
    counts = np.histogram(ts, bins=10, range=(0, 20_000))[0]
    assert float((((counts - 200) ** 2) / 200).sum()) < 34  # 9 degrees of freedom: p is above 0.0001
    assert window == T0_MS // 600_000 * 600


def test_features_are_redacted_and_cut() -> None:
    given = {
        "amount": 12.0,
        "rate": 0.25,
        "email": "jo@example.org",
        "Card_Number": "4111",
        "face": [1.0, 2.0],
        "plan": "x" * 500,
        "gone": None,
        "odd": {"a": 1},
    }
    of = SampleSettings(1, 1, redact=("EMAIL", "card_*", "face"))
    (sample,) = [s for s in sampled([record(features=given)], of) if s.reason == Reason.RANDOM]
    features = json.loads(sample.features or "")
    assert features["amount"] == 12
    assert features["rate"] == 0.25
    assert features["email"] == features["Card_Number"] == features["face.norm"] == REDACTED
    assert features["plan"] == "x" * 199 + "\N{HORIZONTAL ELLIPSIS}"
    assert "gone" not in features
    assert features["odd"] == "[object or list]"
    assert (sample.prediction, sample.score, sample.outcome) == ('"yes"', 0.75, 0)


def test_without_features_and_with_a_masked_prediction() -> None:
    of = SampleSettings(1, 1, redact=("@prediction",), features=False)
    (sample,) = [s for s in sampled([record(prediction=["a", "b"])], of) if s.reason == Reason.RANDOM]
    assert sample.features is None
    assert sample.prediction == json.dumps(REDACTED)


def test_nothing_is_kept_where_none_is_asked_for() -> None:
    assert sampled([record()], SampleSettings(0, 100)) == []
    assert {s.reason for s in sampled([record()], SampleSettings(1, 0))} == {Reason.SLOW}


@pytest.mark.parametrize(
    ("patterns", "name", "masked"),
    [
        ((), "email", False),
        (("email",), "email", True),
        (("email",), "email_hash", False),
        (("card_*",), "CARD_no", True),
        (("face",), "face.p0", True),
        (("face.p0",), "face.norm", False),
    ],
)
def test_what_patterns_mask(patterns: tuple[str, ...], name: str, masked: bool) -> None:
    assert Redaction(patterns).masks(name) is masked
