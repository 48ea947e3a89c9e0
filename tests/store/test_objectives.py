"""Exclusions and measured slices on both databases."""

import numpy as np
import pytest

from monitor.errors import StoreError
from monitor.store import Store
from monitor.store.objectives import (
    Exclusion,
    MeasuredKey,
    Slices,
    add_exclusion,
    list_exclusions,
    measured_in,
    revoke_exclusion,
    write_measured,
)
from monitor.store.retention import Retention, drop_expired

KEY = MeasuredKey("fraud", "drifted_share", "prediction", "*", "*", "", "", 600)


def slices(*rows: tuple[int, float, int, int]) -> Slices:
    start_s, value, n, token = zip(*rows, strict=True)
    return Slices(np.array(start_s), np.array(value), np.array(n), np.array(token))


def kept(store: Store, from_s: int = 0, to_s: int = 10_000) -> dict[MeasuredKey, list[tuple[float, ...]]]:
    found = measured_in(store, ["fraud"], "drifted_share", "prediction", 600, from_s, to_s)
    return {
        key: list(zip(*(getattr(s, name).tolist() for name in Slices.__slots__), strict=True))
        for key, s in found.items()
    }


def test_an_exclusion_is_listed_until_it_is_revoked(store: Store) -> None:
    one = add_exclusion(store, 600, 1200, " ann ", "moving house", 5, "fraud", "availability")
    every = add_exclusion(store, 0, 60, "bob", "test of the network", 6)
    assert one == Exclusion(one.id, 600, 1200, "ann", "moving house", "fraud", "availability", 5)
    assert list_exclusions(store) == [every, one]
    assert list_exclusions(store, model="churn") == [every]
    assert list_exclusions(store, since_s=60) == [one]
    assert revoke_exclusion(store, one.id, "eve", 9)
    assert not revoke_exclusion(store, one.id, "eve", 10)
    assert not revoke_exclusion(store, 99, "eve", 10)
    assert list_exclusions(store) == [every]
    assert [e.revoked_ms for e in list_exclusions(store, revoked=True)] == [None, 9]


@pytest.mark.parametrize(
    ("from_s", "to_s", "author", "reason", "said"),
    [
        (60, 60, "ann", "x", "ends before it begins"),
        (0, 60, " ", "x", "who excludes it"),
        (0, 60, "ann", "", "and why"),
    ],
)
def test_an_exclusion_has_a_span_an_author_and_a_reason(
    store: Store, from_s: int, to_s: int, author: str, reason: str, said: str
) -> None:
    with pytest.raises(StoreError, match=said):
        add_exclusion(store, from_s, to_s, author, reason, 0)
    assert list_exclusions(store) == []


def test_what_was_measured_last_is_kept(store: Store) -> None:
    other = KEY._replace(version="3")
    write_measured(store, [(KEY, slices((0, 0.5, 10, 1), (600, 0.25, 20, 2))), (other, slices((0, 1, 1, 1)))])
    write_measured(store, [(KEY, slices((600, 0.75, 21, 3)))])
    write_measured(store, [])
    assert kept(store) == {KEY: [(0, 0.5, 10, 1), (600, 0.75, 21, 3)], other: [(0, 1, 1, 1)]}
    assert kept(store, 600, 601) == {KEY: [(600, 0.75, 21, 3)]}
    assert measured_in(store, ["churn"], "drifted_share", "prediction", 600, 0, 10_000) == {}


def test_no_value_is_kept_as_none(store: Store) -> None:
    write_measured(store, [(KEY, slices((0, np.nan, 0, 1)))])
    (found,) = measured_in(store, ["fraud"], "drifted_share", "prediction", 600, 0, 1).values()
    assert np.isnan(found.value).tolist() == [True]


def test_measured_slices_go_with_the_hours(store: Store) -> None:
    day_s = 86_400
    write_measured(store, [(KEY, slices((0, 0.5, 10, 1), (10 * day_s, 0.5, 10, 1)))])
    drop_expired(store, Retention(hour_days=5), {}, 12 * day_s * 1000)
    assert kept(store, 0, 20 * day_s) == {KEY: [(10 * day_s, 0.5, 10, 1)]}
