"""Two competing workers on a real broker and a real store; whatever happens, every count is the oracle's.

Labels are in flight in all of it: every message that is produced brings a third of a label with it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.exactly_once import scenarios
from tests.exactly_once.cluster import Cluster
from tests.exactly_once.proxy import Proxy
from tests.exactly_once.records import PARTITIONS
from tests.servers import Kafka, Postgres

SEED = 1
KILLS = 3
CUTS = 5

pytestmark = pytest.mark.kafka
Make = Callable[..., Cluster]


@pytest.fixture
def make_cluster(kafka: Kafka, topic: Callable[..., str], tmp_path: Path) -> Iterator[Make]:
    """A function from a store's URL to a cluster without workers, which ends with the test."""
    made: list[Cluster] = []

    def make(url: str, worker_url: str | None = None) -> Cluster:
        made.append(Cluster(kafka, topic(PARTITIONS), url, tmp_path, SEED, worker_url))
        return made[-1]

    yield make
    for cluster in made:
        cluster.__exit__()


@pytest.fixture
def sqlite(make_cluster: Make, tmp_path: Path) -> Cluster:
    return make_cluster(f"sqlite:///{tmp_path}/store.db")


@pytest.fixture
def postgresql(make_cluster: Make, pg_url: str) -> Cluster:
    return make_cluster(pg_url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Cluster)
    return found


def test_killed_at_random_moments(cluster: Cluster) -> None:
    scenarios.kill_at_random(cluster, KILLS, SEED)
    cluster.finish()


def test_killed_at_each_failpoint(cluster: Cluster) -> None:
    for number, failpoint in enumerate(scenarios.FAILPOINTS):
        scenarios.die_at_failpoint(cluster, failpoint, 1 + number % 2 if "flush." in failpoint else 1)
    cluster.finish()


def test_a_zombie_that_wakes_up_after_its_partitions_were_taken(cluster: Cluster) -> None:
    scenarios.wake_a_zombie(cluster)
    cluster.produce(300)
    cluster.finish()


def test_a_zombie_with_labels_in_hand(cluster: Cluster) -> None:
    scenarios.wake_a_zombie(cluster, labels=True)
    cluster.produce(300)
    cluster.finish()


def test_without_the_swap_the_zombie_spoils_the_counts(sqlite: Cluster) -> None:
    """The same schedule: the suite can tell."""
    scenarios.wake_a_zombie(sqlite, "--without-swap")
    assert sqlite.differences()


def test_broker_restart(sqlite: Cluster) -> None:
    scenarios.restart_broker(sqlite)
    sqlite.finish()


@pytest.mark.postgres
def test_postgres_restart(postgresql: Cluster, postgres: Postgres) -> None:
    scenarios.restart_store(postgresql, postgres)
    postgresql.finish()


def test_full_disk(sqlite: Cluster) -> None:
    scenarios.fill_the_disk(sqlite)
    sqlite.finish()


@pytest.mark.postgres
def test_lost_answers_to_commit(make_cluster: Make, pg_url: str) -> None:
    url = sa.make_url(pg_url)
    with Proxy(url.port or 5432) as proxy:
        through = url.set(port=proxy.port).render_as_string(hide_password=False)
        cluster = make_cluster(pg_url, through)
        scenarios.lose_commit_answers(cluster, proxy, CUTS)
        cluster.finish()
