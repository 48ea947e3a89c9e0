"""The product's memory over a generated stream, in a process of its own.

Given: store, records, models, features, tails, per_s, spread_ms, every. Answers the resident size in MiB
each `every` records (`resident`), and its peak.
"""

import psutil

from monitor.clock import WallClock
from monitor.job.job import Job
from monitor.job.report import CommittedFlush
from monitor.job.settings import JobSettings
from monitor.store.store import Store
from tests.bench.children import arguments, peak_mib, tell
from tests.bench.generator import Generator, Stream
from tests.bench.records import wide

_MIB = 2**20


class Sampler:
    """Notes the resident size whenever another `every` records were committed."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._process = psutil.Process()
        self._records = 0
        self.resident: list[float] = []

    def committed(self, flush: CommittedFlush) -> None:
        self._records += flush.records
        while self._records // self._every > len(self.resident):
            self.resident.append(self._process.memory_info().rss / _MIB)


def main() -> None:
    given = arguments()
    tails = list(wide(given["tails"], given["models"], given["features"]))
    stream = Stream(tails, given["records"], per_s=given["per_s"], spread_ms=given["spread_ms"])
    settings = JobSettings(owner="bench", disorder_ms=given["spread_ms"], **given.get("settings", {}))
    sampler = Sampler(given["every"])
    store = Store.open(given["store"])
    job = Job(store, lambda owner: Generator(stream, owner), settings, WallClock(), [sampler])
    job.run(until_caught_up=True)
    tell({"records": job.status().records, "resident": sampler.resident, "peak_mib": peak_mib()})


if __name__ == "__main__":
    main()
