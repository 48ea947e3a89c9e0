"""The scale of the exponential buckets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profiles.layout import BUCKETS, bucket_edge, bucket_of, bucket_place, bucket_value


@given(st.floats(1e-5, 1e12))
def test_a_value_lies_in_its_bucket_and_is_found_by_its_place(value: float) -> None:
    (bucket,) = bucket_of(np.array([value])).tolist()
    assert bucket_edge(bucket) <= value * (1 + 1e-12)
    assert value <= bucket_edge(bucket + 1) * (1 + 1e-12)
    assert bucket_edge(bucket_place(value)) == pytest.approx(value, rel=1e-12)


def test_the_middle_of_a_bucket_is_between_its_edges() -> None:
    for bucket in (1, 64, 1_281, BUCKETS - 1):
        assert bucket_value(np.array([bucket]))[0] == pytest.approx(bucket_edge(bucket + 0.5))
    assert bucket_edge(0.7) == 0
