"""The section `retraining`, and what can be wrong with it."""

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.retraining.policy import Age, Budget, Drift, Policy, Quality
from monitor.retraining.settings import policies

GOOD = """\
store: sqlite:///monitor.db
source: {kafka: {bootstrap_servers: 'b:9092', topics: [t]}}
models: {fraud: {}}
retraining:
- model: fraud
  when:
    drift: {above: 0.2, windows: 3}
    quality: {sli: accuracy, below: 0.9}
    age: {of: data, above: 30d}
  cool_down: 7d
  budget: {runs: 4, per: 30d}
  approval: none
  webhook: {url: 'http://trainer/secret'}
  dry_run: false
"""
DAY_MS = 86_400_000


def load(tmp_path: Path, text: str) -> tuple[Policy, ...]:
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    return policies(load_config(path))


def test_a_policy_is_read(tmp_path: Path) -> None:
    (found,) = load(tmp_path, GOOD)
    assert found.webhook is not None
    assert found.webhook.url == "http://trainer/secret"
    assert found == Policy(
        "fraud",
        "fraud",
        Drift("model_drift", 0.2, 3, 3600),
        Quality("accuracy", 0.9, True, 500, 7 * 86_400),
        Age("data", 30 * DAY_MS),
        7 * DAY_MS,
        Budget(30 * DAY_MS, runs=4),
        needs_approval=False,
        webhook=found.webhook,
        dry_run=False,
    )


def test_neither_text_nor_dump_shows_the_webhook(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(GOOD)
    config = load_config(path)
    assert "secret" not in repr(config) + str(config.masked())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("model: fraud\n", "model: fraut\n", "5: retraining[0].model: there is no model 'fraut'"),
        ("below: 0.9", "min_labels: 5", "8: retraining[0].when.quality: needs below or above, and not both"),
        ("sli: accuracy", "sli: error_rate", "8: retraining[0].when.quality.sli: error_rate is no metric of"),
        (
            "sli: accuracy",
            "sli: acuracy",
            "8: retraining[0].when.quality.sli: there is no 'acuracy'; did you",
        ),
        ("above: 0.2", "above: -1", "7: retraining[0].when.drift.above: must be above 0"),
        ("runs: 4, ", "", "11: retraining[0].budget: says nothing; give runs, or amount and currency"),
        ("runs: 4", "amount: 4", "11: retraining[0].budget: needs amount and currency together"),
        ("runs: 4", "amount: 4, currency: EURO", "11: retraining[0].budget.currency: 'EURO' is no code of"),
        ("  webhook: {url: 'http://trainer/secret'}\n", "", "retraining[0].webhook: is missing"),
        ("webhook: {url:", "webhook: {uri:", "13: retraining[0].webhook.uri"),
        ("cool_down: 7d", "cool_down: soon", "10: retraining[0].cool_down: 'soon' is no duration"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as error:
        load(tmp_path, GOOD.replace(old, new))
    assert any(said in problem for problem in error.value.problems), error.value.problems


def test_two_policies_of_a_model_need_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, GOOD + "- {model: fraud, when: {age: {above: 1d}}}\n")
    assert "retraining[1].model: fraud is the name of another policy" in error.value.problems[0]
