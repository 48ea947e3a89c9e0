"""Routes, matchers and mistakes as the real amtool sees them."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.errors import ConfigError
from monitor.paging.document import load
from tests.servers import ServerFailed

TREES, SETS = 200, 10
NAMES, VALUES = ("owner", "severity", "model", "zone"), ("a", "b", "ab", "page", "")
REGEXES = ("a|b", "a.*", ".+", ".*", "(a|b)+", "[^a]", "", "page|ticket", "a?b")


def _matcher(rng: random.Random) -> str:
    name, operator = rng.choice(NAMES), rng.choice(("=", "=", "!=", "=~", "!~"))
    value = rng.choice(REGEXES if "~" in operator else VALUES)
    return f'{name}{operator}"{value}"'


def _node(rng: random.Random, depth: int, receivers: list[str]) -> dict[str, Any]:
    node: dict[str, Any] = {"matchers": [_matcher(rng) for _ in range(rng.randint(1, 2))]}
    if rng.random() < 0.2:
        node = {
            "match": {rng.choice(NAMES): rng.choice(VALUES)},
            "match_re": {rng.choice(NAMES): rng.choice(REGEXES)},
        }
    if rng.random() < 0.8:
        node["receiver"] = f"r{len(receivers)}"
        receivers.append(node["receiver"])
    if rng.random() < 0.4:
        node["continue"] = True
    if depth:
        node["routes"] = [_node(rng, depth - 1, receivers) for _ in range(rng.randint(0, 3))]
    return node


def _tree(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    receivers = ["root"]
    routes = [_node(rng, rng.randint(0, 3), receivers) for _ in range(rng.randint(1, 4))]
    return {"route": {"receiver": "root", "routes": routes}, "receivers": [{"name": n} for n in receivers]}


def _labels(rng: random.Random) -> dict[str, str]:
    return {name: rng.choice(VALUES[:-1]) for name in NAMES if rng.random() < 0.7}


def test_two_thousand_label_sets_go_where_amtool_says(amtool_run: Callable[..., str], tmp_path: Path) -> None:
    def differences(seed: int) -> list[str]:
        path = tmp_path / f"{seed}.yml"
        path.write_text(yaml.safe_dump(_tree(seed)))
        root, rng, wrong = load(path).route, random.Random(-seed - 1), []
        for _ in range(SETS):
            labels = _labels(rng)
            pairs = [f"{name}={value}" for name, value in labels.items()]
            theirs = amtool_run("config", "routes", "test", f"--config.file={path}", *pairs).strip()
            ours = ",".join(route.receiver for route in root.match(labels))
            if ours != theirs:
                wrong.append(f"{seed}: {labels}: {ours}, not {theirs}")
        return wrong

    with ThreadPoolExecutor(4) as pool:
        found = [line for lines in pool.map(differences, range(TREES)) for line in lines]
    assert found == []


GOOD: dict[str, Any] = {
    "global": {"resolve_timeout": "5m"},
    "route": {
        "receiver": "a",
        "group_by": ["alertname"],
        "group_wait": "30s",
        "routes": [
            {"matchers": ['x="y"', "z=~a|b"], "receiver": "b", "continue": True},
            {"match": {"q": "r"}, "mute_time_intervals": ["night"], "group_by": ["..."]},
        ],
    },
    "receivers": [{"name": "a"}, {"name": "b", "webhook_configs": [{"url": "http://127.0.0.1:1/"}]}],
    "inhibit_rules": [{"source_matchers": ["a=b"], "target_matchers": ["c=d"], "equal": ["e"]}],
    "time_intervals": [
        {
            "name": "night",
            "time_intervals": [
                {"times": [{"start_time": "00:00", "end_time": "24:00"}], "weekdays": ["monday:friday"]},
                {"days_of_month": ["1:5", "-3:-1"], "months": ["january:march"], "years": ["2026"]},
            ],
        }
    ],
}
# Where what stands in the good file, and whether both accept it.
CHANGES: list[tuple[tuple[str | int, ...], Any, bool]] = [
    ((), None, True),
    (("route", "receiver"), "c", False),
    (("route", "receiver"), None, False),
    (("route", "matchers"), ["a=b"], False),
    (("route", "match"), {"a": "b"}, False),
    (("route", "mute_time_intervals"), ["night"], False),
    (("route", "group_by"), ["a", "a"], False),
    (("route", "group_by"), ["...", "a"], False),
    (("route", "group_interval"), "0s", False),
    (("route", "repeat_interval"), "0s", False),
    (("route", "group_wait"), "0s", True),
    (("route", "group_wait"), "soon", False),
    (("route", "nonsense"), "1", False),
    (("route", "routes", 0, "receiver"), "c", False),
    (("route", "routes", 0, "matchers"), ["x=~("], False),
    (("route", "routes", 0, "matchers"), ["x"], False),
    (("route", "routes", 0, "matchers"), ['{a="b",c!~"d"}'], True),
    (("route", "routes", 0, "matchers"), ['a="b,c"', 'd="e\\"f"'], True),
    (("route", "routes", 0, "matchers"), ['a="b'], False),
    (("route", "routes", 1, "mute_time_intervals"), ["day"], False),
    (("receivers", 0, "name"), "b", False),
    (("receivers", 0, "name"), "", False),
    (("receivers", 1, "webhook_configs", 0, "nonsense"), "1", False),
    (("receivers", 1, "webhook_configs", 0, "url"), None, False),
    (("receivers", 1, "webhook_configs", 0, "url"), "no url", False),
    (("receivers", 1, "webhook_configs", 0, "max_alerts"), 3, True),
    (("inhibit_rules", 0, "source_matchers"), ["a"], False),
    (("inhibit_rules", 0, "source_match"), {"a": "b"}, True),
    (("time_intervals", 0, "name"), None, False),
    (("time_intervals", 0, "time_intervals", 0, "weekdays"), ["friday:monday"], False),
    (("time_intervals", 0, "time_intervals", 0, "weekdays"), ["funday"], False),
    (
        ("time_intervals", 0, "time_intervals", 0, "times"),
        [{"start_time": "25:00", "end_time": "26:00"}],
        False,
    ),
    (
        ("time_intervals", 0, "time_intervals", 0, "times"),
        [{"start_time": "10:00", "end_time": "09:00"}],
        False,
    ),
    (("time_intervals", 0, "time_intervals", 1, "days_of_month"), ["0"], False),
    (("time_intervals", 0, "time_intervals", 1, "days_of_month"), ["5:1"], False),
    (("time_intervals", 0, "time_intervals", 1, "days_of_month"), ["-1:5"], False),
    (("time_intervals", 0, "time_intervals", 1, "months"), ["march:january"], False),
    (("time_intervals", 0, "time_intervals", 1, "years"), ["2027:2026"], False),
]


@pytest.mark.parametrize(("place", "value", "good"), CHANGES)
def test_a_file_is_accepted_where_amtool_accepts_it(
    amtool_run: Callable[..., str], tmp_path: Path, place: tuple[str | int, ...], value: Any, good: bool
) -> None:
    document = yaml.safe_load(yaml.safe_dump(GOOD))
    if place:
        inner = document
        for part in place[:-1]:
            inner = inner[part]
        if value is None:
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(document))
    if good:
        amtool_run("check-config", str(path))
        load(path)
        return
    with pytest.raises(ServerFailed):
        amtool_run("check-config", str(path))
    with pytest.raises(ConfigError) as error:
        load(path)
    assert all(line.startswith(f"{path}:") for line in error.value.problems)


def test_a_thirteenth_month_is_refused_though_amtool_takes_it(
    amtool_run: Callable[..., str], tmp_path: Path
) -> None:
    """An intended difference: such an interval never comes."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(GOOD).replace("january:march", "13"))
    amtool_run("check-config", str(path))
    with pytest.raises(ConfigError, match="months are from 1 to 12"):
        load(path)
