"""The demo: real inference logs replayed through a spool directory into SQLite, with a live table."""

import shutil
import threading
import time
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from monitor.clock import Clock, StreamClock, WallClock, rfc3339
from monitor.config import Config, load_config
from monitor.demo import configuration, data
from monitor.demo.feed import Feeder
from monitor.demo.table import sli_table
from monitor.errors import ConfigError
from monitor.service import Service
from monitor.store import Store, dead

__all__ = ["run_live", "run_once"]

_REFRESH_S = 1.0
_LAST_MS = 15 * 60_000


def run_once(directory: Path, console: Console) -> None:
    """Replays everything on the stream's own clock, prints the indicators of the whole, and returns."""
    spool, config = _prepare(directory)
    configuration.write_incidents(directory)
    clock = StreamClock(data.span()[0])
    feeder = Feeder(data.inferences(), spool / "inferences.jsonl", clock)
    label_feeder = Feeder(data.labels(), directory / "labels" / "labels.jsonl", clock)
    with _progress(console) as progress:
        task = progress.add_task("replaying", total=_total())
        for each in (feeder, label_feeder):
            each.start()
            each.join()
        service = Service(config, web=False, follow=False, clock=clock)
        watcher = _Watcher(service, progress, task)
        watcher.start()
        service.run(until_caught_up=True)
        watcher.stop()
    store = Store.open(config.store)
    first_ms, last_ms = data.span()
    console.print(sli_table(store, first_ms, last_ms + 1, clock.now_ms(), "the whole log"))
    _print_letters(store, console)
    store.close()


def run_live(directory: Path, console: Console, live_s: int, port: int) -> None:
    """Replays the history fast and the last `live_s` seconds as they happen; serves until interrupted."""
    spool, config = _prepare(directory, port)
    clock = WallClock()
    delta_ms = clock.now_ms() + live_s * 1000 - data.span()[1]
    configuration.write_incidents(directory, delta_ms)
    feeder = Feeder(data.shifted(data.inferences(), delta_ms), spool / "inferences.jsonl", clock)
    labels = data.shifted(data.labels(), delta_ms)
    label_feeder = Feeder(labels, directory / "labels" / "labels.jsonl", clock)
    service = _serving(config, clock)
    thread = threading.Thread(target=service.run, name="service", daemon=True)
    progress = _progress(console)
    task = progress.add_task("replaying", total=_total())
    thread.start()
    feeder.start()
    label_feeder.start()
    store = Store.open(config.store)
    try:
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            while thread.is_alive():
                progress.update(task, completed=service.job.status().records)
                now_ms = clock.now_ms()
                table = sli_table(store, now_ms - _LAST_MS, now_ms, now_ms, "the last 15 minutes")
                live.update(Group(progress, table, _where(service, feeder, directory)))
                time.sleep(_REFRESH_S)
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        feeder.stop()
        label_feeder.stop()
        service.stop()
        thread.join(15)
        store.close()


def _prepare(directory: Path, port: int = 8080) -> tuple[Path, Config]:
    """An empty spool and a configuration (also a file) that reads it, and labels beside it, into a new
    store."""
    if directory.exists() and not (directory / ".monitor-demo").exists() and any(directory.iterdir()):
        raise ConfigError([f"--dir: {directory} holds something else; name a new directory"])
    shutil.rmtree(directory, ignore_errors=True)
    spool = directory / "spool"
    spool.mkdir(parents=True)
    (directory / "labels").mkdir()
    (directory / ".monitor-demo").touch()
    return spool, load_config(configuration.write_configuration(directory, port))


def _serving(config: Config, clock: Clock) -> Service:
    """The service on the configured port, or on a free one where that is taken."""
    service = Service(config, clock=clock)
    try:
        service.listen()
    except ConfigError:
        service.close()
        free = config.model_copy(update={"web": config.web.model_copy(update={"port": 0})})
        service = Service(free, clock=clock)
        service.listen()
    return service


def _total() -> int:
    return int(data.faults()["records"]["valid"])


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


class _Watcher:
    """Moves the progress bar while the service runs in the main thread."""

    def __init__(self, service: Service, progress: Progress, task: object) -> None:
        self._service, self._progress, self._task = service, progress, task
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            ended = self._stop.wait(0.1)
            self._progress.update(self._task, completed=self._service.job.status().records)  # type: ignore[arg-type]  # a TaskID
            if ended:
                return


def _where(service: Service, feeder: Feeder, directory: Path) -> Text:
    status = service.job.status()
    watermark = "-" if status.watermark_ms is None else rfc3339(status.watermark_ms // 1000 * 1000)
    lines = [
        f"watermark {watermark}   {service.url}/metrics   {service.url}/api/v1/slis",
        f"elsewhere: monitor slo list -c {directory / configuration.FILE}",
        "all is replayed; still serving" if feeder.ended else "the last minutes play as they happen",
    ]
    return Text("\n".join(lines) + " (Ctrl-C stops)")


def _print_letters(store: Store, console: Console) -> None:
    table = Table("reason", "messages", title="dead letters", title_justify="left", box=box.SIMPLE_HEAD)
    for (kind, name), n in sorted(dead.totals(store).items()):
        if kind == "dead_letter":
            table.add_row(name, str(n))
    console.print(table)
