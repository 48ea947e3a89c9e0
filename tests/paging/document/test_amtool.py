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
FIRST_TIMES = ("time_intervals", 0, "time_intervals", 0)
HTTP = ("receivers", 1, "webhook_configs", 0, "http_config")
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
    (("route", "continue"), True, False),
    (HTTP, {"basic_auth": {"username": "a", "password": "b"}, "bearer_token": "c"}, False),
    (HTTP, {"authorization": {"credentials": "c"}, "basic_auth": {"username": "a"}}, False),
    (HTTP, {"authorization": {"credentials": "c"}}, True),
    (("time_intervals", 0, "time_intervals", 0, "location"), "", True),
    (("time_intervals", 0, "time_intervals", 0, "location"), "Mars", False),
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


def changed(folder: Path, place: tuple[str | int, ...], value: Any) -> Path:
    """The good file with another value in a place; None takes it away."""
    document = yaml.safe_load(yaml.safe_dump(GOOD))
    if place:
        inner = document
        for part in place[:-1]:
            inner = inner[part]
        if value is None:
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(("place", "value", "good"), CHANGES)
def test_a_file_is_accepted_where_amtool_accepts_it(
    amtool_run: Callable[..., str], tmp_path: Path, place: tuple[str | int, ...], value: Any, good: bool
) -> None:
    path = changed(tmp_path, place, value)
    if good:
        amtool_run("check-config", str(path))
        load(path)
        return
    with pytest.raises(ServerFailed):
        amtool_run("check-config", str(path))
    with pytest.raises(ConfigError) as error:
        load(path)
    assert all(line.startswith(f"{path}:") for line in error.value.problems)


# Where what stands in the good file, that amtool says otherwise of than we do, and why.
INTENDED: list[tuple[str, tuple[str | int, ...], Any, bool]] = [
    ("such an interval never comes", (*FIRST_TIMES, "months"), ["13"], False),
    ("no time zone of ours is whatever a machine is set to", (*FIRST_TIMES, "location"), "Local", False),
    ("half of a pair of braces is a slip", ("route", "routes", 0, "matchers"), ["{a=b"], False),
    ("half of a pair of braces is a slip", ("route", "routes", 0, "matchers"), ["a=b}"], False),
    ("nothing would ever end by itself", ("global", "resolve_timeout"), "0s", False),
    (
        "OAuth isn't known",
        HTTP,
        {"oauth2": {"client_id": "a", "client_secret": "s", "token_url": "http://b/"}},
        False,
    ),
    ("WeChat isn't known", ("receivers", 0, "wechat_configs"), [{"api_secret": "a", "corp_id": "b"}], False),
    (
        "roles of AWS aren't known",
        ("receivers", 0, "sns_configs"),
        [{"topic_arn": "arn:aws:sns:us-east-2:1:x", "sigv4": {"region": "eu"}}],
        False,
    ),
    (
        "version 1 of its API is no more",
        ("receivers", 0, "pagerduty_configs"),
        [{"service_key": "y"}],
        False,
    ),
    (
        "a service of another name than its own is apprise's to reach",
        ("receivers", 0, "slack_configs"),
        [{"api_url": "http://chat.example.org/", "channel": "#a"}],
        False,
    ),
    (
        "the same",
        ("receivers", 0, "discord_configs"),
        [{"webhook_url": "http://chat.example.org/"}],
        False,
    ),
    ("names in UTF-8, as Prometheus 3 has them", ("route", "routes", 0, "matchers"), ['"ä b"=c'], True),
    ("the same", ("route", "routes", 0, "match"), {"ä": "b"}, True),
    ("the same", ("route", "group_by"), ["ä"], True),
    ("durations as in the rest of the configuration", ("route", "group_wait"), "1.5h", True),
    ("the same", ("route", "group_wait"), "1h1d", True),
    ("Go templates aren't read at all", ("templates",), ["[z"], True),
]


@pytest.mark.parametrize(("reason", "place", "value", "ours"), INTENDED)
def test_what_is_taken_otherwise_than_by_amtool(
    amtool_run: Callable[..., str],
    tmp_path: Path,
    reason: str,
    place: tuple[str | int, ...],
    value: Any,
    ours: bool,
) -> None:
    path = changed(tmp_path, place, value)
    if ours:
        load(path)
        with pytest.raises(ServerFailed):
            amtool_run("check-config", str(path))
        return
    amtool_run("check-config", str(path))
    with pytest.raises(ConfigError):
        load(path)
