"""Rows as a table, as JSON and as CSV."""

import csv
import io
import json
import math
from typing import Any

import pytest

from monitor.cli.render import Format, render

ROWS: list[dict[str, Any]] = [
    {"model": "fraud", "segment": {"country": "DE"}, "value": 12.345678, "count": 1200, "late": True},
    {"model": "churn", "segment": {}, "value": None, "count": 0, "late": False},
]


def rendered(rows: list[dict[str, Any]], format: Format, **options: Any) -> str:
    out = io.StringIO()
    render(rows, format, out=out, **options)
    return out.getvalue()


def test_json_is_a_plain_array_with_null_for_nothing() -> None:
    text = rendered(ROWS, Format.JSON)
    assert json.loads(text) == ROWS
    assert len(text.splitlines()) == 4


def test_json_has_no_infinity() -> None:
    rows = [{"a": math.nan, "b": math.inf, "c": [1.5, -math.inf], "d": {"e": math.nan}}]
    assert json.loads(rendered(rows, Format.JSON), parse_constant=pytest.fail) == [
        {"a": None, "b": None, "c": [1.5, None], "d": {"e": None}}
    ]


def test_nothing_at_all() -> None:
    assert rendered([], Format.JSON) == "[]\n"
    assert rendered([], Format.CSV, columns=["a", "b"]) == "a,b\n"
    assert rendered([], Format.TABLE) == "nothing found\n"


def test_csv_is_read_back() -> None:
    rows = [{"a": 'x,"y"\nz', "b": None, "c": {"k": "v"}}]
    read = list(csv.DictReader(io.StringIO(rendered(rows, Format.CSV))))
    assert read == [{"a": 'x,"y"\nz', "b": "", "c": '{"k": "v"}'}]


def test_the_table() -> None:
    assert rendered(ROWS, Format.TABLE).splitlines() == [
        "model   segment      value   count   late",
        "─────────────────────────────────────────",
        "fraud   country=DE   12.35    1200   yes",
        "churn                    -       0   no",
    ]


def test_columns_choose_and_order() -> None:
    assert rendered(ROWS, Format.CSV, columns=["count", "model"]) == "count,model\n1200,fraud\n0,churn\n"


def test_rows_may_lack_columns() -> None:
    assert json.loads(rendered([{"a": 1}, {"b": 2}], Format.JSON)) == [
        {"a": 1, "b": None},
        {"a": None, "b": 2},
    ]


def test_names_from_the_stream_do_not_steer_the_terminal() -> None:
    text = rendered([{"model": "[bold]x[/bold]\x1b[31m\u202e\n:smile:"}], Format.TABLE)
    assert "[bold]x[/bold]\\x1b[31m\\u202e\\n:smile:" in text


def test_a_long_row_stays_a_line() -> None:
    assert len(rendered([{"a": "x" * 500, "b": "y" * 500}], Format.TABLE).splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (0.123456, "0.1235"), (0.000123456, "0.0001235"), (1e-9, "1.000e-09"), (12.0, "12"),
     (1234567.8, "1234568"), (-2.5, "-2.5"), (100.0, "100"), (1e20, "1.000e+20"), (math.nan, "-")],
)  # fmt: skip
def test_numbers_in_a_table(value: float, shown: str) -> None:
    assert rendered([{"v": value}], Format.TABLE).splitlines()[-1].strip() == shown
