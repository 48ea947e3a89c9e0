"""The decoder: what is a record, what is a dead letter, and that both paths agree."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ingest.decode import Decoder
from monitor.ingest.shape import Limits
from monitor.records import Batch, Coded, DeadLetter, Mixed
from tests.builders import NOW_MS, T0_MS, chunk, encode, record
from tests.ingest.mutation import mutated

HOUR_MS = 3_600_000


def decode(*messages: Any) -> tuple[Batch, list[DeadLetter]]:
    values = [m if isinstance(m, bytes) else encode(m) for m in messages]
    decoded = Decoder().decode(chunk(values))
    return decoded.batch, decoded.dead


def test_a_full_record_becomes_columns() -> None:
    batch, dead = decode(
        record(
            queue_ms=1,
            feature_ts=T0_MS - 5000,
            sample_rate=0.25,
            tokens_in=7,
            cost=0.5,
            mode="edge",
            shadow=True,
            cold_start=True,
            attributions={"amount": -0.5},
        )
    )
    assert dead == []
    assert batch.ts_ms.tolist() == [T0_MS]
    assert batch.measures["feature_age_ms"].tolist() == [5000]
    assert batch.weight is not None
    assert batch.weight.tolist() == [4.0]
    assert (batch.mode[0], batch.shadow[0], batch.cold_start[0]) == (2, True, True)
    assert batch.amounts["tokens_in"].tolist() == [7]
    assert batch.trace_ids == ["0af7651916cd43dd8448eb211c80319c"]
    (block,) = batch.features
    assert block.columns["amount"].tolist() == [10.0]  # type: ignore[union-attr]  # a number column
    plan, new = block.columns["plan"], block.columns["new"]
    assert isinstance(plan, Coded)
    assert plan.names[plan.codes[0]] == "basic"
    assert isinstance(new, Coded)
    assert new.names[new.codes[0]] == "true"
    assert block.attributions["amount"].tolist() == [-0.5]


BAD: list[tuple[str, Any, str]] = [
    ("no bytes", b"", "empty"),
    ("no JSON", b"{oops", "bad_json"),
    ("trailing bytes", encode(record()) + b" x", "bad_json"),
    ("two records in one", encode(record()) + encode(record()), "bad_json"),
    ("an array", b"[1]", "not_an_object"),
    ("null", b"null", "not_an_object"),
    ("no id", record(id=...), "missing_id"),
    ("a null id", record(id=None), "missing_id"),
    ("an empty id", record(id=""), "missing_id"),
    ("an id that is an object", record(id={}), "bad_type"),
    ("no ts", record(ts=...), "missing_ts"),
    ("no model", record(model=...), "missing_model"),
    ("an empty model", record(model=""), "missing_model"),
    ("a model that is a number", record(model=5), "bad_type"),
    ("a ts in no known form", record(ts="yesterday"), "bad_ts"),
    ("a ts without an offset", record(ts="2023-11-14T22:14:00"), "bad_ts"),
    ("a ts in seconds", record(ts=1_700_000_040), "bad_ts"),
    ("a ts before the epoch", record(ts=-5), "bad_ts"),
    ("a ts past all calendars", record(ts=10**40), "bad_ts"),
    ("a boolean ts", record(ts=True), "bad_type"),
    ("a ts more than an hour ahead", record(ts=NOW_MS + HOUR_MS + 1), "future_ts"),
    ("a negative latency", record(latency_ms=-0.001), "negative"),
    ("a NaN latency", record(latency_ms=float("nan")), "not_finite"),
    ("an infinite latency", record(latency_ms=float("inf")), "not_finite"),
    ("a latency beyond floats", encode(record()).replace(b"12.5", b"1e999"), "not_finite"),
    ("a latency in quotes", record(latency_ms="12"), "bad_type"),
    ("negative tokens", record(tokens_in=-1), "negative"),
    ("a sample rate of zero", record(sample_rate=0), "bad_value"),
    ("a sample rate above one", record(sample_rate=1.5), "bad_value"),
    ("an unknown mode", record(mode="offline"), "bad_value"),
    ("an unknown status", record(status="meh"), "bad_value"),
    ("a status that is no HTTP code", record(status=42), "bad_value"),
    ("features that are no object", record(features=[1]), "bad_type"),
    ("a segment with an object inside", record(segment={"a": {}}), "bad_type"),
    ("invalid UTF-8", encode(record()).replace(b"r-1", b"r-\xff"), "invalid_utf8"),
    ("half a surrogate pair", encode(record()).replace(b"r-1", b"\\ud800"), "invalid_utf8"),
    ("deep nesting", b"[" * 200_000, "too_deep"),
    ("deep nesting in an unknown field", b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "too_deep"),
    ("a 50 MB value", b'"' + b"x" * 50_000_000 + b'"', "too_large"),
]


@pytest.mark.parametrize(("message", "reason"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_message_that_is_no_record_becomes_a_dead_letter(message: Any, reason: str) -> None:
    batch, dead = decode(record(), message, record(id="r-3"))
    assert batch.ids == ["r-1", "r-3"]
    assert [(d.position, d.reason) for d in dead] == [(1, reason)]
    assert dead[0].where == "t[0]@1"
    assert len(dead[0].detail) > 5
    assert len(dead[0].payload) <= 65_536


@pytest.mark.parametrize(("message", "reason"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_the_verdict_is_the_same_once_the_decoder_has_learnt(message: Any, reason: str) -> None:
    decoder = Decoder()
    full = record(
        queue_ms=1.0, tokens_in=3, sample_rate=1.0, mode="online", cold_start=False, shadow=False, extra=1
    )
    decoder.decode(chunk([encode(full)] * 3))
    value = message if isinstance(message, bytes) else encode(message)
    decoded = decoder.decode(chunk([encode(full), value]))
    assert [(d.position, d.reason) for d in decoded.dead] == [(1, reason)]


def test_rfc_3339_and_milliseconds_mean_the_same() -> None:
    batch, dead = decode(
        record(ts="2023-11-14T22:14:00Z"), record(ts="2023-11-14T23:14:00.000+01:00"), record(ts=T0_MS + 0.75)
    )
    assert not dead
    assert batch.ts_ms.tolist() == [T0_MS, T0_MS, T0_MS]


def test_unknown_fields_are_counted_on_either_path() -> None:
    decoder = Decoder()
    values = [encode(record(extra=i, other={"deep": [1]})) for i in range(3000)]
    decoded = decoder.decode(chunk([*values, encode(record())]))
    assert decoded.batch.unknown_fields == {"extra": 3000, "other": 3000}
    assert decoder.decode(chunk(values)).batch.unknown_fields == {"extra": 3000, "other": 3000}


def test_what_goes_over_the_limits_is_left_out_and_counted() -> None:
    decoder = Decoder(Limits(models=2, features=2, segment_labels=1, unknown_fields=1))
    batch = decoder.decode(
        chunk(
            [
                encode(record(model="a", features={"x": 1, "y": 2, "z": 3}, segment={"p": 1, "q": 2})),
                encode(record(model="b", u=1, v=2)),
                encode(record(model="c", w=3)),
            ]
        )
    ).batch
    assert [batch.model.names[c] for c in batch.model.codes] == ["a", "b", "other"]
    assert set(batch.segments) == {"p"}
    assert batch.unknown_fields["features.* (over the limit)"] >= 1
    assert batch.unknown_fields["segment.* (over the limit)"] >= 1
    assert batch.unknown_fields["model (over the limit)"] == 1
    assert (batch.unknown_fields["v"], batch.unknown_fields["w"]) == (1, 1)


def test_a_feature_that_changes_its_type_is_kept_and_told_apart() -> None:
    batch, dead = decode(
        record(features={"x": 1.5}),
        record(features={"x": "1.5"}),
        record(features={"x": None}),
        record(features={"x": [1, None]}),
        record(features={"x": float("nan")}),
        record(features={"x": True}),
        record(features={}),
    )
    assert not dead
    (column,) = (b.columns["x"] for b in batch.features)
    assert isinstance(column, Mixed)
    np.testing.assert_array_equal(column.numbers, [1.5, np.nan, np.nan, np.nan, np.inf, np.nan, np.nan])
    texts = [column.texts.names[c] for c in column.texts.codes]
    assert texts == [None, "1.5", None, None, None, "true", None]
    assert column.invalid.tolist() == [False, False, False, True, False, False, False]


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def seen(batch: Batch) -> list[tuple[Any, ...]]:
    """Every row of a batch as plain values, in order."""
    rows: list[list[Any]] = [[] for _ in range(len(batch))]
    for i, row in enumerate(rows):
        coded = {"model": batch.model, "version": batch.version, "endpoint": batch.endpoint}
        row += [batch.ids[i], int(batch.ts_ms[i]), batch.trace_ids[i]]
        row += [(k, c.names[c.codes[i]]) for k, c in (coded | dict(batch.segments)).items()]
        row += [int(batch.outcome[i]), int(batch.mode[i]), bool(batch.cold_start[i]), bool(batch.shadow[i])]
        row += [repr(v[i]) for _, v in sorted(batch.measures.items()) if not np.isnan(v[i])]
    for block in batch.features:
        for name, column in sorted(block.columns.items()):
            for at, i in enumerate(block.rows.tolist()):
                rows[i].append((name, _value(column, at)))
    return [tuple(x for x in row if not (isinstance(x, tuple) and x[1] is None)) for row in rows]


def _value(column: Any, at: int) -> Any:
    if isinstance(column, Coded):
        return column.names[column.codes[at]]
    if isinstance(column, Mixed):
        if column.invalid[at]:
            return "invalid"
        text = column.texts.names[column.texts.codes[at]]
        return text if text is not None else _value(column.numbers, at)
    return None if np.isnan(column[at]) else float(column[at])


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "ts",
                    "model",
                    "version",
                    "segment",
                    "status",
                    "error_type",
                    "latency_ms",
                    "mode",
                    "features",
                    "prediction",
                    "score",
                    "scores",
                    "feature_ts",
                    "cold_start",
                    "sample_rate",
                    "zzz",
                ]
            ),
            values,
            max_size=4,
        ),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_batching_changes_nothing(changes: list[dict[str, Any]]) -> None:
    messages = [encode(record(**c, **({} if "features" in c else {"features": c}))) for c in changes]
    together = Decoder().decode(chunk(messages))
    one_by_one = [Decoder().decode(chunk([m], first=i)) for i, m in enumerate(messages)]
    assert [(d.position, d.reason, d.detail) for d in together.dead] == [
        (d.position, d.reason, d.detail) for one in one_by_one for d in one.dead
    ]
    assert seen(together.batch) == [row for one in one_by_one for row in seen(one.batch)]


def test_100_000_mutated_records_give_dead_letters_and_no_exception() -> None:
    rng = random.Random(7)
    good = [encode(record(id=f"r{i}", queue_ms=i, scores={"yes": 0.5}, mode="online")) for i in range(50)]
    decoder = Decoder()
    n_dead = n_good = 0
    for _ in range(50):
        messages = [mutated(rng, rng.choice(good)) for _ in range(2000)]
        decoded = decoder.decode(chunk(messages))
        assert len(decoded.batch) + len(decoded.dead) == len(messages)
        n_dead += len(decoded.dead)
        n_good += len(decoded.batch)
    assert n_dead > 30_000
    assert n_good > 10_000


def test_business_keys_are_kept_where_there_are_some() -> None:
    batch, dead = decode(record(), record(id="r-2", key=77), record(id="r-3", key=""), record(key="k"))
    assert not dead
    assert batch.keys == [None, "77", None, "k"]
    assert batch.select(np.array([False, True, False, True])).keys == ["77", "k"]
    assert decode(record())[0].keys is None
    assert decode(record(key=""), record(key=None))[0].keys is None


def test_a_list_of_items_is_a_ranking_with_no_prediction_beside() -> None:
    batch, dead = decode(
        record(), record(prediction=["b", 7, "a"]), record(prediction=[]), record(prediction=["x"] * 150)
    )
    assert not dead
    assert batch.rankings == {1: ("b", "7", "a"), 2: (), 3: ("x",) * 100}
    assert batch.select(np.array([False, False, True, True])).rankings == {0: (), 1: ("x",) * 100}
    (block,) = batch.features
    column = block.columns["@prediction"]
    assert isinstance(column, Coded)
    assert [column.names[c] for c in column.codes] == ["yes", None, None, None]


@pytest.mark.parametrize("prediction", [{"a": 1}, [["a"]], [True], ["a", None], [1.5]], ids=repr)
def test_a_prediction_of_other_things_is_a_dead_letter_on_either_path(prediction: Any) -> None:
    for good in ("yes", 1.5, ["a"]):
        batch, dead = decode(record(prediction=good), record(prediction=prediction), record(prediction=2))
        assert [(d.position, d.reason) for d in dead] == [(1, "bad_type")]
        assert len(batch) == 2


def test_a_long_text_is_cut_for_those_who_keep_it() -> None:
    batch, dead = decode(record(prediction="x" * 1000), record(prediction="x" * 5000))
    assert not dead
    (block,) = batch.features
    column = block.columns["@prediction"]
    assert isinstance(column, Coded)
    assert [column.names[c] for c in column.codes] == ["x" * 1000, "x" * 999 + "\N{HORIZONTAL ELLIPSIS}"]


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        ({"score": 0.1, "scores": {"no": 0.7, "yes": 0.3}}, 0.1),
        ({"scores": {"no": 0.7, "yes": 0.3}, "prediction": "no"}, 0.3),
        ({"scores": {"True": 0.2, "False": 0.8}, "prediction": False}, 0.2),
        ({"scores": {"0": 0.9, "1": 0.1}, "prediction": 0}, 0.1),
        ({"scores": [0.6, 0.4], "prediction": "no"}, 0.4),
        ({"scores": {"spam": 0.2, "ham": 0.8}, "prediction": "ham"}, 0.8),
        ({"model": "mail", "scores": {"Spam": 0.2, "ham": 0.8}, "prediction": "ham"}, 0.2),
        ({"scores": {"a": 0.2, "b": 0.5, "yes": 0.3}, "prediction": "a"}, 0.2),
        ({"scores": [0.2, 0.5, 0.3], "prediction": "a"}, 0.5),
        ({"scores": {"0": 0.2, "1": 0.3, "2": 0.5}, "prediction": 1}, 0.3),
        ({"scores": {}}, None),
    ],
)
def test_the_score_of_two_classes_is_that_of_the_positive_one(
    fields: dict[str, Any], score: float | None
) -> None:
    decoder = Decoder(positive={"mail": "spam"})
    batch = decoder.decode(chunk([encode(record(**{"score": ..., **fields}))])).batch
    (column,) = (b.columns["@score"] for b in batch.features)
    assert isinstance(column, np.ndarray)
    assert (None if np.isnan(column[0]) else column[0]) == score


def test_the_scores_of_three_classes_or_more_are_kept_where_there_is_no_one_score() -> None:
    batch, dead = decode(
        record(scores={"a": 0.2, "b": 0.5, "c": 0.3}, prediction="b", score=None),
        record(scores={"a": 0.2, "b": 0.5, "c": 0.3}, prediction="b", score=0.7),
        record(scores={"no": 0.2, "yes": 0.8}, prediction="no", score=None),
        record(scores=[0.2, 0.5, 0.3], prediction=2, score=None),
        record(scores=[0.2, 0.5, 0.3], prediction="c", score=None),
    )
    assert not dead
    three = {"0": 0.2, "1": 0.5, "2": 0.3}
    assert batch.class_scores == {0: {"a": 0.2, "b": 0.5, "c": 0.3}, 3: three}
    assert batch.select(np.array([False, True, True, True, True])).class_scores == {2: three}
