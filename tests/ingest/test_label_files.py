"""Labels from CSV, Parquet and JSON lines: which messages they become, and what is said of bad files."""

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SourceError
from monitor.ingest.label_files import LabelColumns, read_labels
from monitor.ingest.label_values import FROM_TEXT
from monitor.ingest.labels import LabelDecoder
from tests.builders import T0_MS, chunk

PLAIN = LabelColumns()


def labels_in(path: Path, columns: LabelColumns = PLAIN) -> list[Any]:
    return [json.loads(line) for piece in read_labels(path, columns) for line in piece.lines]


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


CSV = """\
id,label,ts,prediction_ts,weight,annotator,other
007,1,1700000040000,,2.5,ann,x
b,true,2023-11-14 22:14:00,2023-11-14,,,
"c,d",spam,2023-11-14T23:14:00+0100,2023-11-14T22:14Z,,,
e,"{""a"": 3}",,,,,
f,"[""a"", ""b""]",,,,,
g,,,,,,
"""


def test_csv(tmp_path: Path) -> None:
    assert labels_in(written(tmp_path / "y.csv", "\ufeff" + CSV)) == [
        {"id": "007", "label": 1, "ts": T0_MS, "weight": 2.5, "annotator": "ann"},
        {"id": "b", "label": True, "ts": "2023-11-14T22:14:00Z", "prediction_ts": "2023-11-14T00:00:00Z"},
        {
            "id": "c,d",
            "label": "spam",
            "ts": "2023-11-14T23:14:00+01:00",
            "prediction_ts": "2023-11-14T22:14:00Z",
        },
        {"id": "e", "label": {"a": 3}},
        {"id": "f", "label": ["a", "b"]},
        {"id": "g"},
    ]


def test_what_a_csv_file_gives_is_taken_as_labels(tmp_path: Path) -> None:
    pieces = read_labels(written(tmp_path / "y.csv", CSV), PLAIN)
    decoded = LabelDecoder().decode(chunk([line for piece in pieces for line in piece.lines]))
    assert decoded.batch.ids == ["007", "b", "c,d", "e", "f"]
    assert decoded.batch.ts_ms.tolist()[:3] == [T0_MS] * 3
    assert [(d.position, d.reason) for d in decoded.dead] == [(5, "label.missing_label")]


def test_columns_by_other_names_and_a_model_for_all(tmp_path: Path) -> None:
    columns = LabelColumns({"key": "order", "label": "y", "ts": "day"}, "fraud")
    expected = [{"key": "a", "label": 1, "ts": "2023-11-14T00:00:00Z", "model": "fraud"}]
    path = written(tmp_path / "y.csv", "order,y,day,model\na,1,2023-11-14,other\n")
    assert labels_in(path, columns) == expected
    path = written(tmp_path / "y.jsonl", '{"order":"a","y":1,"day":"2023-11-14T00:00:00Z","model":"other"}')
    assert labels_in(path, columns) == expected


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "y.parquet"
    at = datetime(2023, 11, 14, 22, 14, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([7.0, None, 9.0]),
            "key": pa.array([None, "k", None]),
            "label": pa.array([Decimal("1.50"), Decimal("2.00"), None]),
            "ts": pa.array([at, None, at], pa.timestamp("us", "Europe/Berlin")),
            "prediction_ts": pa.array([date(2023, 11, 14), None, None]),
            "unused": pa.array([1, 2, 3]),
        }
    )
    pq.write_table(table, path)
    assert labels_in(path) == [
        {"id": 7, "label": 1.5, "ts": T0_MS, "prediction_ts": 1_699_920_000_000},
        {"key": "k", "label": 2.0},
        {"id": 9, "ts": T0_MS},
    ]


