from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.errors import DataError, SettingError
from everystep.sequences import (
    Ragged,
    gather_back,
    gather_rows,
    packed_batches,
    padded_batches,
    plan_rows,
)
from everystep.sequences.batching import Batches
from tests.strategies import sequences

Arrays = list[npt.NDArray[Any]]
INPUTS = Ragged.of([[1, 2, 3], [4], [5, 6], []])
LABELS = Ragged.of([[10, 20, 30], [40], [50, 60], []], name="labels")
WEIGHTS = np.array([0.5, 2.0, 3.0, 7.0])


def both_kinds(arrays: Arrays, rows: int, seed: int, **aligned: Any) -> list[Batches]:
    inputs = Ragged.of(arrays)
    order = np.random.default_rng(seed).permutation(len(inputs))
    row_length = max(1, int(inputs.lengths.max())) + seed % 3
    plan = plan_rows(inputs.lengths, row_length, order, window=2)
    return [
        packed_batches(inputs, plan, rows, aligned),
        padded_batches(inputs, rows, order, aligned=aligned),
    ]


@given(sequences(), st.integers(1, 4), st.integers(0, 9))
def test_outputs_come_back_in_the_order_of_the_list(arrays: Arrays, rows: int, seed: int) -> None:
    sizes = np.array([len(array) for array in arrays])
    for batches in both_kinds(arrays, rows, seed):
        whole = gather_back(
            (2 * np.asarray(batch.steps) for batch in batches),
            (batch.steps.segments for batch in batches),
            sizes,
        )
        for found, array in zip(whole.split(), arrays, strict=True):
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, 2 * array)


@given(sequences(), st.integers(1, 4), st.integers(0, 9))
def test_batches_have_the_shapes_they_say(arrays: Arrays, rows: int, seed: int) -> None:
    packed, padded = both_kinds(arrays, rows, seed)
    assert len({batch.steps.shape for batch in packed}) == 1
    assert all(batch.steps.shape[0] == rows for batch in padded)
    assert len({batch.steps.shape for batch in padded}) <= 8
    for batches in (packed, padded):
        shapes = [batch.steps.shape[:2] for batch in batches]
        assert shapes == batches.shapes
        assert len(batches) == len(shapes) >= 1
        real = sum(int(batch.steps.mask.sum()) for batch in batches)
        assert real == sum(len(array) for array in arrays)
        assert batches.fill == pytest.approx(real / sum(a * b for a, b in shapes))


@given(sequences(), st.integers(1, 4), st.integers(0, 9))
def test_what_is_aligned_stands_beside_its_steps(arrays: Arrays, rows: int, seed: int) -> None:
    ids = [np.full(len(array), index + 1, np.int32) for index, array in enumerate(arrays)]
    numbers = np.arange(1, len(arrays) + 1, dtype=np.int32)
    packed, padded = both_kinds(arrays, rows, seed, ids=Ragged.of(ids), numbers=numbers)
    for batch in (*packed, *padded):
        np.testing.assert_array_equal(batch.aligned["ids"], batch.steps.segments)
    for batch in packed:
        np.testing.assert_array_equal(batch.aligned["numbers"], batch.steps.segments)
        np.testing.assert_array_equal(
            np.unique(batch.steps.segments[batch.steps.mask]), np.sort(batch.sequences) + 1
        )
    for batch in padded:
        np.testing.assert_array_equal(batch.aligned["numbers"], batch.sequences + 1)
        highest = np.max(batch.steps.segments, axis=1)
        assert np.all((highest == 0) | (highest == batch.sequences + 1))


@given(sequences(), st.integers(1, 4), st.integers(0, 9))
def test_one_output_a_row_comes_back_in_order(arrays: Arrays, rows: int, seed: int) -> None:
    _, padded = both_kinds(arrays, rows, seed)
    outputs = [np.stack([batch.sequences * 3, batch.sequences], axis=1) for batch in padded]
    found = gather_rows(outputs, (batch.sequences for batch in padded), len(arrays))
    np.testing.assert_array_equal(found[:, 0], 3 * np.arange(len(arrays)))


