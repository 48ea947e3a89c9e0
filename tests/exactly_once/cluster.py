"""Worker processes on a real broker and a real store, and the stream that they compete for."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

from monitor.errors import StoreBusy
from monitor.store.ownership import list_progress
from monitor.store.store import Store
from tests.exactly_once.compare import check, differences, give_bins
from tests.exactly_once.oracle import Oracle
from tests.exactly_once.records import LABELS, PARTITIONS, RECORDS, Generator
from tests.servers import Kafka
from tests.servers.server import wait_until

__all__ = ["Cluster", "NotInTime", "Worker"]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90.0
_FEWEST_LABELLED = 100


class NotInTime(AssertionError):
    """What was waited for did not happen; the message ends with the workers' logs."""


class Worker:
    """One worker process; `log` holds what it wrote."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; less the signal's number where a signal ended it."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        if self.returncode is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Ends it in good order; returns its exit status."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self._process.wait(DEADLINE_S / 3)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NotInTime(f"a worker did not stop:\n{self.said()}") from None

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Cluster:
    """A topic, a store, and workers by name. `worker_url` is the store's URL for the workers."""

    def __init__(
        self, kafka: Kafka, topic: str, url: str, folder: Path, seed: int, worker_url: str | None = None
    ) -> None:
        self.kafka = kafka
        self.seed = seed
        self.store = Store.open(url)
        self._topics = {RECORDS: topic, LABELS: f"{topic}-labels"}
        kafka.create_topic(self._topics[LABELS], PARTITIONS)
        self._url = worker_url or url
        self._folder = folder
        self._group = f"group-{uuid.uuid4().hex[:8]}"
        self._generator = Generator(seed)
        self.oracle = Oracle()
        self.oracle.topics = {name: kept for kept, name in self._topics.items()}
        self.workers: dict[str, Worker] = {}
        self._all: list[Worker] = []
        give_bins(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.kill()
        self.store.close()

    def start(self, name: str, *flags: str, failpoint: str = "") -> Worker:
        """Starts a worker, in the place of the one of that name, which must have ended."""
        command = [sys.executable, "-m", "tests.exactly_once.worker", "--name", name]
        for key, value in (
            ("bootstrap", self.kafka.bootstrap),
            ("topic", self._topics[RECORDS]),
            ("labels", self._topics[LABELS]),
            ("group", self._group),
            ("store", self._url),
        ):
            command += [f"--{key}", value]
        log = self._folder / f"{name}-{len(self._all)}.log"
        worker = Worker([*command, *flags], log, {"MONITOR_FAILPOINT": failpoint})
        self.workers[name] = worker
        self._all.append(worker)
        return worker

    def supervise(self) -> None:
        """Starts again whoever ended, as an operator's supervisor would."""
        for name, worker in list(self.workers.items()):
            if worker.returncode is not None:
                self.start(name)

    def produce(self, n: int) -> None:
        """Writes the next `n` messages of the stream, and labels, and waits until the broker has them."""
        for messages in (self._generator.take(n), self._generator.labels(n // 3)):
            for name in {m.topic for m in messages}:
                self.kafka.produce(
                    self._topics[name],
                    [m.payload for m in messages],
                    partition=[m.partition for m in messages],
                )
            self.oracle.take(messages)

    def owned_by(self, name: str) -> int:
        """How many partitions the store gives to the worker that runs under this name now."""
        owner = f"{name}:{self.workers[name].pid}"
        return sum(p.owner == owner for p in list_progress(self.store))

    def committed(self) -> int:
        """How many messages are committed."""
        return sum(p.next_offset or 0 for p in list_progress(self.store))

    def caught_up(self) -> bool:
        """Whether all that was produced is committed. A store that is away has not caught up."""
        try:
            names = self.oracle.topics
            at = {
                (names[p.partition.topic], p.partition.number): p.next_offset or 0
                for p in list_progress(self.store)
            }
        except StoreBusy:
            return False
        return all(at.get(place) == end for place, end in self.oracle.ends.items())

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Waits until `condition` holds. Raises NotInTime, saying `what` did not happen."""
        if not wait_until(condition, DEADLINE_S):
            logs = "\n".join(f"{w.log.name}:\n{w.said()[-3000:]}" for w in self._all[-4:])
            raise NotInTime(f"not within {DEADLINE_S:.0f} s: {what}\n{logs}")

    def finish(self) -> None:
        """Lets the workers catch up and stop; raises AssertionError unless every count is the oracle's."""
        self.settle()
        if self.oracle.labelled() < _FEWEST_LABELLED:
            raise AssertionError(
                f"only {self.oracle.labelled()} predictions got a label: that proves nothing"
            )
        check(self.store, self.oracle)

    def differences(self) -> list[str]:
        """Lets the workers catch up and stop, and says what is wrong."""
        self.settle()
        return differences(self.store, self.oracle)

    def settle(self) -> None:
        def settled() -> bool:
            self.supervise()
            return self.caught_up()

        self.wait(settled, "everything is committed")
        for worker in self.workers.values():
            status = worker.stop()
            # One that was begun a moment ago may not have come to where it takes the signal; it did nothing.
            early = status == -signal.SIGTERM and not worker.said()
            if status != 0 and not early:
                raise AssertionError(f"a worker ended with {status}:\n{worker.said()[-3000:]}")
