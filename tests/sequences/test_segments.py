from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from jax import export

from everystep.errors import DataError
from everystep.sequences import boundaries
from everystep.sequences.segments import check_segments
from tests.strategies import segment_rows

# jax leaves these without types.
abstract_array: Any = jax.ShapeDtypeStruct

Segments = npt.NDArray[np.int32]


def slow_boundaries(segments: Segments) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    real = np.zeros(segments.shape, bool)
    starts = np.zeros(segments.shape, bool)
    for row in range(segments.shape[0]):
        last = 0
        for step in range(segments.shape[1]):
            here = segments[row, step]
            if here == 0:
                continue
            real[row, step] = True
            starts[row, step] = last not in (0, here)
            last = here
    return real, starts


@given(segment_rows())
def test_boundaries_agree_with_a_loop(segments: Segments) -> None:
    for found, expected in zip(boundaries(segments), slow_boundaries(segments), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("segments", "starts"),
    [
        ([[0, 0, 4, 4]], [[0, 0, 0, 0]]),  # left padding: nothing to start afresh
        ([[4, 0, 4, 0]], [[0, 0, 0, 0]]),  # a gap carries the state over
        ([[4, 0, 5, 0]], [[0, 0, 1, 0]]),  # after a gap another sequence
        ([[5, 4], [4, 4]], [[0, 1], [0, 0]]),  # ids may fall; rows do not see each other
    ],
)
def test_boundaries_in_the_cases_that_matter(
    segments: list[list[int]], starts: list[list[int]]
) -> None:
    assert boundaries(np.array(segments))[1].astype(int).tolist() == starts


def test_boundaries_trace_and_differ_not_from_eager() -> None:
    segments = jnp.array([[0, 2, 2, 1, 0], [3, 0, 3, 1, 1]])
    for jitted, eager in zip(jax.jit(boundaries)(segments), boundaries(segments), strict=True):
        np.testing.assert_array_equal(jitted, eager)


@pytest.mark.parametrize("dimensions", ["batch, steps", "batch, 5", "2, steps"])
def test_boundaries_export_over_symbolic_dimensions(dimensions: str) -> None:
    segments = jnp.array([[0, 2, 2, 1, 0], [3, 0, 3, 1, 1]])
    shape = abstract_array(export.symbolic_shape(dimensions), jnp.int32)
    call: Any = export.export(jax.jit(boundaries))(shape).call
    for found, expected in zip(call(segments), boundaries(segments), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("segments", "packed", "message"),
    [
        (np.zeros(3, int), True, r"shape \(batch, steps\), but came as int64 of shape \(3,\)"),
        (np.ones((1, 2), bool), True, "came as bool .* use from_mask"),
        (np.ones((1, 2)), True, "came as float64"),
        (np.array([[1, -2]]), True, "go from -2 to 1; use 0 for padding"),
        (np.array([[2**40]]), True, "go from 1099511627776 to"),
        (np.array([[5, 6, 5]]), True, "sequence 5 starts in row 0 and again in row 0; give each"),
        (np.array([[1, 2], [0, 2]]), True, "sequence 2 starts in row 0 and again in row 1"),
        (np.array([[1, 1], [0, 0], [7, 8]]), False, "row 2 holds the sequences 7 and 8.*packed=T"),
        (np.array([[3, 4, 3]]), False, "row 0 holds the sequences 3 and 4"),
    ],
)
def test_segments_that_name_no_sequences_are_refused(
    segments: npt.NDArray[np.generic], packed: bool, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check_segments(segments, packed=packed)


def test_proper_segments_are_let_through() -> None:
    check_segments(np.array([[0, 3, 0, 3, 1], [2, 2, 0, 0, 0]]), packed=True)
    check_segments(np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]]), packed=False)
    check_segments(np.zeros((0, 3), int), packed=True)
    check_segments(np.zeros((2, 0), np.uint8), packed=False)
