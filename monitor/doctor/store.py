"""Looks at the store: does it answer, may we write, are its tables ours, is its clock right."""

import os
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from monitor.clock import Clock
from monitor.config import Config, is_loopback
from monitor.config.secrets import mask_url
from monitor.doctor.finding import Finding, failed, fine, warned
from monitor.doctor.machine import look_at_space
from monitor.errors import MonitorError
from monitor.store.engine import schema_version
from monitor.store.schema import progress, tokens

__all__ = ["look_at_store"]

_CLOCK_WARN_MS = 1_000
_CLOCK_FAIL_MS = 60_000


def look_at_store(config: Config, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    """Findings on the store; only the first where it does not answer."""
    url = sa.make_url(config.store)
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database)).absolute()
        yield from look_at_space("store disk", file.parent)
        if not file.exists():
            yield _creatable(file)
            return
    engine = _engine(url, timeout_s)
    try:
        yield from _look(engine, config, clock)
    except sa.exc.SQLAlchemyError as e:
        reason = _reason(e)
        yield failed("store", f"{mask_url(config.store)}: {reason}", _advise(reason))
    finally:
        engine.dispose()


def _creatable(file: Path) -> Finding:
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return failed(
            "store", f"{file.parent} is not writable", "let this user write there, or move the store"
        )
    return fine("store", f"{file} is not there yet; the first run makes it")


def _engine(url: sa.URL, timeout_s: float) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        return sa.create_engine(url, connect_args={"timeout": timeout_s})
    url = url.set(drivername="postgresql+psycopg") if "+" not in url.drivername else url
    # libpq counts whole seconds, and takes less than two for two.
    return sa.create_engine(url, connect_args={"connect_timeout": max(2, round(timeout_s))})


def _look(engine: sa.Engine, config: Config, clock: Clock) -> Iterator[Finding]:
    shown = mask_url(config.store)
    with engine.connect() as connection:
        version = connection.scalar(sa.text(_VERSION[engine.dialect.name]))
    yield fine("store", f"{shown} answers, {engine.dialect.name} {version}")
    tables, migrated = _tables(engine)
    yield tables
    yield _writable(engine, migrated)
    if engine.dialect.name == "postgresql":
        yield _clock(engine, clock)
    if migrated and not is_loopback(config.web.host):
        yield from _tokens(engine, config.web.host)


_VERSION = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}


def _tables(engine: sa.Engine) -> tuple[Finding, bool]:
    """The finding on the tables, and whether they are there."""
    name = "store tables"
    try:
        current, wanted = schema_version(engine)
    except MonitorError as e:
        return failed(name, str(e), "see the message; was the file written by something else?"), False
    if current is None:
        return fine(name, f"none yet; the first run makes them ({wanted})"), False
    if current == wanted:
        return fine(name, f"version {current}"), True
    if str(current) < str(wanted):
        advice = "back up first: the next run brings them up to date"
        return warned(name, f"version {current}, this program's is {wanted}", advice), True
    advice = "upgrade monitor, or restore a backup made with this version"
    return failed(name, f"version {current} is newer than this program's {wanted}", advice), False


def _writable(engine: sa.Engine, migrated: bool) -> Finding:
    """Tries a write that changes nothing, and is rolled back besides."""
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            if migrated:
                connection.execute(sa.update(progress).where(sa.false()).values(owner=""))
            else:
                connection.exec_driver_sql("CREATE TABLE monitor_doctor_probe (x INTEGER)")
            connection.rollback()
    except sa.exc.SQLAlchemyError as e:
        reason = _reason(e)
        return failed("store write", reason, _advise(reason))
    return fine("store write", "allowed")


def _clock(engine: sa.Engine, clock: Clock) -> Finding:
    with engine.connect() as connection:
        before_ms = clock.now_ms()
        theirs_ms = int(
            connection.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp()) * 1000")) or 0
        )
        after_ms = clock.now_ms()
    # The true offset lies within the round trip: only what is outside of it is certain.
    offset_ms = max(theirs_ms - after_ms, before_ms - theirs_ms, 0)
    which = "ahead of" if theirs_ms > after_ms else "behind"
    if offset_ms < _CLOCK_WARN_MS:
        return fine("clock, store", "agrees with this machine's to a second")
    seen = f"the store's clock is {offset_ms / 1000:.1f} s {which} this machine's"
    make = failed if offset_ms >= _CLOCK_FAIL_MS else warned
    return make("clock, store", seen, "set both clocks by NTP")


def _tokens(engine: sa.Engine, host: str) -> Iterator[Finding]:
    query = sa.select(sa.func.count()).select_from(tokens).where(tokens.c.revoked_ms.is_(None))
    with engine.connect() as connection:
        count = connection.scalar(query)
    if count:
        yield fine("tokens", f"{count} in force")
    else:
        yield warned("tokens", f"none, and {host} needs one", "make one with `monitor token create`")


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]


def _advise(reason: str) -> str:
    """What to do about a driver's message."""
    text = reason.lower()
    for part, advice in _ADVICE.items():
        if part in text:
            return advice
    return "check `store` in the configuration and the database's own log"


_ADVICE = {
    "connection refused": "nothing listens there: correct `store`, or start the database",
    "timeout": "no answer: check the host in `store`, the network and the firewall",
    "could not translate host": "no such host: correct `store`, or the DNS of this machine",
    "failed to resolve": "no such host: correct `store`, or the DNS of this machine",
    "password authentication failed": "correct the user and password in `store`",
    "no password supplied": "give a password in `store`, such as ${MONITOR_DB_PASSWORD}",
    "does not exist": "create the database or role, or correct `store`",
    "permission denied": "grant this user the right to create and write tables in its schema",
    "read-only": "this is a read-only replica: name the primary in `store`",
    "readonly": "let this user write the file and its directory",
    "unable to open": "let this user read and write the file and its directory",
    "not a database": "the file is no SQLite database: name another one in `store`",
    "locked": "another process has held the store's write lock for long: see what it does",
    "disk": "the disk is full or broken: free some space",
}
