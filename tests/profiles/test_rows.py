"""Names in columns mean what they mean one by one."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKey, RowKeys

keys = st.lists(
    st.builds(
        RowKey,
        kind=st.integers(1, 3),
        tier_s=st.sampled_from([60, 600]),
        series=st.integers(1, 2**31 - 1) | st.integers(1, 3),
        start_s=st.integers(0, 4).map(lambda i: 600 * i) | st.integers(0, 2**40),
        baseline=st.integers(0, 2),
    ),
    max_size=20,
)


@given(keys)
def test_columns_and_back(rows: list[RowKey]) -> None:
    columns = RowKeys.of(rows)
    assert len(columns) == len(rows)
    assert list(columns) == rows
    assert list(columns.tuples()) == rows
    assert columns.start_s.tolist() == [row.start_s for row in rows]
    assert list(RowKeys.joined([columns[:3], columns[3:]])) == rows


@given(keys, st.data())
def test_rows_are_chosen_by_number_and_by_mask(rows: list[RowKey], data: st.DataObject) -> None:
    keep = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    chosen = [row for row, kept in zip(rows, keep, strict=True) if kept]
    assert list(RowKeys.of(rows)[np.array(keep, np.bool_)]) == chosen
    assert list(RowKeys.of(rows)[np.flatnonzero(keep)]) == chosen


@given(keys, st.sampled_from([3600, 86_400]))
def test_coarser_windows_hold_the_finer(rows: list[RowKey], tier_s: int) -> None:
    for fine, coarse in zip(rows, RowKeys.of(rows).coarser(tier_s), strict=True):
        assert coarse == fine._replace(tier_s=tier_s, start_s=coarse.start_s)
        assert coarse.start_s <= fine.start_s < coarse.start_s + tier_s
        assert coarse.start_s % tier_s == 0


@given(keys, keys)
def test_a_row_has_one_number(first: list[RowKey], then: list[RowKey]) -> None:
    profiles = Profiles()
    numbers = [*profiles.rows_for(RowKeys.of(first)).tolist()]
    numbers += profiles.rows_for(RowKeys.of(then)).tolist()
    names = list(profiles.rows)
    assert [names[i] for i in numbers] == first + then
    assert names == list(dict.fromkeys(first + then))
    assert len(profiles) == len(names)


@given(keys, keys)
def test_a_set_knows_what_it_has(rows: list[RowKey], asked: list[RowKey]) -> None:
    profiles = Profiles()
    profiles.rows_for(RowKeys.of(rows))
    assert profiles.has(RowKeys.of(asked)).tolist() == [key in rows for key in asked]


@given(keys, st.data())
def test_where_keeps_the_entries_of_the_rows_chosen(rows: list[RowKey], data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.tuples(st.sampled_from(rows), st.integers(0, 5000)))) if rows else []
    profiles = _counted(cells)
    keep = np.array([row.kind == 1 for row in profiles.rows], np.bool_)
    chosen, wanted = profiles.where(keep), _counted([cell for cell in cells if cell[0].kind == 1])
    assert list(chosen.rows) == list(wanted.rows)
    for a, b in zip(chosen.counts, wanted.counts, strict=True):
        assert a.tolist() == b.tolist()


def _counted(cells: Sequence[tuple[RowKey, int]]) -> Profiles:
    profiles = Profiles()
    numbers = profiles.rows_for(RowKeys.of(row for row, _ in cells))
    profiles.add_counts(numbers, np.array([c for _, c in cells], np.int64), np.ones(len(cells), np.int64))
    return profiles
