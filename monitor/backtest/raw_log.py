"""A raw log read into a store of its own, so that rules can be tried on it as on any stored history."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monitor.clock import StreamClock
from monitor.config import Config
from monitor.config.model import FilesConfig, SourceConfig
from monitor.errors import ConfigError
from monitor.service import Service
from monitor.store.store import Store

__all__ = ["read_log"]

_LATEST_MS = 4_102_444_800_000  # the year 2100: the files are read whole, whenever they are from


@contextmanager
def read_log(config: Config, logs: Sequence[Path], labels: Sequence[Path]) -> Iterator[Store]:
    """A store, gone afterwards, with all that the files hold (JSON lines, plain or compressed, of records and
    of labels), read by the job itself. Raises ConfigError for a file that is not there."""
    missing = [str(path) for path in (*logs, *labels) if not path.is_file()]
    if missing:
        raise ConfigError([f"{path}: there is no such file" for path in missing])
    with tempfile.TemporaryDirectory(prefix="monitor-backtest-") as directory:
        place = Path(directory)
        source = SourceConfig(
            files=_linked(place / "logs", logs), labels=_linked(place / "labels", labels) if labels else None
        )
        changed = {"store": f"sqlite:///{place / 'm.db'}", "source": source}
        retention = config.retention.model_copy(update={"minute_days": config.retention.hour_days})
        own = config.model_copy(update={**changed, "retention": retention})
        Service(own, web=False, follow=False, clock=StreamClock(_LATEST_MS)).run(until_caught_up=True)
        store = Store.open(own.store)
        try:
            yield store
        finally:
            store.close()


def _linked(directory: Path, files: Sequence[Path]) -> FilesConfig:
    """A directory with the files in it, in their order."""
    directory.mkdir()
    for i, path in enumerate(files):
        to = directory / f"{i:04d}-{path.name}"
        try:
            to.hardlink_to(path.resolve())
        except OSError:  # on another file system
            shutil.copyfile(path, to)
    return FilesConfig(path=directory, pattern="*")
