"""The pieces of PromQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.durations import format_duration
from monitor.profiles.layout import Service
from monitor.slo.objective import Correct, Meter, Outcomes, Under
from monitor.slo.prometheus.promql import bad_and_all, duration, le, literal, matchers, number, selector
from monitor.web import metric_names
from monitor.web.families import le_label

_UNITS_S = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


@given(st.integers(0, 10**9))
def test_a_duration_says_its_seconds(seconds: int) -> None:
    written = duration(seconds)
    assert int(written[:-1]) * _UNITS_S[written[-1]] == seconds


@given(st.integers(1, 10**9))
def test_gauges_name_windows_alike(seconds: int) -> None:
    assert duration(seconds) == format_duration(seconds * 1000)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0s"), (90, "90s"), (300, "5m"), (21_600, "6h"), (259_200, "3d")]
)
def test_durations_are_in_the_largest_whole_unit(seconds: int, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"), [(1 - 0.999, "0.001"), (14.4, "14.4"), (14.4 * 0.001, "0.0144")]
)
def test_numbers_have_no_digits_that_nobody_meant(value: float, written: str) -> None:
    assert number(value) == written


@given(st.floats(0.001, 1e6))
def test_the_bucket_of_a_threshold_is_the_one_exposed(limit_ms: float) -> None:
    assert le(limit_ms) == le_label(limit_ms / 1000)


def test_labels_are_quoted() -> None:
    assert matchers({}) == ""
    assert selector("m", {"a": 'x"y\\z'}, 'b!=""') == 'm{a="x\\"y\\\\z",b!=""}'
    assert literal("{{ bad }}") == '{{ "{{" }} bad }}'


def test_the_metrics_are_those_that_monitor_exposes() -> None:
    names = " ".join(bad_and_all(Meter("m", Outcomes((Service.TIMEOUT,))), {}, ("model",), "5m"))
    assert metric_names.REQUESTS.name in names
    names = " ".join(bad_and_all(Meter("m", Under(300)), {}, ("model",), "5m"))
    assert f'{metric_names.LATENCY.name}_bucket{{le="0.3"}}' in names


def test_what_prometheus_does_not_count_is_refused() -> None:
    with pytest.raises(ValueError, match="no series"):
        bad_and_all(Meter("m", Correct()), {}, ("model",), "5m")
