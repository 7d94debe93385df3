from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.errors import DataError, SettingError
from everystep.sequences import bucket_lengths, plan_rows, row_shape, rows_for
from everystep.sequences.buckets import bucketed_groups
from tests.english import english_lengths
from tests.strategies import lengths

Lengths = npt.NDArray[np.int64]


@given(lengths(), st.integers(0, 3), st.none() | st.integers(0, 9), st.integers(1, 4))
def test_every_sequence_with_steps_stands_in_one_row_that_it_fits(
    sizes: Lengths, room: int, seed: int | None, window: int
) -> None:
    row_length = max(1, int(sizes.max())) + room
    order = None if seed is None else np.random.default_rng(seed).permutation(len(sizes))
    plan = plan_rows(sizes, row_length, order, window)
    placed = [int(index) for row in plan for index in row]
    assert sorted(placed) == np.flatnonzero(sizes).tolist()
    assert all(1 <= sizes[row].sum() <= row_length for row in plan)
    cells = len(plan) * row_length
    assert plan.fill == (sizes.sum() / cells if cells else 1.0)


@given(lengths(), st.integers(0, 9))
def test_the_same_seed_gives_the_same_plan(sizes: Lengths, seed: int) -> None:
    plans = [
        plan_rows(sizes, 9, np.random.default_rng(seed).permutation(len(sizes)), window=2)
        for _ in range(2)
    ]
    assert [row.tolist() for row in plans[0]] == [row.tolist() for row in plans[1]]


def test_an_order_keeps_to_its_window() -> None:
    sizes = np.array([4, 4, 4, 1, 1, 1])
    wide = plan_rows(sizes, 5, np.arange(6), window=3)
    narrow = plan_rows(sizes, 5, np.arange(6), window=1)
    assert [row.tolist() for row in wide] == [[0, 3], [1, 4], [2, 5]]
    assert [row.tolist() for row in narrow] == [[0], [1], [2, 3], [4, 5]]


def test_the_fullest_row_is_closed_when_a_sequence_fits_none() -> None:
    plan = plan_rows(np.array([3, 4, 5, 3, 2]), 6, np.arange(5), window=2)
    # Of the rows of 0 and 1 that of 1 goes when 2 comes; 3 then still joins 0.
    assert [row.tolist() for row in plan] == [[1], [0, 3], [2], [4]]


def test_part_of_a_data_set_can_be_planned() -> None:
    plan = plan_rows(np.array([3, 2, 1]), 3, np.array([2, 1]))
    assert [row.tolist() for row in plan] == [[2, 1]]
    assert repr(plan) == "RowPlan(2 sequences in 1 rows of 3 steps, 100.0% full)"
    with pytest.raises(IndexError, match="row 1 of a plan of 1 rows"):
        plan[1]


def test_a_plan_refuses_what_it_cannot_place() -> None:
    with pytest.raises(DataError, match="sequence 2 has 7 steps, but a row has room for 5; cut"):
        plan_rows(np.array([1, 5, 7]), 5)
    with pytest.raises(SettingError, match="row_length must be an integer of 1 or more"):
        plan_rows(np.array([0]), 0)
    with pytest.raises(SettingError, match="window must be"):
        plan_rows(np.array([1]), 1, np.array([0]), window=0)


@pytest.mark.parametrize(
    ("sizes", "row_length", "batch_size", "rows"),
    [
        ([16, 16], 160, 32, 3),
        ([1], 100, 1, 1),
        ([0, 0], 1, 32, 1),
        ([5] * 3, 5, 7, 7),
        ([], 5, 2, 1),
    ],
)
def test_rows_hold_about_the_sequences_asked_for(
    sizes: list[int], row_length: int, batch_size: int, rows: int
) -> None:
    assert rows_for(np.array(sizes, int), row_length, batch_size) == rows


def test_rows_for_refuses_settings_that_are_no_counts() -> None:
    with pytest.raises(SettingError, match=r"batch_size must be .* but is 0"):
        rows_for(np.array([1]), 1, 0)


@given(lengths(), st.integers(1, 40), st.integers(1, 9))
def test_a_row_shape_holds_what_was_asked_for_and_the_longest(
    sizes: Lengths, batch_size: int, least: int
) -> None:
    rows, row_length = row_shape(sizes, batch_size, least)
    longest, steps = max(least, 1, int(sizes.max())), batch_size * sizes.mean()
    assert row_length >= longest
    assert rows * row_length >= steps - 1e-9
    # More cells than that only where rows cannot be shorter, and never half a row too much.
    assert row_length == longest or (row_length - 1) * rows < steps
    assert rows == 1 or (rows - 0.5) * longest <= steps + 1e-9


def padded_cells(sizes: Lengths, shapes: Lengths) -> int:
    return int(shapes[np.searchsorted(shapes, np.maximum(sizes, 1))].sum())


@given(lengths(longest=12), st.integers(1, 4))
def test_bucket_lengths_waste_the_fewest_cells(sizes: Lengths, most: int) -> None:
    found = bucket_lengths(sizes, most)
    longest = max(1, int(sizes.max()))
    assert len(found) <= most
    assert found[-1] == longest
    assert np.all(np.diff(found) > 0)
    best = min(
        padded_cells(sizes, np.array([*below, longest]))
        for count in range(most)
        for below in combinations(range(1, longest), count)
    )
    assert padded_cells(sizes, found) == best


def test_bucket_lengths_of_very_many_lengths_stay_quick_and_good() -> None:
    sizes = np.random.default_rng(5).integers(1, 20_000, 30_000)
    found = bucket_lengths(sizes, 8)
    assert (len(found), found[-1]) == (8, sizes.max())
    assert sizes.sum() / padded_cells(sizes, found) > 0.88


@given(lengths(), st.integers(1, 5), st.integers(1, 3), st.integers(0, 9))
def test_groups_hold_each_sequence_once_and_only_the_last_is_short(
    sizes: Lengths, rows: int, most: int, seed: int
) -> None:
    shapes = bucket_lengths(sizes, most)
    order = np.random.default_rng(seed).permutation(len(sizes))
    groups = bucketed_groups(sizes, order, rows, shapes)
    assert sorted(int(i) for members, _ in groups for i in members) == list(range(len(sizes)))
    assert all(len(members) == rows for members, _ in groups[:-1])
    for members, steps in groups:
        assert steps in shapes
        assert np.all(sizes[members] <= steps)


def test_groups_come_as_they_fill_up_not_by_length() -> None:
    groups = bucketed_groups(np.array([5, 5, 1, 1, 5, 1]), np.arange(6), 2, np.array([1, 5]))
    assert [(members.tolist(), steps) for members, steps in groups] == [
        ([0, 1], 5),
        ([2, 3], 1),
        ([4, 5], 5),
    ]


def test_no_sequences_make_one_group_of_none() -> None:
    nothing = np.empty(0, int)
    groups = bucketed_groups(nothing, nothing, 2, bucket_lengths(nothing))
    assert [(members.tolist(), steps) for members, steps in groups] == [([], 1)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_of_real_sentences_in_random_order_are_full(seed: int) -> None:
    sizes = english_lengths()
    order = np.random.default_rng(seed).permutation(len(sizes))
    assert plan_rows(sizes, int(sizes.max()), order).fill >= 0.97
