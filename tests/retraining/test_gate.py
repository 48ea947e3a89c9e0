"""Whether what came of a run may be deployed: by the verdict on it as a canary."""

import pytest

from monitor.ingest.events.kinds import TrainingRun
from monitor.retraining.asking import gate
from monitor.retraining.deciding import Step
from monitor.retraining.following import Followed
from monitor.sli.windows import UsualBases
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.filling import fill

RUN = TrainingRun(id="r", model="fraud", status="succeeded", version=4)


def requests(version: str, n: int, failing: int) -> list[dict[str, object]]:
    return [
        record(
            id=f"{version}-{i}",
            ts=T0_MS + i * 60_000 * 30 // n,
            version=version,
            status=500 if i % 100 < failing else 200,
            latency_ms=10 + i % 7,
        )
        for i in range(n)
    ]


@pytest.mark.parametrize(
    ("n", "failing", "expected"), [(4000, 30, "worse"), (200, 1, "not enough data"), (30_000, 1, "passed")]
)
def test_the_gate_is_the_verdict_on_the_canary(store: Store, n: int, failing: int, expected: str) -> None:
    fill(store, requests("3", n, 1) + requests("4", n, failing))
    found = gate(store, "fraud", Followed(Step.SUCCEEDED, RUN), UsualBases())
    assert found is not None
    assert found[0] == expected, found


def test_before_a_run_has_a_version_there_is_no_gate(store: Store) -> None:
    assert gate(store, "fraud", Followed(Step.REQUESTED), UsualBases()) is None
