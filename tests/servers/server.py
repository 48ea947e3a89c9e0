"""What the servers have in common: a process, a data directory, a log, and a wait that ends.

ServerError
+-- ServerMissing   not installed; the message says what to install; a test skips
+-- ServerFailed    installed, but it did not start or answer; the message ends with its log; a test fails
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import psutil

from tests.servers.reaper import reaper

INSTALL = "run tests/servers/install.sh"
LOG_TAIL_LINES = 40


class ServerError(RuntimeError):
    """A server that a test needs is not there."""


class ServerMissing(ServerError):
    """The server is not installed on this machine."""


class ServerFailed(ServerError):
    """The server did not do in time what it was asked for."""


class Server(ABC):
    """One server process on one data directory, which can be stopped, killed and started again.

    `start` and `stop` block until the server has done it, at most their deadline. Nothing here is safe to
    call from two threads at once.
    """

    name: ClassVar[str]
    start_deadline_s: ClassVar[float] = 90.0
    stop_deadline_s: ClassVar[float] = 30.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    poll_s: ClassVar[float] = 0.05

    def __init__(self) -> None:
        reason = self.missing()
        if reason is not None:
            raise ServerMissing(reason)
        self.directory = Path(tempfile.mkdtemp(prefix=f"monitor-{self.name}-"))
        reaper().own(self.directory)
        self.log = self.directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Return what is not installed and how to install it, or None when all is there."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory, once, before the first start. Blocks for seconds at most."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line of the server."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server does its work now, asked in its own protocol. Must not raise; blocks briefly."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment of the server's processes."""
        return os.environ

    def user(self) -> str | None:
        """Return the user to run as, or None for the user of this process."""
        return None

    @property
    def running(self) -> bool:
        """Whether the process is there. Does not block."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the server's process. Raises ServerFailed when it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ServerFailed(f"{self.name} is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start the server and wait until it answers. Raises ServerFailed with its log if it doesn't."""
        if self.running:
            return self
        self._reap()
        if not self._prepared:
            self.prepare()
            self._prepared = True
        self._process = self._spawn(self.command())
        reaper().watch(self._process.pid)
        self._wait_until_it_answers()
        return self

    def stop(self) -> None:
        """End the server in good order, by force after `stop_deadline_s`. The data stay for `start`."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(self.stop_deadline_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reap()

    def kill(self) -> None:
        """End the server and its children with SIGKILL, as a crash of the machine would. The data stay."""
        if self._process is None:
            return
        if self.running:
            parent = psutil.Process(self._process.pid)
            family = [parent, *parent.children(recursive=True)]
            for member in family:
                _kill(member)
            self._process.wait(self.stop_deadline_s)
            wait_until(lambda: not any(_alive(member) for member in family), self.stop_deadline_s)
        self._reap()

    def restart(self) -> Self:
        """Stop the server in good order and start it again on the same data and ports."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """End the server and remove its data. Blocks briefly; calling it again does nothing."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        reaper().disown(self.directory)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def log_tail(self) -> str:
        """Return the last lines of the server's log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def run(self, command: Sequence[str]) -> None:
        """Run a tool of the server to its end, its output in the log. Raises ServerFailed when it fails."""
        process = self._spawn(command)
        try:
            status = process.wait(self.start_deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if status != 0:
            raise ServerFailed(f"{self.name}: {command[0]} ended with {status}:\n{self.log_tail()}")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=dict(self.environment()),
                start_new_session=True,
                **self._identity(),
            )

    def _identity(self) -> dict[str, object]:
        user = self.user()
        return {} if user is None else {"user": user, "group": user, "extra_groups": []}

    def _wait_until_it_answers(self) -> None:
        def settled() -> bool:
            return not self.running or self.answers()

        in_time = wait_until(settled, self.start_deadline_s, self.poll_s)
        if in_time and self.running:
            return
        tail = self.log_tail()
        trouble = (
            f"does not answer after {self.start_deadline_s:.0f} s" if self.running else "ended while starting"
        )
        self.kill()
        raise ServerFailed(f"{self.name} {trouble}:\n{tail}")

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            reaper().forget(self._process.pid)
            self._process = None


def wait_until(condition: Callable[[], bool], deadline_s: float, poll_s: float = 0.05) -> bool:
    """Ask `condition` until it is true; return False when it isn't after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(poll_s)
    return True


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
