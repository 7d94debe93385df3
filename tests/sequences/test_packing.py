from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.errors import DataError, SettingError
from everystep.sequences import Ragged, boundaries, pack
from tests.strategies import sequences

Arrays = list[npt.NDArray[Any]]


@given(sequences(), st.integers(0, 4))
def test_unpacking_gives_back_what_was_packed(arrays: Arrays, room: int) -> None:
    longest = max(len(array) for array in arrays)
    steps = pack(arrays, length=max(1, longest) + room)
    assert steps.shape == (steps.shape[0], max(1, longest) + room, *arrays[0].shape[1:])
    found = steps.unpack()
    assert len(found) == len(arrays)
    for back, array in zip(found, arrays, strict=True):
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


@given(sequences())
def test_each_sequence_stands_once_in_one_run_and_padding_is_zero(arrays: Arrays) -> None:
    steps = pack(arrays)
    for index, array in enumerate(arrays):
        rows, columns = np.nonzero(steps.segments == index + 1)
        assert len(rows) == len(array)
        if len(array):
            assert set(rows) == {rows[0]}
            np.testing.assert_array_equal(columns, columns[0] + np.arange(len(array)))
    assert not np.any(np.asarray(steps.values)[steps.segments == 0])


def test_a_state_starts_afresh_once_for_each_sequence_but_the_first_of_a_row() -> None:
    steps = pack([np.ones(size) for size in (2, 0, 7, 5, 3, 4)], length=8)
    starts = np.sum(boundaries(steps.segments)[1])
    assert starts + len(steps) == 5


def test_rows_fill_up_and_read_in_the_order_of_the_list() -> None:
    steps = pack([np.full(size, size) for size in (2, 7, 5, 3, 4)])
    assert steps.fill == 1.0
    assert steps.segments.tolist() == [[1, 1, 3, 3, 3, 3, 3], [2] * 7, [4, 4, 4, 5, 5, 5, 5]]
    assert steps.segments.dtype == np.int32
    assert steps.packed


def test_nothing_but_sequences_without_steps_makes_one_row_of_padding() -> None:
    steps = pack([np.zeros((0, 3)), np.zeros((0, 3))])
    assert steps.shape == (1, 1, 3)
    assert [array.shape for array in steps.unpack()] == [(0, 3), (0, 3)]


def test_the_count_of_sequences_survives_jit_and_does_not_compile_anew() -> None:
    traces = 0

    @jax.jit
    def double(steps: Any) -> Any:
        nonlocal traces
        traces += 1
        return steps.with_values(2 * steps)

    for arrays in ([[1, 2], [], [3]], [[1], [2], [], [3]]):
        packed = pack([np.array(array, np.int32) for array in arrays], length=4)
        found = double(packed).unpack()
        assert [array.tolist() for array in found] == [[2 * x for x in array] for array in arrays]
    assert traces == 1
    tail = double(pack([np.ones(2, np.int32), np.ones(0, np.int32)], length=4)).unpack()
    assert [len(array) for array in tail] == [2, 0]


def test_numbers_in_lists_jax_arrays_and_tuples_are_taken() -> None:
    assert pack(([1, 2], [], [3])).values.dtype == np.int64
    assert pack([[[1.5, 2.0]], []]).unpack()[1].shape == (0, 2)
    assert pack([jnp.ones((2, 3), jnp.bfloat16)]).values.dtype == jnp.bfloat16
    assert pack([[True], [False]]).values.dtype == bool


WRONG: dict[str, tuple[Any, str]] = {
    "empty list": ([], "sequences must hold at least one sequence, but the list is empty"),
    "no list": (np.ones((2, 3)), r"must be a list of arrays.*came as ndarray; pass list\(\.\.\.\)"),
    "text": ("ab", "came as str"),
    "a generator": ((x for x in [[1]]), "came as generator"),
    "scalar": ([np.ones(2), 3.0], "sequence 1 of sequences must be an array of steps, but is the"),
    "trailing": (
        [np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 4))],
        r"a step of sequence 2 has shape \(4,\) and a step of sequence 0 has \(3,\); bring",
    ),
    "rank": ([np.ones((2, 3)), np.ones(2)], r"a step of sequence 1 has shape \(\)"),
    "words": (
        [["a", "b"]],
        "sequence 0 of sequences must hold numbers, .* list of dtype <U1; turn",
    ),
    "objects": ([np.array([None, 1])], "must hold numbers, but came as ndarray of dtype object"),
    "nothing": ([None], "must hold numbers, but came as NoneType"),
    "dates": ([np.array(["2020-01-01"], "datetime64[D]")], "dtype datetime64"),
    "ragged within": ([[1], [[1, 2], [3]]], "sequence 1 of sequences is no array: its steps"),
    "dtypes": (
        [[1, 2], [], [0.5]],
        "sequence 2 is float64 and sequence 0 is int64; convert them with .astype",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_list_of_like_arrays_is_refused(name: str) -> None:
    thing, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        pack(thing)


def test_a_sequence_longer_than_the_row_is_refused() -> None:
    with pytest.raises(DataError, match=r"sequence 1 has 5 steps.*room for 4.*at least 6"):
        pack([np.ones(4), np.ones(5), np.ones(6)], length=4)


@pytest.mark.parametrize("length", [0, -1, 2.5, True])
def test_a_length_that_is_no_count_is_refused(length: Any) -> None:
    with pytest.raises(SettingError, match="length must be an integer of 1 or more, but is"):
        pack([np.ones(1)], length=length)


def test_ragged_names_what_it_is_given() -> None:
    with pytest.raises(DataError, match="labels must be a list"):
        Ragged.of(3, name="labels")
    ragged = Ragged.of([[1, 2]])
    assert Ragged.of(ragged) is ragged
    assert repr(Ragged.of([np.ones((2, 3)), np.ones((0, 3))])) == (
        "Ragged(2 sequences of float64[0..2,3])"
    )
