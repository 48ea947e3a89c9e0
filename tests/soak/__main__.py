"""The crash tests at length: `python -m tests.soak [--kills 30] [--minutes N] [--seeds 1 2 3] [--only TEXT]`.

Runs every scenario of tests/exactly_once, or those with TEXT in their name, on SQLite and PostgreSQL for
each seed, with labels in flight, and prints a line for each. With --minutes it goes on, with further seeds,
until the time is over. Exits 1 if any count was wrong, or if a schedule without the compare-and-swap went
unnoticed.
"""

import argparse
import itertools
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from monitor.store.store import Store
from tests.exactly_once import scenarios
from tests.exactly_once.cluster import Cluster
from tests.exactly_once.compare import check, differences, give_bins
from tests.exactly_once.proxy import Proxy
from tests.exactly_once.records import PARTITIONS
from tests.exactly_once.simulation import simulate
from tests.servers import Kafka, Postgres

__all__ = ["main"]

_SIMULATED = 200
_CUTS = 20
_Scenario: TypeAlias = Callable[[Cluster, Proxy], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario's end: `wrong` says what was, None where every count was the oracle's. `labelled` counts
    the predictions that got a label."""

    scenario: str
    store: str
    seed: int
    seconds: float
    records: int
    labelled: int
    wrong: str | None


class Soak:
    """The servers, and the scenarios that run on them."""

    def __init__(self, kafka: Kafka, postgres: Postgres, kills: int) -> None:
        self._kafka = kafka
        self._postgres = postgres
        self._kills = kills

    def run(self, seed: int, only: str = "") -> Iterator[Outcome]:
        """Every scenario with this seed, or those that have `only` in their name."""
        for swap in (True, False):
            if only in "simulated schedules":
                yield self._simulated(seed, swap)
        both: list[tuple[str, _Scenario]] = [
            (f"{self._kills} kills", self._killed),
            (f"{len(scenarios.FAILPOINTS)} failpoints, twice", self._failpoints),
            ("zombie", self._zombie),
            ("zombie with labels", self._labels_zombie),
            ("zombie without the swap", self._unfenced),
            ("broker restart", self._broker),
        ]
        planned = [(name, store, run) for store in ("sqlite", "postgresql") for name, run in both]
        planned.append(("full disk", "sqlite", self._disk))
        planned.append(("store restart", "postgresql", self._restart))
        planned.append((f"{_CUTS} lost answers", "postgresql", self._answers))
        for name, store, run in planned:
            if only in name:
                yield self._one(name, store, seed, run)

    def _one(self, scenario: str, store: str, seed: int, run: _Scenario) -> Outcome:
        begun = time.monotonic()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = worker_url = f"sqlite:///{folder}/store.db"
            proxy = stack.enter_context(Proxy(self._postgres.port))
            if store == "postgresql":
                database = self._postgres.create_database()
                stack.callback(self._postgres.drop_database, database)
                url = worker_url = self._postgres.url(database)
                if run == self._answers:
                    through = sa.make_url(url).set(port=proxy.port)
                    worker_url = through.render_as_string(hide_password=False)
            topic = self._kafka.create_topic(folder.name, PARTITIONS)
            stack.callback(self._kafka.delete_topics, [topic])
            cluster = stack.enter_context(Cluster(self._kafka, topic, url, folder, seed, worker_url))
            wrong = _complaint(lambda: run(cluster, proxy))
            records, labelled = cluster.oracle.ends.total(), cluster.oracle.labelled()
        return Outcome(scenario, store, seed, time.monotonic() - begun, records, labelled, wrong)

    def _simulated(self, seed: int, swap: bool) -> Outcome:
        """Many schedules in this process; without the swap at least one of them must go wrong."""
        begun, noticed, wrong, records, labelled = time.monotonic(), 0, None, 0, 0
        for schedule in range(seed * _SIMULATED, (seed + 1) * _SIMULATED):
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                store = Store.open(f"sqlite:///{folder}/store.db")
                stack.callback(store.close)
                give_bins(store)
                oracle = simulate(store, schedule, swap=swap)
                records += oracle.ends.total()
                labelled += oracle.labelled()
                if swap:
                    wrong = wrong or _complaint(partial(check, store, oracle))
                else:
                    noticed += bool(differences(store, oracle))
        name = f"{_SIMULATED} simulated schedules"
        if not swap:
            name += f" without the swap ({noticed} wrong)"
            wrong = None if noticed else "none was noticed"
        return Outcome(name, "sqlite", seed, time.monotonic() - begun, records, labelled, wrong)

    def _killed(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.kill_at_random(cluster, self._kills, cluster.seed)
        cluster.finish()

    def _failpoints(self, cluster: Cluster, proxy: Proxy) -> None:
        for times, failpoint in itertools.product((1, 2), scenarios.FAILPOINTS):
            scenarios.die_at_failpoint(cluster, failpoint, times if "flush." in failpoint else 1)
        cluster.finish()

    def _zombie(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.wake_a_zombie(cluster)
        cluster.produce(500)
        cluster.finish()

    def _labels_zombie(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.wake_a_zombie(cluster, labels=True)
        cluster.produce(500)
        cluster.finish()

    def _unfenced(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.wake_a_zombie(cluster, "--without-swap")
        if not cluster.differences():
            raise AssertionError("the counts are right although there was no swap")

    def _broker(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.restart_broker(cluster)
        cluster.finish()

    def _disk(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.fill_the_disk(cluster)
        cluster.finish()

    def _restart(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.restart_store(cluster, self._postgres)
        cluster.finish()

    def _answers(self, cluster: Cluster, proxy: Proxy) -> None:
        scenarios.lose_commit_answers(cluster, proxy, _CUTS)
        cluster.finish()


def _complaint(run: Callable[[], None]) -> str | None:
    try:
        run()
    except AssertionError as e:
        return str(e)
    return None


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("scenario", "store", "seed", "seconds", "messages", "labelled", "counts")
    for each in outcomes:
        verdict = "exact" if each.wrong is None and "without" not in each.scenario else "as expected, wrong"
        table.add_row(
            each.scenario,
            each.store,
            str(each.seed),
            f"{each.seconds:.0f}",
            f"{each.records:,}",
            f"{each.labelled:,}",
            verdict if each.wrong is None else "FAILED",
        )
    return table


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--only", default="", help="run the scenarios with this in their name only")
    given = parser.parse_args(argv)
    logging.disable(logging.WARNING)
    console, outcomes = Console(), list[Outcome]()
    end = time.monotonic() + given.minutes * 60
    with Kafka() as kafka, Postgres() as postgres:
        soak = Soak(kafka, postgres, given.kills)
        for seed in itertools.chain(given.seeds, itertools.count(max(given.seeds) + 1)):
            if seed not in given.seeds and time.monotonic() >= end:
                break
            for outcome in soak.run(seed, given.only):
                outcomes.append(outcome)
                console.print(f"{outcome.scenario}, {outcome.store}, seed {seed}: {outcome.seconds:.0f} s")
                if outcome.wrong is not None:
                    console.print(outcome.wrong, markup=False)
    console.print(_table(outcomes))
    return int(any(each.wrong is not None for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
