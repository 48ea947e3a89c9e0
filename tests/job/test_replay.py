"""Dead letters replayed: records go to where records go, labels to where labels go."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from monitor.clock import StreamClock
from monitor.config import Config
from monitor.ingest.label_files import LabelColumns
from monitor.job.replay import PARTITIONS, replay
from monitor.loading import load_labels
from monitor.records import Carries
from monitor.service import job_settings
from monitor.store import Store, dead, ownership
from monitor.store.engine import reading
from monitor.store.schema import pairs
from tests.builders import NOW_MS, encode, label, record
from tests.filling import fill

HOUR_MS = 3_600_000


def joined(store: Store) -> list[tuple[bool, bool]]:
    """Of every pair whether it has predictions, and whether it has labels."""
    query = sa.select(pairs.c.predictions.is_not(None), pairs.c.labels.is_not(None))
    with reading(store.engine) as connection:
        return sorted((bool(p), bool(y)) for p, y in connection.execute(query))


def test_letters_of_labels_become_labels_and_those_of_records_records(tmp_path: Path) -> None:
    config = Config(store=f"sqlite:///{tmp_path}/m.db")
    ahead = NOW_MS + 2 * HOUR_MS
    messages = [label(ts=ahead), label(id="r-2", ts=ahead), label(label=None), label(id="r-3")]
    (tmp_path / "y.jsonl").write_bytes(b"\n".join(map(encode, messages)))
    load_labels(config, [tmp_path / "y.jsonl"], LabelColumns(), StreamClock(NOW_MS))
    store = Store.open(config.store)
    fill(store, [record(ts=ahead), b"oops"])
    assert [k.reason for k in dead.list_kept(store)] == [
        "label.future_ts",
        "label.future_ts",
        "label.missing_label",
        "future_ts",
        "bad_json",
    ]
    assert joined(store) == [(False, True)]
    later = StreamClock(ahead)
    settings = replace(job_settings(config, "me"), pairs=True)
    only = replay(store, settings, later, reason="label.missing_label")
    assert (only.counted, only.still_dead) == (0, 1)
    first = replay(store, settings, later)
    assert (first.counted, first.still_dead) == (3, 2)
    again = replay(store, settings, later)
    assert (again.counted, again.still_dead) == (0, 2)
    assert joined(store) == [(False, True), (False, True), (True, True)]
    assert [k.reason for k in dead.list_kept(store, pending=True)] == ["label.missing_label", "bad_json"]
    known = {p.partition for p in ownership.list_progress(store)}
    assert {PARTITIONS[Carries.RECORDS], PARTITIONS[Carries.LABELS]} <= known
    store.close()