def test_parquet_of_lists_grades_and_texts_of_time(tmp_path: Path) -> None:
    grades = pa.array([[("a", 1.0)], []], pa.map_(pa.string(), pa.float64()))
    for name, label, expected in (
        ("lists", pa.array([["a", "b"], []]), [["a", "b"], []]),
        ("maps", grades, [{"a": 1.0}, {}]),
        ("structs", pa.array([{"a": 1, "b": None}, {"a": None, "b": 2}]), [{"a": 1}, {"b": 2}]),
        ("categories", pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
    ):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"id": [1, 2], "label": label, "ts": ["2023-11-14 22:14", None]}), path)
        assert [row["label"] for row in labels_in(path)] == expected
        assert labels_in(path)[0]["ts"] == "2023-11-14T22:14:00Z"


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_json_lines_as_they_are(tmp_path: Path, suffix: str) -> None:
    data = b'{"id": "a", "label": 1.0}\r\n\n{oops\n{"id":"b","label":NaN}'
    packed = {"": data, ".gz": gzip.compress(data), ".zst": zstandard.compress(data)}[suffix]
    path = written(tmp_path / f"y.jsonl{suffix}", packed)
    lines = [line for piece in read_labels(path, PLAIN) for line in piece.lines]
    assert lines == [b'{"id": "a", "label": 1.0}', b"{oops", b'{"id":"b","label":NaN}']
    renamed = read_labels(path, LabelColumns({"label": "y"}))
    assert len([line for piece in renamed for line in piece.lines]) == 3


def test_pieces_tell_how_much_was_read(tmp_path: Path) -> None:
    path = written(tmp_path / "y.csv", "id,label\n" + "".join(f"{i},1\n" for i in range(12_000)))
    pieces = list(read_labels(path, PLAIN))
    assert [len(p.lines) for p in pieces] == [5000, 5000, 2000]
    assert pieces[-1].read == path.stat().st_size
    assert sorted(p.read for p in pieces) == [p.read for p in pieces]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("y.txt", "", "is of no known kind; give CSV"),
        ("y.csv", "", "is empty; a CSV file has a header"),
        ("y.csv", "id,y\n", "has no column label; name it with --label-column; it has id, y"),
        (
            "y.csv",
            "a,label\n",
            "no column id or key; name one with --id-column or --key-column; it has a, label",
        ),
        ("y.csv", "id,id,label\n", "names the column id twice"),
        ("y.csv", "id,label\na,1,2\n", "line 2: has 3 fields where the header has 2"),
        ("y.csv", b"id,label\n\xff,1\n", "is not UTF-8"),
        ("y.csv.gz", b"id,label\na,1\n", "can't be read: not a gzipped file"),
        ("y.csv.gz", gzip.compress(b"id,label\na,1\n", mtime=0)[:-9], "can't be read"),
        ("y.jsonl.zst", b"nonsense", "can't be read"),
        ("y.json", '[{"id":1}]', "is a JSON array; write one object a line"),
        ("y.jsonl", "x" * 2_000_000, "line 1: has more than 1,048,576 bytes"),
        ("y.parquet", "nonsense", "is no readable Parquet file"),
    ],
)
def test_what_is_said_of_a_bad_file(tmp_path: Path, name: str, data: bytes | str, said: str) -> None:
    with pytest.raises(SourceError) as error:
        labels_in(written(tmp_path / name, data))
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert said in str(error.value)


def test_a_column_that_was_named_must_be_there(tmp_path: Path) -> None:
    path = written(tmp_path / "y.csv", "id,label\n")
    with pytest.raises(SourceError, match="has no column y; it has id, label"):
        labels_in(path, LabelColumns({"label": "y"}))


@given(st.text(), st.sampled_from(sorted(FROM_TEXT)))
def test_no_text_of_a_field_raises(text: str, name: str) -> None:
    value = FROM_TEXT[name](text)
    assert value is None or json.dumps(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(number: float) -> None:
    assert FROM_TEXT["label"](repr(number)) == number
    assert FROM_TEXT["weight"](f" {number!r} ") == number
