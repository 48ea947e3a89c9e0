"""The rows that are kept of a baseline: the same ones however a file is cut."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.baselines.kept_rows import KeptRows
from monitor.profiles.sample_rows import REDACTED, Redaction
from monitor.records import Vocabulary


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.integers(1, 50), st.lists(st.integers(0, 300), max_size=5))
def test_batches_change_nothing(n: int, most: int, cuts: list[int]) -> None:
    numbers = np.arange(n, dtype=np.float64)
    whole, parts = KeptRows(Redaction(()), most), KeptRows(Redaction(()), most)
    whole.add(0, n, {"x": numbers})
    edges = sorted({0, n, *(min(c, n) for c in cuts)})
    for begin, end in itertools.pairwise(edges):
        parts.add(begin, end - begin, {"x": numbers[begin:end]})
    assert parts.rows() == whole.rows()
    assert len(whole.rows()) == min(n, most)


def test_rows_are_without_nulls_and_masked() -> None:
    kept = KeptRows(Redaction(("e*",)))
    texts = Vocabulary().encode(["a@b.c", None], 2)
    kept.add(0, 2, {"x": np.array([1.5, np.nan]), "email": texts})
    assert sorted(kept.rows(), key=len) == [{}, {"x": 1.5, "email": REDACTED}]


def test_the_sample_is_even() -> None:
    kept = KeptRows(Redaction(()), 2000)
    for begin in range(0, 100_000, 10_000):
        kept.add(begin, 10_000, {"x": np.arange(begin, begin + 10_000, dtype=np.float64)})
    counts = np.histogram([row["x"] for row in kept.rows()], bins=10, range=(0, 100_000))[0]
    assert float((((counts - 200) ** 2) / 200).sum()) < 34  # 9 degrees of freedom: p is above 0.0001
