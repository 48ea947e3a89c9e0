"""Durations and sizes, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.durations import format_duration, format_size, parse_duration_ms, parse_size


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("0s", 0),
        ("500ms", 500),
        ("10s", 10_000),
        ("1.5s", 1500),
        ("0.29s", 290),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("14d", 14 * 86_400_000),
        ("2w", 14 * 86_400_000),
        ("5y", 1825 * 86_400_000),
        (" 10s ", 10_000),
        ("PT5M", 300_000),
        ("PT0.5S", 500),
        ("P1DT12H", 129_600_000),
        ("P2W", 14 * 86_400_000),
    ],
)
def test_reads_durations(text: str, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-5s", "5 m", "5M", "1h 30m", "P", "PT", "P1M", "1e3s", "ten", "٣s"]
)
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration: write it with a unit"):
        parse_duration_ms(text)


def test_refuses_what_is_finer_than_a_millisecond() -> None:
    with pytest.raises(ValueError, match="finer than a millisecond"):
        parse_duration_ms("0.5ms")


@given(st.integers(0, 10**15))
def test_a_duration_is_read_back(ms: int) -> None:
    assert parse_duration_ms(format_duration(ms)) == ms


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1024", 1024),
        ("1MiB", 1 << 20),
        ("1.5 KiB", 1536),
        ("64kB", 64_000),
        ("1GB", 10**9),
        ("7B", 7),
    ],
)
def test_reads_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1 megabyte", "-1", "1mib", "1.5B", "0.3KiB"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (size|whole number of bytes)"):
        parse_size(text)


@given(st.integers(0, 10**15))
def test_a_size_is_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size
