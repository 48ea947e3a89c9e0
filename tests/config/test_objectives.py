"""Objectives in a file: what is said of each thing that can be wrong with them."""

from pathlib import Path

import pytest

from monitor.config import Config, load_config, warnings
from monitor.config.amounts import Amount, Written, in_unit, parse_amount, share_of
from monitor.errors import ConfigError
from tests.config.mistakes_objectives import CASES, VALID, WARNINGS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the test runs in, so that problems begin with the bare name of the file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> Config:
    Path("monitor.yaml").write_text(text)
    return load_config("monitor.yaml", {})


def changed(old: str, new: str) -> str:
    assert VALID.count(old) == 1, f"{old!r} must be in the valid file once"
    return VALID.replace(old, new)


@pytest.mark.parametrize(("old", "new", "said"), CASES.values(), ids=CASES)
def test_each_mistake_is_told_at_its_line(old: str, new: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load(changed(old, new))
    assert error.value.problems == [f"monitor.yaml:{problem}" for problem in said]


@pytest.mark.parametrize(("old", "new", "said"), WARNINGS.values(), ids=WARNINGS)
def test_what_works_but_not_as_one_may_think(old: str, new: str, said: list[str]) -> None:
    found = [f"{'.'.join(map(str, w.place))}: {w.sentence}" for w in warnings(load(changed(old, new)))]
    assert [warning for warning in found if not warning.startswith("source")] == said


def test_months_of_a_zone_that_is_off_by_half_an_hour() -> None:
    text = changed("objective: 99.9\n", "objective: 99.9\n        window: month\n")
    (warning,) = (w for w in warnings(load(text.replace("UTC", "Asia/Kolkata"))) if w.place[0] == "slo")
    assert warning.place == ("slo", "time_zone")
    assert "begin within an hour" in warning.sentence


def test_an_objective_of_its_own_name_needs_a_target_alone() -> None:
    said = load(VALID).models["fraud"].objectives["availability"]
    assert (said.objective, said.window, said.indicator) == (99.9, "30d", None)


@pytest.mark.parametrize(
    ("text", "amount", "unit", "value"),
    [
        ("95%", Amount(95, Written.PERCENT), "share", 0.95),
        ("0.95", Amount(0.95), "share", 0.95),
        ("1.5", Amount(1.5), "share", 1.5),
        ("300ms", Amount(300, Written.DURATION), "ms", 300),
        ("1h", Amount(3_600_000, Written.DURATION), "s", 3600),
        ("-0.2", Amount(-0.2), "index", -0.2),
    ],
)
def test_amounts_in_the_unit_of_their_indicator(text: str, amount: Amount, unit: str, value: float) -> None:
    assert parse_amount(text) == amount
    assert in_unit(amount, unit) == value
    assert parse_amount(str(amount)) == amount


def test_percentages_are_exact() -> None:
    assert [share_of(p) for p in (99.9, 99.99, 0.1, 2)] == [0.999, 0.9999, 0.001, 0.02]
