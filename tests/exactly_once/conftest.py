"""Empty stores for schedules of crashes."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from monitor.store.engine import open_engine
from monitor.store.store import Store
from tests.exactly_once.compare import give_bins

Fresh = Callable[[int], AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store with bins, to copy: migrating anew for each schedule would take most of the time."""
    file = tmp_path_factory.mktemp("template") / "store.db"
    store = Store.open(f"sqlite:///{file}")
    give_bins(store)
    store.close()
    return file


@pytest.fixture
def fresh_store(template: Path, tmp_path: Path) -> Fresh:
    """A function from a seed to an empty store, which is gone when its context ends."""

    @contextmanager
    def fresh(seed: int) -> Iterator[Store]:
        file = tmp_path / f"{seed}.db"
        shutil.copy(template, file)
        store = Store(open_engine(f"sqlite:///{file}"))
        try:
            yield store
        finally:
            store.close()
            file.unlink()

    return fresh
