"""Vectors are reduced on the way in, to the same numbers whatever comes with them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ingest.decode import Decoder
from monitor.ingest.vectors import MAX_LENGTH, is_vector, reduced
from monitor.records import Batch, Floats, Mixed
from tests.builders import chunk, encode, record

SUFFIXES = ["norm", "length", "mean", "p0", "p1", "p2", "p3"]


def decode(*values: Any, decoder: Decoder | None = None) -> Batch:
    """The batch of records with these values of a feature `e`."""
    messages = [encode(record(features={"e": value})) for value in values]
    decoded = (decoder or Decoder()).decode(chunk(messages))
    assert not decoded.dead
    return decoded.batch


def columns(batch: Batch) -> dict[str, Any]:
    (block,) = batch.features
    return {name: c for name, c in block.columns.items() if name.startswith("e")}


def number(column: Any) -> Floats:
    assert isinstance(column, np.ndarray)
    return column


def test_a_vector_becomes_its_norm_length_mean_and_projections() -> None:
    found = columns(decode([3, 4.0], None, [], [0.5] * 10))
    assert sorted(found) == sorted(f"e.{s}" for s in SUFFIXES)
    np.testing.assert_allclose(found["e.norm"], [5, np.nan, 0, np.sqrt(2.5)])
    np.testing.assert_array_equal(found["e.length"], [2, np.nan, 0, 10])
    np.testing.assert_array_equal(found["e.mean"], [3.5, np.nan, np.nan, 0.5])
    assert np.isnan(number(found["e.p0"])).tolist() == [False, True, True, False]


def test_projections_are_the_same_for_ever() -> None:
    """Numbers that must never change: bins are fitted to them."""
    found = reduced("embedding", [[1.0, 2.0, 3.0, 4.0], [1.0] * 384])
    assert found["embedding.p0"].tolist() == pytest.approx(P0, abs=0)
    assert found["embedding.p3"].tolist() == pytest.approx(P3, abs=0)


P0 = [2.0, -0.10206207261596577]
P3 = [1.0, 2.143303524935281]


def test_projections_have_unit_variance_and_are_not_alike() -> None:
    rng = np.random.default_rng(5)
    found = reduced("e", rng.normal(size=(4000, 64)).tolist())
    projected = np.array([found[f"e.p{k}"] for k in range(4)])
    np.testing.assert_allclose(projected.mean(axis=1), 0, atol=0.08)
    np.testing.assert_allclose(projected.var(axis=1), 1, atol=0.1)
    assert np.abs(np.corrcoef(projected) - np.eye(4)).max() < 0.5
    assert not np.array_equal(
        reduced("f", [[1.0, -2.0, 4.0] * 9])["f.p0"], reduced("e", [[1.0, -2.0, 4.0] * 9])["e.p0"]
    )


@pytest.mark.parametrize(
    "value",
    [[1] * (MAX_LENGTH + 1), ["a"], [True], [[1.0]], [1, None], [float("nan")], [10**400], {"x": 1}],
    ids=lambda v: repr(v)[:20],
)
def test_other_arrays_are_invalid_as_they_were(value: Any) -> None:
    for decoder in (Decoder(), Decoder()):
        found = columns(decode([1.0, 2.0], value, decoder=decoder))
        assert isinstance(found["e"], Mixed)
        assert found["e"].invalid.tolist() == [False, True]
        np.testing.assert_array_equal(found["e.length"], [2, np.nan])


def test_a_feature_that_is_a_number_now_and_a_vector_then_is_both() -> None:
    found = columns(decode(1.5, [1.0, 2.0], "text", [2, 3, 4]))
    assert isinstance(found["e"], Mixed)
    np.testing.assert_array_equal(found["e"].numbers, [1.5, np.nan, np.nan, np.nan])
    assert not found["e"].invalid.any()
    np.testing.assert_array_equal(found["e.length"], [np.nan, 2, np.nan, 3])


def test_numbers_beyond_floats_are_not_finite() -> None:
    found = reduced("e", [[1e300, 1e300], [1e308, 1e308]])
    assert found["e.norm"].tolist() == [np.inf, np.inf]
    assert found["e.mean"][1] == np.inf


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(),
            st.text(max_size=3),
            st.lists(st.floats(-1e6, 1e6), max_size=40),
            st.lists(st.integers(-9, 9), min_size=3, max_size=3),
            st.lists(st.one_of(st.none(), st.floats()), max_size=3),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_batching_changes_not_a_bit(values: list[Any]) -> None:
    together = columns(decode(*values))
    for i, value in enumerate(values):
        alone = columns(decode(value))
        assert is_vector(value) == ("e.length" in alone and not np.isnan(alone["e.length"][0]))
        for suffix in SUFFIXES:
            a, b = together.get(f"e.{suffix}"), alone.get(f"e.{suffix}")
            first = np.nan if a is None else number(a)[i]
            second = np.nan if b is None else number(b)[0]
            assert np.array(first).tobytes() == np.array(second).tobytes()
