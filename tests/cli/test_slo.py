"""`monitor slo ..` and `monitor gate`, as people on call use them."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.slo.evaluate import Evaluator
from monitor.slo.settings import from_config
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import Ran, run
from tests.filling import fill

HOUR_MS = 3_600_000
OBJECTIVES = """
store: sqlite:///{store}
source: {{files: {{path: {spool}}}}}
models:
  fraud:
    owner: risk
    objectives:
      availability: {{objective: 99.9, description: Answers come., window: {window}}}
      latency: {{objective: 99, under: 300ms, window: {window}, by: [version]}}
  churn:
    objectives:
      availability: {{objective: 99}}
"""


class Desk:
    """A store and a configuration, and the commands of somebody on call."""

    def __init__(self, directory: Path, window: str = "30d") -> None:
        self.store = directory / "m.db"
        self.config = directory / "monitor.yaml"
        (directory / "spool").mkdir()
        text = OBJECTIVES.format(store=self.store, spool=directory / "spool", window=window)
        self.config.write_text(text, "utf-8")

    def fill(self) -> None:
        """1,000 requests over 100 minutes: the 50 of the 20th to the 25th minute fail, version 2 is slow."""
        store = Store.open(f"sqlite:///{self.store}")
        fill(store, [self._request(i) for i in range(1000)])
        store.close()

    def evaluate(self, minutes: int) -> None:
        """Evaluates the alerts of the first so many minutes."""
        config = load_config(self.config)
        store = Store.open(config.store)
        now_s = T0_MS // 1000 + minutes * 60
        Evaluator(store, from_config(config)).run(now_s, now_s * 1000, since_s=T0_MS // 1000)
        store.close()

    @staticmethod
    def _request(i: int) -> dict[str, Any]:
        slow = i % 10 == 9
        return record(
            id=str(i),
            ts=T0_MS + i * 6000,
            version="2" if slow else "1",
            status=503 if 200 <= i < 250 else 200,
            latency_ms=900.0 if slow and i > 900 else 12.0,
        )

    def ask(self, *argv: str) -> Ran:
        return run(*argv, "-c", str(self.config))

    def rows(self, *argv: str) -> Any:
        ran = self.ask(*argv, "--format", "json")
        return json.loads(ran.out)


@pytest.fixture
def empty(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def desk(empty: Desk) -> Desk:
    empty.fill()
    return empty


def line(out: str, *words: str) -> str:
    """The one line of a table with all these words."""
    (found,) = [text for text in out.splitlines() if all(word in text for word in words)]
    return found


def test_the_list_says_in_a_line_what_is_wrong(desk: Desk) -> None:
    ran = desk.ask("slo", "list")
    assert (ran.code, ran.err) == (0, "")
    first, _, heading, _, *lines = ran.out.splitlines()
    assert first.startswith("4 objectives: 2 out of budget, 1 ok, 1 without data (as of 2023-11-14 23:5")
    assert heading.split()[:4] == ["state", "model", "of", "objective"]
    assert [text.split()[0] for text in lines] == ["spent", "spent", "ok", "no"]
    availability = line(ran.out, "fraud", "availability")
    assert "99.9 % 30d" in availability
    assert "94.949 %" in availability  # 50 bad of 990: the minute under way is not in
    assert "nothing to count in the period" in line(ran.out, "churn")
    assert line(ran.out, "fraud", "version 1", "latency").startswith("ok")


def test_json_has_the_figures_that_the_table_rounds(desk: Desk) -> None:
    by_name = {(r["model"], r["version"], r["objective"]): r for r in desk.rows("slo", "list")}
    row = by_name["fraud", None, "availability"]
    assert (row["bad"], row["state"], row["owner"]) == (50, "spent", "risk")
    assert row["compliance"] == pytest.approx(1 - 50 / row["total"])
    assert row["budget_left"] == pytest.approx(1 - 50 / (0.001 * row["total"]))
    assert [b["window_s"] for b in row["burn"]] == sorted(b["window_s"] for b in row["burn"])
    # In 100 minutes, a tenth of what 30 days bear was spent.
    assert {p["name"]: p["due"] for p in row["policies"]} == {"half": False, "quarter": False, "spent": False}
    assert 0.85 < row["budget_left_of_whole"] < 0.9
    assert by_name["fraud", "2", "latency"]["bad"] == pytest.approx(9, abs=2)


def test_budgets_tell_bad_from_allowed(desk: Desk) -> None:
    ran = desk.ask("slo", "budget", "availability", "--model", "fraud")
    assert ran.code == 0
    shown = line(ran.out, "fraud", "availability")
    assert " 50 " in shown
    assert "spent" in shown
    assert "5m 0 | 30m 0 | 1h 0 |" in shown


def test_showing_one_tells_everything(desk: Desk) -> None:
    out = desk.ask("slo", "show", "availability", "--model", "fraud").out
    assert out.startswith("fraud: availability is out of budget\n")
    assert line(out, "meaning").endswith("Answers come.")
    assert line(out, "target").endswith("99.9 % of requests without server errors or timeouts")
    assert line(out, "kept", "50 bad of")
    assert line(out, "policies").endswith("go by a whole period's budget, of which 88 % is left")
    assert line(out, "window", "burn", "history")


def test_how_it_stood_before(desk: Desk) -> None:
    (before,) = desk.rows("slo", "show", "availability", "-m", "fraud", "--at", str(T0_MS + 600_000))
    assert (before["bad"], before["budget_left"], before["state"]) == (0, 1.0, "ok")
    (during,) = desk.rows("slo", "show", "availability", "-m", "fraud", "--at", str(T0_MS + 1_380_000))
    assert 20 <= during["bad"] <= 30
    assert during["exhausted_at"] == during["as_of"] or during["budget_left"] < 0


def test_what_is_excluded_shows_in_every_figure(desk: Desk) -> None:
    span = ("--from", str(T0_MS + 20 * 60_000), "--to", str(T0_MS + 25 * 60_000 - 1))
    said = desk.ask(
        "slo", "exclude", "add", *span, "--reason", "database moved", "--author", "ann", "-m", "fraud"
    )
    assert said.out == (
        "exclusion 1: 2023-11-14 22:34:00 to 22:39:00 UTC of all objectives of fraud: database moved\n"
    )
    (row,) = desk.rows("slo", "show", "availability", "-m", "fraud")
    assert (row["bad"], row["budget_left"], row["state"]) == (0, 1.0, "ok")
    (excluded,) = row["excluded"]
    assert (excluded["bad"], excluded["total"], excluded["seconds"]) == (50, 50, 300)
    assert (excluded["author"], excluded["reason"]) == ("ann", "database moved")
    assert "5m" in line(desk.ask("slo", "list").out, "fraud", "availability")
    assert line(desk.ask("slo", "show", "availability", "-m", "fraud").out, "ann", "50 bad of 50")
    assert line(desk.ask("slo", "exclude", "list").out, "ann", "database moved").split()[0] == "1"

    assert "database moved" in line(desk.ask("slo", "health").out, "fraud")
    assert "are excluded, by ann: database moved" in desk.ask("gate", "-m", "fraud").out

    assert desk.ask("slo", "exclude", "revoke", "1", "--author", "bob").code == 0
    (row,) = desk.rows("slo", "show", "availability", "-m", "fraud")
    assert (row["bad"], row["excluded"]) == (50, [])
    assert desk.rows("slo", "exclude", "list") == []
    (gone,) = desk.rows("slo", "exclude", "list", "--all")
    assert gone["revoked"] is not None


def test_an_exclusion_of_one_objective_leaves_the_others(desk: Desk) -> None:
    span = ("--from", str(T0_MS), "--to", str(T0_MS + 2 * HOUR_MS))
    desk.ask(
        "slo", "exclude", "add", *span, "--reason", "drill", "--objective", "availability", "-m", "fraud"
    )
    by_name = {(r["version"], r["objective"]): r for r in desk.rows("slo", "list", "-m", "fraud")}
    assert by_name[None, "availability"]["why"] == "all that the period has is excluded"
    assert by_name["2", "latency"]["state"] == "spent"


def test_the_gate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "1d")
    desk.fill()
    shut = desk.ask("gate", "--model", "fraud")
    assert shut.code == 1
    assert shut.out.startswith("fraud: must not be deployed\n")
    assert "availability of fraud: the error budget is overspent, 50 bad of" in shut.out
    assert "latency of fraud version 2" in shut.out
    assert "latency of fraud version 2" not in desk.ask("gate", "-m", "fraud", "--version", "1").out
    span = ("--from", str(T0_MS), "--to", str(T0_MS + 2 * HOUR_MS))
    desk.ask("slo", "exclude", "add", *span, "--reason", "drill", "-m", "fraud")
    opened = desk.ask("gate", "--model", "fraud", "--version", "1")
    assert opened.code == 0
    assert opened.out.startswith("fraud version 1: may be deployed\n")
    (decision,) = desk.rows("gate", "--model", "fraud")
    assert decision["ok"] is True


def test_health_is_the_worst_of_its_objectives(desk: Desk) -> None:
    worst, best = desk.rows("slo", "health")
    assert (worst["model"], worst["state"]) == ("fraud", "spent")
    assert worst["objectives"] == {"spent": 2, "ok": 1}
    assert (best["model"], best["state"], best["score"]) == ("churn", "no data", None)
    assert line(desk.ask("slo", "health").out, "fraud").split()[1] == "spent"


def test_an_alert_that_fires(desk: Desk) -> None:
    desk.evaluate(25)
    row = desk.rows("slo", "list", "-m", "fraud")[0]
    assert (row["objective"], row["state"], row["as_of"]) == ("availability", "page", "2023-11-14T22:39:00Z")
    out = desk.ask("slo", "list", "-m", "fraud").out
    assert out.startswith("3 objectives: 1 paging, ")
    assert "burn 14.4 firing" in line(out, "page")

    out = desk.ask("slo", "alerts").out
    assert "alerts fire (as of 2023-11-14 22:39:00 UTC" in out
    now, _, fired = out.partition("fired, the newest first:")
    assert line(now, "page", "firing", "fraud", "availability")
    assert "m, still" in line(fired, "page", "availability")
    assert "every window is above its limit" in desk.ask("slo", "show", "availability", "-m", "fraud").out
    assert "availability of fraud: burn 14.4 (page) is firing" in desk.ask("gate", "-m", "fraud").out

    states = desk.rows("slo", "alerts", "--model", "fraud")
    assert {"objective", "rule", "phase", "severity", "since", "as_of", "why"} <= set(states[0])


def test_an_alert_that_is_over(desk: Desk) -> None:
    desk.evaluate(99)
    told = desk.ask("slo", "alerts").out.partition("fired, the newest first:")[2]
    assert line(told, "fraud", "availability", "burn").startswith("2023-11-14 22:")
    changes = desk.rows("slo", "alerts", "--history", "--model", "fraud")
    mine = [c for c in changes if (c["objective"], c["rule"]) == ("availability", "burn 14.4")]
    assert [c["after"] for c in mine] == ["inactive", "resolving", "firing"]
    assert mine[-1]["facts"]["burn_3600s"] > 14.4
    history = desk.ask("slo", "alerts", "--history", "--limit", "1").out
    assert len(history.splitlines()) == 3
    before = ("--from", str(T0_MS), "--to", str(T0_MS + 60_000))
    assert desk.rows("slo", "alerts", "--history", *before) == []

    (then,) = desk.rows("slo", "show", "availability", "-m", "fraud", "--at", str(T0_MS + 25 * 60_000))
    assert (then["state"], then["alerts"][0]["phase"]) == ("page", "firing")
    assert {t["after"] for t in then["transitions"]} == {"firing"}


def test_a_store_that_nothing_evaluates(desk: Desk) -> None:
    ran = desk.ask("slo", "alerts")
    assert (ran.code, ran.out) == (
        0,
        "nothing has been evaluated in this store yet: `monitor run` does, while it reads the stream\n",
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("slo", "alerts", "--model", "froud"), "did you mean 'fraud'?"),
        (
            ("slo", "show", "availabilty"),
            "objective: there is no 'availabilty'; did you mean 'availability'?",
        ),
        (("slo", "list", "--model", "froud"), "model: there is no 'froud'; did you mean 'fraud'?"),
        (("slo", "list", "--version", "7"), "version: there is no '7'; there is '1', '2'"),
        (("slo", "list", "-m", "churn", "--version", "7"), "version: no objective is told apart by version"),
        (("slo", "list", "--at", "noonish"), "--at: 'noonish' is no time"),
        (("gate", "--model", "froud"), "did you mean 'fraud'?"),
        (("slo", "exclude", "revoke", "9"), "there is no exclusion 9 in force; `monitor slo exclude list`"),
        (
            ("slo", "exclude", "add", "--from", "now", "--to", "now-1h", "--reason", "x"),
            "ends before it begins",
        ),
        (("slo", "exclude", "add", "--from", "now-1h", "--to", "now", "--reason", " "), "reason: 1 to 2000"),
    ],
)
def test_a_mistake_is_a_sentence(desk: Desk, argv: tuple[str, ...], said: str) -> None:
    ran = desk.ask(*argv)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_an_empty_store_says_that_nothing_was_counted(empty: Desk) -> None:
    ran = empty.ask("slo", "list")
    assert ran.code == 0
    assert "nothing to count in the period" in ran.out
    assert empty.ask("gate", "-m", "fraud").code == 0
    assert empty.ask("slo", "exclude", "list").out.startswith("nothing is excluded; `monitor slo exclude add")


def test_without_objectives_it_says_where_to_write_them(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'm.db'}"
    for command in ("list", "budget", "health"):
        ran = run("slo", command, "--store", store)
        assert ran.code == 0
        assert ran.out.startswith("no objectives: write them under models.MODEL.objectives")
        assert run("slo", command, "--store", store, "--format", "json").out == "[]\n"
    assert run("slo", "show", "availability", "--store", store).code == 2
