"""Times and steps as people type them."""

import pytest

from monitor.errors import QueryError
from monitor.sli.times import parse_step_s, parse_time_ms

NOW_MS = 1_795_000_000_123
MIDNIGHT_MS = 1_795_392_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW_MS),
        ("now-1h", NOW_MS - 3_600_000),
        ("now - 1h30m", NOW_MS - 5_400_000),
        ("now+5m", NOW_MS + 300_000),
        ("2026-11-23", MIDNIGHT_MS),
        ("2026-11-23T00:00", MIDNIGHT_MS),
        ("2026-11-23T00:00:00Z", MIDNIGHT_MS),
        ("2026-11-23 00:00:00z", MIDNIGHT_MS),
        ("2026-11-23T01:00:00+01:00", MIDNIGHT_MS),
        ("2026-11-23T00:00:00.250Z", MIDNIGHT_MS + 250),
        ("2026-11-23T00:00:00.2509Z", MIDNIGHT_MS + 250),
        ("1795392000000", MIDNIGHT_MS),
    ],
)
def test_reads_times(text: str, ms: int) -> None:
    assert parse_time_ms("--from", text, NOW_MS) == ms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "--from: 'yesterday' is no time; write now, now-1h, 2026-11-23, "
         "2026-11-23T10:00:00Z or milliseconds since the epoch"),
        ("1795392000", "--from: 1795392000 looks like seconds; give milliseconds: 1795392000000"),
        ("now-1", "--from: '1' is no duration: write it with a unit, as 500ms, 10s, 5m, 1h or 14d; "
         "did you mean 1s?"),
        ("2026-02-30", "--from: '2026-02-30' is no time: day is out of range for month"),
        ("2026-11-23T24:30:00Z", "--from: '2026-11-23T24:30:00Z' is no time: hour must be in 0..23"),
    ],
)  # fmt: skip
def test_says_what_is_no_time(text: str, said: str) -> None:
    with pytest.raises(QueryError) as error:
        parse_time_ms("--from", text, NOW_MS)
    assert str(error.value) == said


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("1h", 3600), ("1d", 86_400), ("PT1M", 60)])
def test_reads_steps(text: str, seconds: int) -> None:
    assert parse_step_s("--step", text) == seconds


@pytest.mark.parametrize("text", ["0s", "500ms", "1.5s"])
def test_a_step_is_whole_seconds(text: str) -> None:
    with pytest.raises(QueryError, match=f"--step: '{text}' must be whole seconds, such as 30s, 5m or 1h"):
        parse_step_s("--step", text)
