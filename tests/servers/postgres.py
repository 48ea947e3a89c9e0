"""A real PostgreSQL server, from the binaries that Debian installs, on a fresh cluster."""

import os
import pwd
import re
import shutil
import signal
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql

from tests.servers.ports import free_ports
from tests.servers.server import INSTALL, Server

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
ROOT_RUNS_AS = "postgres"
ROLE = "monitor"
CONNECT_TIMEOUT_S = 2


@dataclass(frozen=True, slots=True)
class PostgresConfig:
    """What a test may choose. `fsync` is for measurements: a killed process loses nothing without it."""

    fsync: bool = False
    max_connections: int = 100
    settings: tuple[tuple[str, str], ...] = ()


class Postgres(Server):
    """PostgreSQL with one superuser, `monitor`, who needs no password on 127.0.0.1.

    `dsn` is libpq's address of the `postgres` database; `url(database)` is SQLAlchemy's of any other.
    """

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": rolls back what is open and does not wait

    def __init__(self, config: PostgresConfig | None = None) -> None:
        super().__init__()
        self.config = config or PostgresConfig()
        (self.port,) = free_ports(1)
        self.dsn = f"postgresql://{ROLE}@127.0.0.1:{self.port}/postgres"

    @classmethod
    def missing(cls) -> str | None:
        """Return why PostgreSQL can't run here, or None."""
        if binaries() is None:
            return f"PostgreSQL is not installed: {INSTALL} or apt-get install postgresql"
        if os.geteuid() == 0 and not _exists(ROOT_RUNS_AS):
            return f"root can't run PostgreSQL and there is no user {ROOT_RUNS_AS}: {INSTALL}"
        return None

    def user(self) -> str | None:
        """Return `postgres` for root, whom PostgreSQL refuses."""
        return ROOT_RUNS_AS if os.geteuid() == 0 else None

    def prepare(self) -> None:
        """Make a cluster. Blocks for about two seconds."""
        user = self.user()
        if user is not None:
            shutil.chown(self.directory, user)
        self.run(
            [self._binary("initdb"), "-D", str(self._data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "-N"]
        )

    def command(self) -> Sequence[str]:
        """Return the postmaster's command line."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": str(self.config.max_connections),
            "fsync": "on" if self.config.fsync else "off",
            "full_page_writes": "on" if self.config.fsync else "off",
            **dict(self.config.settings),
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [self._binary("postgres"), "-D", str(self._data), *options]

    def answers(self) -> bool:
        """Whether a query gets its answer."""
        try:
            with psycopg.connect(self.dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def url(self, database: str) -> str:
        """Return the SQLAlchemy url of `database`."""
        return f"postgresql+psycopg://{ROLE}@127.0.0.1:{self.port}/{database}"

    def create_database(self, prefix: str = "test") -> str:
        """Create an empty database under a new name and return the name."""
        database = f"{prefix}_{uuid.uuid4().hex[:12]}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return database

    def drop_database(self, database: str) -> None:
        """Drop `database` and end the sessions that are still in it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            connection.execute(statement)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _binary(self, tool: str) -> str:
        folder = binaries()
        if folder is None:
            raise FileNotFoundError(f"{tool} is gone: {INSTALL}")
        return str(folder / tool)


def binaries() -> Path | None:
    """Return the folder with `initdb` and `postgres` of the newest version installed, or None."""
    folders = sorted(DEBIAN_BINARIES.glob("*/bin"), key=_version)
    complete = [
        folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]
    if complete:
        return complete[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
