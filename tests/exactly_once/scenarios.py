"""What happens to two competing workers, each scenario a function of the cluster and its seed.

Each leaves the cluster with records and labels still to be read; `Cluster.finish` then proves the counts.
All produce both while they make trouble.
"""

import random
import resource
import signal
from functools import partial

from tests.exactly_once.cluster import Cluster, Worker
from tests.exactly_once.proxy import Proxy
from tests.exactly_once.records import PARTITIONS
from tests.exactly_once.worker import PAUSED, WOKEN
from tests.servers import Postgres
from tests.servers.server import wait_until

__all__ = [
    "FAILPOINTS",
    "die_at_failpoint",
    "fill_the_disk",
    "kill_at_random",
    "lose_commit_answers",
    "restart_broker",
    "restart_store",
    "wake_a_zombie",
]

FAILPOINTS = (
    "flush.before_swap",
    "flush.after_swap",
    "flush.after_pairs",
    "flush.before_commit",
    "flush.after_commit",
    "rebalance.after_claim",
    "rebalance.before_flush",
)
_FULL_BYTES = 64 << 10


def _begin(cluster: Cluster, n: int = 500) -> None:
    """Two workers that have both got partitions, and something committed."""
    cluster.produce(n)
    for name in ("a", "b"):
        if name not in cluster.workers or cluster.workers[name].returncode is not None:
            cluster.start(name)
    cluster.wait(lambda: all(cluster.owned_by(name) for name in "ab"), "both workers own partitions")
    cluster.wait(lambda: cluster.committed() > 0, "something is committed")


def kill_at_random(cluster: Cluster, kills: int, seed: int) -> None:
    """`kill -9` at random moments, sometimes of both; who died is started again."""
    rng = random.Random(seed)
    _begin(cluster)
    for _ in range(kills):
        cluster.produce(rng.randrange(300, 1_200))
        target = cluster.committed() + rng.randrange(1, 600)
        wait_until(partial(_past, cluster, target), rng.uniform(0.2, 3.0), 0.01)
        for name in rng.choice((["a"], ["b"], ["a", "b"])):
            cluster.workers[name].kill()
        cluster.produce(rng.randrange(300))
        cluster.supervise()


def _past(cluster: Cluster, target: int) -> bool:
    return cluster.committed() >= target


def die_at_failpoint(cluster: Cluster, failpoint: str, times: int) -> None:
    """Worker a dies the `times`-th time that it gets to the failpoint, while b goes on."""
    if "b" not in cluster.workers:
        cluster.start("b")
        cluster.wait(lambda: cluster.owned_by("b") == 2 * PARTITIONS, "b owns all partitions")
    if "a" in cluster.workers:
        cluster.workers["a"].kill()
    worker = cluster.start("a", failpoint=f"{failpoint}:{times}")

    def dead() -> bool:
        return worker.returncode is not None

    def died() -> bool:
        cluster.produce(100)
        if failpoint == "rebalance.before_flush" and cluster.owned_by("a"):
            cluster.workers["b"].kill()
            cluster.start("b")
            return wait_until(dead, 10.0)
        return wait_until(dead, 0.3)

    cluster.wait(died, f"a died at {failpoint}")
    if worker.returncode != -signal.SIGKILL:
        raise AssertionError(f"a ended with {worker.returncode}:\n{worker.said()}")
    cluster.produce(100)


def wake_a_zombie(cluster: Cluster, *flags: str, labels: bool = False) -> None:
    """Worker a stops before a commit of inferences, or of `labels`, for longer than its session; b takes
    over; then a wakes up."""
    cluster.produce(500)
    zombie = cluster.start("a", "--pause-at-labels" if labels else "--pause-at-commit", "6", *flags)
    cluster.start("b", *flags)

    def paused() -> bool:
        cluster.produce(200)
        return wait_until(lambda: PAUSED in zombie.said(), 0.3)

    cluster.wait(paused, "a stopped before a commit")
    cluster.produce(500)
    cluster.wait(cluster.caught_up, "b took over and caught up")
    zombie.send(signal.SIGCONT)
    cluster.wait(lambda: WOKEN in zombie.said(), "a woke up")


def restart_broker(cluster: Cluster) -> None:
    """The broker goes away and comes back."""
    _begin(cluster)
    cluster.produce(800)
    cluster.kafka.restart()
    cluster.supervise()
    cluster.produce(800)


def restart_store(cluster: Cluster, postgres: Postgres) -> None:
    """PostgreSQL is killed, stays away until both workers wait for it, and comes back."""
    _begin(cluster)
    postgres.kill()
    cluster.produce(800)
    workers = [cluster.workers[name] for name in "ab"]
    cluster.wait(lambda: all(map(_waits, workers)), "the workers wait for the store")
    postgres.start()
    cluster.produce(300)


def _waits(worker: Worker) -> bool:
    return "waiting for the store" in worker.said()


def fill_the_disk(cluster: Cluster) -> None:
    """No file of the workers may grow, SQLite's least of all; then there is space again."""
    _begin(cluster, 1_000)
    workers = [cluster.workers[name] for name in "ab"]

    def limit(size: int) -> None:
        for worker in workers:
            hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, hard))

    limit(_FULL_BYTES)

    def full() -> bool:
        cluster.produce(200)
        return wait_until(lambda: any(map(_waits, workers)), 0.3)

    cluster.wait(full, "a worker finds the disk full")
    cluster.produce(300)
    limit(resource.RLIM_INFINITY)
    cluster.produce(300)


def lose_commit_answers(cluster: Cluster, proxy: Proxy, cuts: int) -> None:
    """Every seventh COMMIT that goes through the proxy is done, but its answer never comes."""
    _begin(cluster)
    proxy.cut_every(7)

    def cut() -> bool:
        cluster.produce(100)
        return wait_until(lambda: proxy.cuts >= cuts, 0.3)

    cluster.wait(cut, f"{cuts} answers are lost")
    proxy.cut_every(0)
    cluster.produce(300)
