"""Samples in the store: what is kept, what is dropped, what is never written."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from monitor.job.settings import JobSettings
from monitor.profiles.layout import Kind
from monitor.profiles.samples import Reason, SampleSettings
from monitor.records import Partition
from monitor.store import Store
from monitor.store.retention import Retention, drop_expired
from monitor.store.samples import Found, list_samples
from tests.builders import T0_MS, record
from tests.filling import Writer, fill

SMALL = SampleSettings(per_window=3, random_per_window=5)
DAY_MS = 86_400_000


def writer(store: Store, partition: int = 0, of: SampleSettings = SMALL) -> Writer:
    return Writer(store, Partition("t", partition), JobSettings(owner="test", samples=of))


def listed(store: Store, *reasons: Reason, of: SampleSettings = SMALL, **asked: Any) -> list[Found]:
    return list_samples(store, of, model="fraud", reasons=reasons, **asked)


def records(n: int, first: int = 0, **changes: Any) -> list[dict[str, Any]]:
    return [record(id=f"r-{i}", latency_ms=float(i), **changes) for i in range(first, first + n)]


def test_two_partitions_keep_what_one_would(store: Store) -> None:
    for number, first in ((0, 0), (1, 100), (0, 50), (1, 150)):
        one = writer(store, number)
        one.take(records(25, first))
        one.flush()
        one.take(records(25, first + 25))
        one.flush()
    found = listed(store, Reason.SLOW)
    assert [f.sample.id for f in found] == ["r-199", "r-198", "r-197"]
    assert (found[0].model, found[0].version, found[0].sample.endpoint) == ("fraud", "3", "/v1/predict")
    assert len(listed(store, Reason.RANDOM)) == 5


def test_what_is_beyond_a_windows_size_is_deleted(store: Store) -> None:
    one = writer(store)
    for first in range(0, 100, 20):
        one.take(records(20, first))
        one.flush()
    assert len(listed(store, *Reason, of=SampleSettings(1000, 1000))) == 3 + 5


def test_a_smaller_size_hides_what_a_larger_one_kept(store: Store) -> None:
    one = writer(store)
    one.take(records(20))
    one.flush()
    assert len(listed(store, Reason.SLOW, of=SampleSettings(1))) == 1


def test_samples_are_asked_for_by_time_version_and_reason(store: Store) -> None:
    one = writer(store)
    one.take([record(id="a", ts=T0_MS, status=500), record(id="b", ts=T0_MS + 3_600_000, version="4")])
    one.flush()
    at_s = T0_MS // 1000
    assert [f.sample.id for f in listed(store)] == ["b", "a", "a"]  # slow both, and failed
    assert [f.sample.id for f in listed(store, to_s=at_s + 1)] == ["a", "a"]
    assert [f.sample.id for f in listed(store, from_s=at_s + 1800)] == ["b"]
    assert [f.sample.id for f in listed(store, Reason.FAILED)] == ["a"]
    assert [f.sample.id for f in listed(store, version="4")] == ["b"]
    assert [f.sample.id for f in listed(store, limit=1)] == ["b"]
    assert list_samples(store, SMALL, model="other") == []


def test_odd_texts_are_kept_as_every_database_holds_them(store: Store) -> None:
    odd = "a\0b" + "x" * 300
    one = writer(store)
    one.take([record(id=odd, trace_id=odd, endpoint=odd, prediction="\0", features={"f\0": "\0", "g": odd})])
    one.flush()
    found = listed(store, Reason.SLOW)[0].sample
    assert found.id == "a\ufffdb" + "x" * 196 + "\u2026"
    assert "\0" not in repr(found)
    assert len(found.endpoint) == 200


def test_a_fenced_owner_leaves_no_samples(store: Store) -> None:
    zombie = writer(store)
    zombie.take(records(5))
    writer(store)
    with pytest.raises(Exception, match="another process owns"):
        zombie.flush()
    assert listed(store) == []


def test_samples_go_with_their_retention(store: Store) -> None:
    settings = JobSettings(owner="test", samples=SMALL)
    one = Writer(store, settings=settings, now_ms=T0_MS + 9 * DAY_MS)
    one.take([record(id="old"), record(id="new", ts=T0_MS + 8 * DAY_MS)])
    one.flush()
    tiers = {int(Kind.FEATURES): (600,)}
    retention = Retention(sample_days=7)
    assert drop_expired(store, retention, tiers, T0_MS + 6 * DAY_MS)["samples"] == 0
    assert drop_expired(store, retention, tiers, T0_MS + 8 * DAY_MS)["samples"] == 2  # slow and random
    assert {f.sample.id for f in listed(store)} == {"new"}


@pytest.mark.parametrize(("per_window", "rows"), [(0, 0), (1, 2)])
def test_none_is_kept_where_none_is_asked_for(store: Store, per_window: int, rows: int) -> None:
    one = writer(store, of=SampleSettings(per_window, 5))
    one.take(records(1))
    one.flush()
    assert len(listed(store, *Reason, of=SampleSettings(9, 9))) == rows


def test_a_redacted_value_reaches_no_file(tmp_path: Path) -> None:
    """Not the table, not a page that was freed, not the write-ahead log."""
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    secret = "jo.doe.4711@example.org"
    one = writer(store, of=SampleSettings(10, 100, redact=("EMAIL", "card_*")))
    one.take(
        [
            record(id=f"r-{i}", features={"email": secret, "card_no": secret, "open": "seen"})
            for i in range(300)
        ]
    )
    one.flush()
    assert len(listed(store, Reason.RANDOM, of=SampleSettings(10, 100))) == 100
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    written += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"seen" in written
    assert b"[redacted]" in written
    assert secret.encode() not in written
    with sqlite3.connect(tmp_path / "m.db") as connection:
        assert connection.execute("select count(*) from samples").fetchone()[0] >= 100


def test_the_default_sizes_are_those_that_are_documented(store: Store) -> None:
    fill(store, records(300))
    default = SampleSettings()
    assert len(listed(store, Reason.SLOW, of=default)) == 10
    assert len(listed(store, Reason.RANDOM, of=default)) == 100
