"""Opening the store's database, and what SQLite and PostgreSQL do differently."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.errors import ConfigError, StoreBusy, StoreError

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["migrate", "open_engine", "reading", "schema_version", "writing"]

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 10_000
# A network that swallows packets must end as StoreBusy, not hang: libpq waits for ever by default.
_POSTGRES = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_log = logging.getLogger(__name__)


def open_engine(url: str) -> sa.Engine:
    """An engine for `sqlite:///file.db` or `postgresql+psycopg://..`. Raises ConfigError on other URLs."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError(["store: that is no database URL; try sqlite:///monitor.db"]) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigError([f"store: {parsed.drivername} is not supported; use sqlite or postgresql"])
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, connect_args=_POSTGRES)
    if parsed.database in (None, "", ":memory:"):
        raise ConfigError(["store: SQLite in memory would forget; name a file: sqlite:///monitor.db"])
    engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    # NORMAL keeps every commit through a killed process. A power cut may take the newest commits,
    # offsets included, and their records are then read again: nothing is lost or counted twice.
    for pragma in (
        "page_size=8192",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "journal_size_limit=67108864",
        "cache_size=-32768",
        f"busy_timeout={_BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as e:
        raise StoreBusy(f"the store did not answer: {_first_line(e)}") from e
    except sa.exc.DBAPIError as e:
        error = StoreBusy if e.connection_invalidated else StoreError
        raise error(f"the store refused: {_first_line(e)}") from e


def _first_line(error: sa.exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:300]


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A write transaction, committed at the end; on SQLite it takes the write lock at once.

    Raises StoreBusy when the store is away or locked for long, StoreError when it refuses.
    """
    with _translated(), engine.connect() as plain:
        connection = plain.execution_options(begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A read transaction: one snapshot. Raises StoreBusy and StoreError as `writing` does."""
    with _translated(), engine.connect() as plain:
        connection = plain
        if engine.dialect.name == "postgresql":
            connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


def _alembic(connection: sa.Connection | None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def schema_version(engine: sa.Engine) -> tuple[str | None, str | None]:
    """(the version that the database has, the version that this program wants)."""
    # Only here and where something is migrated: alembic takes long to import.
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    wanted = ScriptDirectory.from_config(_alembic(None)).get_current_head()
    with _translated(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), wanted


def migrate(engine: sa.Engine) -> None:
    """Brings the tables to what this program wants; safe when several processes start at once.

    Raises StoreError where the database is newer than the program.
    """
    current, wanted = schema_version(engine)
    if current == wanted:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {s.revision for s in ScriptDirectory.from_config(_alembic(None)).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the store has schema {current}, newer than this program's {wanted}: upgrade monitor"
        )
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(727435)"))
        command.upgrade(_alembic(connection), "head")
    _log.info("store migrated", extra={"from_schema": current, "to_schema": wanted})
