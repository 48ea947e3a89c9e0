"""What is done about an alert besides telling people: over a store, on simulated time."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.paging.actions.action import Acted, Outcome, acted_on, consider
from monitor.paging.configured import pager_settings as configured
from monitor.paging.matching import parse_matcher
from monitor.paging.message import Delivery, Result
from monitor.paging.senders import senders_of
from monitor.paging.settings import Action, Do, Limit
from monitor.store.store import Store
from monitor.store.versions import previous_version
from tests.builders import T0_MS, record
from tests.filling import fill
from tests.paging.collector import collecting
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.paging.turns import Turns
from tests.store.conftest import store

__all__ = ["store"]

DAY_MS = 86_400_000
WEBHOOK = ("action retrain", 0)
PAGES = (parse_matcher('severity="page"'),)


def action(**changed: object) -> Action:
    given: dict[str, object] = {"dry_run": False, **changed}
    return Action("retrain", Do.RETRAIN, PAGES, None, **given)  # type: ignore[arg-type]


def turns(store: Store, *actions: Action) -> Turns:
    """Alerts of severity page are to retrain their model."""
    settings = pager_settings(route(group_by=("model",)), incident_by=("model",), actions=actions)
    senders = {("team", 0): Provider(), WEBHOOK: Provider()}
    return Turns(store, settings, senders)


def fire(service: Turns, model: str = "fraud", severity: str = "page") -> None:
    labels = {"alertname": "Burn", "model": model, "severity": severity, "version": "4"}
    service.put(alert(labels, service.now_ms, resolve_timeout_ms=10**9))


def test_an_alert_that_fires_asks_once_and_the_timeline_says_so(store: Store) -> None:
    service = turns(store, action())
    fire(service)
    fire(service, "spam", severity="ticket")
    service.run(3)
    service.start()
    service.run(3)
    (asked,) = service.seen(*WEBHOOK)
    assert (asked.incident, asked.reason, dict(asked.common_labels)["model"]) == (1, "retrain", "fraud")
    assert sorted(service.said("action")) == ["retrain (retrain): acts", "retrain: accepted"]


def test_a_dry_run_only_says_what_it_would_do(store: Store) -> None:
    service = turns(store, action(dry_run=True))
    fire(service)
    service.run(3)
    assert service.seen(*WEBHOOK) == []
    assert service.said("action") == ["retrain (retrain): dry run: nothing is sent"]


def test_the_limit_holds_over_incidents_and_restarts(store: Store) -> None:
    service = turns(store, action(limit=Limit(2, DAY_MS)))
    for model in ("a", "b", "c", "d"):
        fire(service, model)
        service.run(1)
        service.start()
    service.run(2)
    assert [dict(m.common_labels)["model"] for m in service.seen(*WEBHOOK)] == ["a", "b"]
    assert service.said("action").count("retrain (retrain): not done: its rate limit is reached") == 2


def test_what_is_refused_is_told(store: Store) -> None:
    service = turns(store, action())
    service.providers[WEBHOOK].answers = lambda message, attempt: Delivery(Result.PERMANENT, "answered 403")
    fire(service)
    service.run(3)
    assert "retrain: failed: answered 403" in service.said("action")


def test_a_crash_asks_again_under_the_same_key(store: Store) -> None:
    service = turns(store, action())
    fire(service)
    for _ in range(20):
        service.turn(heard=False)
        service.start()
    service.run(3)
    assert len(service.seen(*WEBHOOK)) > 1
    assert len({m.dedup_key for m in service.seen(*WEBHOOK)}) == 1


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, DAY_MS)), max_size=40),
    st.integers(1, 4),
    st.integers(1, DAY_MS),
    st.booleans(),
)
def test_no_stretch_holds_more_than_the_limit(
    asked: list[tuple[int, int]], times: int, per_ms: int, once: bool
) -> None:
    one, acted, now_ms = action(limit=Limit(times, per_ms), once_per_incident=once), Acted("retrain"), 0
    done: list[tuple[int, int]] = []
    for incident, after_ms in asked:
        now_ms += after_ms
        outcome = consider(one, acted, incident, now_ms)
        acted = acted_on(acted, incident, outcome, now_ms)
        if outcome is Outcome.ACTS:
            done.append((incident, now_ms))
    for _, begin in done:
        assert sum(begin <= at < begin + per_ms for _, at in done) <= times
    assert not once or len({incident for incident, _ in done}) == len(done)


def test_a_rollback_asks_for_the_version_before(store: Store, tmp_path: Path) -> None:
    day_ms = T0_MS // DAY_MS * DAY_MS
    fill(
        store,
        [
            record(id=f"{v}-{i}", version=v, ts=day_ms + at_h * 3_600_000 + i)
            for v, at_h in (("2", 1), ("4", 5), ("3", 4))
            for i in range(2)
        ],
    )
    assert [previous_version(store, "fraud", v) for v in ("2", "3", "4", None, "9")] == [
        *(None, "2", "3", "3", None)
    ]
    with collecting() as collector:
        (tmp_path / "url").write_text(collector.url)
        file = tmp_path / "monitor.yaml"
        file.write_text(FILE.format(url_file=tmp_path / "url"))
        settings = configured(load_config(file).paging)
        senders = {("team", 0): Provider(), **senders_of(store, replace(settings, receivers={}))}
        rolling = pager_settings(route(group_by=("model",)), incident_by=("model",), actions=settings.actions)
        service = Turns(store, rolling, senders)
        fire(service)
        service.run(2)
        (asked,) = collector.posted
        body = asked.body
        told = [body[key] for key in ("do", "model", "version", "to_version")]
        assert told == ["rollback", "fraud", "4", "3"]
        assert asked.headers["idempotency-key"] == body["idempotency_key"]


FILE = """
store: sqlite:///m.db
source: {{files: {{path: .}}}}
paging:
  to: embedded
  receivers: [{{name: team, console_configs: [{{}}]}}]
  actions:
  - name: roll-back
    do: rollback
    matchers: ['severity="page"']
    webhook: {{url_file: "{url_file}"}}
    limit: {{times: 1, per: 1d}}
    dry_run: false
"""


def test_mistakes_are_told_with_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "monitor.yaml"
    wrong = (
        FILE.format(url_file="x")
        .replace("rollback", "retrain")
        .replace("dry_run", "version: '3'\n    dry_run")
    )
    file.write_text(
        wrong.replace("['severity=\"page\"']", "[severity]").replace("url_file:", "url: y, url_file:")
    )
    with pytest.raises(ConfigError) as error:
        load_config(file)
    assert [line.split(": ", 1)[1].split(": ")[0] for line in error.value.problems] == [
        "paging.actions[0].matchers[0]",
        "paging.actions[0].webhook.url",
        "paging.actions[0].version",
    ]
    secret = FILE.format(url_file="x").replace('url_file: "x"', "url: http://x/geheim")
    file.write_text(secret)
    assert "geheim" not in str(load_config(file).masked())
