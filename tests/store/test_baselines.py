"""Baselines in the store: which one is active when, and that no window ever mixes two."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract, ValueType, from_json, to_json
from monitor.profiles.layout import FEATURE_STRIDE, FeatureBin, Kind
from monitor.profiles.series import SeriesKey
from monitor.records import Partition
from monitor.store import Store, fits
from monitor.store.activations import Activation, activate, active, bind, list_activations, next_window_s
from monitor.store.baselines import features_of, reference, reference_at, references
from monitor.store.names import find_series
from monitor.store.read import read_cells
from monitor.store.registry import RegistryLimits, StoreRegistry
from tests.builders import T0_MS, record
from tests.filling import SETTINGS, Writer, fill
from tests.making import AMOUNT, counts_of, new_baseline

WINDOW_S = SETTINGS.features_s
FIRST_S = T0_MS // 1000 // WINDOW_S * WINDOW_S


def windows(store: Store, model: str = "fraud") -> dict[tuple[str, int], set[int]]:
    """The baselines that each base window was counted on, by version and begin."""
    names = {i: k for k, i in find_series(store, model).items()}
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, list(names), 0, 2**40)
    found: dict[tuple[str, int], set[int]] = {}
    for series, start_s, baseline in zip(cells.series, cells.start_s, cells.baseline, strict=True):
        found.setdefault((names[int(series)].version, int(start_s)), set()).add(int(baseline))
    return found


def at(window: int, second: int = 0) -> int:
    return (FIRST_S + window * WINDOW_S + second) * 1000


def said(number: int, version: str, from_s: int, retired: bool = False) -> Activation:
    return Activation(number, number, "fraud", version, from_s, retired, "ann", 0)


@pytest.mark.parametrize(
    ("history", "version", "at_s", "expected"),
    [
        ([], "3", 10, None),
        ([said(1, "", 0)], "3", 10, 1),
        ([said(1, "", 20)], "3", 10, None),
        ([said(1, "", 0), said(2, "3", 0)], "3", 10, 2),
        ([said(2, "3", 0), said(1, "", 0)], "3", 10, 2),
        ([said(1, "", 0), said(2, "3", 0)], "4", 10, 1),
        ([said(1, "", 0), said(2, "", 10)], "3", 9, 1),
        ([said(1, "", 0), said(2, "", 10)], "3", 10, 2),
        ([said(1, "", 10), said(2, "", 5)], "3", 20, 2),  # the last word about a time
        ([said(1, "", 0), said(1, "", 10, True)], "3", 10, None),
        ([said(1, "", 0), said(1, "", 10, True)], "3", 9, 1),
        ([said(1, "", 0), said(2, "3", 0), said(2, "3", 10, True)], "3", 10, 1),
        ([said(1, "", 0), said(1, "", 10, True), said(1, "", 20)], "3", 20, 1),
    ],
)
def test_the_active_baseline(
    history: list[Activation], version: str, at_s: int, expected: int | None
) -> None:
    assert active(history, version, at_s) == expected


def test_a_new_baseline_leaves_old_windows_alone(store: Store) -> None:
    writer = Writer(store)
    writer.take([record(ts=at(w)) for w in range(3)])
    writer.flush()
    provisional = features_of(store, "fraud")[0]
    made = fits.create(store, new_baseline(), 0, next_window_s(store, "fraud", "", WINDOW_S))
    assert list_activations(store, "fraud")[0].from_s == FIRST_S + 3 * WINDOW_S
    writer.registry.refresh()
    # Late records of an old window, and a new one; then the same after a restart.
    writer.take([record(ts=at(2, 5)), record(ts=at(3)), record(ts=at(4))])
    writer.flush()
    again = Writer(store)
    again.take([record(ts=at(0, 7)), record(ts=at(3, 7))])
    again.flush()
    assert windows(store) == {
        **{("3", FIRST_S + w * WINDOW_S): {provisional.id} for w in range(3)},
        **{("3", FIRST_S + w * WINDOW_S): {made.id} for w in (3, 4)},
    }


def test_a_window_under_way_stays_on_its_baseline(store: Store) -> None:
    """Nor does it mix where it is counted by a process that has not heard of the change, and not flushed."""
    slow, quick = Writer(store), Writer(store, Partition("t", 1))
    slow.take([record(ts=at(0))])
    made = fits.create(store, new_baseline(), 0, 0)
    quick.take([record(ts=at(0)), record(ts=at(1))])
    slow.take([record(ts=at(1)), record(ts=at(2))])
    slow.registry.refresh()
    slow.take([record(ts=at(3))])
    quick.take([record(ts=at(2))])
    slow.flush()
    quick.flush()
    provisional = features_of(store, "fraud")[0].id
    assert windows(store) == {
        ("3", FIRST_S): {provisional},
        ("3", FIRST_S + WINDOW_S): {made.id},
        ("3", FIRST_S + 2 * WINDOW_S): {provisional},
        ("3", FIRST_S + 3 * WINDOW_S): {made.id},
    }


def test_one_batch_may_span_baselines_and_versions(store: Store) -> None:
    whole = fits.create(store, new_baseline(), 0, 0)
    third = fits.create(store, new_baseline("3"), 0, FIRST_S + WINDOW_S)
    rows = [record(ts=at(w), version=v, features={"amount": 15.0}) for v in ("3", "4") for w in range(2)]
    fill(store, rows)
    assert windows(store) == {
        ("3", FIRST_S): {whole.id},
        ("3", FIRST_S + WINDOW_S): {third.id},
        ("4", FIRST_S): {whole.id},
        ("4", FIRST_S + WINDOW_S): {whole.id},
    }
    ids = list(find_series(store, "fraud").values())
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, ids, 0, 2**40)
    assert int(cells.count[cells.cell == FEATURE_STRIDE + 1].sum()) == 4


def test_a_baseline_from_the_beginning_where_nothing_was_counted(store: Store) -> None:
    assert next_window_s(store, "fraud", "", WINDOW_S) == 0


def test_a_second_baseline_of_a_version_is_refused_until_the_first_retires(store: Store) -> None:
    first = fits.create(store, new_baseline("3"), 0, 0)
    fits.create(store, new_baseline("4"), 0, 0)
    with pytest.raises(StoreError, match="monitor baseline retire --model fraud --number 1"):
        fits.create(store, new_baseline("3"), 0, 0)
    activate(store, first.id, 100, "bob", 5, retired=True)
    third = fits.create(store, new_baseline("3"), 0, 100)
    assert third.number == 3
    assert [b.number for b in features_of(store, "fraud")] == [0, 1, 2, 3]


def test_one_may_take_over_from_another(store: Store) -> None:
    first = fits.create(store, new_baseline(), 0, 0)
    second = fits.create(store, new_baseline(), 0, 1000, in_place_of=first.id)
    history = list_activations(store, "fraud")
    assert (active(history, "", 999), active(history, "", 1000)) == (first.id, second.id)


def test_unknown_features_are_seen_but_not_fitted(store: Store) -> None:
    made = fits.create(store, new_baseline(), 0, 0)
    fill(store, [record(ts=at(0), id=str(i)) for i in range(3000)])
    (_, baseline) = features_of(store, "fraud")
    assert list(baseline.features) == ["amount", "plan", "new", "@prediction", "@score"]
    assert [f.bins is None for f in baseline.features.values()] == [False, True, True, True, True]
    number = baseline.features["plan"].number
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, list(find_series(store, "fraud").values()), 0, 2**40)
    unbinned = number * FEATURE_STRIDE + int(FeatureBin.UNBINNED)
    assert int(cells.count[cells.cell == unbinned].sum()) == 3000
    found = reference(store, made.id)
    assert found is not None
    assert found.features["plan"].bins is None


def test_two_thousand_features(store: Store) -> None:
    names = [f"f{i}" for i in range(2000)]
    fits.create(store, new_baseline(features=dict.fromkeys(names, AMOUNT)), 0, 0)
    fill(
        store, [record(ts=at(0), features=dict.fromkeys(names[::2], 15.0) | {"more": 1.0}) for _ in range(3)]
    )
    (_, baseline) = features_of(store, "fraud")
    assert len(baseline.features) == 2002  # the limit, and room for the prediction and the score
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, list(find_series(store, "fraud").values()), 0, 2**40)
    assert int(cells.count[cells.cell % FEATURE_STRIDE == 1].sum()) == 3000


def test_whoever_binds_a_window_first_holds(store: Store) -> None:
    assert bind(store, {(1, 600): 7, (2, 600): 8}) == {(1, 600): 7, (2, 600): 8}
    assert bind(store, {(1, 600): 9, (1, 1200): 9}) == {(1, 600): 7, (1, 1200): 9}


def test_racing_processes_bind_alike(store: Store) -> None:
    wanted = [{(s, w * 600): k for s in range(3) for w in range(50)} for k in range(4)]
    found: list[dict[tuple[int, int], int]] = [{} for _ in wanted]
    threads = [
        threading.Thread(target=lambda k=k: found[k].update(bind(store, wanted[k])))  # type: ignore[misc]  # binds k
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == found[2] == found[3]


def test_a_registry_hears_of_changes_when_it_refreshes(store: Store) -> None:
    registry = StoreRegistry(store, RegistryLimits(), WINDOW_S, lambda: 0)
    series, _ = registry.series([SeriesKey("fraud", "3")])
    (before,) = registry.baselines(series, np.array([0]))
    made = fits.create(store, new_baseline(), 0, 0)
    registry.refresh()
    assert registry.baselines(series, np.array([0])).tolist() == [before]
    assert registry.baselines(series, np.array([600])).tolist() == [made.id]


def test_the_reference(store: Store) -> None:
    features = {"amount": AMOUNT, "plan": Bins(categories=("a", "b"))}
    contract = FeatureContract(ValueType.NUMBER, True, 0.0, 100.0, None, 0.1)
    new = new_baseline("3", features, {"amount": contract})
    made = fits.create(store, new, 5, 0)
    found = reference_at(store, "fraud", "3", 10)
    assert found is not None
    assert (found.baseline.id, found.baseline.number, found.rows, found.slot) == (made.id, 1, 100, -1)
    assert found.names == ("amount", "plan")
    assert found.features["amount"].contract == contract
    assert found.counts[0, [0, 1, int(FeatureBin.NULL)]].tolist() == [60, 30, 10]
    assert found.counts.sum(axis=1).tolist() == [100, 100]
    assert found.dispersion.tolist() == [1.0, 1.0]
    assert reference_at(store, "fraud", "4", 10) is None
    assert [r.baseline.id for r in references(store, "fraud")] == [made.id]


def test_a_provisional_reference_is_kept_once(store: Store) -> None:
    fill(store, [record(ts=at(0))])
    number = features_of(store, "fraud")[0].id
    assert reference_at(store, "fraud", "3", 10) is None
    unbinned = {int(FeatureBin.UNBINNED): 3, 0: 5}
    assert fits.keep_reference(store, number, counts_of(10, {1: {0: 10}, 2: unbinned}, 6))
    assert not fits.keep_reference(store, number, counts_of(99, {1: {0: 99}}, 6))
    found = reference_at(store, "fraud", "3", 10)
    assert found is not None
    assert (found.rows, found.windows, found.baseline.provisional) == (10, 6, True)


contracts = st.builds(
    FeatureContract,
    type=st.sampled_from(ValueType),
    required=st.booleans(),
    minimum=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    maximum=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    categories=st.none() | st.lists(st.text(max_size=5), max_size=5).map(tuple),
    null_share_max=st.floats(0, 1),
)


@given(contracts)
def test_a_contract_survives_json(contract: FeatureContract) -> None:
    assert from_json(to_json(contract)) == contract
