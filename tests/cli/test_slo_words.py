"""Shares, rates and times as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import slo_words as words


@pytest.mark.parametrize(
    ("share", "target", "said"),
    [
        (1.0, 0.999, "100.000 %"),
        (0.9999996, 0.999, "99.999 %"),  # one failure is never rounded away
        (0.99899999, 0.999, "99.899 %"),  # nor is a target just missed
        (0.999, 0.999, "99.900 %"),
        (0.9731, 0.95, "97.31 %"),
        (0.3, 0.5, "30.0 %"),
        (0.0, 0.9, "0.0 %"),
    ],
)
def test_compliance_never_looks_better_than_it_is(share: float, target: float, said: str) -> None:
    assert words.compliance(share, target) == said


@given(st.floats(0, 1), st.floats(0.5, 0.99999))
def test_compliance_is_cut_never_raised(share: float, target: float) -> None:
    shown = float(str(words.compliance(share, target)).removesuffix(" %"))
    assert shown <= share * 100 + 1e-6


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "100 %"),
        (0.9999, "99 %"),
        (0.042, "4.2 %"),
        (0.0, "0.0 %"),
        (-0.05, "-5.0 %"),
        (-4.126, "-413 %"),
    ],
)
def test_what_is_left(share: float, said: str) -> None:
    assert words.left(share) == said


def test_rates() -> None:
    assert [words.burn_rate(x) for x in (None, 0.0, 0.04, 14.44, 1000.0)] == [
        None,
        "0",
        "<0.1",
        "14.4",
        "1000",
    ]


def test_events() -> None:
    assert [words.events(x) for x in (0.0, 12.0, 12.5, 119_748.0, 1234.5)] == [
        "0",
        "12",
        "12.5",
        "119,748",
        "1,234",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (45, "45s"),
        (90, "1m"),
        (3600, "1h"),
        (5400, "1h 30m"),
        (90_000, "1d 1h"),
        (86_400 * 12, "12d"),
    ],
)
def test_how_long(seconds: int, said: str) -> None:
    assert words.within(seconds) == said


def test_a_span_names_its_day_once() -> None:
    assert words.span("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z") == "2026-11-23 10:00:00 to 12:00:00"
    two_days = words.span("2026-11-23T10:00:00Z", "2026-11-24T12:00:00Z")
    assert two_days == "2026-11-23 10:00:00 to 2026-11-24 12:00:00"


def test_targets() -> None:
    assert [words.target(x) for x in (0.999, 0.95, 0.9999)] == ["99.9 %", "95 %", "99.99 %"]
