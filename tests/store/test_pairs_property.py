"""Whatever the order, the batches and the writers: the sum of profiles depends on the set of halves alone."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.profiles.series import SeriesKey
from monitor.records import Partition
from monitor.store import ownership
from monitor.store.dead import Cap
from monitor.store.engine import open_engine
from monitor.store.flush import Flush, commit
from monitor.store.names import series_ids
from monitor.store.pairing import Pairing, PairingSettings
from monitor.store.store import Store
from tests.exactly_once.pair_oracle import Label, Prediction, count_pairs
from tests.store.halves import label_half, prediction_half, quality_counts

BEGIN_MS = 1_700_000_040_000
TOPICS = (Partition("labels", 0), Partition("labels", 1), Partition("records", 3))
SERIES = {
    "a": (SeriesKey("a", "1"), SeriesKey("a", "1", "", "country", "DE")),
    "b": (SeriesKey("b", "1", "/x"),),
}

times = st.integers(0, 5).map(lambda i: BEGIN_MS + i * 1_500_000)
values = st.sampled_from(["yes", "no", True, False, 0, 1, 1.0, 2.5, 12.0, "free text", None])
joins = st.sampled_from([("i", "1"), ("i", "2"), ("k", "order-1")])


@st.composite
def halves(draw: st.DrawFn) -> list[Prediction | Label]:
    found: list[Prediction | Label] = []
    for number in range(draw(st.integers(1, 14))):
        source = draw(st.sampled_from(TOPICS))
        join = draw(joins)
        rank = (draw(times), source.topic, source.number, number)
        value = draw(values)
        if draw(st.booleans()):
            model = draw(st.sampled_from(["a", "b"]))
            name = join[1] if join[0] == "i" else draw(st.sampled_from(["1", "2"]))
            found.append(
                Prediction(join, model, name, value, draw(st.none() | st.just(0.5)), SERIES[model], rank)
            )
        elif value is not None:
            model_of = draw(st.sampled_from([None, "a", "b"]))
            annotator = draw(st.sampled_from([None, "x", "y"]))
            found.append(Label(join, model_of, annotator, value, rank))
    return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store, to copy."""
    file = tmp_path_factory.mktemp("template") / "store.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=halves(), data=st.data())
def test_any_order_batching_and_split_counts_what_the_oracle_does(
    template: Path, tmp_path: Path, made: list[Prediction | Label], data: st.DataObject
) -> None:
    file = tmp_path / "store.db"
    shutil.copy(template, file)
    store = Store(open_engine(f"sqlite:///{file}"))
    try:
        order = data.draw(st.permutations(made))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=5)))
        again = data.draw(st.lists(st.sampled_from(order), max_size=3)) if order else []
        batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
        _commit_all(store, [*batches, again], data)
        wanted = count_pairs(
            [h for h in made if isinstance(h, Prediction) and (h.value is not None or h.score is not None)],
            [h for h in made if isinstance(h, Label)],
        )
        assert quality_counts(store) == wanted
    finally:
        store.close()
        file.unlink()


def _commit_all(store: Store, batches: Sequence[Sequence[Prediction | Label]], data: st.DataObject) -> None:
    """Each batch by a writer chosen at random; every half keeps the source that it was read from."""
    claims = {p: ownership.claim(store, p, "test", 0) for p in TOPICS}
    writers = {p: claim.writer for p, claim in claims.items()}
    keys = [key for of_model in SERIES.values() for key in of_model]
    ids = dict(zip(keys, series_ids(store, keys), strict=True))
    at: dict[Partition, int | None] = dict.fromkeys(TOPICS)
    for batch in batches:
        writer = data.draw(st.sampled_from(TOPICS))
        claim = claims[writer]
        predictions = [prediction_half(h, ids, writers) for h in batch if isinstance(h, Prediction)]
        labels = [label_half(h, writers) for h in batch if isinstance(h, Label)]
        to_offset = (at[writer] or 0) + 1
        flush = Flush(
            partition=writer,
            writer=claim.writer,
            epoch=claim.epoch,
            from_offset=at[writer],
            to_offset=to_offset,
            marks=claim.marks,
            rows=(),
            now_ms=0,
            predictions=[h for h in predictions if len(h)],
            labels=labels,
        )
        commit(store, flush, Cap(), Pairing(store, PairingSettings()))
        at[writer] = to_offset
