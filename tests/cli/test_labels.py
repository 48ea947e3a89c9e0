"""`monitor labels load`: into the spool, and into the store."""

from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.config import default_config, load_config
from monitor.ingest.label_files import LabelColumns
from monitor.loading import load_labels
from monitor.profiles.layout import Kind
from monitor.service import Service
from monitor.slo.alert_log import list_states
from monitor.store import Store, dead, ownership
from monitor.store.names import find_series
from monitor.store.read import extent
from tests.builders import T0_MS, encode, record
from tests.cli.run import run

ROWS = "id,y\n" + "".join(f"r-{i},{i % 2}\n" for i in range(7000)) + "r-x,\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "y.csv"
    path.write_text(ROWS)
    return path


def test_into_the_spool(tmp_path: Path, labels: Path) -> None:
    config = tmp_path / "monitor.yaml"
    config.write_text(f"store: sqlite:///{tmp_path}/m.db\ningest: {{spool: {{path: {tmp_path}/spool}}}}\n")
    ran = run("labels", "load", str(labels), "-c", str(config), "--label-column", "y", "--model", "fraud")
    assert ran.code == 0
    spool = tmp_path / "spool" / "labels"
    assert ran.out == f"7,000 labels sent to {spool}; they count when the job has read them\n"
    assert "1 rows are no labels: 1 label.missing_label; see `monitor dead-letters list`" in ran.err
    (file,) = spool.iterdir()
    lines = file.read_bytes().splitlines()
    assert len(lines) == 7001
    assert lines[1] == b'{"label":1.0,"id":"r-1","model":"fraud"}'


def test_into_the_store_and_again(tmp_path: Path, labels: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.db"
    first = run("labels", "load", str(labels), "--store", url, "--label-column", "y")
    assert (first.code, first.out) == (0, f"7,000 labels loaded into {url}\n")
    store = Store.open(url)
    before = ownership.list_progress(store)
    (progress,) = before
    assert progress.partition.topic.startswith("labels-load-")
    assert [(letter.reason, letter.payload) for letter in dead.list_kept(store)] == [
        ("label.missing_label", b'{"id":"r-x"}')
    ]
    again = run("labels", "load", str(labels), "--store", url, "--label-column", "y")
    assert again.out.endswith("these files had been loaded before: what was there counts once\n")
    assert [p.next_offset for p in ownership.list_progress(store)] == [progress.next_offset]
    assert len(dead.list_kept(store)) == 1
    store.close()


def test_a_load_into_the_store_leaves_its_alerts_and_all_that_is_old_alone(
    tmp_path: Path, labels: Path
) -> None:
    """It knows neither the objectives nor for how long what is stored is to be kept."""
    url, inferences = f"sqlite:///{tmp_path}/m.db", tmp_path / "in"
    inferences.mkdir()
    minutes = 20 * 24 * 60
    lines = [encode(record(id=f"old-{i}", ts=T0_MS - minutes * 60_000 + i)) for i in range(60)]
    lines += [encode(record(id=f"r-{i}", ts=T0_MS + i * 1_000, status=500)) for i in range(600)]
    (inferences / "all.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    config = tmp_path / "monitor.yaml"
    config.write_text(
        f"store: {url}\nsource: {{files: {{path: {inferences}}}}}\nweb: {{port: 0}}\nretention: {{1m: 30d}}\n"
        "models: {fraud: {objectives: {availability: {objective: 99.9, window: 7d}}}}\n"
    )
    clock = StreamClock(T0_MS + 700_000)
    Service(load_config(config), web=False, follow=False, clock=clock).run(until_caught_up=True)
    store = Store.open(url)
    fires = [state for state in list_states(store) if state.phase.fires]
    begin = extent(store, Kind.SERVICE, 60, list(find_series(store, "fraud").values()))
    assert fires
    assert begin is not None
    load_labels(default_config(store=url), [labels], LabelColumns({"label": "y"}), clock)
    assert [state for state in list_states(store) if state.phase.fires] == fires
    assert extent(store, Kind.SERVICE, 60, list(find_series(store, "fraud").values())) == begin
    store.close()


def test_what_is_asked_wrongly(tmp_path: Path, labels: Path) -> None:
    assert run("labels", "load", str(labels)).code == 2
    ran = run("labels", "load", str(tmp_path / "no.csv"), "--store", f"sqlite:///{tmp_path}/m.db")
    assert (ran.code, ran.err) == (2, f"monitor: {tmp_path}/no.csv: no such file\n")
    ran = run("labels", "load", str(labels), "--store", f"sqlite:///{tmp_path}/m.db")
    assert ran.code == 1
    assert "has no column label; name it with --label-column; it has id, y" in ran.err
