"""What amtool knows nothing of: names of any text, ours in its file, and where mistakes are shown."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.paging.document import load
from monitor.paging.matching import matcher, matcher_text, parse_matcher, parse_matchers
from monitor.paging.times import TimeInterval
from tests.cli.run import run as monitor

FILE = """\
route:
  receiver: all
  routes:
  - matchers: ['"größe"="L"']
    receiver: large
  - matchers: [a=b]
  - matchers: [a=b]
receivers:
- name: all
- name: large
  webhook_configs: [{url: 'http://user:geheim@127.0.0.1/'}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(FILE)
    return path


def test_a_name_may_hold_any_text(file: Path) -> None:
    root = load(file).route
    assert [r.receiver for r in root.match({"größe": "L"})] == ["large"]
    assert [r.receiver for r in root.match({"größe": "M"})] == ["all"]


def test_nodes_of_the_same_matchers_are_told_apart(file: Path) -> None:
    ids = [route.id for route in load(file).route.routes]
    keys = [route.key for route in load(file).route.routes]
    assert len(set(ids)) == 3
    assert keys[1] == keys[2] == '{}/{a="b"}'


def test_a_secret_is_not_shown(file: Path) -> None:
    assert "geheim" not in repr(load(file))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("receiver: large", "receiver: larg", "5: route.routes[0].receiver: there is no receiver 'larg'"),
        (
            "webhook_configs",
            "wechat_configs",
            "11: receivers[1].wechat_configs: Alertmanager's wechat can't be",
        ),
        (
            "webhook_configs",
            "webhok_configs",
            "11: receivers[1].webhok_configs: means nothing here; there is",
        ),
        ("- name: all", "- nam: all", "9: receivers[0].name: is missing"),
        ("{url: ", "{urls: ", "11: receivers[1].webhook_configs[0].urls: no such key; did you mean url"),
        (
            "[a=b]\nrec",
            "[a=~'(']\nrec",
            "7: route.routes[2].matchers: \"'('\" is no regular expression: missing )",
        ),
    ],
)
def test_a_mistake_is_shown_with_its_line(file: Path, old: str, new: str, line: str) -> None:
    file.write_text(FILE.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load(file)
    assert any(text.startswith(f"{file}:{line}") for text in error.value.problems), error.value.problems


def test_a_file_that_is_none_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "am.yml"
    for content in (b"", b"- a", b"\xff\xfe", b"route: &r\n  routes: [*r]\nreceivers: [{name: a}]"):
        path.write_bytes(content)
        with pytest.raises(ConfigError):
            load(path)


def test_the_command_answers_with_receivers(file: Path) -> None:
    ran = monitor("route", "test", "--config.file", str(file), "größe=L")
    assert (ran.code, ran.out) == (0, "large\n")
    ran = monitor("route", "test", "--config.file", str(file), "--verify.receivers", "large", "a=b")
    assert (ran.code, ran.out) == (1, "all\n")
    assert "large" in monitor("route", "show", "--config.file", str(file)).out
    assert monitor("route", "test", "--config.file", str(file), "oops").code != 0


def test_what_nests_endlessly_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "am.yml"
    for depth in (250, 2_000):
        path.write_text("route: {receiver: a, routes: [" + "{routes: [" * depth + "]}" * depth + "]}\n")
        with pytest.raises(ConfigError):
            load(path)


def test_a_long_text_is_read_in_a_moment() -> None:
    """It took the square of its length: minutes for this one."""
    assert parse_matcher("a=b" + " " * 300_000 + "c").value.startswith("b ")
    with pytest.raises(ValueError, match="is no matcher") as error:
        parse_matcher("?" * 100_000)
    assert len(str(error.value)) < 400


def test_every_mistake_of_a_file_that_ours_names_is_told(tmp_path: Path, file: Path) -> None:
    file.write_text(FILE.replace("receiver: large", "receiver: larg").replace("- name: all", "- nam: all"))
    ours = tmp_path / "monitor.yaml"
    ours.write_text(
        f"source: {{files: {{path: {tmp_path}}}}}\npaging: {{to: embedded, config_file: {file}}}\n"
    )
    ran = monitor("check", "-c", str(ours))
    said = ran.out + ran.err
    assert "there is no receiver 'larg'" in said
    assert "receivers[0].name" in said


names = st.text(min_size=1, max_size=6) | st.sampled_from(["a", "owner", "__name__"])
texts = st.text(max_size=10)


@given(names, st.sampled_from(["=", "!="]), texts)
def test_a_matcher_is_read_back_as_it_was_written(name: str, operator: str, value: str) -> None:
    one = matcher(name, operator, value)
    assert parse_matcher(matcher_text(one)) == one
    assert parse_matchers("{" + matcher_text(one) + ", " + matcher_text(one) + ",}") == (one, one)


@given(st.text(max_size=30))
def test_any_other_text_is_an_error_that_shows_it(text: str) -> None:
    try:
        found = parse_matchers(text)
    except ValueError as e:
        found = ()
        said = str(e)
    else:
        said = "read"
    assert said
    assert all(m.name for m in found)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        (TimeInterval(minutes=((540, 1020),), zone="Europe/Berlin"), "2026-03-30T09:00", "2026-03-30T17:00"),
        (TimeInterval(minutes=((540, 1020),), zone="Europe/Berlin"), "2026-03-27T16:59", "2026-03-27T08:59"),
        (TimeInterval(weekdays=((1, 5),), zone="Europe/Berlin"), "2026-03-27T23:59", "2026-03-28T00:00"),
        (TimeInterval(weekdays=((0, 0),), zone="Europe/Berlin"), "2026-03-29T12:00", "2026-03-30T00:00"),
        (
            TimeInterval(days_of_month=((-1, -1),), zone="Europe/Berlin"),
            "2026-02-28T12:00",
            "2026-03-30T12:00",
        ),
        (
            TimeInterval(days_of_month=((29, 31),), zone="Europe/Berlin"),
            "2026-03-29T12:00",
            "2026-02-28T12:00",
        ),
        (TimeInterval(months=((3, 4),), zone="Europe/Berlin"), "2026-04-30T12:00", "2026-05-01T00:00"),
        (TimeInterval(years=((2026, 2026),), zone="Europe/Berlin"), "2026-12-31T23:59", "2027-01-01T00:00"),
    ],
)
def test_a_moment_is_held_against_the_local_calendar(
    interval: TimeInterval, inside: str, outside: str
) -> None:
    assert interval.contains(at(inside))
    assert not interval.contains(at(outside))