def test_padded_rows_hold_one_sequence_from_the_left() -> None:
    batches = padded_batches(
        INPUTS, rows=3, shapes=np.array([4]), aligned={"labels": LABELS, "weights": WEIGHTS}
    )
    assert not batches[0].steps.packed
    assert [batch.steps.values.tolist() for batch in batches] == [
        [[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 0, 0]],
        [[0] * 4] * 3,
    ]
    assert batches[0].aligned["labels"].tolist() == [[10, 20, 30, 0], [40, 0, 0, 0], [50, 60, 0, 0]]
    assert [batch.aligned["weights"].tolist() for batch in batches] == [[0.5, 2, 3], [7, 0, 0]]
    assert batches[1].sequences.tolist() == [3, -1, -1]


def test_packed_rows_hold_several_and_the_last_batch_is_completed() -> None:
    plan = plan_rows(INPUTS.lengths, 3)
    batches = packed_batches(INPUTS, plan, rows=3, aligned={"weights": WEIGHTS})
    assert batches[0].steps.packed
    assert batches[0].steps.values.tolist() == [[1, 2, 3], [4, 5, 6], [0, 0, 0]]
    assert batches[0].steps.segments.tolist() == [[1, 1, 1], [2, 3, 3], [0, 0, 0]]
    assert batches[0].aligned["weights"].tolist() == [[0.5] * 3, [2, 3, 3], [0] * 3]


def test_a_pass_can_be_entered_in_its_middle() -> None:
    batches = packed_batches(INPUTS, plan_rows(INPUTS.lengths, 3), rows=1)
    assert batches[1].steps.values.tolist() == [[4, 5, 6]]
    with pytest.raises(IndexError):
        batches[2]


def test_labels_of_another_length_are_refused() -> None:
    plan = plan_rows(INPUTS.lengths, 3)
    short = Ragged.of([[1, 2, 3], [4], [5], []], name="labels")
    message = "labels of sequence 2 have 1 steps, but its inputs have 2; give one entry for each"
    with pytest.raises(DataError, match=message):
        packed_batches(INPUTS, plan, 2, {"labels": short})
    with pytest.raises(DataError, match=message):
        padded_batches(INPUTS, 2, aligned={"labels": short})
    with pytest.raises(DataError, match=r"weights must have one entry for .* 4, but has 3; give"):
        packed_batches(INPUTS, plan, 2, {"weights": np.ones(3)})


def test_batches_refuse_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="the plan is for 10 steps, but its sequences have 6"):
        packed_batches(INPUTS, plan_rows(np.array([4, 3, 3]), 5), 2)
    with pytest.raises(DataError, match="sequence 0 has 3 steps, but a row has room for 2"):
        padded_batches(INPUTS, 2, shapes=np.array([1, 2]))
    with pytest.raises(SettingError, match="rows must be an integer of 1 or more, but is 0"):
        padded_batches(INPUTS, 0)
    with pytest.raises(SettingError, match="rows must be"):
        packed_batches(INPUTS, plan_rows(INPUTS.lengths, 3), 0)


IDS = np.array([[1, 1, 2]])


@pytest.mark.parametrize(
    ("outputs", "segments", "lengths", "message"),
    [
        ([], [], [1], "at least one batch, but none came"),
        ([np.ones((1, 2))], [IDS], [2, 1], r"their batch, \(1, 3\), but have shape \(1, 2\); an"),
        ([np.ones((1, 3))], [IDS], [2], "of 1 sequences must be from 0 to 1, but go from 1 to 2"),
        ([np.ones((1, 3))], [IDS], [2, 2], "hold 1 outputs of sequence 1, which should have 2"),
        ([np.ones((1, 3))] * 2, [IDS] * 2, [2, 1], "hold 4 outputs of sequence 0, which should"),
    ],
)
def test_outputs_that_cannot_be_put_back_are_refused(
    outputs: Any, segments: Any, lengths: list[int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        gather_back(outputs, segments, np.array(lengths))


@pytest.mark.parametrize(
    ("outputs", "rows", "message"),
    [
        ([], [], "one output for each row"),
        ([np.ones(2)], [[0, 1, -1]], r"outputs have \[2\] rows and batches \[3\]"),
        ([np.ones(2)], [[0, 0]], "hold 2 outputs of sequence 0, which should have 1"),
        ([np.ones(2)], [[0, -1]], "hold 0 outputs of sequence 1, which should have 1"),
    ],
)
def test_rows_that_cannot_be_put_back_are_refused(outputs: Any, rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        gather_rows(outputs, rows, count=2)
