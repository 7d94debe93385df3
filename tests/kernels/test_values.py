from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everystep.errors import SettingError, ShapeError
from everystep.kernels import LSTMGates, recurrent
from tests.kernels import truth
from tests.kernels.truth import CELLS, Array, Case
from tests.strategies import segment_rows
from tests.tolerances import assert_close

# One row and more: they run in different layouts.
SIZES = [(1, 1, 1, 1), (1, 5, 2, 3), (2, 1, 5, 4), (3, 4, 1, 2)]
EMPTY = [(0, 5, 2, 3), (3, 0, 2, 3), (0, 0, 2, 3), (3, 9, 0, 2)]


def ours(case: Case, **settings: Any) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    return recurrent(case.gates, initial=case.initial, **case.arrays, **settings)


def assert_is_truth(case: Case, **settings: Any) -> None:
    outputs, last = ours(case, **settings)
    wanted, wanted_last = truth.run(case, **settings)
    assert_close(outputs, wanted.astype(case.dtype))
    for found, state in zip(last, wanted_last, strict=True):
        assert_close(found, state.astype(case.dtype))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", SIZES + EMPTY)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_cell_equals_the_numpy_loop(cell: str, sizes: Any, reverse: bool) -> None:
    assert_is_truth(Case(cell, *sizes), reverse=reverse)


@pytest.mark.parametrize("cell", CELLS)
def test_float64_has_no_float32_inside(cell: str) -> None:
    with jax.enable_x64(True):
        assert_is_truth(Case(cell, 5, 9, 3, 2, dtype=np.float64))
        assert_is_truth(Case(cell, 1, 3, 3, 2, dtype=np.float64))


@pytest.mark.parametrize("cell", CELLS)
def test_one_step_of_several_rows_runs_in_half_precision(cell: str) -> None:
    case = Case(cell, 3, 1, 4, 5)
    half = jax.tree.map(lambda array: array.astype(jnp.bfloat16), case.arrays)
    outputs, _ = recurrent(case.gates, initial=case.initial, **half)
    assert outputs.dtype == jnp.bfloat16
    assert_close(outputs, ours(case)[0])


@settings(max_examples=25)
@given(
    segment_rows(),
    st.sampled_from(list(CELLS)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_padding_gaps_and_packed_rows_equal_the_numpy_loop(
    segments: Array, cell: str, packed: bool, reverse: bool, zero: bool, seed: int
) -> None:
    rows, steps = segments.shape
    case = Case(cell, rows, steps, seed=seed)
    assert_is_truth(
        case, segments=segments, packed=packed, reverse=reverse, zero_output_for_mask=zero
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_packed_rows_equal_their_sequences_one_by_one(reverse: bool) -> None:
    case = Case("lstm", batch=4, steps=10)
    zeros = tuple(np.zeros_like(state) for state in case.initial)
    segments = np.array([[1, 1, 1, 2, 2, 2, 2, 3, 0, 0]] * 4)
    packed, _ = recurrent(
        case.gates, initial=zeros, **case.arrays, segments=segments, packed=True, reverse=reverse
    )
    for start, stop in ((0, 3), (3, 7), (7, 8)):
        alone = dict(case.arrays, inputs=case.arrays["inputs"][:, start:stop])
        outputs, _ = recurrent(case.gates, initial=zeros, **alone, reverse=reverse)
        assert_close(packed[:, start:stop], outputs)


def test_a_row_in_chunks_equals_the_whole_row() -> None:
    case = Case("lstm", batch=4, steps=20)
    whole, last = ours(case)
    inputs = case.arrays.pop("inputs")
    states: Any = case.initial
    for start, stop in ((0, 1), (1, 9), (9, 20)):
        outputs, states = recurrent(
            case.gates, inputs[:, start:stop], initial=states, **case.arrays
        )
        assert_close(outputs, whole[:, start:stop])
    assert_close(states[1], last[1])


@pytest.mark.parametrize(("batch", "steps"), [(5, 9), (1, 9)])
def test_padding_is_never_read(batch: int, steps: int) -> None:
    case = Case("lstm", batch, steps)
    segments = np.tile([0, 1, 1, 0, 0, 1, 2, 2, 0], (batch, 1))
    calm, _ = ours(case, segments=segments)
    case.arrays["inputs"][segments == 0] = np.nan
    outputs, _ = ours(case, segments=segments)
    np.testing.assert_array_equal(outputs, calm)


def test_rows_of_padding_alone_carry_the_initial_states() -> None:
    case = Case("lstm", 4, 9)
    outputs, last = ours(case, segments=np.zeros((4, 9), int), packed=True)
    np.testing.assert_array_equal(outputs, np.repeat(case.initial[0][:, None], 9, axis=1))
    np.testing.assert_array_equal(last[1], case.initial[1])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("batch", [1, 5])
def test_narrow_types_add_up_in_float32(dtype: str, batch: int) -> None:
    case = Case("lstm", batch, 9)
    narrow: dict[str, Any] = jax.tree.map(lambda array: jnp.asarray(array, dtype), case.arrays)
    outputs, last = recurrent(case.gates, initial=case.initial, **narrow)
    assert outputs.dtype == dtype
    assert last[0].dtype == np.float32
    case.arrays = jax.tree.map(lambda array: np.asarray(array, np.float32), narrow)
    wanted, _ = truth.run(case)
    assert_close(outputs, wanted.astype(jnp.dtype(dtype)))


def test_softmax_runs_over_the_units_as_in_keras() -> None:
    gates = LSTMGates(activation=jax.nn.softmax)
    shares = jnp.asarray(np.random.default_rng(0).normal(size=(12, 5)), jnp.float32)
    states = (jnp.zeros((3, 5)), jnp.zeros((3, 5)))
    _, cell = gates(shares, jnp.zeros((12, 5)), states)
    i, _, g, _ = (block.T for block in jnp.split(shares, 4))
    assert_close(cell.T, jax.nn.sigmoid(i) * jax.nn.softmax(g, axis=-1))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"inputs": np.zeros((3, 2))}, "inputs must have 3 axes"),
    ({"kernel": np.zeros((2, 15))}, "kernel must have shape"),
    ({"recurrent_kernel": np.zeros((5, 16))}, "kernel must have shape"),
    ({"bias": np.zeros(15)}, "bias must have shape"),
    ({"initial": (np.zeros((3, 4)),)}, "has 2 states, got 1"),
    ({"initial": (np.zeros((3, 4)), np.zeros((3, 5)))}, "initial state must have shape"),
    ({"parameters": (np.zeros(4),)}, "has 0 parameters, got 1"),
    ({"segments": np.ones((3, 4), int)}, "segments must have shape"),
    ({"recurrent_dropout": np.ones((3, 1))}, "recurrent_dropout must have shape"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_arrays_that_do_not_fit_are_named(change: dict[str, Any], message: str) -> None:
    case = Case("lstm")
    arguments: dict[str, Any] = {**case.arrays, "initial": case.initial, **change}
    with pytest.raises(ShapeError, match=message):
        recurrent(case.gates, **arguments)


@pytest.mark.parametrize("setting", [{"packed": True}, {"derivatives": "none"}])
def test_wrong_settings_are_named(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(setting))):
        ours(Case("lstm"), **setting)
