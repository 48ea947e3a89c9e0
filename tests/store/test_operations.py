"""What is done to a store beside the stream: peaks, retention, backups, replay, limits."""

from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.errors import ConfigError, StoreError
from monitor.job.replay import replay
from monitor.profiles.layout import Kind
from monitor.profiles.series import SeriesKey
from monitor.store import Store, dead, ownership, peaks
from monitor.store.backup import backup, restore
from monitor.store.engine import schema_version
from monitor.store.names import find_series
from monitor.store.read import read_cells
from monitor.store.registry import RegistryLimits, StoreRegistry
from monitor.store.retention import Retention, drop_expired, oldest_start_s
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import SETTINGS, Writer, fill
from tests.store.test_flush import served

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS


def test_the_peak_of_an_hour_is_its_busiest_second_over_all_partitions(store: Store) -> None:
    for number, n in ((0, 3), (1, 4)):
        writer = Writer(store, ownership.Partition("t", number), now_ms=H0_MS + 2 * HOUR_MS)
        writer.take([record(ts=H0_MS + 5_000 + i, version="1") for i in range(n)])
        writer.take([record(ts=H0_MS + 65_000 + i, version="2") for i in range(n)])
        writer.flush()
    assert peaks.close(store, H0_MS + HOUR_MS - 1, 60, H0_MS // 1000) == 0
    assert peaks.close(store, H0_MS + HOUR_MS, 60, H0_MS // 1000) == 1
    found = peaks.read(store, "fraud", 3600, 0, 2**40)
    at = H0_MS // 1000
    assert found["*", "*", at] == 7
    assert found["1", "*", at] == found["2", "/v1/predict", at] == 7


def test_a_closed_peak_stays_as_it_was_and_a_day_takes_the_highest_hour(store: Store) -> None:
    day_ms = H0_MS // DAY_MS * DAY_MS
    writer = Writer(store, now_ms=day_ms + 3 * DAY_MS)
    writer.take([record(ts=day_ms + h * HOUR_MS + i) for h, n in ((1, 2), (2, 5)) for i in range(n)])
    writer.flush()
    oldest = oldest_start_s(store)
    assert oldest == (day_ms + HOUR_MS) // 1000
    while peaks.close(store, day_ms + DAY_MS, 60, oldest):
        pass
    writer.take([record(ts=day_ms + 2 * HOUR_MS + i) for i in range(9)])
    writer.flush()
    while peaks.close(store, day_ms + DAY_MS, 60, oldest):
        pass
    assert peaks.read(store, "fraud", 86_400, 0, 2**40)["*", "*", day_ms // 1000] == 5


def test_each_tier_is_kept_for_its_own_time(store: Store) -> None:
    writer = Writer(store, now_ms=T0_MS + 31 * DAY_MS)
    writer.take([record(ts=T0_MS + d * DAY_MS) for d in range(30)])
    writer.flush()
    retention = Retention(minute_days=10, hour_days=20, day_days=400)
    while sum(drop_expired(store, retention, SETTINGS.tiers_s, T0_MS + 30 * DAY_MS).values()):
        pass
    assert served(store, 86_400) == 30
    assert served(store, 3600) == 20
    assert served(store, 60) == 10


def test_a_backup_restores_into_either_database(store: Store, tmp_path: Path) -> None:
    writer = fill(store, [record()] * 5 + [b"oops"])
    size = backup(store, tmp_path / "b.db")
    assert size > 10_000
    fresh = Store.open(f"sqlite:///{tmp_path / 'fresh.db'}")
    restore(fresh, tmp_path / "b.db")
    assert served(fresh) == 5
    assert len(dead.list_kept(fresh)) == 1
    assert ownership.list_progress(fresh)[0].epoch == writer.state.claim.epoch + 1
    again = Writer(fresh)
    again.take([record()] * 2)
    again.flush()
    assert served(fresh) == 7
    with pytest.raises(StoreError, match="not empty"):
        restore(fresh, tmp_path / "b.db")
    with pytest.raises(StoreError, match="exists"):
        backup(store, tmp_path / "b.db")
    fresh.close()


def test_a_backup_restores_into_the_kind_it_came_from(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fill(store, [record()] * 5)
    backup(store, tmp_path / "b.db")
    if store.is_sqlite:
        target = Store.open(f"sqlite:///{tmp_path / 'r.db'}")
    else:
        postgres = request.getfixturevalue("postgres")
        target = Store.open(postgres.url(postgres.create_database()))
    restore(target, tmp_path / "b.db")
    fill(target, [record(model="new")], ownership.Partition("other", 3))
    assert (served(target), served(target, model="new")) == (5, 1)
    target.close()


def test_replayed_letters_are_counted_once(store: Store) -> None:
    ahead = record(ts=NOW_MS + 2 * HOUR_MS)
    fill(store, [record(), ahead, ahead, b"oops"])
    assert served(store) == 1
    clock = StreamClock(NOW_MS + 3 * HOUR_MS)
    first = replay(store, SETTINGS, clock)
    assert (first.counted, first.still_dead) == (2, 1)
    second = replay(store, SETTINGS, clock)
    assert (second.counted, second.still_dead) == (0, 1)
    assert served(store) == 3
    assert [k.reason for k in dead.list_kept(store, pending=True)] == ["bad_json"]


def test_cardinality_is_bounded_and_what_goes_over_is_counted(store: Store) -> None:
    registry = StoreRegistry(store, RegistryLimits(series=2, segment_values=2), 600, lambda: 0)
    keys = [SeriesKey("m", str(v), "/e") for v in range(4)]
    ids, over = registry.series(keys)
    assert over.tolist() == [False, False, True, True]
    assert ids[2] == ids[3]
    assert registry.name(int(ids[2])) == SeriesKey("m", "other", "other")
    _, over = registry.series([SeriesKey("m", "0", "/e", "country", c) for c in "abc"])
    assert over.tolist() == [False, False, True]
    # Another process, or this one after a restart, bounds alike.
    again, _ = StoreRegistry(store, RegistryLimits(series=2, segment_values=2), 600, lambda: 0).series(keys)
    assert again.tolist() == ids.tolist()


def test_names_that_no_database_holds_are_made_to_fit(store: Store) -> None:
    fill(store, [record(version="a\0b", endpoint="x" * 5000, segment={"s": "\0"})])
    (whole,) = [k for k in find_series(store, "fraud") if not k.label and k.endpoint]
    assert (whole.version, len(whole.endpoint)) == ("a\ufffdb", 200)


def test_features_are_counted_from_the_first_record(store: Store) -> None:
    fill(store, [record(features={"x": i, "y": None}) for i in range(3000)])
    ids = [i for k, i in find_series(store, "fraud").items() if not k.label and not k.endpoint]
    cells = read_cells(store, Kind.FEATURES, 600, ids, 0, 2**40)
    by_feature = {
        f: int(cells.count[cells.cell // 256 == f].sum()) for f in set((cells.cell // 256).tolist())
    }
    assert by_feature[0] == 3000
    assert sorted(by_feature.values()) == [3000, 3000, 3000, 3000]  # rows, x, prediction, score


def test_the_schema_is_what_the_program_wants(store: Store) -> None:
    have, wanted = schema_version(store.engine)
    assert have == wanted


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "no database URL"),
        ("mysql://h/d", "not supported"),
        ("sqlite://", "would forget"),
    ],
)
def test_a_store_that_can_not_be_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Store.open(url)
