"""What people read: all that is known, nothing that isn't, and never a flood."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.paging.alert import Alert, Status, labels_of
from monitor.paging.message import Links, Message, Purpose, Told
from monitor.paging.templates import DEFAULT, Part, facts
from monitor.paging.templates.facts import KEYS
from monitor.paging.templates.times import length, moment
from tests.paging.messages import AT_MS, message, told

each_part = pytest.mark.parametrize("part", list(Part))
TEXTS = (Part.TEXT, Part.MARKDOWN, Part.HTML)
BARE = message(context={}, links=Links(), alerts=(told(annotations={}),))


def rendered(said: Message, part: Part = Part.TEXT) -> str:
    return DEFAULT.render(part, said)


def test_the_whole_of_a_page() -> None:
    assert (
        rendered(message())
        == """\
Firing since 13:51 UTC, for 12 min.

5.1 % of requests failed in the last hour.

Budget left:  31.4 %
Burn rate:    14.4 (1 spends the whole budget in its period)
Version:      2026.11.2
Deployed:     2026.11.2 at 13:38 UTC, 13 min before

First steps:
  # which version fails
  monitor query --model fraud --by version

Acknowledge:  https://monitor.example.com/a/abc
Incident:     https://monitor.example.com/incidents/7
Dashboard:    https://grafana.example.com/d/fraud

alertname=AvailabilityBudgetBurn, model=fraud, owner=risk, severity=page"""
    )


def test_the_end_of_it() -> None:
    said = message(status=Status.RESOLVED)
    assert (
        rendered(said, Part.TITLE) == "[RESOLVED] fraud: availability spends its budget 14.4 times too fast"
    )
    text = rendered(said)
    assert text.startswith("Began 13:51 UTC, ended 14:02 UTC after 11 min.\n")
    for gone in ("First steps", "Acknowledge", "Burn rate"):
        assert gone not in text


@pytest.mark.parametrize("part", TEXTS)
def test_what_is_not_known_is_not_mentioned(part: Part) -> None:
    text = rendered(BARE, part)
    for name in ("Budget left", "Burn rate", "Version", "Deployed", "First steps", "None", "http"):
        assert name not in text


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "[PAGE] fraud: availability spends its budget 14.4 times too fast"),
        ({"doubtful": True}, "(repeat) [PAGE] fraud: availability spends its budget 14.4 times too fast"),
        ({"severity": "ticket", "alerts": (told({"alertname": "A", "model": "m"}, {}),)}, "[TICKET] A m"),
        ({"alerts": (told({"a": "1"}, {}), told({"a": "2"}, {}))}, "[PAGE] fraud (2 alerts)"),
        ({"alerts": (told({"a": "1"}, {}), told({"a": "2"}, {})), "group_labels": ()}, "[PAGE] 2 alerts"),
        ({"alerts": (told({}, {}),)}, "[PAGE] an alert"),
        ({"purpose": Purpose.ESCALATION}, "[ESCALATED PAGE] fraud: availability spends its budget 14.4"),
        ({"purpose": Purpose.TEST, "alerts": ()}, "Test page for risk-primary: nothing is wrong"),
        ({"purpose": Purpose.DIGEST, "alerts": (), "text": "Drift, 3 models\nmore"}, "Drift, 3 models"),
        ({"alerts": (told({"a": "b"}, {"summary": "two\nlines"}),)}, "[PAGE] two lines"),
    ],
)
def test_one_line_says_what_is_the_matter(changed: dict[str, Any], title: str) -> None:
    assert rendered(message(**changed), Part.TITLE).startswith(title)


def test_a_storm_is_counted_not_listed() -> None:
    some = tuple(
        told({"alertname": "D", "model": f"m{i % 3}", "severity": ("page", "ticket")[i % 2], "n": str(i)}, {})
        for i in range(1_000)
    )
    said = message(alerts=some, truncated=500, context={})
    text = rendered(said)
    assert rendered(said, Part.TITLE) == "[PAGE] D fraud (1500 alerts)"
    assert "1500 firing:" in text
    assert "334 x m0 (167 page, 167 ticket)" in text
    assert "and 1490 more" in text
    assert len(text) < 3_000
    assert len(rendered(said, Part.SHORT)) <= 480


@each_part
def test_endless_annotations_are_cut_with_a_note(part: Part) -> None:
    endless = told({f"l{i:04}": "v" * 10_000 for i in range(1_000)}, {"description": "y" * 1_000_000})
    text = rendered(message(alerts=(endless,) * 30), part)
    assert len(text) <= 61_000
    if part in TEXTS:
        assert "(cut; 1,000,000 characters)" in text
        assert "950 more" in text or part is Part.MARKDOWN or "(cut;" in text


def test_a_repeat_says_that_it_is_one() -> None:
    for part in TEXTS:
        assert "This may be a repeat" in rendered(message(doubtful=True), part)


def test_times_are_those_of_the_team() -> None:
    berlin = message(context={"time_zone": "Europe/Berlin"})
    assert "Firing since 14:51 CET" in rendered(berlin)
    assert "Firing since 13:51 UTC" in rendered(message(context={"time_zone": "Nowhere/None"}))


@pytest.mark.parametrize(
    ("ms", "zone", "text"),
    [
        (AT_MS, "UTC", "14:03 UTC"),
        (AT_MS - 86_400_000, "UTC", "2026-11-22 14:03 UTC"),
        (AT_MS, "America/New_York", "09:03 EST"),
        (AT_MS, "America/Sao_Paulo", "11:03 UTC-03"),
        (10**18, "UTC", "an impossible time"),
    ],
)
def test_a_moment(ms: int, zone: str, text: str) -> None:
    assert moment(ms, zone, AT_MS) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5, "0 s"),
        (999, "0 s"),
        (45_000, "45 s"),
        (725_000, "12 min"),
        (7_500_000, "2 h 5 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_a_length(ms: int, text: str) -> None:
    assert length(ms) == text


def test_html_can_not_be_broken_into() -> None:
    evil = '"><script>alert(1)</script>'
    links = Links(incident="javascript:alert(1)", dashboard='https://x.example.com/"><script>')
    said = message(
        alerts=(told({"alertname": evil, "model": evil}, {"summary": evil}),), text=evil, links=links
    )
    text = rendered(said, Part.HTML)
    assert "<script" not in text
    assert "javascript:" not in text


@given(st.text(max_size=50), st.text(max_size=200), st.integers(-(10**15), 10**15), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_an_alert_says_all_parts_are_made(name: str, value: str, ms: int, ended: bool) -> None:
    alert = Alert(
        labels_of({"alertname": name, name: value}), ((name, value), ("summary", value)), ms, ms + 1, ms
    )
    some = (Told(alert, Status.RESOLVED if ended else Status.FIRING),)
    said = message(
        alerts=some, text=value, context={"version": value, "burn": ms, "deployment": {"at_ms": ms}}
    )
    assert set(facts(said)) == KEYS
    for part in Part:
        text = rendered(said, part)
        assert "\n" not in text or part in TEXTS
        assert not re.search(r"\n{3}", text) or part is Part.HTML
    _Closed().feed(rendered(said, Part.HTML))


class _Closed(HTMLParser):
    """Fails on a tag that ends before those within it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "context", [{"budget_left": "a lot", "burn": None}, {"deployment": "42"}, {"deployment": []}]
)
def test_a_context_of_other_shapes_is_shown_as_it_is(context: dict[str, Any]) -> None:
    text = rendered(replace(message(), context=context))
    for value in context.values():
        assert not value or str(value) in text
