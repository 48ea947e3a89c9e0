"""The backtest is what the service would have done, and tells what that was worth."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.backtest.diff import Difference, differences
from monitor.backtest.incidents import Incident, read_incidents
from monitor.backtest.outcome import Outcome, outcome
from monitor.backtest.replay import Span, end_s, fired, held_span, transitions_over
from monitor.cli.app import main
from monitor.errors import ConfigError
from monitor.slo.episodes import Episode
from monitor.slo.evaluate import Evaluator
from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.standing import Why
from monitor.store.store import Store
from tests.builders import encode
from tests.slo.test_evaluate import END_S, OUTAGE_S, T0_S, objective, outage, requests, settings
from tests.store.conftest import store

__all__ = ["outage", "store"]

HOUR_S = 3600
FRAUD = Subject("fraud")


def test_it_does_what_the_service_does_minute_by_minute(outage: Store) -> None:
    of = settings(objective(), generic=True)
    span = held_span(outage, None, None, 60)
    assert (span.from_s, span.to_s) == (T0_S, END_S)
    evaluator = Evaluator(outage, of)
    live = []
    for now_s in range(T0_S + 60, END_S + 1, 60):
        live += evaluator.run(now_s, now_s * 1000, T0_S)
    told = {(t.at_s, t.key, t.after, t.severity) for t in transitions_over(outage, of, span, None)}
    assert told == {
        (k.transition.at_s, k.transition.key, k.transition.after, k.transition.severity)
        for k in live
        if k.transition.why is not Why.CAUGHT_UP
    }
    assert told


def alert(
    from_s: int,
    to_s: int | None,
    severity: Severity = Severity.PAGE,
    name: str = "a",
    rule: str = "burn",
) -> Episode:
    return Episode(name, FRAUD, from_s, severity, to_s, [rule], quiet=False)


SPAN = Span(0, 100 * HOUR_S)
INCIDENT = Incident("outage", "fraud", 10 * HOUR_S, 12 * HOUR_S)


@pytest.mark.parametrize(
    ("alerts", "by", "after_s"),
    [
        ([], None, None),
        ([alert(10 * HOUR_S + 120, 11 * HOUR_S)], 0, 120),
        ([alert(12 * HOUR_S + 600, None)], 0, 2 * HOUR_S + 600),
        ([alert(13 * HOUR_S, 14 * HOUR_S)], None, None),
        ([alert(5 * HOUR_S, 11 * HOUR_S)], 0, 0),
        ([alert(5 * HOUR_S, 11 * HOUR_S), alert(11 * HOUR_S, 12 * HOUR_S)], 1, HOUR_S),
        ([alert(5 * HOUR_S, 10 * HOUR_S)], None, None),
    ],
    ids=["none", "within", "soon after", "too late", "already", "news before the known", "over by then"],
)
def test_which_alert_tells_of_an_incident(alerts: list[Episode], by: int | None, after_s: int | None) -> None:
    (found,) = outcome(SPAN, alerts, [INCIDENT]).found
    assert (found.by, found.after_s) == (None if by is None else alerts[by], after_s)


def test_pages_are_counted_by_the_week_and_those_beside_incidents_apart() -> None:
    other = alert(50 * HOUR_S, 51 * HOUR_S)
    ticket = alert(60 * HOUR_S, 61 * HOUR_S, Severity.TICKET)
    found = outcome(SPAN, [alert(10 * HOUR_S, 11 * HOUR_S), other, ticket], [INCIDENT])
    assert found.per_week(Severity.PAGE) == pytest.approx(2 * 168 / 100)
    assert found.false_pages == [other]
    # What fired from the very minute on may be about anything.
    assert (found.n_found, found.median_after_s) == (0, None)


def test_an_incident_of_another_model_is_not_found() -> None:
    found = outcome(SPAN, [alert(10 * HOUR_S, 11 * HOUR_S)], [Incident("x", "other", 0, 20 * HOUR_S)])
    assert found.found[0].by is None
    assert len(found.false_pages) == 1


def test_what_a_budget_asks_for_finds_no_incident_and_is_no_false_alarm() -> None:
    asked = alert(11 * HOUR_S, None, Severity.TICKET, rule="budget half")
    found = outcome(SPAN, [asked], [INCIDENT])
    assert (found.found[0].by, found.beside, found.about(asked)) == (None, (), [])
    assert found.per_week(Severity.TICKET) > 0


def test_rules_alone_are_a_set_of_rules_and_what_they_lack_is_told(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "slo: {generic: false}\n"
        "models: {fraud: {objectives: {latency: {objective: 99, under: 77ms, window: 30d}}}}\n"
    )
    run = ["run", "--no-web", "--until-caught-up", "-c", str(files["old"])]
    (tmp_path / "spool" / "log.jsonl").write_bytes(files["log"].read_bytes())
    assert main(run) == 0
    capsys.readouterr()
    given = ["backtest", "-c", str(files["old"]), "--rules", str(rules)]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "only old" in out
    assert "fraud latency: this store does not count requests under 77 ms" in out
    # A raw log is counted anew, with all that either set is about.
    assert main([*given, "--log", str(files["log"])]) == 0
    assert "does not count" not in capsys.readouterr().out


EPISODES = st.lists(
    st.builds(
        lambda name, begin, length, severity: alert(
            begin * 60, None if length == 0 else (begin + length) * 60, severity, name
        ),
        st.sampled_from("ab"),
        st.integers(0, 200),
        st.integers(0, 50),
        st.sampled_from(list(Severity)),
    ),
    max_size=8,
)


@given(EPISODES, EPISODES)
def test_a_diff_has_every_alert_of_both_once_and_mirrors(old: list[Episode], new: list[Episode]) -> None:
    one, other = Outcome(SPAN, tuple(old), (), ()), Outcome(SPAN, tuple(new), (), ())
    changes = differences(one, other)
    assert sorted(map(id, old)) == sorted(id(c.old) for c in changes if c.old is not None)
    assert sorted(map(id, new)) == sorted(id(c.new) for c in changes if c.new is not None)
    for change in changes:
        if change.old is not None and change.new is not None:
            assert change.old.from_s < end_s(change.new, SPAN)
            assert change.new.from_s < end_s(change.old, SPAN)
    assert {c.difference for c in differences(one, one)} <= {Difference.SAME}


def test_every_mistake_in_a_file_of_incidents_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "incidents.yaml"
    path.write_text(
        "incidents:\n"
        "  - {name: outage, start: 2026-01-02T00:00:00Z, end: 2026-01-01T00:00:00Z}\n"
        "  - {start: yesterdayish, modell: x}\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_incidents(path, 0)
    text = str(caught.value)
    assert "incidents.yaml:2: incidents[0]: ends before it begins" in text
    assert "incidents.yaml:3: incidents[1]: there is no modell" in text
    assert "name is missing" in text
    assert "end is missing" in text


CONFIG = """
store: sqlite:///{store}
source: {{files: {{path: {spool}}}}}
models:
  fraud:
    objectives:
      availability: {{objective: {target}, window: 30d}}
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A raw log with an outage in it, two configurations and the incident."""
    records = [
        *requests(T0_S, OUTAGE_S, 200),
        *requests(OUTAGE_S, OUTAGE_S + 1200, 503),
        *requests(OUTAGE_S + 1200, END_S, 200),
    ]
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(encode(r) + b"\n" for r in records))
    (tmp_path / "spool").mkdir()
    made = {"log": log, "incidents": tmp_path / "incidents.yaml"}
    for name, target in (("old", "99.9"), ("new", "50")):
        made[name] = tmp_path / f"{name}.yaml"
        text = CONFIG.format(store=tmp_path / "m.db", spool=tmp_path / "spool", target=target)
        made[name].write_text(text + "slo: {generic: false}\n")
    made["incidents"].write_text(
        "incidents:\n  - {name: outage, model: fraud, start: "
        f"{OUTAGE_S * 1000}, end: {(OUTAGE_S + 1200) * 1000}}}\n"
    )
    return made


def test_a_raw_log_and_two_sets_of_rules(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    given = ["backtest", "-c", str(files["old"]), "--log", str(files["log"])]
    given += ["--incidents", str(files["incidents"])]
    assert main([*given, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["incidents_found"], found["median_seconds_to_alert"]) == (1, 60)
    assert found["alerts"][0]["alert"] == "availability"
    assert main([*given, "--rules", str(files["new"]), "--format", "json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert both["new"]["alerts"] == []
    assert {c["difference"] for c in both["changes"]} == {"only old"}
    assert main([*given, "--rules", str(files["new"])]) == 0
    assert "pages a week" in capsys.readouterr().out


def test_an_empty_store_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--store", f"sqlite:///{tmp_path}/m.db"]) != 0
    assert "no records" in capsys.readouterr().err


def test_fired_is_in_order_and_ends_with_its_last_rule(outage: Store) -> None:
    of, span = settings(objective()), held_span(outage, None, None, 60)
    (one,) = fired(transitions_over(outage, of, span, "fraud"), span)
    assert (one.from_s, one.severity) == (OUTAGE_S + 60, Severity.PAGE)
    assert one.to_s is None or one.to_s > OUTAGE_S + 1200
