"""Hashes are those of the texts alone: of no neighbour, no batch and no process."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.profiles.hashing import hashes_of, identity_of, moments_of

PINNED = [0, 5060127534294582819, 818529521339487068]
PINNED_MOMENTS = [2801477574033171545, 3337270674084497753]
TEXTS = st.lists(st.one_of(st.text(max_size=40), st.text("ab\n\0é", max_size=700)), max_size=20)


@given(TEXTS, TEXTS)
def test_a_hash_depends_on_nothing_but_the_text_and_the_seed(first: list[str], second: list[str]) -> None:
    apart = hashes_of(first).tolist() + hashes_of(second).tolist()
    assert hashes_of(first + second).tolist() == apart
    assert all(0 <= h < 2**63 for h in apart)
    assert len(set(apart)) == len(set(first + second))


def test_hashes_stay_what_they_are() -> None:
    """What is stored holds these numbers: they may never change."""
    assert hashes_of(["", "r-1", "a" * 600]).tolist() == PINNED
    identity = np.array([identity_of("fraud", "r-1")] * 2, np.uint64)
    assert moments_of(identity, np.array([0, 1])).tolist() == PINNED_MOMENTS


def test_hashes_are_spread_evenly() -> None:
    hashes = hashes_of([f"request-{i}" for i in range(100_000)], seed=7)
    counts = np.histogram(hashes / 2**63, bins=100, range=(0, 1))[0]
    chi2 = float((((counts - 1000) ** 2) / 1000).sum())
    assert chi2 < 160  # 99 degrees of freedom: p is above 0.0001
    assert not np.array_equal(hashes, hashes_of([f"request-{i}" for i in range(100_000)], seed=8))
