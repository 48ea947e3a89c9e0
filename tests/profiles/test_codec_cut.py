"""Decoding the first cells only gives what decoding everything gives for them."""

import numpy as np
import pytest

from monitor.profiles.codec import decode_counts, encode_rows
from monitor.profiles.layout import CELL_BITS
from monitor.profiles.profile import Profiles, RowKey

END = 4096


@pytest.mark.parametrize("seed", range(40))
def test_the_cells_below_an_end_are_all_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 700))
    profiles = Profiles()
    profiles.rows_for(RowKey(2, 60, i, 0, 0) for i in range(n))
    entries = int(rng.integers(0, 40 * n))
    near = rng.random(entries) < rng.random()
    cell = np.where(near, rng.integers(0, END, entries), rng.integers(0, 5 * END, entries))
    count = rng.integers(-5, 10 ** int(rng.integers(1, 12)), entries)
    profiles.add_counts(rng.integers(0, n, entries), cell, count)
    blobs = [counts for counts, _, _ in encode_rows(profiles)]
    keys, counts = profiles.counts
    below = (keys & ((1 << CELL_BITS) - 1)) < END
    row, cell, count = decode_counts(blobs, END)
    found = row << CELL_BITS | cell
    order = np.argsort(found)
    order = order[cell[order] < END]
    np.testing.assert_array_equal(found[order], keys[below])
    np.testing.assert_array_equal(count[order], counts[below])
