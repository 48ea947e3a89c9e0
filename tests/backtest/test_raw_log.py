"""A raw log gives what the service would have done while it came in, late records and all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monitor.backtest.raw_log import replay_log
from monitor.backtest.replay import Span, fired
from monitor.config import Config, load_config
from monitor.errors import ConfigError, QueryError
from monitor.service import job_settings
from monitor.slo.evaluate import Evaluator
from monitor.slo.rule import Severity
from monitor.slo.settings import from_config
from monitor.slo.standing import Transition, Why
from monitor.store import ownership
from monitor.store.store import Store
from tests.builders import T0_MS, encode, record
from tests.filling import Writer

T0_S = T0_MS // 1000
CONFIG = """
store: sqlite:///{directory}/m.db
stream: {{disorder: 5s}}
models:
  fraud:
    objectives:
      availability:
        objective: 90
        window: 30d
        min_events: 2
        min_bad_events: 1
        keep_firing: 2m
        alerts: [{{spent: 0.02, long: 5m, short: 1m, severity: page}}]
slo: {{generic: {generic}}}
"""


def configuration(directory: Path, *, generic: bool = False) -> Config:
    path = directory / "monitor.yaml"
    path.write_text(CONFIG.format(directory=directory, generic=json.dumps(generic)))
    return load_config(path, need_source=False)


def written(directory: Path, records: list[dict[str, Any]]) -> Path:
    path = directory / "log.jsonl"
    path.write_bytes(b"".join(encode(r) + b"\n" for r in records))
    return path


def live(config: Config, records: list[dict[str, Any]], span: Span) -> list[Transition]:
    """What the service does where it is given one record after the other, and evaluates after each."""
    settings = replace(job_settings(config, "test"), pairs=False)
    store = Store.open(config.store)
    writer = Writer(store, settings=settings, now_ms=span.to_s * 1000)
    evaluator = Evaluator(store, from_config(config))
    did = []
    for each in records:
        writer.take([each])
        writer.flush()
        (progress,) = ownership.list_progress(store)
        mark_ms = progress.marks.watermark_ms
        if mark_ms is not None and mark_ms // 60_000 * 60 > span.from_s:
            did += evaluator.run(mark_ms // 1000, mark_ms, span.from_s)
    did += evaluator.run(span.to_s, span.to_s * 1000, span.from_s)
    store.close()
    return [k.transition for k in did if k.transition.why is not Why.CAUGHT_UP]


# (seconds since the one before, how late it is, how it ended)
STREAM = st.lists(
    st.tuples(
        st.integers(0, 40), st.one_of(st.just(0), st.integers(0, 400)), st.sampled_from([200, 200, 503])
    ),
    min_size=1,
    max_size=45,
)


@given(STREAM)
@example([(20, 0, 200), (40, 0, 200), (40, 0, 200), (0, 300, 503), (0, 300, 503), (40, 0, 200)]).via(
    "before it began"
)
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_does_what_evaluating_after_every_record_does(
    tmp_path_factory: pytest.TempPathFactory, stream: list[tuple[int, int, int]]
) -> None:
    directory = tmp_path_factory.mktemp("log")
    config, at_s, records = configuration(directory), T0_S + 3600, []
    for i, (after_s, late_s, status) in enumerate(stream):
        at_s += after_s
        records.append(record(id=str(i), ts=(at_s - late_s) * 1000, status=status))
    span, (told,) = replay_log([config], [written(directory, records)], [])
    expected = live(config, records, span)
    assert {(t.at_s, t.key, t.before, t.after, t.why) for t in told} == {
        (t.at_s, t.key, t.before, t.after, t.why) for t in expected
    }


def test_what_came_late_pages_nobody_for_the_past(tmp_path: Path) -> None:
    order = [record(id=f"o{i}", ts=T0_MS + i * 6000, status=200) for i in range(100)]
    late = [record(id=f"l{i}", ts=T0_MS + 60_000 + i * 500, status=503) for i in range(100)]
    config = configuration(tmp_path)
    span, (told,) = replay_log([config], [written(tmp_path, order + late)], [])
    # All it changes is the budget.
    assert all(alert.of_budget for alert in fired(told, span))
    in_time = sorted(order + late, key=lambda r: r["ts"])
    span, (told,) = replay_log([config], [written(tmp_path, in_time)], [])
    (one,) = (alert for alert in fired(told, span) if not alert.of_budget)
    assert (one.from_s, one.severity) == (T0_S + 120, Severity.PAGE)


def test_a_wrong_clock_does_not_move_the_log(tmp_path: Path) -> None:
    records = [record(id=str(i), ts=T0_MS + i * 6000, status=200 if i < 50 else 503) for i in range(100)]
    ahead = record(id="x", ts=4_102_444_800_000)
    config = configuration(tmp_path)
    span, (told,) = replay_log([config], [written(tmp_path, [*records[:40], ahead, *records[40:]])], [])
    assert (span.from_s, span.to_s) == (T0_S, T0_S + 600)
    (one,) = (alert for alert in fired(told, span) if not alert.of_budget)
    assert one.from_s == T0_S + 360


@pytest.mark.parametrize("wrong_ms", [1000, 150_000_000_000], ids=["1970, refused", "1974"])
def test_a_first_line_that_is_years_behind_does_not_make_the_log_longer(
    tmp_path: Path, wrong_ms: int
) -> None:
    records = [record(id=str(i), ts=T0_MS + i * 6000, status=200 if i < 50 else 503) for i in range(100)]
    log = written(tmp_path, [record(id="x", ts=wrong_ms), *records])
    span, (told,) = replay_log([configuration(tmp_path)], [log], [])
    assert (span.from_s, span.to_s) == (T0_S, T0_S + 600)
    (one,) = (alert for alert in fired(told, span) if not alert.of_budget)
    assert one.from_s == T0_S + 360


def test_times_may_be_texts(tmp_path: Path) -> None:
    texts = [f"2023-11-14T22:{14 + i // 10}:{i % 10 * 6:02}Z" for i in range(100)]
    records = [record(id=str(i), ts=ts, status=200 if i < 50 else 503) for i, ts in enumerate(texts)]
    span, (told,) = replay_log([configuration(tmp_path)], [written(tmp_path, records)], [])
    assert (span.from_s, span.to_s) == (T0_S, T0_S + 600)
    assert any(alert.from_s == T0_S + 360 for alert in fired(told, span))


def test_a_log_that_is_not_there_or_holds_no_records_is_told(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with pytest.raises(ConfigError, match=r"none\.jsonl: there is no such file"):
        replay_log([config], [tmp_path / "none.jsonl"], [])
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"no record\n")
    with pytest.raises(QueryError, match="no line of the files is a record"):
        replay_log([config], [empty], [])
