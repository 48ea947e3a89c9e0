"""The label decoder: what is a label, what is a dead letter, and that both paths agree."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ingest.labels import LabelDecoder
from monitor.records import Coded, DeadLetter, LabelBatch, Mixed
from tests.builders import NOW_MS, T0_MS, chunk, encode, label
from tests.ingest.mutation import mutated

HOUR_MS = 3_600_000


def decode(*messages: Any, decoder: LabelDecoder | None = None) -> tuple[LabelBatch, list[DeadLetter]]:
    values = [m if isinstance(m, bytes) else encode(m) for m in messages]
    decoded = (decoder or LabelDecoder()).decode(chunk(values))
    return decoded.batch, decoded.dead


def value_at(batch: LabelBatch, row: int) -> Any:
    """The label of a row as it was sent, lower case where it was a boolean."""
    if row in batch.lists:
        return batch.lists[row]
    column = batch.value
    if isinstance(column, Coded):
        return column.names[column.codes[row]]
    if isinstance(column, Mixed):
        assert not column.invalid[row]
        text = column.texts.names[column.texts.codes[row]]
        return text if text is not None else float(column.numbers[row])
    return float(column[row])


def seen(batch: LabelBatch) -> list[tuple[Any, ...]]:
    """Every row of a batch as plain values, in order."""
    return [
        (
            int(batch.positions[i]),
            int(batch.ts_ms[i]),
            int(batch.prediction_ts_ms[i]),
            batch.model.names[batch.model.codes[i]],
            batch.ids[i],
            batch.keys[i],
            batch.annotators.names[batch.annotators.codes[i]],
            value_at(batch, i),
            bool(batch.rating[i]),
            1.0 if batch.weight is None else float(batch.weight[i]),
        )
        for i in range(len(batch))
    ]


def test_a_full_label_becomes_columns() -> None:
    batch, dead = decode(
        label(
            key=77, prediction_ts=T0_MS, model="fraud", weight=2, annotator="ann", kind="rating", label=4.5
        ),
        label(),
    )
    assert dead == []
    assert seen(batch) == [
        (0, T0_MS + 1000, T0_MS, "fraud", "r-1", "77", "ann", 4.5, True, 2.0),
        (1, T0_MS + 1000, -1, None, "r-1", None, None, "yes", False, 1.0),
    ]


def test_a_label_without_a_time_became_known_when_it_arrived() -> None:
    batch, dead = decode(label(ts=...), label(ts=None), label())
    assert not dead
    assert batch.ts_ms.tolist() == [NOW_MS, NOW_MS, T0_MS + 1000]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1, 1.0),
        (-0.5, -0.5),
        ("", ""),
        ("spam", "spam"),
        (True, "true"),
        ([], ()),
        (["a", 7], ("a", "7")),
        ({"a": 3, "b": 0.5}, {"a": 3.0, "b": 0.5}),
        ("x" * 1000, "x" * 1000),
        (["i"] * 1000, ("i",) * 1000),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_a_label_is_a_number_a_text_a_boolean_a_list_or_grades(given: Any, kept: Any) -> None:
    for extra in ({}, {"unknown": 1}):
        batch, dead = decode(label(label=given, **extra))
        assert not dead
        assert value_at(batch, 0) == kept


BAD: list[tuple[str, Any, str]] = [
    ("no bytes", b"", "empty"),
    ("no JSON", b"{oops", "bad_json"),
    ("two labels in one", encode(label()) + encode(label()), "bad_json"),
    ("an array", b"[1]", "not_an_object"),
    ("neither id nor key", label(id=...), "missing_id"),
    ("a null id", label(id=None), "missing_id"),
    ("an empty id", label(id=""), "missing_id"),
    ("an empty key", label(id=..., key=""), "missing_id"),
    ("an id that is a boolean", label(id=True), "bad_type"),
    ("no label", label(label=...), "missing_label"),
    ("a null label", label(label=None), "missing_label"),
    ("a NaN label", label(label=float("nan")), "not_finite"),
    ("an infinite label", label(label=float("-inf")), "not_finite"),
    ("a label beyond floats", encode(label(label=0)).replace(b":0,", b":1e999,"), "not_finite"),
    ("an integer beyond floats", encode(label(label=10**400)), "not_finite"),
    ("a text of more than 1,000 characters", label(label="x" * 1001), "too_large"),
    ("a list of more than 1,000 entries", label(label=["x"] * 1001), "too_large"),
    ("a list with a long text", label(label=["x" * 1001]), "too_large"),
    ("a list of booleans", label(label=[True]), "bad_type"),
    ("a list of lists", label(label=[[]]), "bad_type"),
    ("a list with a null", label(label=["a", None]), "bad_type"),
    ("grades of text", label(label={"a": "good"}), "bad_type"),
    ("a null grade", label(label={"a": None}), "bad_type"),
    ("a negative grade", label(label={"a": -1}), "negative"),
    ("a ts in no known form", label(ts="yesterday"), "bad_ts"),
    ("a ts without an offset", label(ts="2023-11-14T22:14:00"), "bad_ts"),
    ("a ts in seconds", label(ts=1_700_000_040), "bad_ts"),
    ("a ts before the epoch", label(ts=-1), "bad_ts"),
    ("a ts past all calendars", label(ts=10**40), "bad_ts"),
    ("a ts more than an hour ahead", label(ts=NOW_MS + HOUR_MS + 1), "future_ts"),
    ("a prediction_ts in seconds", label(prediction_ts=1_700_000_040), "bad_ts"),
    ("a prediction_ts of -1", label(prediction_ts=-1), "bad_ts"),
    ("a prediction_ts more than an hour ahead", label(prediction_ts=NOW_MS + HOUR_MS + 1), "future_ts"),
    ("an empty model", label(model=""), "missing_model"),
    ("a model with a NUL", label(model="a\0b"), "bad_value"),
    ("a model that is a number", label(model=5), "bad_type"),
    ("a weight of zero", label(weight=0), "bad_value"),
    ("a negative weight", label(weight=-1), "bad_value"),
    ("an infinite weight", label(weight=float("inf")), "not_finite"),
    ("a weight in quotes", label(weight="1"), "bad_type"),
    ("an unknown kind", label(kind="guess"), "bad_value"),
    ("a kind that is a number", label(kind=1), "bad_type"),
    ("an empty annotator", label(annotator=""), "bad_value"),
    ("an annotator that is an object", label(annotator={}), "bad_type"),
    ("invalid UTF-8", encode(label()).replace(b"r-1", b"r-\xff"), "invalid_utf8"),
    ("half a surrogate pair", encode(label()).replace(b"r-1", b"\\ud800"), "invalid_utf8"),
    ("deep nesting", b"[" * 200_000, "too_deep"),
    ("deep nesting in an unknown field", b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "too_deep"),
    ("a 5 MB label", b'"' + b"x" * 5_000_000 + b'"', "too_large"),
]


@pytest.mark.parametrize(("message", "reason"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_message_that_is_no_label_becomes_a_dead_letter(message: Any, reason: str) -> None:
    decoder = LabelDecoder()
    for _ in range(2):
        batch, dead = decode(label(extra=1), message, label(id="r-3"), decoder=decoder)
        assert batch.ids == ["r-1", "r-3"]
        assert [(d.position, d.reason) for d in dead] == [(1, "label." + reason)]
        assert dead[0].where == "t[0]@1"
        assert len(dead[0].detail) > 5
        assert len(dead[0].payload) <= 65_536


def test_rfc_3339_and_milliseconds_mean_the_same() -> None:
    batch, dead = decode(label(ts="2023-11-14T22:14:00Z", prediction_ts="2023-11-14T23:14:00+01:00"))
    assert not dead
    assert (batch.ts_ms.tolist(), batch.prediction_ts_ms.tolist()) == ([T0_MS], [T0_MS])


def test_unknown_fields_are_counted_on_either_path_and_slow_no_one_for_long() -> None:
    decoder = LabelDecoder()
    values = [encode(label(extra=i, other={"deep": [1]})) for i in range(3000)]
    bad = encode(label(extra=1, ts=5))
    assert decoder.decode(chunk([*values, bad])).batch.unknown_fields == {"extra": 3000, "other": 3000}
    assert decoder.decode(chunk([bad, *values])).batch.unknown_fields == {"extra": 3000, "other": 3000}
    many = encode(label(**{f"f{i}": i for i in range(100)}))
    assert len(decoder.decode(chunk([many])).batch.unknown_fields) == 100


def test_an_empty_chunk_is_an_empty_batch() -> None:
    batch, dead = decode()
    assert (len(batch), dead) == (0, [])
    assert len(decode(b"")[0]) == 0


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)
names = st.sampled_from(
    ["id", "key", "label", "ts", "prediction_ts", "model", "weight", "annotator", "kind", "zzz", 'q"']
)


@given(st.lists(st.dictionaries(names, values, max_size=4), max_size=12), st.booleans())
@settings(max_examples=300, deadline=None)
def test_batching_changes_nothing(changes: list[dict[str, Any]], learnt: bool) -> None:
    messages = [encode(label(**change)) for change in changes]
    decoder = LabelDecoder()
    if learnt:
        decoder.decode(chunk([encode(label(zzz=1))]))
    together = decoder.decode(chunk(messages))
    one_by_one = [LabelDecoder().decode(chunk([m], first=i)) for i, m in enumerate(messages)]
    # The fast path may say the same in other words.
    said = [(d.position, d.reason, "" if learnt else d.detail) for d in together.dead]
    assert said == [
        (d.position, d.reason, "" if learnt else d.detail) for one in one_by_one for d in one.dead
    ]
    assert seen(together.batch) == [row for one in one_by_one for row in seen(one.batch)]
    counted: dict[str, int] = {}
    for one in one_by_one:
        for name, n in one.batch.unknown_fields.items():
            counted[name] = counted.get(name, 0) + n
    assert together.batch.unknown_fields == counted


@given(st.lists(st.tuples(values, st.booleans()), max_size=20))
def test_a_selection_is_what_would_have_been_decoded(rows: list[tuple[Any, bool]]) -> None:
    batch, _ = decode(*(label(id=f"i{i}", label=v) for i, (v, _) in enumerate(rows)))
    wanted = {f"i{i}" for i, (_, keep) in enumerate(rows) if keep}
    keep = np.array([i in wanted for i in batch.ids], np.bool_)
    assert seen(batch.select(keep)) == [row for row in seen(batch) if row[4] in wanted]


def test_50_000_mutated_labels_give_dead_letters_and_no_exception() -> None:
    rng = random.Random(7)
    good = [
        encode(label(id=f"r{i}", key=i, label=v, model="m", weight=1.5, annotator="a", kind="truth"))
        for i, v in enumerate([1.5, "yes", True, ["a", "b"], {"a": 1.0}] * 8)
    ]
    decoder = LabelDecoder()
    n_dead = n_good = 0
    for _ in range(25):
        messages = [mutated(rng, rng.choice(good)) for _ in range(2000)]
        decoded = decoder.decode(chunk(messages))
        assert len(decoded.batch) + len(decoded.dead) == len(messages)
        n_dead += len(decoded.dead)
        n_good += len(decoded.batch)
    assert n_dead > 15_000
    assert n_good > 5_000
