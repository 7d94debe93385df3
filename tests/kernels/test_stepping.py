"""The loop over any function of one step: it treats rows as the loop over equations does."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from everystep.errors import ShapeError
from everystep.kernels import recurrent, run_steps
from tests.kernels.truth import Array, Case
from tests.strategies import segment_rows
from tests.tolerances import DIFFERENCES, assert_close

IDS = np.array([[0, 1, 1, 0, 2, 2], [1, 1, 2, 3, 0, 0], [0, 0, 0, 0, 0, 0]])


def lstm_step(inputs: Any, states: Any, *weights: Any) -> Any:
    """The LSTM of the truth, as a function of one step."""
    kernel, recurrent_kernel, bias = weights
    hidden, cell = states
    i, f, g, o = jnp.split(inputs @ kernel + hidden @ recurrent_kernel + bias, 4, axis=1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
    return hidden, [hidden, cell]


@settings(max_examples=15)
@given(segment_rows(), st.booleans(), st.booleans(), st.booleans())
def test_a_step_gives_what_its_equation_gives_on_any_rows(
    segments: Array, packed: bool, reverse: bool, zero: bool
) -> None:
    case = Case("lstm", *segments.shape)
    arrays = {name: case.arrays[name] for name in ("kernel", "recurrent_kernel", "bias")}
    rows: Any = {
        "segments": jnp.asarray(segments),
        "packed": packed,
        "reverse": reverse,
        "zero_output_for_mask": zero,
    }
    inputs = jnp.asarray(case.arrays["inputs"])
    # Where rows are packed, an equation starts from zeros, and a step from what it is given.
    initial = jax.tree.map(np.zeros_like, case.initial) if packed else case.initial
    outputs, last = recurrent(case.gates, inputs, initial=initial, **arrays, **rows)
    found, last_output, states = jax.jit(
        lambda x, s, *weights: run_steps(
            lambda given, before: lstm_step(given, before, *weights), x, s, **rows
        )
    )(inputs, list(initial), *arrays.values())
    assert_close(found, outputs)
    assert_close(last_output, last[0])
    for state, wanted in zip(states, last, strict=True):
        assert_close(state, wanted)


def test_outputs_that_are_no_states_are_repeated_at_padding() -> None:
    """The output has a shape of its own, so ahead of the first real step it is zeros."""

    def step(inputs: Any, states: Any) -> Any:
        total = states["total"] + inputs
        return total.sum((1, 2)), {"total": total}

    inputs = jnp.arange(36.0).reshape(3, 6, 2, 1)
    first = {"total": jnp.full((3, 2, 1), 50.0)}
    outputs, last, states = run_steps(step, inputs, first, segments=jnp.asarray(IDS), packed=True)
    sums = np.arange(36.0).reshape(3, 6, 2).sum(-1)
    wanted = np.zeros((3, 6))
    wanted[0, 1:3] = 100 + np.cumsum(sums[0, 1:3])
    wanted[0, 3] = wanted[0, 2]
    wanted[0, 4:] = 100 + np.cumsum(sums[0, 4:])
    wanted[1, :2] = 100 + np.cumsum(sums[1, :2])
    wanted[1, 2] = 100 + sums[1, 2]
    wanted[1, 3:] = 100 + sums[1, 3]
    assert_close(outputs, wanted.astype("float32"))
    assert_close(last, wanted[:, -1].astype("float32"))
    assert_close(
        states["total"].sum((1, 2)), np.array([wanted[0, -1], wanted[1, -1], 100], "float32")
    )


def test_padding_is_never_read_and_narrow_states_stay_narrow() -> None:
    inputs = jnp.where(jnp.asarray(IDS == 0)[:, :, None], jnp.nan, 1.0)
    start = [jnp.zeros((3, 1), jnp.bfloat16)]
    outputs, _, (total,) = run_steps(
        lambda x, s: (x + s[0], x + s[0]), inputs, start, segments=jnp.asarray(IDS)
    )
    assert total.dtype == jnp.bfloat16
    assert np.asarray(outputs)[:, -1, 0].tolist() == [4.0, 4.0, 0.0]


def test_states_of_another_shape_are_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"shapes that it was given, \[\(2, 1\)\], not \[\(2, 2\)\]"
    ):
        run_steps(lambda x, s: (x, jnp.tile(s, 2)), jnp.ones((2, 3, 1)), jnp.zeros((2, 1)))


def test_further_sequences_start_from_states_of_their_own() -> None:
    ids = jnp.array([[1, 1, 2, 0, 3]])
    outputs, _, last = run_steps(
        lambda x, total: (x + total, x + total),
        jnp.ones((1, 5)),
        jnp.full(1, 10.0),
        fresh=jnp.full(1, 20.0),
        segments=ids,
        packed=True,
    )
    assert outputs.tolist() == [[11, 12, 21, 21, 21]]
    assert last.tolist() == [21]


def test_gradients_of_a_step_equal_finite_differences() -> None:
    random = np.random.default_rng(0)
    with jax.enable_x64(True):
        shapes = (3, 6, 2), (3, 4), (2, 4), (4, 4)
        arrays = tuple(random.normal(size=shape) for shape in shapes)

        def loss(x: Any, h: Any, k: Any, r: Any) -> Any:
            def step(given: Any, hidden: Any) -> Any:
                new = jnp.tanh(given @ k + jax.nn.sigmoid(hidden @ r) * hidden)
                return new, new

            rows: Any = {"segments": jnp.asarray(IDS), "packed": True, "reverse": True}
            outputs, last, _ = run_steps(step, x, h, **rows)
            return jnp.sum(jnp.sin(outputs)) + jnp.sum(last)

        check_grads(jax.jit(loss), arrays, 1, ["rev"], rtol=DIFFERENCES["float64"])  # type: ignore[no-untyped-call]
