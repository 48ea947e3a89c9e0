"""Entries of pairs come back as they were written, whatever stands between head and value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.records import Coded
from monitor.store.pair_codec import PREDICTION, encode_predictions, parse, short_hash, values_of

names = st.text(min_size=1, max_size=8)
shares = st.floats(0, 1)
entries = st.tuples(
    st.lists(st.integers(0, 2**31), max_size=4),
    st.none() | st.dictionaries(names, shares, min_size=3, max_size=20),
    st.sampled_from(["a", "a longer text", "7"]),
)


@given(st.lists(entries, min_size=1, max_size=12))
def test_marginals_class_scores_and_values_come_back(
    made: list[tuple[list[int], dict[str, float] | None, str]],
) -> None:
    n = len(made)
    head = np.zeros(n, PREDICTION)
    head["offset"] = np.arange(n)
    series = np.full((n, 4), -1, np.int64)
    for i, (marginals, _, _) in enumerate(made):
        series[i, : len(marginals)] = marginals
    texts = Coded(np.arange(1, n + 1, dtype=np.int32), [None, *(text for _, _, text in made)])
    scores = {i: each for i, (_, each, _) in enumerate(made) if each is not None}
    sizes, data = encode_predictions(head, series, values_of(texts), scores)
    assert sizes.sum() == len(data)
    found = parse([data.tobytes()], PREDICTION)
    assert found.head["offset"].tolist() == list(range(n))
    pair, series_found = found.marginals()
    assert [series_found[pair == i].tolist() for i in range(n)] == [m for m, _, _ in made]
    chosen = np.arange(n)[::-1]
    at, name, score = found.class_scores(chosen)
    for i, row in enumerate(chosen.tolist()):
        told = list(zip(name[at == i].tolist(), score[at == i].tolist(), strict=True))
        assert told == [(short_hash(k), v) for k, v in (made[row][1] or {}).items()]
    for i, (_, _, text) in enumerate(made):
        assert bytes(found.data[found.begin[i] : found.end[i]]).decode() == text
