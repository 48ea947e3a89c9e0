"""The notebook's way in."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.errors import QueryError
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.filling import fill

HOUR_MS = 3_600_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    store = Store.open(url)
    fill(
        store,
        [
            record(id=str(i), version=v, ts=T0_MS + i * 120_000, latency_ms=10.0)
            for i in range(2)
            for v in ("1", "2")
        ],
    )
    store.close()
    return url


def test_a_frame_has_typed_columns_and_nan_for_no_value(url: str) -> None:
    with monitor.open(url) as client:
        frame = client.query("latency_p99", model="fraud", step="1m", by="version,country")
    assert list(frame) == ["start", "end", "version", "country", "value", "count", "estimate", "coverage"]
    assert str(frame["start"].dtype) == str(frame["end"].dtype) == "datetime64[ns, UTC]"
    assert frame["value"].dtype == np.float64
    assert frame["count"].tolist() == [1, 0, 1, 1, 0, 1]
    assert frame["value"].isna().tolist() == [False, True, False] * 2
    assert frame["start"][0] == pd.Timestamp(T0_MS, unit="ms", tz="UTC")


def test_times_may_be_text_datetimes_or_milliseconds(url: str) -> None:
    begin = datetime.fromtimestamp(T0_MS / 1000, UTC)
    with monitor.open(url) as client:
        for start in (T0_MS, begin, begin.replace(tzinfo=None), begin.isoformat()):
            frame = client.query("records", model="fraud", start=start, end=T0_MS + 60_000, step=60)
            assert frame["value"].tolist() == [2]
        with pytest.raises(QueryError, match="start"):
            client.query("records", model="fraud", start="yesterday-ish")


def test_no_answer_is_an_empty_frame_with_the_same_columns(url: str) -> None:
    with monitor.open(url) as client:
        frame = client.query("records", model="fraud", start=T0_MS + 9_000_000, by=["version"])
    assert list(frame) == ["start", "end", "version", "value", "count", "estimate", "coverage"]
    assert len(frame) == 0


def test_what_there_is(url: str) -> None:
    with monitor.open(url) as client:
        assert client.models() == ["fraud"]
        series = client.series("fraud")
    assert set(series["version"]) == {"1", "2"}
    assert set(series["label"]) == {"", "country"}


def test_a_configuration_names_the_store_and_its_windows(url: str, tmp_path: Path) -> None:
    config = tmp_path / "monitor.yaml"
    config.write_text(f"store: {url}\nsource:\n  files:\n    path: {tmp_path}\n")
    with monitor.open(config=config) as client:
        assert client.models() == ["fraud"]


def test_importing_monitor_does_not_import_pandas() -> None:
    code = "import sys, monitor; print([m for m in ('pandas', 'sqlalchemy', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_objectives_are_a_frame_too(url: str, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    config = tmp_path / "monitor.yaml"
    config.write_text(
        f"store: {url}\nsource: {{files: {{path: {tmp_path / 'spool'}}}}}\n"
        "models: {fraud: {objectives: {availability: {objective: 99}, error: "
        "{indicator: mae, at_most: 4, objective: 90}}}}\n"
    )
    with monitor.open(config=config) as client:
        frame = client.slos(at=T0_MS + HOUR_MS)
        assert len(client.slos(name="availability", at=datetime.fromtimestamp(T0_MS / 1000, UTC))) == 1
        with pytest.raises(QueryError, match="did you mean 'fraud'"):
            client.slos(model="froud")
    assert frame["objective"].tolist() == ["availability", "error"]
    assert frame["state"].tolist() == ["ok", "no data"]
    assert frame["total"].tolist() == [4, 0]
    assert frame["compliance"].isna().tolist() == [False, True]
    assert str(frame["as_of"].dtype) == "datetime64[ns, UTC]"
    assert frame["burn"][0][HOUR_MS // 1000] == 0


def test_without_objectives_the_frame_is_empty(url: str) -> None:
    with monitor.open(url) as client:
        frame = client.slos()
    assert len(frame) == 0
    assert {"objective", "state", "compliance", "budget_left", "burn"} <= set(frame)
