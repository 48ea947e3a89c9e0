"""The doctor on the store: SQLite and PostgreSQL, right and wrong."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.clock import StreamClock, WallClock
from monitor.config import Config
from monitor.config.model import WebConfig
from monitor.doctor import Finding, diagnose
from monitor.store import Store
from monitor.store.tokens import Role, create
from tests.doctor.asking import found
from tests.servers.ports import free_ports


def set_version(engine: sa.Engine, version: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def config_of(file: Path, **options: Any) -> Config:
    return Config(store=f"sqlite:///{file}", **options)


def test_all_is_well(file: Path) -> None:
    findings = {finding.name: finding for finding in diagnose(config_of(file))}
    assert all(findings[name].state == "ok" for name in ("store", "store tables", "store write"))
    assert findings["store disk"].seen.endswith(f"free at {file.parent}")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finding = found(config_of(tmp_path / "m.db"), "store")
    assert finding == Finding("store", "ok", f"{tmp_path}/m.db is not there yet; the first run makes it")
    assert not (tmp_path / "m.db").exists()


def test_a_file_without_our_tables(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "m.db").executescript("CREATE TABLE x (y)")
    finding = found(config_of(tmp_path / "m.db"), "store tables")
    assert finding.state == "ok"
    assert finding.seen.startswith("none yet; the first run makes them")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_text("not a database at all, but long enough to look like one" * 20)
    finding = found(config_of(tmp_path / "m.db"), "store tables")
    assert (finding.state, "not a database" in finding.seen) == ("fail", True)


def test_a_schema_of_the_future(file: Path) -> None:
    set_version(sa.create_engine(f"sqlite:///{file}"), "9999")
    finding = found(config_of(file), "store tables")
    assert finding.state == "fail"
    assert finding.advice == "upgrade monitor, or restore a backup made with this version"


def test_a_schema_of_the_past(file: Path) -> None:
    set_version(sa.create_engine(f"sqlite:///{file}"), "0000")
    assert found(config_of(file), "store tables").state == "warn"


def test_a_writer_that_does_not_let_go(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    finding = found(config_of(file), "store write", timeout_s=0.2)
    other.close()
    assert (finding.state, finding.seen) == ("fail", "database is locked")


def test_listening_to_all_without_a_token(file: Path) -> None:
    config = config_of(file, web=WebConfig(host="0.0.0.0", port=0))
    finding = found(config, "tokens")
    assert (finding.state, finding.advice) == ("warn", "make one with `monitor token create`")
    store = Store.open(config.store)
    create(store, "grafana", Role.VIEWER, 0)
    store.close()
    assert found(config, "tokens") == Finding("tokens", "ok", "1 in force")


def test_a_database_that_does_not_listen() -> None:
    (port,) = free_ports(1)
    finding = found(Config(store=f"postgresql://u:hunter2@127.0.0.1:{port}/d"), "store")
    assert finding.state == "fail"
    assert "Connection refused" in finding.seen
    assert "hunter2" not in finding.seen
    assert finding.advice == "nothing listens there: correct `store`, or start the database"


def test_before_the_first_run_and_after(pg_url: str) -> None:
    before = {finding.name: finding for finding in diagnose(Config(store=pg_url))}
    assert " answers, postgresql " in before["store"].seen
    assert before["store tables"].seen.startswith("none yet; the first run makes them")
    assert before["store write"] == Finding("store write", "ok", "allowed")
    Store.open(pg_url).close()
    after = {finding.name: finding for finding in diagnose(Config(store=pg_url))}
    assert after["store tables"].seen.startswith("version ")
    assert after["store write"] == Finding("store write", "ok", "allowed")
    assert after["clock, store"].state == "ok"


def test_leaves_nothing_behind(pg_url: str) -> None:
    diagnose(Config(store=pg_url))
    engine = sa.create_engine(pg_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_replica_that_is_only_read(pg_url: str) -> None:
    Store.open(pg_url).close()
    joint = "&" if "?" in pg_url else "?"
    config = Config(store=f"{pg_url}{joint}options=-c%20default_transaction_read_only%3Don")
    finding = found(config, "store write")
    assert finding.state == "fail"
    assert finding.advice == "this is a read-only replica: name the primary in `store`"


def test_a_database_that_does_not_exist(pg_url: str) -> None:
    config = Config(store=sa.make_url(pg_url).set(database="absent").render_as_string(hide_password=False))
    finding = found(config, "store")
    assert finding.state == "fail"
    assert finding.advice == "create the database or role, or correct `store`"


@pytest.mark.parametrize(("off_s", "state"), [(5, "warn"), (-5, "warn"), (120, "fail")])
def test_clocks_that_disagree(pg_url: str, off_s: int, state: str) -> None:
    clock = StreamClock(WallClock().now_ms() + off_s * 1000)
    finding = found(Config(store=pg_url), "clock, store", clock=clock)
    assert finding.state == state
    assert ("behind" if off_s > 0 else "ahead of") in finding.seen
