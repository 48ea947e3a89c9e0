"""Each measurement runs, tiny, and gives all its figures: how fast is for `make bench` to say."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench import (
    canary,
    children,
    disk,
    drift,
    environments,
    fitting,
    in_memory,
    memory,
    objectives,
    paging,
    pairs,
    peers,
    queries,
    rates,
    recovery,
)
from tests.bench.__main__ import BENCHES, main
from tests.bench.figures import Figure, at_least, at_most, plain, show, write
from tests.bench.records import make
from tests.servers import Kafka, Postgres


def complete(figures: Sequence[Figure], names: Sequence[str]) -> None:
    assert {each.name for each in figures} == set(names)
    assert all(math.isfinite(each.value) and each.value > 0 for each in figures), figures


def test_a_figure_knows_whether_its_target_is_met() -> None:
    assert at_least("a", 0.5, "ratio", 0.5).ok
    assert at_most("a", 601, "MiB", 600).ok is False
    assert plain("a", 123456.7, "x") == Figure("a", 123500.0, "x", None, None)


def test_figures_merge_by_name_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    write([plain("a", 1, "x"), plain("b", 2, "x")], path)
    held = write([plain("b", 3, "x"), plain("c", 4, "x")], path)
    assert [(each["name"], each["value"]) for each in held] == [("a", 1), ("b", 3), ("c", 4)]
    written = json.loads(path.read_text())
    assert written["figures"] == held
    assert set(written["machine"]) == {"cpu", "cores", "memory_gib", "python", "os", "versions"}


def test_figures_show_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show([asdict(at_least("rate", 99_000, "records/s", 100_000))])
    assert "MISSED" in capsys.readouterr().out


def test_a_name_that_is_no_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no_such_figure"]) == 2
    assert "rate_sqlite" in capsys.readouterr().err


def test_no_two_benches_give_the_same_figure() -> None:
    names = [name for bench in BENCHES.values() for name in bench.names]
    assert len(names) == len(set(names))


def test_records_are_of_the_size_and_series_promised() -> None:
    made = [json.loads(each.payload) for each in make(5_000)]
    wholes = {(r["model"], r["version"], r["endpoint"]) for r in made}
    assert len(wholes) + len({(*w, r["segment"]["country"]) for r in made for w in wholes}) == 200
    assert len({r["ts"] // 60_000 for r in made}) == 3
    assert all(len(r["features"]) == 10 for r in made)
    assert 470 < sum(len(each.payload) for each in make(1_000)) / 1_000 < 500


def test_rates(kafka: Kafka, postgres: Postgres) -> None:
    kafka.start()
    postgres.start()
    size = rates.Size(records=20_000, pool=2_000, rounds=1, slow_records=2_000)
    complete(rates.measure_on(kafka, postgres, size), rates.NAMES)


def test_recovery(kafka: Kafka) -> None:
    kafka.start()
    size = recovery.Size(kills=1, per_s=2_000, flushes=2, session_timeout_ms=2_000)
    complete(recovery.measure_on(kafka, size), recovery.NAMES)


def test_canaries() -> None:
    figures = canary.measure(canary.Size(alike=4, slower=4, minutes=20, day=30, processes=1))
    assert {figure.name for figure in figures} == set(canary.NAMES)


def test_a_storm() -> None:
    figures = paging.storm(paging.Size(alerts=200, models=10))
    assert {figure.name for figure in figures} < set(paging.NAMES)
    assert next(figure.value for figure in figures if figure.name == "storm_messages") == 10


def test_memory() -> None:
    size = memory.Size(records=40_000, warm=10_000, wide_records=10_000, tails=1_000)
    complete(memory.measure(size), memory.NAMES)


def test_a_child_has_a_peak_of_its_own(tmp_path: Path) -> None:
    """However much its parent holds when it starts the child."""
    path = tmp_path / "rows.csv"
    path.write_text("amount\n" + "1.5\n2.5\n" * 100)
    held = b"x" * (1 << 30)
    answer = children.run("tests.bench.fitting_child", {"files": [str(path)]})
    assert len(held) == 1 << 30
    assert 10 < answer["peak_mib"] < 700


def test_pairs() -> None:
    size = pairs.Size(filled=5_000, messages=3_000, sqlite_filled=5_000, sqlite_messages=3_000)
    names = [name for name in pairs.NAMES if "sqlite" in name or Postgres.missing() is None]
    complete(pairs.measure(size), names)


def test_queries() -> None:
    complete(queries.measure(queries.Size(share=0.01, repeats=1)), queries.NAMES)


def test_objectives() -> None:
    size = objectives.Size(
        models=4, minute_days=(0.02, 0.04), hour_days=0.2, fine_s=3600, ticks=1, backtest_days=0.1
    )
    complete(objectives.measure(size), objectives.NAMES)


def test_disk() -> None:
    complete(disk.measure(disk.Size(days=0.01)), disk.NAMES)


@pytest.mark.skipif(not all(map(peers.installed, peers.PEERS)), reason="make bench-peers installs the peers")
def test_peers(kafka: Kafka) -> None:
    kafka.start()
    size = peers.Size(
        ours=20_000,
        rows=200,
        frames=2_000,
        quix=2_000,
        rounds=1,
        scouter=in_memory.Size(rows=(2_000,), rounds=1),
    )
    complete(peers.measure_on(kafka, size), peers.NAMES)


def test_drift_raises_no_false_alarm_and_finds_what_kolmogorov_smirnov_finds() -> None:
    """The short form of `make bench-drift`: seeded, without the peers."""
    size = drift.Size(
        rows=(100, 1_000), windows=20, weeks=100, models=1, power_windows=60, peer_s=0, workers=1
    )
    figures = {each.name: each for each in drift.measure(size)}
    assert all(math.isfinite(each.value) and each.value >= 0 for each in figures.values())
    for rows in size.rows:
        assert figures[f"drift_false_alarms_{rows}"].value == 0
        assert 0.1 < figures[f"drift_least_mean_normal_{rows}_ours"].value < 1
    assert figures["drift_false_alerts_20_weeks"].value == 0
    assert figures["drift_worst_least_change_vs_ks"].value < 1.2
    false, power = drift.tables(list(figures.values()), size)
    assert (false.row_count, power.row_count) == (4, 24)


@pytest.mark.skipif(
    not all(map(environments.installed, drift.PEERS)), reason="make bench-drift installs the peers"
)
@pytest.mark.parametrize("peer", drift.PEERS)
def test_peers_of_drift_look_at_the_same_windows(peer: str) -> None:
    figures = drift.ask(peer, (100,), 0.1)
    assert [each.name for each in figures] == [f"{peer}_false_alarms_100", f"{peer}_windows_100"]
    assert figures[1].value >= 1


def test_fitting() -> None:
    complete(fitting.measure(fitting.Size(rows=5_000, times=2)), fitting.NAMES)
