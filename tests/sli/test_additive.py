"""The same records give the same answers whatever the step, the tier, the order and the partition."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.records import Partition
from monitor.sli import query
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import Store
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import Writer

HOUR_MS = 3_600_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS
inferences = st.lists(
    st.tuples(
        st.integers(0, 3 * HOUR_MS - 1),
        st.floats(0.01, 1e5),
        st.sampled_from([200, 200, 500, 404]),
        st.sampled_from(["1", "2"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=40,
)


@given(rows=inferences)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_coarse_steps_are_the_sum_of_fine_ones(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float, int, str, int]]
) -> None:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('s') / 'm.db'}")
    for number in {row[4] for row in rows}:
        writer = Writer(store, Partition("t", number), now_ms=NOW_MS + 3 * HOUR_MS)
        writer.take(
            [
                record(id=str(i), ts=H0_MS + at, latency_ms=ms, status=status, version=version)
                for i, (at, ms, status, version, part) in enumerate(rows)
                if part == number
            ]
        )
        writer.flush()
    at = np.array([row[0] for row in rows])
    raw = np.array([row[1] for row in rows])
    bad = np.array([row[2] == 500 for row in rows])
    for step_s in (60, 600, 3600, 5400, 10_800):
        for sli, wanted in (
            ("records", lambda mine: mine.sum()),
            ("error_rate", lambda mine: bad[mine].mean()),
            ("latency_p95", lambda mine: np.quantile(raw[mine], 0.95)),
            ("latency_max", lambda mine: raw[mine].max()),
            ("request_rate_peak", lambda mine: np.bincount(at[mine] // 1000).max()),
        ):
            asked = Question("fraud", sli, H0_MS, H0_MS + 3 * HOUR_MS, step_s)
            got = answer(store, asked, NOW_MS)
            start_ms = H0_MS // (step_s * 1000) * step_s * 1000
            for i, row in enumerate(got):
                window = (H0_MS + at - start_ms) // (step_s * 1000)
                mine = window == i
                assert row["count"] == mine.sum()
                assert row["value"] == (pytest.approx(wanted(mine), rel=0.01) if mine.any() else None)
    store.close()


def test_blocks_of_windows_give_what_they_give_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'm.db'}")
    writer = Writer(store, now_ms=NOW_MS + 3 * HOUR_MS)
    rng = np.random.default_rng(5)
    writer.take(
        [
            record(id=str(i), ts=H0_MS + int(t), latency_ms=float(ms), version=str(i % 3))
            for i, (t, ms) in enumerate(
                zip(rng.integers(0, HOUR_MS, 500), rng.lognormal(3, 1, 500), strict=True)
            )
        ]
    )
    writer.flush()
    questions = [
        Question("fraud", sli, step_s=120, by=("version",), feature=feature)
        for sli, feature in (
            ("latency_p90", None),
            ("error_rate", None),
            ("coverage", None),
            ("request_rate_peak", None),
        )
    ]
    at_once = [answer(store, q, NOW_MS) for q in questions]
    monkeypatch.setattr(query, "_ROWS_AT_ONCE", 40)
    assert [answer(store, q, NOW_MS) for q in questions] == at_once
    store.close()
