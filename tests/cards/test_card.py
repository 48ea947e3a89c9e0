"""Cards and audits of a store, by command line."""

import json
from pathlib import Path

import pytest

from monitor.store import Store
from monitor.store.engine import writing
from monitor.store.events import write
from tests.builders import NOW_MS, record
from tests.cards.making import happened
from tests.cli.run import run
from tests.filling import fill

CONFIG = """
store: sqlite:///{path}/m.db
source: {{files: {{path: {path}}}}}
models:
  fraud:
    owner: risk
    card:
      purpose: stops <b>stolen</b> cards
      contact: risk@example.org
      runbook: https://wiki/fraud
      groups: plan
    objectives:
      availability: {{objective: 99}}
"""
AT_MS = NOW_MS - 60_000


@pytest.fixture
def config(tmp_path: Path, store: Store) -> str:
    fill(store, [record(id=f"r-{i}", status=500 if i < 3 else 200) for i in range(100)])
    run_7 = {
        **{"id": "r-7", "data_version": "v12", "data_until": AT_MS - 100_000, "log_url": "https://ci/7"},
        **{"metrics": {"roc_auc": 0.81, "accuracy": 0.9}, "cost": 3, "currency": "EUR"},
    }
    deployed = {
        **{"version": 3, "traffic_share": ..., "run_id": "r-7", "by": "ci", "approver": "ada"},
        "artifact_digest": "sha256:ab",
    }
    events = happened(
        ("training_run", AT_MS - 3, run_7),
        ("registry", AT_MS - 2, {"version": 3}),
        ("deployment", AT_MS - 1, deployed),
        ("cost", AT_MS - 1, {"tags": {"model": "fraud"}}),
        ("registry", AT_MS + 30_000, {"version": 9}),
        ("registry", AT_MS, {"model": "churn", "version": 1}),
    )
    with writing(store.engine) as connection:
        write(store, connection, events)
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG.format(path=tmp_path))
    return str(path)


def test_a_card_tells_where_a_version_comes_from(config: str) -> None:
    made = run("model", "card", "fraud", "--at", str(AT_MS), "-c", config)
    assert made.code == 0
    lineage = made.out.split("## Lineage\n\n")[1].split("\n\n## Baselines")[0]
    assert lineage.splitlines() == [
        "### Version 3",
        "",
        "- Data: v12, until 2023-11-14T23:11:20Z",
        "- Training run: r-7 succeeded at 2023-11-14T23:12:59.997Z, cost 3 EUR, log https://ci/7",
        "- Metrics of the run: accuracy 0.9, roc_auc 0.81",
        "- Registry: mlflow has it in production since 2023-11-14T23:12:59.998Z",
        "- Deployment: succeeded in production at 2023-11-14T23:12:59.999Z, commit 3f2a, by ci, "
        "artifact sha256:ab, approved by ada",
    ]
    assert "- Purpose: stops &lt;b>stolen&lt;/b> cards" in made.out
    assert "- In production: version 3\n" in made.out
    assert "| availability | all | requests without server errors or timeouts | 0.99 | 0.97 |" in made.out
    assert "- Tagged: 12.50 EUR in 30 days\n- Training runs: 3.00 EUR in 30 days" in made.out
    assert "- labels: no label came" in made.out
    assert "approval" not in made.out
    assert "By plan: not known: by: there is no 'plan'" in made.out


def test_the_same_moment_gives_the_same_card(config: str) -> None:
    first = run("model", "card", "fraud", "--at", str(AT_MS), "-c", config)
    assert run("model", "card", "fraud", "--at", str(AT_MS), "-c", config).out == first.out
    shown = json.loads(run("model", "card", "fraud", "--format", "json", "-c", config).out)
    # Without a time it is the newest moment that is stored.
    assert shown["at"] == "2023-11-14T23:13:30Z"
    assert [v["version"] for v in shown["versions"]] == ["9", "3"]


def test_a_model_that_nobody_knows_is_named(config: str) -> None:
    made = run("model", "card", "fraut", "-c", config)
    assert (made.code, made.err) == (2, "monitor: model: there is no 'fraut'; did you mean 'fraud'?\n")


def test_the_audit_lists_what_is_missing_of_each_registered_model(config: str) -> None:
    found = run("audit", "-c", config, "--format", "json")
    assert found.code == 0
    missing = {one["model"]: [gap["part"] for gap in one["missing"]] for one in json.loads(found.out)}
    assert missing == {
        "churn": [
            *("owner", "logs", "labels", "objectives", "runbook", "approval", "baseline", "card"),
        ],
        "fraud": ["labels", "baseline"],
    }


def test_a_strict_audit_fails_while_something_is_missing(config: str) -> None:
    strict = run("model", "audit", "--strict", "--model", "fraud", "-c", config)
    assert strict.code == 1
    assert "no label came" in strict.out
    assert run("audit", "--model", "fraud", "-c", config).code == 0


def test_groups_must_be_a_segment_that_is_kept(config: str) -> None:
    path = Path(config)
    path.write_text(path.read_text().replace("owner: risk", "owner: risk\n    segments: [country]"))
    wrong = run("check", "-c", config)
    assert wrong.code != 0
    assert "models.fraud.card.groups: is plan, which segments lacks" in wrong.out + wrong.err
