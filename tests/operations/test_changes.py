"""Which events are changes, and in which window."""

from collections.abc import Callable

from monitor.operations.changes import changes_before
from monitor.store import Store
from tests.builders import NOW_MS

HOUR_MS = 3_600_000


def test_only_what_changed_in_the_window_and_for_the_model(store: Store, happen: Callable[..., None]) -> None:
    at = NOW_MS - 10 * HOUR_MS
    happen(
        ("deployment", at - HOUR_MS, {"version": 3, "traffic_share": ...}),
        ("deployment", at - HOUR_MS + 1, {"version": 4, "by": "ada"}),
        ("deployment", at - 30, {"model": "other"}),
        ("deployment", at + 1, {"version": 5}),
        ("capacity", at - 20, {"restarts": 2, "out_of_memory_kills": 1}),
        ("capacity", at - 19, {}),
        ("dataset", at - 10, {"model": "fraud", "rows": 90}),
        ("dataset", at - 9, {"rows": 100}),
        ("pipeline_run", at - 8, {}),
        ("pipeline_run", at - 7, {"status": "succeeded"}),
        ("training_run", at - 6, {"status": "running"}),
        ("heartbeat", at - 5, {}),
        ("registry", at, {"version": ...}),
        ("rollback", at, {"reason": "errors"}),
    )
    found = changes_before(store, "fraud", at, HOUR_MS)
    assert [(c.kind, c.title) for c in found] == [
        ("deployment", "version 4 was deployed with 10% of traffic"),
        ("capacity", "1 replicas were killed for memory, 2 restarts"),
        ("dataset", "dataset payments came with 90 of 100 rows"),
        ("pipeline_run", "pipeline features failed: timeout"),
        ("registry", "mlflow says nothing is in production"),
        ("rollback", "rolled back from 4 to 3: errors"),
    ]
    assert found[0].details["by"] == "ada"
    assert (found[0].model, found[0].version, found[3].model) == ("fraud", "4", "")
    assert changes_before(store, "fraud", at, HOUR_MS + 1)[0].version == "3"
